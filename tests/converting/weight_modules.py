"""Modules made without TensorFlow, for tests of their variables' values."""

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from tf1hub.format import dtypes, protos
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.format.module_directory import checkpoint_prefix, marker_bytes

STRINGS = np.array([[b"a", b""], [b"\xff\x00b", "é".encode()]], object)
# A value of every type of variables that an .npz file can hold.
VALUES: dict[str, np.ndarray] = {
    **{
        name: np.arange(-3, 3).reshape(2, 3).astype(name)
        for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32")
    },
    "float64": np.array([[0.1, np.nan], [np.inf, -0.0]]),
    "bool": np.array([True, False, True]),
    "complex64": np.array([1 + 2j, -3j], np.complex64),
    "complex128": np.array([[1e300 + 2j]], np.complex128),
    "bfloat16": np.array([1.5, -2.0, 3.0], ml_dtypes.bfloat16),
    "float8_e5m2": np.array([1.5, -2.0], ml_dtypes.float8_e5m2),
    "float8_e4m3fn": np.array([1.5, -2.0], ml_dtypes.float8_e4m3fn),
    "float8_e4m3b11fnuz": np.array([1.5, -2.0], ml_dtypes.float8_e4m3b11fnuz),
    "int4": np.array([-8, 7, 1], ml_dtypes.int4),
    "uint4": np.array([0, 15], ml_dtypes.uint4),
    "string": STRINGS,
    "scalar": np.array(7.5, np.float32),
    "scalar/bfloat16": np.array(7.5, ml_dtypes.bfloat16),
    "scalar/string": np.array(b"one", object),
    "empty": np.zeros((0, 3), np.float32),
    "empty/string": np.zeros((0,), object),
}
# Those that a .safetensors file cannot hold.
NPZ_ONLY = {"complex128", "float8_e4m3b11fnuz", "int4", "uint4", "string", "scalar/string", "empty/string"}
BOTH = {name: value for name, value in VALUES.items() if name not in NPZ_ONLY}


def make_module(path: Path, values: dict[str, Any], parts: int = 0, axis: int = 0, shards: int = 1) -> str:
    """A module with such variables; those whose names end in "/cut" are in so many parts."""
    (path / "variables").mkdir(parents=True)
    (path / "tfhub_module.pb").write_bytes(marker_bytes())
    meta_graph = protos.MetaGraphDef()
    meta_graph.graph_def.node.add(name="x", op="Const")
    saved_model = protos.SavedModel(meta_graphs=[meta_graph])
    (path / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    with BundleWriter(checkpoint_prefix(str(path)), shards) as writer:
        for name, value in values.items():
            if not name.endswith("/cut"):
                writer.add(name, value)
                continue
            at = 0
            for part in np.array_split(value, parts, axis):
                start = [0] * value.ndim
                start[axis] = at
                writer.add_slice(name, value.shape, start, part)
                at += part.shape[axis]
    return str(path)


def stored(path: str) -> dict[str, tuple]:
    """All that the checkpoint of a module holds: type, shape, bytes and checksum of each piece, by name and slice."""
    found: dict[str, tuple] = {}
    with BundleReader(checkpoint_prefix(path)) as reader:
        for name, entry in reader.entries.items():
            reader.check_tensor(name)
            pieces = [
                (each.dtype, each.shape, bytes(reader.raw(each)), each.crc32c) for each in reader.stored_entries(name)
            ]
            found[name] = (dtypes.base_dtype(entry.dtype), entry.shape, entry.slices, pieces)
    return found


def other_files(path: str) -> dict[str, bytes | None]:
    """The files and folders of a module but for its checkpoint, with their contents."""
    return {
        str(each.relative_to(path)): each.read_bytes() if each.is_file() else None
        for each in Path(path).rglob("*")
        if not each.name.startswith("variables.")
    }


def files_in(folder: Path) -> set[str]:
    """The names of all that is directly in a folder, hidden or not."""
    return {each.name for each in folder.iterdir()}
