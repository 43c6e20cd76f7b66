"""Weights as an .npz file: a zip archive with an .npy file for each array.

    NAME.npy    stored or deflated; a header (npy_header.py), then the elements

`numpy.savez` copies each array and `numpy.load` reads it whole; here they are streamed, and mapped where they are not
deflated. Types that NumPy has from ml_dtypes (bfloat16, float8, int4) are raw bytes in it, as `numpy.save` writes them.
"""

import lzma
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from tf1hub.converting.mapped_file import FileArray, MappedFile, open_mapped
from tf1hub.converting.npy_header import MAX_SIZE, NpyError, NpyHeader, encode_header, parse_header
from tf1hub.converting.tensor_bytes import iter_tensor_bytes
from tf1hub.errors import CorruptModuleError
from tf1hub.format import dtypes
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import CHUNK_SIZE
from tf1hub.format.damage import corrupt

_SUFFIX = ".npy"
_MAX_NAME = 65_535 - len(_SUFFIX)
# What zipfile raises for archives that are none.
_ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, RuntimeError),
    *(EOFError, OSError, ValueError, OverflowError),
)
# NumPy's strings all take the room of the longest one.
_MAX_PADDED = 1 << 30
_LOCAL_HEADER = 30


def find_unfit(reader: BundleReader, entry: TensorEntry) -> str | None:
    """Why the format cannot hold a variable; None when it can."""
    if "\0" in entry.name or len(entry.name.encode()) > _MAX_NAME:
        return "has a name that files in a zip archive cannot have"
    if dtypes.base_dtype(entry.dtype) == dtypes.STRING:
        return _find_unfit_strings(_strings(reader, entry))
    try:
        dtypes.numpy_dtype(entry.dtype)
    except ValueError as error:
        return f"has the dtype {dtypes.dtype_name(entry.dtype)} ({error})"
    return None


def _strings(reader: BundleReader, entry: TensorEntry) -> list[bytes]:
    return np.asarray(reader.read(entry.name, check=True), object).reshape(-1).tolist()


def _find_unfit_strings(strings: list[bytes]) -> str | None:
    if any(each.endswith(b"\0") for each in strings):
        return "has strings that end in a zero byte, which NumPy's strings lose"
    padded = _width(strings) * len(strings)
    if padded > max(_MAX_PADDED, 10 * sum(map(len, strings))):
        return (
            f"has strings of very different lengths: as NumPy's, which are all of one, they would take {padded} bytes"
        )
    return None


def write(file: BinaryIO, reader: BundleReader, entries: Sequence[TensorEntry], advance: Callable[[int], None]) -> None:
    """Writes variables of a checkpoint."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for entry in entries:
            # No time of its own, so that the same variables give the same file; zip64, as its size may need it.
            with archive.open(zipfile.ZipInfo(entry.name + _SUFFIX), "w", force_zip64=True) as member:
                descr, chunks = _contents(reader, entry)
                member.write(encode_header(descr, entry.shape))
                for chunk in chunks:
                    member.write(chunk)
                    advance(len(chunk))


def _contents(reader: BundleReader, entry: TensorEntry) -> tuple[str, Iterator[bytes | memoryview]]:
    """The type and the bytes of an array."""
    if dtypes.base_dtype(entry.dtype) != dtypes.STRING:
        return _descr(dtypes.numpy_dtype(entry.dtype)), iter_tensor_bytes(reader, entry)
    strings = _strings(reader, entry)
    width = _width(strings)
    step = max(1, CHUNK_SIZE // width)
    pieces = (strings[at : at + step] for at in range(0, len(strings), step))
    return f"|S{width}", (np.array(piece, f"S{width}").tobytes() for piece in pieces)


def _descr(dtype: np.dtype[Any]) -> str:
    return f"<V{dtype.itemsize}" if is_foreign(dtype) else dtype.newbyteorder("<").str


def is_foreign(dtype: np.dtype[Any]) -> bool:
    """Whether the type is none of NumPy's own, so that an .npz file has raw bytes in its place."""
    return dtype.isbuiltin == 2


def _width(strings: list[bytes]) -> int:
    return max([1, *map(len, strings)])


class NpzFile:
    """An open file. Its arrays are views of it, or of a temporary file for what is deflated.

    Raises CorruptModuleError for a file that is none or damaged, or with an array that is not just numbers or strings.
    """

    def __init__(self, path: str) -> None:
        self._file = self._unpacked = open_mapped(path)
        self._headers: dict[str, NpyHeader] = {}
        self._members: dict[str, zipfile.ZipInfo] = {}
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    self._add(archive, member)
        except CorruptModuleError:
            raise
        except _ZIP_ERRORS as error:
            raise corrupt(path, 0, f"no .npz file that can be read ({error})") from error

    @property
    def arrays(self) -> Mapping[str, FileArray]:
        """What the file holds, by name."""
        return {name: header.kind for name, header in self._headers.items()}

    def array(self, name: str, scratch: str) -> npt.NDArray[Any]:
        """An array's value, read-only; its checksum is verified. What is deflated is unpacked in the folder `scratch`."""
        member, header = self._members[name], self._headers[name]
        if member.compress_type == zipfile.ZIP_STORED:
            for _ in self._iter_contents(member):
                pass
            begin = self._begin(member) + header.size
            return self._file.array(name, header.kind, begin, header.fortran_order)
        with tempfile.TemporaryFile(dir=scratch) as file:
            for chunk in self._iter_contents(member):
                file.write(chunk)
            file.flush()
            self._unpacked = MappedFile(name, file.fileno())
        return self._unpacked.array(name, header.kind, header.size, header.fortran_order)

    def release_memory(self) -> None:
        """Lets the system take back the memory that reading filled."""
        for file in (self._file, self._unpacked):
            file.release_memory()

    def _add(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        name = member.filename.removesuffix(_SUFFIX)
        if name == member.filename:
            raise self._corrupt(member, f"a file {name!r}, which is no {_SUFFIX} file")
        if name in self._headers:
            raise self._corrupt(member, f"a second array {name!r}")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self._corrupt(member, f"{name!r} packed in a way that NumPy does not use ({member.compress_type})")
        with archive.open(member) as file:
            start = file.read(MAX_SIZE)
        try:
            header = parse_header(start)
        except NpyError as error:
            raise self._corrupt(member, f"{name!r}: {error}") from error
        if header.size + header.kind.nbytes != member.file_size:
            found = f"{member.file_size - header.size} bytes for {name!r}, whose shape takes {header.kind.nbytes}"
            raise self._corrupt(member, found)
        self._headers[name] = header
        self._members[name] = member

    def _begin(self, member: zipfile.ZipInfo) -> int:
        """Where a stored member's bytes begin: after its own header, with a name and more that may differ in length."""
        local = self._file.data[member.header_offset : member.header_offset + _LOCAL_HEADER]
        name_length, extra_length = struct.unpack_from("<HH", local, _LOCAL_HEADER - 4)
        return member.header_offset + _LOCAL_HEADER + int(name_length) + int(extra_length)

    def _iter_contents(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        """A member's bytes, unpacked; at their end zipfile compares their checksum."""
        size = 0
        try:
            with zipfile.ZipFile(self._file.path) as archive, archive.open(member) as file:
                while chunk := file.read(CHUNK_SIZE):
                    size += len(chunk)
                    yield chunk
        except _ZIP_ERRORS as error:
            raise self._corrupt(member, f"{member.filename!r} cannot be unpacked ({error})") from error
        if size != member.file_size:
            raise self._corrupt(member, f"{size} of the {member.file_size} bytes of {member.filename!r}")

    def _corrupt(self, member: zipfile.ZipInfo, found: str) -> CorruptModuleError:
        return corrupt(self._file.path, member.header_offset, found)
