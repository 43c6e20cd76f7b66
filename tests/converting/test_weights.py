"""A module's variables go to a file and back."""

import os

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

import tf1hub as hub
from tests.converting.weight_modules import BOTH, NPZ_ONLY, VALUES, files_in, make_module, other_files, stored
from tf1hub.errors import (
    CorruptModuleError,
    MissingCheckpointError,
    MissingModuleError,
    ModuleExistsError,
    UnsupportedHandleError,
    WeightsError,
)
from tf1hub.format import protos

SUFFIXES = [".npz", ".safetensors"]
MATRIX = np.arange(35, dtype=np.float32).reshape(7, 5)


@pytest.fixture
def module(tmp_path):
    return make_module(tmp_path / "module", {"a/w": MATRIX, "b": np.array([1, 2], np.int64)})


def there_and_back(module, tmp_path, suffix):
    file, copy = str(tmp_path / f"weights{suffix}"), str(tmp_path / "copy")
    hub.export_weights(module, file)
    hub.replace_weights(module, file, copy)
    return copy


def save(tmp_path, **arrays):
    np.savez(tmp_path / "new.npz", **arrays)
    return tmp_path / "new.npz"


@pytest.mark.parametrize(("suffix", "values"), [(".npz", VALUES), (".safetensors", BOTH)], ids=SUFFIXES)
def test_every_type_comes_back_bit_by_bit(tmp_path, suffix, values):
    module = make_module(tmp_path / "module", values)
    copy = there_and_back(module, tmp_path, suffix)
    assert stored(copy) == stored(module)
    assert other_files(copy) == other_files(module)


def test_numpy_reads_the_npz_file(tmp_path):
    hub.export_weights(make_module(tmp_path / "module", VALUES), tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz") as found:
        assert set(found) == set(VALUES)
        for name, value in VALUES.items():
            array = found[name].view(value.dtype) if found[name].dtype.kind == "V" else found[name]
            assert array.shape == value.shape
            assert array.tobytes() == (value.astype("S") if value.dtype == object else value).tobytes()


def test_the_npz_file_has_the_headers_that_numpy_writes(tmp_path):
    # For float8_e5m2 it writes what it cannot read.
    values = {name: value for name, value in VALUES.items() if value.dtype != object and name != "float8_e5m2"}
    hub.export_weights(make_module(tmp_path / "module", values), tmp_path / "weights.npz")
    np.savez(tmp_path / "numpys.npz", **values)
    ours, theirs = ((tmp_path / name).read_bytes() for name in ("weights.npz", "numpys.npz"))
    for header in (each[: each.index(b"\n")] for each in theirs.split(b"\x93NUMPY")[1:]):
        assert b"\x93NUMPY" + header in ours


def test_safetensors_own_library_reads_the_file(tmp_path):
    values = {name: value for name, value in BOTH.items() if name in ("bool", "float16", "float32", "int64", "scalar")}
    hub.export_weights(make_module(tmp_path / "module", values), tmp_path / "weights.safetensors")
    found = safetensors.numpy.load_file(tmp_path / "weights.safetensors")
    assert {name: (array.dtype, array.tolist()) for name, array in found.items()} == {
        name: (value.dtype, value.tolist()) for name, value in values.items()
    }


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("axis", [0, 1])
def test_a_partitioned_variable_is_one_array_and_is_partitioned_again(tmp_path, suffix, axis):
    module = make_module(tmp_path / "module", {"w/cut": MATRIX, "b": MATRIX[0]}, parts=3, axis=axis, shards=2)
    copy = there_and_back(module, tmp_path, suffix)
    assert stored(copy) == stored(module)
    assert files_in(tmp_path / "copy" / "variables") == files_in(tmp_path / "module" / "variables")
    if suffix == ".npz":
        assert np.load(tmp_path / "weights.npz")["w/cut"].tolist() == MATRIX.tolist()


def test_quantised_integers_are_plain_ones_in_the_file(tmp_path):
    from tf1hub.format.bundle_writer import BundleWriter

    module = make_module(tmp_path / "module", {})
    with BundleWriter(tmp_path / "module" / "variables" / "variables") as writer:
        writer.add("q", np.array([1, -2], np.int8), dtype=11)
    [weight] = hub.export_weights(module, tmp_path / "q.npz")
    assert (weight.dtype, np.load(tmp_path / "q.npz")["q"].dtype) == ("qint8", np.int8)
    hub.replace_weights(module, tmp_path / "q.npz", tmp_path / "copy")
    assert stored(str(tmp_path / "copy")) == stored(module)


def test_a_file_that_a_program_has_edited_goes_into_a_copy(module, tmp_path):
    done = hub.replace_weights(module, save(tmp_path, **{"a/w": MATRIX * 2, "b": np.array([3, 4])}), tmp_path / "new")
    assert [weight.name for weight in done.replaced] == ["a/w", "b"]
    hub.export_weights(tmp_path / "new", tmp_path / "out.npz")
    assert np.load(tmp_path / "out.npz")["a/w"].tolist() == (MATRIX * 2).tolist()
    assert stored(module)["a/w"][3][0][2] == MATRIX.tobytes()


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("parts", [1, 3])
def test_arrays_in_any_order_of_memory_and_bytes_are_taken(tmp_path, write, parts):
    module = make_module(tmp_path / "module", {"w/cut": MATRIX}, parts=parts, axis=1)
    write(tmp_path / "new.npz", **{"w/cut": np.asfortranarray(MATRIX + 1).astype(">f4")})
    hub.replace_weights(module, tmp_path / "new.npz", tmp_path / "copy")
    hub.export_weights(tmp_path / "copy", tmp_path / "out.npz")
    assert np.load(tmp_path / "out.npz")["w/cut"].tolist() == (MATRIX + 1).tolist()
    assert stored(str(tmp_path / "copy"))["w/cut"][2] == stored(module)["w/cut"][2]


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e5m2", "float8_e4m3fn", "int4"])
def test_what_numpy_saves_of_types_that_it_lacks_is_taken(tmp_path, dtype):
    value = np.array([1, 2], getattr(ml_dtypes, dtype))
    module = make_module(tmp_path / "module", {"w": value})
    hub.replace_weights(module, save(tmp_path, w=value[::-1]), tmp_path / "copy")
    assert stored(str(tmp_path / "copy"))["w"][3][0][2] == value[::-1].tobytes()


def test_strings_may_be_text(tmp_path):
    module = make_module(tmp_path / "module", {"s": np.array([b"a", b"b"], object)})
    hub.replace_weights(module, save(tmp_path, s=np.array(["é", "longer"])), tmp_path / "copy")
    expected = make_module(tmp_path / "expected", {"s": np.array(["é".encode(), b"longer"], object)})
    assert stored(str(tmp_path / "copy")) == stored(expected)


def test_all_that_does_not_fit_is_said_at_once_and_nothing_is_written(module, tmp_path):
    file = save(tmp_path, **{"a/w": MATRIX[:2].astype(np.float64), "c": MATRIX, "a/ww": MATRIX})
    with pytest.raises(WeightsError) as caught:
        hub.replace_weights(module, file, tmp_path / "copy")
    message = str(caught.value)
    assert "'c' is none of its variables" in message
    assert "'a/ww' is none of its variables; close names: a/w" in message
    assert "'a/w' has the shape [2, 5], the variable's is [7, 5]" in message
    assert "'a/w' has the dtype float64, the variable's is float32; convert it: `array.astype('float32')`" in message
    assert "'b' is missing; with `partial`" in message
    assert files_in(tmp_path) == {"module", "new.npz"}


def test_a_dtype_that_numpy_lacks_is_named_as_ml_dtypes_has_it(tmp_path):
    module = make_module(tmp_path / "module", {"w": np.zeros(2, ml_dtypes.bfloat16)})
    with pytest.raises(WeightsError, match=r"convert it: `array.astype\(ml_dtypes.bfloat16\)`"):
        hub.replace_weights(module, save(tmp_path, w=np.zeros(2, np.float32)), tmp_path / "copy")


def test_float8_types_are_not_mixed_up(tmp_path):
    module = make_module(tmp_path / "module", {"w": VALUES["float8_e5m2"]})
    other = make_module(tmp_path / "other", {"w": VALUES["float8_e4m3fn"]})
    hub.export_weights(other, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"has the dtype float8_e4m3fn, the variable's is float8_e5m2"):
        hub.replace_weights(module, tmp_path / "w.safetensors", tmp_path / "copy")


def test_with_partial_what_is_missing_keeps_its_value(module, tmp_path):
    done = hub.replace_weights(module, save(tmp_path, b=np.array([3, 4])), tmp_path / "copy", partial=True)
    assert [weight.name for weight in done.kept] == ["a/w"]
    before, after = stored(module), stored(str(tmp_path / "copy"))
    assert after["a/w"] == before["a/w"]
    assert after["b"][3][0][2] == np.array([3, 4]).tobytes()


def test_what_safetensors_cannot_hold_is_named_before_anything_is_written(tmp_path):
    module = make_module(tmp_path / "module", VALUES)
    with pytest.raises(
        WeightsError, match=r"'int4' has the dtype int4, which \.safetensors files do not have"
    ) as caught:
        hub.export_weights(module, tmp_path / "w.safetensors")
    assert all(f"'{name}' has the dtype" in str(caught.value) for name in NPZ_ONLY)
    assert not any(f"'{name}' has the dtype" in str(caught.value) for name in BOTH)
    assert files_in(tmp_path) == {"module"}


def test_strings_that_numpy_would_cut_are_refused(tmp_path):
    module = make_module(tmp_path / "module", {"s": np.array([b"a\0"], object)})
    with pytest.raises(WeightsError, match=r"'s' has strings that end in a zero byte"):
        hub.export_weights(module, tmp_path / "w.npz")


def test_strings_of_very_different_lengths_are_refused(tmp_path):
    module = make_module(tmp_path / "module", {"s": np.array([b"", *[b"a"] * 20_000, b"b" * 100_000], object)})
    with pytest.raises(WeightsError, match=r"'s' has strings of very different lengths.*2000200000 bytes"):
        hub.export_weights(module, tmp_path / "w.npz")


def test_a_name_that_means_something_else_is_refused(tmp_path):
    module = make_module(tmp_path / "module", {"__metadata__": MATRIX})
    with pytest.raises(WeightsError, match=r"'__metadata__' has a name"):
        hub.export_weights(module, tmp_path / "w.safetensors")


def test_only_variables_whose_names_match_are_written(module, tmp_path):
    assert [weight.name for weight in hub.export_weights(module, tmp_path / "w.npz", only=["a/*"])] == ["a/w"]
    assert np.load(tmp_path / "w.npz").files == ["a/w"]
    with pytest.raises(WeightsError, match=r"No variable of .* matches c or d\. It has:\n  a/w\n  b"):
        hub.export_weights(module, tmp_path / "w2.npz", only=["c", "d"])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_module_without_variables_gives_an_empty_file_and_a_copy(tmp_path, suffix):
    module = make_module(tmp_path / "module", {})
    for file in (tmp_path / "module" / "variables").iterdir():
        file.unlink()
    copy = there_and_back(module, tmp_path, suffix)
    assert other_files(copy) == other_files(module)
    assert files_in(tmp_path / "copy" / "variables") == set()


def test_a_missing_checkpoint_is_an_error_when_the_graph_has_variables(module, tmp_path):
    saved_model = protos.SavedModel.FromString((tmp_path / "module" / "saved_model.pb").read_bytes())
    meta_graph = saved_model.meta_graphs[0]
    variable = protos.VariableDef(variable_name="x:0").SerializeToString()
    meta_graph.collection_def["variables"].bytes_list.value.append(variable)
    (tmp_path / "module" / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    (tmp_path / "module" / "variables" / "variables.index").unlink()
    with pytest.raises(MissingCheckpointError, match="has variables, and there is no checkpoint"):
        hub.export_weights(module, tmp_path / "w.npz")


def test_a_damaged_checkpoint_is_not_made_to_look_sound(module, tmp_path):
    data = tmp_path / "module" / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(b"\x01" + data.read_bytes()[1:])
    for suffix in SUFFIXES:
        with pytest.raises(CorruptModuleError, match="'a/w'"):
            hub.export_weights(module, tmp_path / f"w{suffix}")
    assert files_in(tmp_path) == {"module"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_interruption_leaves_nothing(module, tmp_path, suffix):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hub.export_weights(module, tmp_path / f"w{suffix}", on_progress=interrupt)
    hub.export_weights(module, tmp_path / f"w{suffix}")
    with pytest.raises(KeyboardInterrupt):
        hub.replace_weights(module, tmp_path / f"w{suffix}", tmp_path / "copy", on_progress=interrupt)
    assert files_in(tmp_path) == {"module", f"w{suffix}"}


def test_progress_is_told_to_the_end(module, tmp_path):
    told = []
    hub.export_weights(module, tmp_path / "w.npz", on_progress=lambda *each: told.append(each))
    hub.replace_weights(module, tmp_path / "w.npz", tmp_path / "copy", on_progress=lambda *each: told.append(each))
    assert told == [(140, 156), (156, 156)] * 2


def test_nothing_is_replaced(module, tmp_path):
    hub.export_weights(module, tmp_path / "w.npz")
    with pytest.raises(ModuleExistsError, match=r"There is a file"):
        hub.export_weights(module, tmp_path / "w.npz")
    hub.export_weights(module, tmp_path / "w.npz", overwrite=True, only=["b"])
    assert np.load(tmp_path / "w.npz").files == ["b"]
    with pytest.raises(ModuleExistsError, match=r"There is a module"):
        hub.replace_weights(module, tmp_path / "w.npz", module, partial=True)


def test_a_copy_may_be_made_inside_of_its_module(module, tmp_path):
    hub.export_weights(module, tmp_path / "w.npz")
    before = other_files(module)
    hub.replace_weights(module, tmp_path / "w.npz", os.path.join(module, "copies", "1"))
    assert other_files(os.path.join(module, "copies", "1")) == before


def test_paths_that_cannot_be_are_refused(module, tmp_path):
    with pytest.raises(WeightsError, match=r"'w\.txt' must end in \.npz or \.safetensors"):
        hub.export_weights(module, "w.txt")
    with pytest.raises(WeightsError, match="There is no folder"):
        hub.export_weights(module, tmp_path / "nowhere" / "w.npz")
    with pytest.raises(MissingModuleError):
        hub.export_weights(tmp_path, tmp_path / "w.npz")
    with pytest.raises(WeightsError, match="does not exist"):
        hub.replace_weights(module, tmp_path / "w.npz", tmp_path / "copy")
    with pytest.raises(UnsupportedHandleError, match="is remote"):
        hub.replace_weights("gs://bucket/module", tmp_path / "w.npz", tmp_path / "copy")
    with pytest.raises(UnsupportedHandleError, match="is remote"):
        hub.export_weights(module, "gs://bucket/w.npz")
