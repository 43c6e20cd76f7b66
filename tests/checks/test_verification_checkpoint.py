"""Verifying checkpoints: each way to damage one is found as just that, with file, byte and tensor."""

import math
import os
import shutil

import numpy as np
import pytest

import tf1hub as hub
from tests.checks.damage import (
    DATA,
    INDEX,
    edit_entry,
    edited_index,
    faults,
    flip,
    only_fault,
    place,
    slice_keys,
    whole_module,
)
from tf1hub.format.bundle_entry import TensorEntry, TensorSlice, encode_header
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.format.checksums import masked_crc
from tf1hub.format.protos import BundleHeaderProto

# As TensorFlow laid them out: name, offset, size.
LAYOUT = [("a", 0, 24), ("names", 24, 18), ("parts", 42, 24), ("parts", 66, 24), ("scale", 90, 8)]


@pytest.fixture
def module(tmp_path):
    return whole_module(tmp_path)


def test_each_flipped_byte_of_data_is_found_in_its_tensor(module):
    data = (module / DATA).read_bytes()
    assert len(data) == 98
    for byte in range(len(data)):
        flip(module / DATA, byte, bit=byte % 8)
        name, offset, size = next(row for row in LAYOUT if byte < row[1] + row[2])
        fault = only_fault(module)
        assert (fault.file, fault.tensor) == (DATA, name)
        assert offset <= fault.byte < offset + size
        (module / DATA).write_bytes(data)


def test_each_flipped_byte_of_the_index_is_found(module):
    data = (module / INDEX).read_bytes()
    for byte in range(len(data)):
        flip(module / INDEX, byte, bit=byte % 8)
        found = faults(module)
        assert [fault.file for fault in found] == [INDEX], (byte, found)
        (module / INDEX).write_bytes(data)


def test_an_index_cut_short_anywhere_is_one_fault(module):
    data = (module / INDEX).read_bytes()
    for size in range(0, len(data), 3):
        (module / INDEX).write_bytes(data[:size])
        assert only_fault(module).file == INDEX


def test_a_lost_block_of_the_index_hides_nothing_else(module):
    with edited_index(module, block_size=1):
        pass
    data = (module / INDEX).read_bytes()
    flip(module / INDEX, data.index(b"names"))
    flip(module / DATA, 95)
    lost, damaged = faults(module)
    assert lost.file == INDEX
    assert "does not fit its checksum" in lost.message
    assert place(damaged) == (DATA, 90, "scale")


def test_a_data_file_cut_short_names_the_tensor_it_ends_in(module):
    os.truncate(module / DATA, 50)
    fault = only_fault(module)
    assert place(fault) == (DATA, 50, "parts")
    assert fault.message == "the file ends here, inside of 'parts'; behind its end lie 'parts', 'scale'"


def test_a_missing_data_file_is_one_fault(module):
    (module / DATA).unlink()
    fault = only_fault(module)
    assert place(fault) == (DATA, None, "a")
    assert "no such file; in it lie 'a', 'names', 'parts', 'scale'" in fault.message


def test_bytes_behind_the_last_tensor_are_found(module):
    with open(module / DATA, "ab") as file:
        file.write(b"12345")
    fault = only_fault(module)
    assert place(fault) == (DATA, 98, None)
    assert fault.message == "5 bytes behind the last tensor that belong to none"


@pytest.mark.parametrize("name", ["00000-of-00002", "00001-of-00001"])
def test_a_data_file_that_the_index_does_not_speak_of_is_found(module, name):
    shutil.copy(module / DATA, module / f"variables/variables.data-{name}")
    fault = only_fault(module)
    assert fault.file == f"variables/variables.data-{name}"
    assert "does not speak of" in fault.message


def test_data_files_that_are_missing_though_nothing_lies_in_them(module):
    with edited_index(module) as rows:
        rows[b""] = encode_header(1_000_000_000)
    os.rename(module / DATA, module / "variables/variables.data-00000-of-1000000000")
    fault = only_fault(module)
    assert fault.file == "variables/variables.data-00001-of-1000000000"
    assert "nor are 999,999,998 others" in fault.message


def test_a_tensor_in_a_data_file_that_cannot_be(module):
    with edited_index(module) as rows:
        edit_entry(rows, b"scale", shard_id=7)
    rest, beyond = faults(module)
    assert place(beyond) == (INDEX, None, "scale")
    assert place(rest) == (DATA, 90, None)


def test_tensors_that_share_bytes_are_found(module):
    with edited_index(module) as rows:
        edit_entry(rows, b"scale", offset=80)
    overlap, rest = faults(module)
    assert place(overlap) == (DATA, 80, "scale")
    assert "are those of 'parts' too, up to byte 90" in overlap.message
    assert place(rest) == (DATA, 90, None)


def move_scale(module, gap, fill=b"\x00"):
    """Moves the last tensor, with bytes before it that belong to none."""
    data = (module / DATA).read_bytes()
    (module / DATA).write_bytes(data[:90] + fill * gap + data[90:])
    with edited_index(module) as rows:
        edit_entry(rows, b"scale", offset=90 + gap)


def test_bytes_between_tensors_are_found(module):
    move_scale(module, 6, fill=b"x")
    fault = only_fault(module)
    assert place(fault) == (DATA, 90, None)
    assert fault.message == "6 bytes that belong to no tensor, before 'scale'"


def test_zeros_that_align_a_tensor_are_no_fault(module):
    move_scale(module, 6)  # to byte 96, a multiple of 8
    assert faults(module) == []


def test_zeros_that_align_nothing_are_a_fault(module):
    move_scale(module, 7)
    assert place(only_fault(module)) == (DATA, 90, None)


def test_a_size_that_does_not_fit_the_shape_is_found(module):
    with edited_index(module) as rows:
        edit_entry(rows, b"a", shape=(3, 3))
    sizes, shape = faults(module)
    assert place(sizes) == (DATA, 0, "a")
    assert sizes.message == "24 bytes, where float32 of shape [3, 3] takes 36"
    assert place(shape) == (INDEX, None, "a")


def test_an_entry_that_cannot_be_parsed_hides_nothing_else(module):
    with edited_index(module) as rows:
        rows[b"a"] = b"\xff\xff"
    flip(module / DATA, 95)
    entry, damaged = faults(module)
    assert (entry.file, entry.tensor) == (INDEX, "a")
    assert (module / INDEX).read_bytes()[entry.byte :].startswith(b"\xff\xff")
    assert place(damaged) == (DATA, 90, "scale")


def test_a_missing_slice_is_found(module):
    with edited_index(module) as rows:
        del rows[slice_keys(rows)[0]]
    missing, gap = faults(module)
    assert place(missing) == (INDEX, None, "parts")
    assert missing.message == "there is no entry for its slice [0:2, 0:3]"
    assert place(gap) == (DATA, 42, None)


def test_a_slice_that_no_tensor_lists_is_found(module):
    with edited_index(module) as rows:
        edit_entry(rows, b"parts", slices=(TensorSlice((0, 0), (2, 3)),))
    uncovered, unlisted = faults(module)
    assert uncovered.message == "its 1 slices cover the element [2, 0] 0 times instead of once"
    assert (unlisted.file, unlisted.tensor) == (INDEX, "parts")
    assert "no tensor lists" in unlisted.message


def test_a_slice_of_another_shape_is_found(module):
    with edited_index(module) as rows:
        edit_entry(rows, slice_keys(rows)[1], shape=(3, 2))
    fault = only_fault(module)
    assert place(fault) == (INDEX, None, "parts")
    assert fault.message == "its slice [2:4, 0:3] is float32 of shape [3, 2], where float32 of shape [2, 3] should be"


def test_slices_that_overlap_are_found(module):
    with edited_index(module) as rows:
        edit_entry(rows, b"parts", slices=(TensorSlice((0, 0), (2, 3)), TensorSlice((1, 0), (3, 3))))
    messages = [fault.message for fault in faults(module)]
    assert messages[0] == "its 2 slices cover the element [1, 0] 2 times instead of once"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (BundleHeaderProto(num_shards=1, endianness=1), "big-endian"),
        (BundleHeaderProto(num_shards=1, version={"min_consumer": 2}), "needs a reader of version 2"),
    ],
)
def test_a_checkpoint_that_this_version_cannot_read_is_one_fault(module, header, message):
    with edited_index(module) as rows:
        rows[b""] = header.SerializeToString()
    fault = only_fault(module)
    assert fault.file == INDEX
    assert message in fault.message


def test_a_checkpoint_without_header_is_checked_by_the_names_of_its_files(module):
    with edited_index(module) as rows:
        del rows[b""]
    flip(module / DATA, 0)
    header, damaged = faults(module)
    assert (header.file, header.message) == (INDEX, "a table without a checkpoint's header")
    assert place(damaged) == (DATA, 0, "a")


def test_a_missing_variable_is_found(module):
    with edited_index(module) as rows:
        edit_entry(rows, b"a", shape=(3, 2))
        rows[b"b"] = rows.pop(b"a")
    report = hub.verify(module)
    fault, spare = report.findings
    assert (fault.severity, *place(fault)) == ("fault", INDEX, None, "a")
    assert fault.message == "the checkpoint lacks this variable"
    assert (spare.severity, spare.tensor) == ("warning", "b")
    assert spare.message == "1 of 4 tensors are no variable of any variant: 'b'"


def test_a_variable_of_another_dtype_is_found(module):
    with edited_index(module) as rows:
        edit_entry(rows, b"a", dtype=3)
    fault = only_fault(module)
    assert place(fault) == (INDEX, None, "a")
    assert fault.message == "a tensor of dtype int32, where the graph's variable has float32"


def test_a_variable_of_another_shape_is_found(module):
    with edited_index(module) as rows:
        edit_entry(rows, b"a", shape=(2, 3))
    assert only_fault(module).message == "a tensor of shape [2, 3], where the graph's variable has [3, 2]"


def test_a_missing_index_is_one_fault(module):
    (module / INDEX).unlink()
    fault = only_fault(module)
    assert fault.file == INDEX
    assert "no such file" in fault.message


def test_a_missing_checkpoint_is_a_fault_of_each_variant(module):
    shutil.rmtree(module / "variables")
    assert [(fault.file, fault.tags) for fault in faults(module)] == [(INDEX, ()), (INDEX, ("train",))]
    assert "the graph has 4 variables: 'a', 'names', 'parts', 'scale'" in faults(module)[0].message


def test_two_shards_are_checked_each(module):
    with BundleWriter(module / "variables/variables", num_shards=2) as writer:
        writer.add("a", np.ones((3, 2), np.float32))
        writer.add("names", [b"a", b"b", b"c"])
        writer.add("parts", np.ones((4, 3), np.float32))
        writer.add("scale", np.ones(2, np.float32))
    (module / DATA).unlink()
    assert faults(module) == []
    second = "variables/variables.data-00001-of-00002"
    flip(module / second, 3)
    assert place(only_fault(module)) == (second, 3, "names")


def test_bytes_that_many_tensors_share_are_read_once(module):
    """An index can speak of the same gigabyte a thousand times."""
    data = bytes(1 << 20)
    (module / DATA).write_bytes(data)
    crc = masked_crc(data)
    with edited_index(module) as rows:
        for number in range(2000):
            entry = TensorEntry("", 4, (len(data),), offset=0, size=len(data), crc32c=crc)
            rows[b"x%d" % number] = entry.encode()
    report = hub.verify(module)
    assert report.bytes < 2 * len(data)
    assert sum("are those of" in finding.message for finding in report.findings) >= 1999


@pytest.mark.parametrize("shape", [(2**62,), (2**31, 2**31), (0, 2**40)])
def test_sizes_that_cannot_be_are_found_at_once(module, shape):
    with edited_index(module) as rows:
        edit_entry(rows, b"a", shape=shape, size=min(4 * math.prod(shape), 2**63 - 1))
    assert "a" in {fault.tensor for fault in faults(module)}
