"""Our checkpoint reader and writer against TensorFlow's own."""

import shutil
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from tf1hub.format import dtypes
from tf1hub.format.bundle_data import data_path
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.format.checkpoint_copy import copy_checkpoint
from tf1hub.format.wanted_variable import WantedVariable

MODULES = Path(__file__).parents[3] / "shared/modules"


def known_dtype(number):
    try:
        return tf.dtypes.as_dtype(number)
    except TypeError:
        return None


STORABLE = [
    *("float32", "float64", "float16", "bfloat16", "complex64", "complex128", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float8_e5m2", "float8_e4m3fn", "int4", "uint4"),
]
# Newer TensorFlows have more: all numbers that this one knows and that are neither above nor tested by themselves.
STORABLE += [
    dtype.name
    for number in range(1, 100)
    if (dtype := known_dtype(number)) and dtype.name not in (*STORABLE, "string", "resource", "variant")
    if not dtype.is_quantized
]
VALUES = {
    "matrix": np.arange(12, dtype=np.float32).reshape(3, 4),
    "scalar": np.array(7, np.int64),
    "empty": np.zeros((0, 3), np.float64),
    "flags": np.array([True, False]),
    "texts": np.array([[b"", b"a\x00\xff"], [b"x" * 300, "ä".encode()]], object),
    "no_texts": np.array([], object),
    "brain": np.array([1.5, -2.0], ml_dtypes.bfloat16),
}


def save(prefix, tensors, specs=None):
    """TensorFlow's own writer."""
    names = list(tensors)
    specs = specs or [""] * len(names)
    tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=[name.split("@")[0] for name in names], shape_and_slices=specs,
        tensors=[tensors[name] for name in names],
    )  # fmt: skip
    return str(prefix)


def restore(prefix, name, dtype, spec=""):
    """TensorFlow's own reader."""
    return tf.raw_ops.RestoreV2(
        prefix=str(prefix), tensor_names=[name], shape_and_slices=[spec], dtypes=[dtype]
    )[0].numpy()  # fmt: skip


def constants(values):
    return {name: tf.constant(value, tf.string if value.dtype == object else None) for name, value in values.items()}


def write(prefix, values, num_shards=1):
    with BundleWriter(prefix, num_shards) as writer:
        for name, value in values.items():
            writer.add(name, value)
    return prefix


def sample(dtype_name):
    return np.array([0, 1, 3, 1]).astype(dtypes.numpy_dtype(dtypes.dtype_number(dtype_name)))


@pytest.mark.parametrize("name", STORABLE)
def test_reads_each_dtype_that_tensorflow_writes(tmp_path, name):
    save(tmp_path / "v", {"x": tf.constant(sample(name))})
    with BundleReader(tmp_path / "v") as reader:
        value = reader.read("x", check=True)
        assert dtypes.dtype_name(reader.entries["x"].dtype) == name
    assert value.tobytes() == sample(name).tobytes()


@pytest.mark.parametrize("name", STORABLE)
def test_tensorflow_reads_each_dtype_that_we_write(tmp_path, name):
    write(tmp_path / "v", {"x": sample(name)})
    value = restore(tmp_path / "v", "x", tf.dtypes.as_dtype(name))
    assert value.tobytes() == sample(name).tobytes()


@pytest.mark.parametrize("name", ["qint8", "quint8", "qint32", "qint16", "quint16"])
def test_quantised_types_go_both_ways(tmp_path, name):
    number = dtypes.dtype_number(name)
    plain = np.array([0, 1, 5], dtypes.numpy_dtype(number))
    with BundleWriter(tmp_path / "ours") as writer:
        writer.add("x", plain, number)
    quantised = restore(tmp_path / "ours", "x", tf.dtypes.as_dtype(name))
    assert quantised.tobytes() == plain.tobytes()
    save(tmp_path / "theirs", {"x": tf.bitcast(tf.constant(plain), tf.dtypes.as_dtype(name))})
    assert BundleReader(tmp_path / "theirs").read("x", check=True).tolist() == plain.tolist()


def test_numbers_names_and_sizes_are_tensorflows():
    for number in range(1, 100):
        theirs = known_dtype(number)
        if theirs is None:
            continue
        assert dtypes.dtype_name(number) == theirs.name
        assert dtypes.dtype_name(number + 100) == theirs.name + "_ref"
        if dtypes.item_size(number):
            assert dtypes.item_size(number) == theirs.size


@pytest.mark.parametrize("name", sorted(VALUES))
def test_values_go_both_ways(tmp_path, name):
    save(tmp_path / "theirs", constants(VALUES))
    ours = BundleReader(tmp_path / "theirs").read(name, check=True)
    np.testing.assert_array_equal(ours, VALUES[name])
    write(tmp_path / "ours", VALUES)
    theirs = tf.train.load_checkpoint(str(tmp_path / "ours")).get_tensor(name)
    np.testing.assert_array_equal(theirs, VALUES[name])


def test_the_same_tensors_make_the_same_files(tmp_path):
    # Enough for several blocks, with gaps between letters, which is where the index shortens its keys.
    gapped = str.maketrans("01234567", "adgjmpsv")
    names = [f"{i:05o}".translate(gapped) + f"/{i}" * 30 for i in range(5000)]
    values = {name: np.full([i % 4 + 1], i, np.float32) for i, name in enumerate(names)} | VALUES
    values = dict(sorted(values.items()))
    save(tmp_path / "theirs", constants(values))
    write(tmp_path / "ours", values)
    for suffix in ("index", "data-00000-of-00001"):
        assert Path(f"{tmp_path}/ours.{suffix}").read_bytes() == Path(f"{tmp_path}/theirs.{suffix}").read_bytes()


def test_reads_several_shards(tmp_path):
    parts = [save(tmp_path / f"part{i}", {f"x{i}": tf.fill([i + 1], i)}) for i in range(3)]
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix=str(tmp_path / "v"))
    reader = BundleReader(tmp_path / "v")
    assert reader.index.num_shards == 3
    assert [reader.read(f"x{i}", check=True).tolist() for i in range(3)] == [[0], [1, 1], [2, 2, 2]]


def test_reads_what_a_sharded_saver_writes(tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        with tf.device("/cpu:0"):
            whole = tf.compat.v1.get_variable("whole", initializer=tf.range(6.0), use_resource=True)
            partitioner = tf.compat.v1.fixed_size_partitioner(3, axis=1)
            parts = tf.compat.v1.get_variable("parts", [2, 7], partitioner=partitioner, use_resource=True)
        session.run(tf.compat.v1.global_variables_initializer())
        prefix = tf.compat.v1.train.Saver(sharded=True).save(session, str(tmp_path / "v"))
        expected = session.run([whole, tf.convert_to_tensor(parts)])
    reader = BundleReader(prefix)
    assert len(reader.entries["parts"].slices) == 3
    np.testing.assert_array_equal(reader.read("whole", check=True), expected[0])
    np.testing.assert_array_equal(reader.read("parts", check=True), expected[1])


def test_tensorflow_reads_several_shards_that_we_write(tmp_path):
    write(tmp_path / "v", VALUES, num_shards=3)
    assert Path(data_path(str(tmp_path / "v"), 2, 3)).exists()
    theirs = tf.train.load_checkpoint(str(tmp_path / "v"))
    assert theirs.get_variable_to_shape_map() == {name: list(value.shape) for name, value in VALUES.items()}
    for name, value in VALUES.items():
        np.testing.assert_array_equal(theirs.get_tensor(name), value)


GRID = [((0, 0), (100, 2)), ((0, 2), (100, 70)), ((100, 0), (30, 72))]
FULL = np.arange(130 * 72, dtype=np.int32).reshape(130, 72)


def cut(box):
    return FULL[tuple(slice(first, first + count) for first, count in zip(*box, strict=True))]


def spec_of(box):
    return "130 72 " + ":".join(f"{first},{count}" for first, count in zip(*box, strict=True))


def test_reads_slices_on_both_axes(tmp_path):
    save(tmp_path / "v", {f"x@{box}": tf.constant(cut(box)) for box in GRID}, [spec_of(box) for box in GRID])
    reader = BundleReader(tmp_path / "v")
    np.testing.assert_array_equal(reader.read("x", check=True), FULL)
    np.testing.assert_array_equal(reader.read_slice("x", (90, 1), (20, 60)), FULL[90:110, 1:61])
    assert reader.slice_entry("x", reader.entries["x"].slices[0]).shape in {box[1] for box in GRID}


def test_reads_slices_that_span_a_dimension_by_a_dash(tmp_path):
    specs = ["130 72 0,65:-", "130 72 65,65:-"]
    save(tmp_path / "v", {"x@0": tf.constant(FULL[:65]), "x@1": tf.constant(FULL[65:])}, specs)
    reader = BundleReader(tmp_path / "v")
    assert reader.entries["x"].slices[0].length == (65, None)
    np.testing.assert_array_equal(reader.read("x", check=True), FULL)


def test_tensorflow_reads_slices_that_we_write(tmp_path):
    with BundleWriter(tmp_path / "v") as writer:
        for box in reversed(GRID):
            writer.add_slice("x", FULL.shape, box[0], cut(box))
    np.testing.assert_array_equal(restore(tmp_path / "v", "x", tf.int32), FULL)
    np.testing.assert_array_equal(restore(tmp_path / "v", "x", tf.int32, spec_of(GRID[1])), cut(GRID[1]))
    across = restore(tmp_path / "v", "x", tf.int32, "130 72 90,20:1,60")
    np.testing.assert_array_equal(across, FULL[90:110, 1:61])


def test_the_same_slices_make_the_same_files(tmp_path):
    save(
        tmp_path / "theirs",
        {f"x@{box}": tf.constant(cut(box)) for box in GRID},
        [spec_of(box) for box in GRID],
    )
    with BundleWriter(tmp_path / "ours") as writer:
        for box in GRID:
            writer.add_slice("x", FULL.shape, box[0], cut(box))
    for suffix in ("index", "data-00000-of-00001"):
        assert Path(f"{tmp_path}/ours.{suffix}").read_bytes() == Path(f"{tmp_path}/theirs.{suffix}").read_bytes()


@pytest.mark.parametrize("slices", [None, tuple(GRID), (((0, 0), (130, 5)), ((0, 5), (130, 67)))])
def test_tensorflow_reads_a_copy_that_is_cut_anew(tmp_path, slices):
    save(tmp_path / "v", {f"x@{box}": tf.constant(cut(box)) for box in GRID}, [spec_of(box) for box in GRID])
    copy_checkpoint(tmp_path / "v", tmp_path / "w", [WantedVariable("y", "x", dtypes.INT32, FULL.shape, slices)])
    np.testing.assert_array_equal(restore(tmp_path / "w", "y", tf.int32), FULL)


def test_a_copy_of_everything_is_the_same_bytes(tmp_path):
    prefix = save(tmp_path / "v", constants(dict(sorted(VALUES.items()))))
    entries = BundleReader(prefix).entries.values()
    wanted = [WantedVariable(each.name, each.name, each.dtype, each.shape) for each in entries]
    copy_checkpoint(prefix, tmp_path / "w", wanted)
    shutil.move(f"{prefix}.index", f"{tmp_path}/before.index")
    assert Path(f"{tmp_path}/w.index").read_bytes() == Path(f"{tmp_path}/before.index").read_bytes()


def test_a_checkpoint_compressed_with_snappy_reads_as_tensorflow_reads_it():
    prefix = MODULES / "dm21m/variables/variables"
    if not prefix.with_suffix(".index").exists():
        pytest.skip(f"{MODULES} is not on this machine; it holds the only real module with a compressed index")
    expected = tf.train.load_checkpoint(str(prefix))
    with BundleReader(prefix) as reader:
        assert set(reader.entries) == set(expected.get_variable_to_shape_map())
        assert len(reader.entries) > 10
        for name in reader.entries:
            assert reader.read(name, check=True).tobytes() == expected.get_tensor(name).tobytes()
