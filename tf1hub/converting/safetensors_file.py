"""Weights in the format of safetensors, written and read without copying a tensor whole.

    uint64      N, the length of the header
    N bytes     the header: JSON, {name: {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...},
                and strings by name under "__metadata__"; spaces after it
    bytes       the tensors, little-endian and row-major, without gaps; offsets count from here

After the description at https://huggingface.co/docs/safetensors. Its library writes from memory only, and
gives NumPy no bfloat16 and no float8, so this is written out here; the tests compare both.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, NoReturn

import numpy.typing as npt

from tf1hub.converting.mapped_file import FileArray, open_mapped
from tf1hub.converting.tensor_bytes import iter_tensor_bytes
from tf1hub.errors import CorruptModuleError, WeightsError
from tf1hub.format import dtypes
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.damage import corrupt

# Its names of TensorFlow's types. Quantised integers are stored as the plain ones that they are made of.
_DTYPES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "uint16": "U16",
    "int16": "I16",
    "uint32": "U32",
    "int32": "I32",
    "uint64": "U64",
    "int64": "I64",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
    "complex64": "C64",
    "float8_e5m2": "F8_E5M2",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
}
_QUANTISED = {"qint8": "I8", "quint8": "U8", "qint16": "I16", "quint16": "U16", "qint32": "I32"}
_METADATA = "__metadata__"
_LENGTH_SIZE = 8
# The library refuses longer ones.
_MAX_HEADER = 100_000_000
# Of the header's bytes at most one in so many may open a list or a dictionary. A tensor has three in some fifty
# bytes; each takes up to 90 bytes of memory, so a file that is nothing but these would fill it.
_BYTES_FOR_EACH_BRACKET = 6


def find_unfit(reader: BundleReader, entry: TensorEntry) -> str | None:
    """Why the format cannot hold a variable; None when it can."""
    if _dtype_name(entry) is None:
        return f"has the dtype {dtypes.dtype_name(entry.dtype)}, which .safetensors files do not have"
    if entry.name == _METADATA:
        return "has a name that means something else in .safetensors files"
    return None


def write(file: BinaryIO, reader: BundleReader, entries: Sequence[TensorEntry], advance: Callable[[int], None]) -> None:
    """Writes variables of a checkpoint, those with the largest elements first, so that all begin at a multiple of them."""
    ordered = sorted(entries, key=lambda entry: (-(dtypes.item_size(entry.dtype) or 0), entry.name))
    header, offset = {}, 0
    for entry in ordered:
        end = offset + (entry.nbytes or 0)
        header[entry.name] = {"dtype": _dtype_name(entry), "shape": list(entry.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _MAX_HEADER:
        raise WeightsError(
            f"The names and shapes of {len(entries)} variables take {len(text)} bytes, and .safetensors files have"
            f" at most {_MAX_HEADER} for them. Write an .npz file."
        )
    file.write(len(text).to_bytes(_LENGTH_SIZE, "little"))
    file.write(text)
    for entry in ordered:
        for chunk in iter_tensor_bytes(reader, entry):
            file.write(chunk)
            advance(len(chunk))


class SafetensorsFile:
    """An open file. Its arrays are views of it.

    Raises CorruptModuleError for a file that is none or damaged, WeightsError for one with a dtype that TensorFlow lacks.
    """

    def __init__(self, path: str) -> None:
        self._file = open_mapped(path)
        self._arrays: dict[str, FileArray] = {}
        self._offsets: dict[str, int] = {}
        self._parse()

    @property
    def arrays(self) -> Mapping[str, FileArray]:
        """What the file holds, by name."""
        return self._arrays

    def array(self, name: str, scratch: str) -> npt.NDArray[Any]:
        """An array's value, a read-only view. (`scratch` is for formats whose arrays must be unpacked.)"""
        return self._file.array(name, self._arrays[name], self._offsets[name])

    def release_memory(self) -> None:
        """Lets the system take back the memory that reading filled."""
        self._file.release_memory()

    def _parse(self) -> None:
        data = self._file.data
        length = int.from_bytes(data[:_LENGTH_SIZE], "little")
        if len(data) < _LENGTH_SIZE or length > min(_MAX_HEADER, len(data) - _LENGTH_SIZE):
            raise self._corrupt(f"a header of {length} bytes, in a file of {len(data)}")
        begin = _LENGTH_SIZE + length
        header = _parse_header(self._file.path, bytes(data[_LENGTH_SIZE:begin]))
        places = []
        for name, value in header.items():
            if name == _METADATA:
                continue
            kind, offset, end = self._parse_array(name, value)
            self._arrays[name] = kind
            self._offsets[name] = begin + offset
            places.append((offset, end, name))
        reached = 0
        for offset, end, name in sorted(places):
            if offset != reached:
                raise self._corrupt(f"the array {name!r} at byte {offset} of the data, where {reached} should be")
            reached = end
        if begin + reached != len(data):
            raise self._corrupt(f"arrays of {reached} bytes, and {len(data) - begin} bytes of data")

    def _parse_array(self, name: str, value: Any) -> tuple[FileArray, int, int]:
        fields: dict[str, Any] = value if isinstance(value, dict) else {}
        shape: Any = fields.get("shape")
        offsets: Any = fields.get("data_offsets")
        dtype: Any = fields.get("dtype")
        if not _is_sizes(shape) or not _is_sizes(offsets) or len(offsets) != 2 or not isinstance(dtype, str):
            raise self._corrupt(f"a header that does not say dtype, shape and data_offsets of {name!r}")
        name_of = {stored: name for name, stored in _DTYPES.items()}
        try:
            numpy_dtype = dtypes.numpy_dtype(dtypes.dtype_number(name_of.get(dtype, "")))
        except ValueError as error:
            raise WeightsError(
                f"The array {name!r} of {self._file.path!r} has the dtype {dtype!r}, which is none that variables can"
                " have here. Convert it, or leave it out."
            ) from error
        kind = FileArray(numpy_dtype, tuple(shape))
        if offsets[1] - offsets[0] != kind.nbytes:
            found = f"{offsets[1] - offsets[0]} bytes for {name!r}, whose shape {shape} takes {kind.nbytes}"
            raise self._corrupt(found)
        return kind, offsets[0], offsets[1]

    def _corrupt(self, found: str) -> CorruptModuleError:
        return corrupt(self._file.path, 0, found)


def _dtype_name(entry: TensorEntry) -> str | None:
    name = dtypes.dtype_name(dtypes.base_dtype(entry.dtype))
    return _DTYPES.get(name) or _QUANTISED.get(name)


def _is_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)


def _parse_header(path: str, text: bytes) -> dict[str, Any]:
    def refuse(found: str) -> NoReturn:
        raise corrupt(path, _LENGTH_SIZE, found)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                refuse(f"a header that has {name!r} twice")
            found[name] = value
        return found

    if (text.count(b"[") + text.count(b"{")) * _BYTES_FOR_EACH_BRACKET > max(len(text), 1000):
        refuse("a header that is made of brackets")
    try:
        header = json.loads(text.decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        if isinstance(error, CorruptModuleError):
            raise
        raise corrupt(path, _LENGTH_SIZE, f"a header that is no JSON ({error})") from error
    if not isinstance(header, dict):
        refuse("a header that is no JSON dictionary")
    return header
