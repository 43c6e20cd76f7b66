"""The header of an .npy file, which says what the bytes after it are.

    6 bytes     0x93 "NUMPY"
    2 bytes     the version: 1 0, or 2 0 for a header of more than 65535 bytes
    uint16      the length of the text (version 2: uint32), little-endian
    text        {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } as Python writes it, spaces and a newline
    bytes       the elements, in row-major order or in column-major (Fortran's)

After the description in numpy.lib.format. NumPy's own reader evaluates more than that: types with fields, and those of
objects, which are pickled and can run code when they are read. None of them is a variable's.
"""

import ast
import re
import struct
from typing import Any, NamedTuple

import numpy as np

from tf1hub.converting.mapped_file import FileArray

_MAGIC = b"\x93NUMPY"
_LENGTHS = {b"\x01\x00": "<H", b"\x02\x00": "<I"}
_MAX_TEXT = 10_000
# Enough for a header of that length.
MAX_SIZE = len(_MAGIC) + 6 + _MAX_TEXT
_ALIGNMENT = 64
# Numbers, texts of one length and raw bytes: `<f4`, `|S12`, `<U3`, `<V2`.
_DESCR = re.compile(r"[<>|=]?[?biufcSUV]\d{0,9}")

# What NumPy writes, and does not read, for ml_dtypes' float8_e5m2.
_MISSPELT = {"<f1": "|V1", "|f1": "|V1"}


class NpyError(ValueError):
    """The bytes are no header, or not one of an array that can be read. For the caller to name the file."""


class NpyHeader(NamedTuple):
    """A header's contents; `size` is that of the header itself."""

    kind: FileArray
    fortran_order: bool
    size: int


def encode_header(descr: str, shape: tuple[int, ...]) -> bytes:
    """The header of an array in row-major order, padded so that what follows is aligned.

    >>> encode_header("<f4", (2, 3))[10:69].decode()
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
    """
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    before = len(_MAGIC) + 4
    text += b" " * (-(before + len(text) + 1) % _ALIGNMENT) + b"\n"
    return _MAGIC + b"\x01\x00" + struct.pack("<H", len(text)) + text


def parse_header(data: bytes) -> NpyHeader:
    """The header at the start of an .npy file, of which `data` are the first bytes (`MAX_SIZE`, or all)."""
    at = len(_MAGIC)
    if not data.startswith(_MAGIC):
        raise NpyError("no .npy header")
    length_format = _LENGTHS.get(data[at : at + 2])
    if length_format is None:
        raise NpyError(f"an .npy header of version {list(data[at : at + 2])}, where 1 and 2 are known")
    at += 2
    begin = at + struct.calcsize(length_format)
    if len(data) < begin:
        raise NpyError("an .npy header that is cut short")
    end = begin + struct.unpack_from(length_format, data, at)[0]
    if end > len(data) or end - begin > _MAX_TEXT:
        raise NpyError(f"an .npy header of {end - begin} bytes, cut short or too long")
    kind, fortran_order = _parse_text(data[begin:end])
    return NpyHeader(kind, fortran_order, end)


def _parse_text(text: bytes) -> tuple[FileArray, bool]:
    try:
        fields: Any = ast.literal_eval(text.decode("latin-1").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise NpyError("an .npy header that is no Python dictionary") from error
    if not isinstance(fields, dict) or fields.keys() != {"descr", "fortran_order", "shape"}:
        raise NpyError("an .npy header that does not say descr, fortran_order and shape")
    shape, fortran_order = fields["shape"], fields["fortran_order"]
    if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape):
        raise NpyError("an .npy header with a shape that cannot be")
    if not isinstance(fortran_order, bool):
        raise NpyError("an .npy header whose fortran_order is neither True nor False")
    return FileArray(_parse_descr(fields["descr"]), shape), fortran_order


def _parse_descr(descr: Any) -> np.dtype[Any]:
    if isinstance(descr, str) and descr.lstrip("<>|=") == "O":
        raise NpyError(
            "an array of Python objects, which is pickled and could run code if it were read; convert it, for strings"
            " with `array.astype('S')`"
        )
    if not isinstance(descr, str) or not _DESCR.fullmatch(descr):
        raise NpyError("an array of a type that no variable has (with fields, dates or such); convert it")
    try:
        return np.dtype(_MISSPELT.get(descr, descr))
    except (TypeError, ValueError, OverflowError) as error:
        raise NpyError(f"an array of the type {descr!r}, which NumPy does not know") from error
