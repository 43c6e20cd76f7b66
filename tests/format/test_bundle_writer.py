"""Checkpoints that are written, and read back."""

import os

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tf1hub.errors import CheckpointError
from tf1hub.format import dtypes
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import BundleWriter, iter_array_bytes

ARRAYS = hnp.arrays(
    st.sampled_from(["f4", ">f8", "i2", "?", "c8", "u8", "f2"]),
    hnp.array_shapes(min_dims=0, min_side=0, max_side=4),
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text("ab/_é", min_size=1), ARRAYS, max_size=5), st.integers(1, 3))
def test_what_was_written_is_read(tmp_path_factory, values, num_shards):
    prefix = tmp_path_factory.mktemp("bundle") / "v"
    with BundleWriter(prefix, num_shards) as writer:
        for name, value in values.items():
            writer.add(name, value)
    with BundleReader(prefix) as reader:
        assert sorted(reader.entries) == sorted(values)
        for name, value in values.items():
            np.testing.assert_array_equal(reader.read(name, check=True), value)


def test_literal_bytes_of_a_scalar(tmp_path):
    with BundleWriter(tmp_path / "v") as writer:
        writer.add("a", np.float32(0.5))
    assert (tmp_path / "v.data-00000-of-00001").read_bytes() == bytes.fromhex("0000003f")
    index = (tmp_path / "v.index").read_bytes()
    assert index.startswith(bytes.fromhex("000006" + "08011a020801" + "00010b" + "61" + "08011200" + "280435"))


def test_arrays_of_any_layout_are_written_in_row_major_order(tmp_path):
    value = np.arange(24.0).reshape(2, 3, 4)
    with BundleWriter(tmp_path / "v") as writer:
        writer.add("transposed", value.T)
        writer.add("every_other", value[:, ::2])
    reader = BundleReader(tmp_path / "v")
    np.testing.assert_array_equal(reader.read("transposed"), value.T)
    np.testing.assert_array_equal(reader.read("every_other"), value[:, ::2])


def test_large_arrays_are_written_in_chunks():
    value = np.arange(3_000_000, dtype=np.int32).reshape(3, 1000, 1000).transpose(1, 0, 2)
    chunks = list(iter_array_bytes(value))
    assert len(chunks) > 1
    assert b"".join(chunks) == value.tobytes()


@pytest.mark.parametrize("value", [np.array(["é", "b"]), np.array([b"\xc3\xa9", b"b"]), ["é", "b"]])
def test_text_is_stored_as_utf8(tmp_path, value):
    with BundleWriter(tmp_path / "v") as writer:
        writer.add("s", value)
    assert BundleReader(tmp_path / "v").read("s", check=True).tolist() == ["é".encode(), b"b"]


def test_a_tensor_can_be_streamed(tmp_path):
    value = np.arange(10, dtype=np.float32)
    data = value.tobytes()
    with BundleWriter(tmp_path / "v") as writer:
        writer.add_streamed("x", 1, (2, 5), [data[:7], bytearray(), memoryview(value[2:4])[:0], data[7:]])
    np.testing.assert_array_equal(BundleReader(tmp_path / "v").read("x", check=True), value.reshape(2, 5))


@pytest.mark.parametrize(("chunks", "found"), [([b"abc"], "3 of the 4 bytes"), ([b"abc", b"de"], "more than the 4")])
def test_a_stream_of_another_size_is_refused(tmp_path, chunks, found):
    with BundleWriter(tmp_path / "v") as writer:
        with pytest.raises(CheckpointError, match=found):
            writer.add_streamed("x", 1, (), chunks)
        writer.add("y", 1.0)
    reader = BundleReader(tmp_path / "v")
    assert list(reader.entries) == ["y"]
    assert reader.read("y", check=True) == 1.0


def test_rows_can_be_streamed_before_their_number_is_known(tmp_path):
    value = np.arange(30, dtype=np.float32).reshape(5, 3, 2)
    with BundleWriter(tmp_path / "v") as writer:
        writer.add("before", np.float32(7))
        writer.add_rows_streamed("rows", 1, [3, 2], (value.tobytes()[at : at + 7] for at in range(0, 120, 7)))
        writer.add_rows_streamed("none", 1, [3], [])
    reader = BundleReader(tmp_path / "v")
    np.testing.assert_array_equal(reader.read("rows", check=True), value)
    assert reader.read("none").shape == (0, 3)


@pytest.mark.parametrize(
    ("row_shape", "message"), [([3], "end in row 1, after 8 of its 12 bytes"), ([0], "in rows of")]
)
def test_rows_that_are_cut_short_or_of_no_size_are_refused(tmp_path, row_shape, message):
    with BundleWriter(tmp_path / "v") as writer, pytest.raises(CheckpointError, match=message):
        writer.add_rows_streamed("rows", 1, row_shape, [bytes(20)])


def test_quantised_and_small_types_can_be_named(tmp_path):
    with BundleWriter(tmp_path / "v") as writer:
        writer.add("q", np.array([1, 2], np.int8), dtypes.dtype_number("qint8"))
        writer.add("i4", np.array([1, -2]).astype(ml_dtypes.int4))
    reader = BundleReader(tmp_path / "v")
    assert [dtypes.dtype_name(entry.dtype) for entry in reader.entries.values()] == ["int4", "qint8"]
    assert reader.read("i4").astype(int).tolist() == [1, -2]


def test_slices_come_in_any_order(tmp_path):
    value = np.arange(20).reshape(5, 4)
    with BundleWriter(tmp_path / "v", 2) as writer:
        writer.add_slice("x", (5, 4), (3, 0), value[3:])
        writer.add("between", value)
        writer.add_slice("x", (5, 4), (0, 0), value[:3])
    reader = BundleReader(tmp_path / "v")
    np.testing.assert_array_equal(reader.read("x", check=True), value)
    assert [part.start for part in reader.entries["x"].slices] == [(3, 0), (0, 0)]


def test_a_slice_that_is_everything_is_stored_whole(tmp_path):
    with BundleWriter(tmp_path / "v") as writer:
        writer.add_slice("x", (2,), (0,), [1, 2])
    assert BundleReader(tmp_path / "v").entries["x"].slices == ()


def test_slices_that_do_not_fit_are_refused(tmp_path):
    with BundleWriter(tmp_path / "v") as writer:
        writer.add_slice("x", (4,), (0,), np.zeros(2))
        for shape, start, value in (((4,), (3,), [0.0, 0.0]), ((5,), (3,), [0.0]), ((4,), (2,), [1, 2])):
            with pytest.raises(CheckpointError, match="'x'"):
                writer.add_slice("x", shape, start, value)
        with pytest.raises(CheckpointError, match="added before"):
            writer.add_slice("x", (4,), (0,), np.zeros(2))


@pytest.mark.parametrize("name", ["", "\x00x", "x"])
def test_names_that_cannot_be_are_refused(tmp_path, name):
    with BundleWriter(tmp_path / "v") as writer:
        writer.add("x", 1.0)
        with pytest.raises(CheckpointError, match="name"):
            writer.add(name, 1.0)


@pytest.mark.parametrize("value", [np.array(["2020"], "M8[s]"), np.array([b"a", 3], object)])
def test_values_that_are_no_tensors_are_refused(tmp_path, value):
    with BundleWriter(tmp_path / "v") as writer, pytest.raises(CheckpointError, match="'x'"):
        writer.add("x", value)


def test_a_failure_leaves_nothing_and_touches_nothing(tmp_path):
    with BundleWriter(tmp_path / "v") as writer:
        writer.add("x", 1.0)
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}

    def chunks():
        yield b"1"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), BundleWriter(tmp_path / "v") as writer:
        writer.add_streamed("x", dtypes.FLOAT32, (), chunks())
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before


def test_nothing_can_be_added_after_the_end(tmp_path):
    with BundleWriter(tmp_path / "v") as writer:
        writer.add("x", 1.0)
    with pytest.raises(CheckpointError, match="finished"):
        writer.add("y", 1.0)
