"""Copies of checkpoints: renamed, cut anew, refused."""

import os

import numpy as np
import pytest

from tf1hub.errors import CheckpointError, CorruptModuleError
from tf1hub.format import checkpoint_copy, dtypes
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.format.checkpoint_copy import copy_checkpoint
from tf1hub.format.wanted_variable import WantedVariable

FULL = np.arange(70, dtype=np.int32).reshape(10, 7)
ROWS = (((0, 0), (4, 7)), ((4, 0), (6, 7)))
COLUMNS = (((0, 0), (10, 3)), ((0, 3), (10, 1)), ((0, 4), (10, 3)))
LAYOUTS = {"whole": None, "rows": ROWS, "columns": COLUMNS}


@pytest.fixture
def source(tmp_path):
    with BundleWriter(tmp_path / "v", 2) as writer:
        for name, layout in LAYOUTS.items():
            for (row, column), (rows, columns) in layout or [((0, 0), FULL.shape)]:
                part = FULL[row : row + rows, column : column + columns]
                writer.add_slice(name, FULL.shape, (row, column), part)
        writer.add("texts", np.array([b"a", b"bc", b""], object))
    return tmp_path / "v"


def want(name, source_name, slices=None, dtype=dtypes.INT32, shape=FULL.shape):
    return WantedVariable(name, source_name, dtype, shape, slices)


@pytest.mark.parametrize("target", LAYOUTS)
@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("chunk", [4, 40, 4 << 20])
def test_any_layout_becomes_any_other(source, tmp_path, monkeypatch, name, target, chunk):
    monkeypatch.setattr(checkpoint_copy, "CHUNK_SIZE", chunk)
    copy_checkpoint(source, tmp_path / "w", [want("new/name", name, LAYOUTS[target])])
    reader = BundleReader(tmp_path / "w")
    np.testing.assert_array_equal(reader.read("new/name", check=True), FULL)
    assert len(reader.entries["new/name"].slices) == len(LAYOUTS[target] or ())


@pytest.mark.parametrize("target", ["whole", "rows"])
def test_damaged_values_are_not_copied(source, tmp_path, target):
    data = bytearray((tmp_path / "v.data-00000-of-00002").read_bytes())
    data[BundleReader(source).entry("whole").offset] ^= 1
    (tmp_path / "v.data-00000-of-00002").write_bytes(data)
    with pytest.raises(CorruptModuleError, match="'whole': 280 bytes that do not fit their checksum"):
        copy_checkpoint(source, tmp_path / "w", [want("new", "whole", LAYOUTS[target])])
    assert not list(tmp_path.glob("w*"))


def test_the_same_name_in_a_scope_is_suggested(source, tmp_path):
    with BundleWriter(tmp_path / "u") as writer:
        writer.add("a/very/long/scope/w", FULL)
        writer.add("net/w/.ATTRIBUTES/VARIABLE_VALUE", FULL)
    with pytest.raises(CheckpointError, match=r"closest there are: a/very/long/scope/w, net/w/\.ATTRIBUTES"):
        copy_checkpoint(tmp_path / "u", tmp_path / "w", [want("w", "w")])


def test_strings_are_copied_and_cut(source, tmp_path):
    parts = (((0,), (1,)), ((1,), (2,)))
    wanted = [want(f"t{i}", "texts", parts if i else None, dtypes.STRING, (3,)) for i in range(2)]
    copy_checkpoint(source, tmp_path / "w", wanted, num_shards=2)
    reader = BundleReader(tmp_path / "w")
    assert [reader.read(f"t{i}", check=True).tolist() for i in range(2)] == [[b"a", b"bc", b""]] * 2


def test_a_reference_type_stands_for_its_base(source, tmp_path):
    copy_checkpoint(source, tmp_path / "w", [want("x", "whole", dtype=dtypes.INT32 + 100)])
    assert BundleReader(tmp_path / "w").entries["x"].dtype == dtypes.INT32


def test_everything_wrong_is_told_at_once(source, tmp_path):
    wanted = [
        want("a", "hole"), want("b", "row"), want("c", "whole", shape=(7, 10)), want("d", "rows", dtype=1),
        want("e", "columns"), want("e", "columns"), want("f", "rows", (((0, 0), (11, 7)),)),
        want("g", "rows", (ROWS[0], ROWS[0])),
    ]  # fmt: skip
    with pytest.raises(CheckpointError) as caught:
        copy_checkpoint(source, tmp_path / "w", wanted)
    assert str(caught.value).split("\n  ")[1:] == [
        "'hole' (wanted for 'a') is missing; the closest there are: whole",
        "'row' (wanted for 'b') is missing; the closest there are: rows",
        "'whole' is of shape [10, 7], where [7, 10] is wanted",
        "'rows' is of type int32, where float32 is wanted",
        "'e' is wanted twice",
        "'f' of shape [10, 7] cannot have a slice (11, 7) at (0, 0)",
        "'g' is wanted in slices that overlap",
    ]
    assert not [name for name in os.listdir(tmp_path) if name.startswith("w")]


def test_damage_is_found_when_cutting_and_nothing_is_left(source, tmp_path):
    for shard_id in range(2):
        path = tmp_path / f"v.data-{shard_id:05d}-of-00002"
        path.write_bytes(bytes(len(path.read_bytes())))
    with pytest.raises(CorruptModuleError, match="checksum"):
        copy_checkpoint(source, tmp_path / "w", [want("x", "rows")])
    assert not [name for name in os.listdir(tmp_path) if name.startswith("w")]


def test_a_checkpoint_can_be_copied_over_itself(source):
    copy_checkpoint(source, source, [want("x", "whole")], num_shards=2)
    reader = BundleReader(source)
    assert list(reader.entries) == ["x"]
    np.testing.assert_array_equal(reader.read("x", check=True), FULL)
