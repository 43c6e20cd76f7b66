"""Reading checkpoints: what is read, when files are opened, and what damaged ones do."""

import contextlib
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile import attacks
from tf1hub.errors import CheckpointError, CorruptModuleError, Tf1HubError, UnsupportedModuleError
from tf1hub.format.bundle_entry import TensorEntry, TensorSlice, encode_header
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.format.ordered_code import encode_slice_key
from tf1hub.format.protos import BundleHeaderProto
from tf1hub.format.table import TableWriter

FULL = np.arange(20, dtype=np.int32).reshape(5, 4)


@pytest.fixture
def prefix(tmp_path):
    with BundleWriter(tmp_path / "v") as writer:
        writer.add("whole", FULL)
        writer.add("texts", [b"a", b"bc"])
        writer.add_slice("parts", (5, 4), (0, 0), FULL[:, :1])
        writer.add_slice("parts", (5, 4), (0, 1), FULL[:, 1:])
    return tmp_path / "v"


def write_index(prefix, *entries, header=None, slices=()):
    """An index that the writer would not write, and a data file of 64 zeros."""
    rows = {entry.name.encode(): entry.encode() for entry in entries}
    rows |= {encode_slice_key(name, *box): entry.encode() for name, box, entry in slices}
    with open(f"{prefix}.index", "wb") as file:
        table = TableWriter(file)
        for key, value in sorted({b"": header or encode_header(1), **rows}.items()):
            table.add(key, value)
        table.finish()
    with open(f"{prefix}.data-00000-of-00001", "wb") as file:
        file.write(bytes(64))
    return prefix


def test_opening_does_not_touch_the_data_files(prefix):
    os.remove(f"{prefix}.data-00000-of-00001")
    reader = BundleReader(prefix)
    assert reader.entries["whole"].shape == (5, 4)
    assert reader.entries["parts"].nbytes == FULL.nbytes
    with pytest.raises(CorruptModuleError, match=r"v\.data-00000-of-00001, byte 0: no such file"):
        reader.read("whole")


def test_a_whole_tensor_is_a_view_that_cannot_be_written(prefix):
    value = BundleReader(prefix).read("whole")
    assert not value.flags.owndata
    assert not value.flags.writeable


def test_arrays_stay_valid_when_the_reader_is_closed(prefix):
    with BundleReader(prefix) as reader:
        value = reader.read("whole")
    np.testing.assert_array_equal(value, FULL)
    with pytest.raises(CheckpointError, match="was closed"):
        reader.read("whole")


@pytest.mark.parametrize("name", ["whole", "parts"])
@pytest.mark.parametrize("box", [((0, 0), (5, 4)), ((1, 0), (2, 3)), ((4, 1), (1, 2)), ((2, 2), (0, 1))])
def test_a_slice_is_the_same_from_whole_and_partitioned(prefix, name, box):
    (row, column), (rows, columns) = box
    expected = FULL[row : row + rows, column : column + columns]
    np.testing.assert_array_equal(BundleReader(prefix).read_slice(name, *box), expected)


def test_a_slice_inside_one_part_is_a_view(prefix):
    assert not BundleReader(prefix).read_slice("parts", (1, 2), (2, 2)).flags.owndata


def test_a_slice_of_strings(prefix):
    assert BundleReader(prefix).read_slice("texts", (1,), (1,)).tolist() == [b"bc"]


def test_a_slice_that_leads_out_is_refused(prefix):
    with pytest.raises(CheckpointError, match="leads out of 'whole'"):
        BundleReader(prefix).read_slice("whole", (4, 0), (2, 4))


def test_an_unknown_name_gets_the_closest(prefix):
    with pytest.raises(CheckpointError, match="no tensor 'wole'; the closest there are: whole"):
        BundleReader(prefix).read("wole")


def test_slice_entries_are_found(prefix):
    reader = BundleReader(prefix)
    entry = reader.slice_entry("parts", TensorSlice((0, 1), (5, 3)))
    assert bytes(reader.raw(entry)) == FULL[:, 1:].tobytes()
    with pytest.raises(CheckpointError, match="not stored with a slice"):
        reader.slice_entry("parts", TensorSlice((0, 1), (5, 2)))


def test_a_missing_checkpoint_is_told(tmp_path):
    with pytest.raises(CheckpointError, match=r"v\.index does not exist"):
        BundleReader(tmp_path / "v")


@pytest.mark.parametrize("name", ["whole", "parts", "texts"])
def test_a_flipped_bit_of_data_is_found_when_asked_for(prefix, name):
    reader = BundleReader(prefix)
    entry = reader.stored_entries(name)[-1]
    with open(f"{prefix}.data-00000-of-00001", "r+b") as file:
        file.seek(entry.offset + entry.size - 1)
        file.write(b"\x7f")
    with pytest.raises(CorruptModuleError, match=f"v.data-00000-of-00001, byte .*'{name}'.* checksum"):
        reader.check_tensor(name)


def test_a_data_file_cut_short_is_told(prefix):
    os.truncate(f"{prefix}.data-00000-of-00001", 10)
    with pytest.raises(CorruptModuleError, match="the file ends at byte 10, inside the 80 bytes of 'whole'"):
        BundleReader(prefix).read("whole")


@pytest.mark.parametrize(
    "entry",
    [
        TensorEntry("x", 1, (-1,), size=4),
        TensorEntry("x", 1, (2**62, 2**62)),
        TensorEntry("x", 1, (0, 2**62, 2**62)),
        TensorEntry("x", 1, (1,) * 255, size=4),
        TensorEntry("x", 1, (1,) * 200, size=4),
        TensorEntry("x", 1, (2**40,), size=4),
        TensorEntry("x", 1, (2**40,), size=2**42),
        TensorEntry("x", 1, (1,), offset=-4, size=4),
        TensorEntry("x", 1, (1,), offset=2**63 - 1, size=4),
        TensorEntry("x", 1, (1,), shard_id=7, size=4),
        TensorEntry("x", 1, (1,), shard_id=-1, size=4),
        TensorEntry("x", 7, (2**50,), size=64),
        TensorEntry("x", 7, (3,), size=-1),
        TensorEntry("x", 0, (1,), size=4),
        TensorEntry("x", -5, (1,), size=4),
        TensorEntry("x", 21, (1,), size=4),
        TensorEntry("x", 1, (4,), slices=(TensorSlice((0,), (4,)),)),
        TensorEntry("x", 1, (4,), slices=(TensorSlice((0,), (2,)), TensorSlice((1,), (3,)))),
        TensorEntry("x", 1, (4,), slices=(TensorSlice((3,), (2,)),)),
        TensorEntry("x", 1, (4,), slices=(TensorSlice((2**63 - 1,), (2**63 - 1,)),)),
        TensorEntry("x", 1, (4,), slices=(TensorSlice((0, 0), (4, 4)),)),
        TensorEntry("x", 1, (), slices=(TensorSlice((), ()),)),
    ],
    ids=lambda entry: f"{entry.dtype}-{str(entry.shape)[:20]}-{len(entry.slices)}",
)
def test_entries_that_cannot_be_raise_our_errors(tmp_path, entry):
    write_index(tmp_path / "v", entry)
    with pytest.raises(Tf1HubError):
        BundleReader(tmp_path / "v").read("x", check=True)


@pytest.mark.parametrize("missing", [0, 1])
def test_slices_that_leave_a_gap_are_refused(tmp_path, missing):
    boxes = [((0,), (2,)), ((2,), (2,))]
    del boxes[missing]
    parts = [("x", box, TensorEntry("", 3, box[1], size=8)) for box in boxes]
    write_index(tmp_path / "v", TensorEntry("x", 3, (4,), slices=(TensorSlice(*boxes[0]),)), slices=parts)
    reader = BundleReader(tmp_path / "v")
    assert reader.read_slice("x", *boxes[0]).tolist() == [0, 0]
    with pytest.raises(CorruptModuleError, match="for 2 of the 4 elements"):
        reader.read("x")


def test_many_parts_cannot_share_few_bytes_to_fill_the_memory(tmp_path):
    parts = [((row, 0), (1, 8)) for row in range(1000)]
    entry = TensorEntry("x", 3, (1000, 8), slices=tuple(TensorSlice(*box) for box in parts))
    stored = [("x", box, TensorEntry("", 3, box[1], size=32)) for box in parts]
    write_index(tmp_path / "v", entry, slices=stored)
    with pytest.raises(CorruptModuleError, match="slices that share bytes"):
        BundleReader(tmp_path / "v").read("x")


def test_names_that_share_nearly_all_cannot_fill_the_memory(tmp_path):
    (tmp_path / "v.index").write_bytes(attacks.ATTACKS["keys_that_share_nearly_everything"]()[attacks.INDEX])
    with pytest.raises(CorruptModuleError, match=r"v\.index, byte \d+: .*(bytes of keys|would fill the memory)"):
        BundleReader(tmp_path / "v")


def test_a_message_stays_short_whatever_the_file_says(tmp_path):
    write_index(tmp_path / "v", TensorEntry("n" * 10_000, 1, (0,) * 10_000))
    with pytest.raises(CorruptModuleError, match=r"v\.index, byte \d+: 'nnn") as caught:
        BundleReader(tmp_path / "v")
    assert len(str(caught.value)) < 1000


def test_an_entry_as_large_as_a_graph_is_refused(tmp_path):
    write_index(tmp_path / "v", TensorEntry("x", 1, (0,) * 600_000))
    with pytest.raises(CorruptModuleError, match=r"an entry for 'x' of \d+ bytes"):
        BundleReader(tmp_path / "v")


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (BundleHeaderProto(num_shards=1, endianness=1), UnsupportedModuleError),
        (BundleHeaderProto(num_shards=1, version={"min_consumer": 2}), UnsupportedModuleError),
        (BundleHeaderProto(num_shards=1, version={"bad_consumers": [1]}), UnsupportedModuleError),
        (BundleHeaderProto(num_shards=-1), CorruptModuleError),
    ],
)
def test_headers_that_cannot_be_read_are_refused(tmp_path, header, error):
    write_index(tmp_path / "v", header=header.SerializeToString())
    with pytest.raises(error, match=r"v\.index"):
        BundleReader(tmp_path / "v")


def test_a_header_that_cannot_be_parsed_is_refused(tmp_path):
    write_index(tmp_path / "v", header=b"\xff\xff\xff")
    with pytest.raises(CorruptModuleError, match="header that cannot be parsed"):
        BundleReader(tmp_path / "v")


def test_a_name_that_is_not_text_is_refused(tmp_path):
    with open(tmp_path / "v.index", "wb") as file:
        table = TableWriter(file)
        table.add(b"", encode_header(1))
        table.add(b"\xff", b"")
        table.finish()
    with pytest.raises(CorruptModuleError, match="not UTF-8"):
        BundleReader(tmp_path / "v")


def read_all(prefix, check_blocks=True):
    with BundleReader(prefix, check_blocks) as reader:
        for name in reader.entries:
            reader.read(name, check=True)


def test_an_index_cut_short_anywhere_is_refused(prefix):
    with open(f"{prefix}.index", "rb") as file:
        data = file.read()
    for size in range(len(data)):
        with open(f"{prefix}.index", "wb") as file:
            file.write(data[:size])
        with pytest.raises(CorruptModuleError):
            BundleReader(prefix)


def test_any_flipped_bit_of_the_index_raises_our_errors_or_none(prefix):
    with open(f"{prefix}.index", "rb") as file:
        data = file.read()
    for at in range(len(data)):
        with open(f"{prefix}.index", "wb") as file:
            file.write(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        for check_blocks in (True, False):
            try:
                read_all(prefix, check_blocks)
            except Tf1HubError:
                continue


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_random_entries_raise_our_errors_or_none(tmp_path_factory, header, value):
    prefix = tmp_path_factory.mktemp("bundle") / "v"
    write_index(prefix, header=encode_header(1) + header)
    with contextlib.suppress(Tf1HubError):
        read_all(prefix)
    with open(f"{prefix}.index", "wb") as file:
        table = TableWriter(file)
        table.add(b"", encode_header(1))
        table.add(b"x", value)
        table.finish()
    with contextlib.suppress(Tf1HubError):
        read_all(prefix)
