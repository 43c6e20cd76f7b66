"""The bytes of an embedding file, wherever they come from: plain or compressed, a file or standard input.

What a file is shows in its first bytes, whatever it is called:

    1f 8b                       gzip
    "BZh" digit 31 41 59 26     bzip2
    fd "7zXZ" 00                xz
    "PK" 03 04                  zip, which must hold one file
"""

import bz2
import gzip
import io
import lzma
import os
import re
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, cast

from tf1hub.errors import EmbeddingFileError

STANDARD_INPUT = "-"
_MAGIC = re.compile(rb"(?P<gzip>\x1f\x8b)|(?P<bzip2>BZh[1-9]1AY&)|(?P<xz>\xfd7zXZ\0)|(?P<zip>PK(\x03\x04|\x05\x06))")
_MAGIC_LENGTH = 16
_BUFFER_SIZE = 1 << 20
# What zip files made on a Mac hold besides.
_HIDDEN = re.compile(r"^__MACOSX/|(^|/)\.DS_Store$")


class _Counted(io.RawIOBase):
    """A file that tells up to where it was read."""

    def __init__(self, file: Any) -> None:
        self.count = 0
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.count = int(self._file.seek(offset, whence))
        return self.count

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer) or 0
        self.count += count
        return int(count)


class EmbeddingSource:
    """An embedding file that is open for reading.

    Attributes:
      name: what messages call it.
      compression: "gzip", "bzip2", "xz", "zip", or empty.
    """

    def __init__(self, name: str, compression: str, data: BinaryIO, counted: _Counted) -> None:
        self.name = name
        self.compression = compression
        self._data = data
        self._counted = counted

    @property
    def bytes_read(self) -> int:
        """How much of the file itself was read, compressed as it is."""
        return self._counted.count

    def read(self, size: int) -> bytes:
        """The next bytes, decompressed; none at the end.

        Raises:
          EmbeddingFileError: what is compressed is damaged, or cut short.
        """
        try:
            return self._data.read(size)
        except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
            raise EmbeddingFileError(f"{self.name}: the {self.compression} data is damaged: {error}") from error
        except OSError as error:
            if error.errno is not None or not self.compression:
                raise
            raise EmbeddingFileError(f"{self.name}: the {self.compression} data is damaged: {error}") from error


@contextmanager
def open_source(path: str) -> Iterator[EmbeddingSource]:
    """Opens an embedding file; "-" is standard input.

    Raises:
      EmbeddingFileError: an archive that does not hold just one file.
    """
    with ExitStack() as stack:
        if path == STANDARD_INPUT:
            name, file = "standard input", _standard_input()
        else:
            name, file = path, stack.enter_context(open(path, "rb", buffering=0))
        counted = _Counted(file)
        buffered = io.BufferedReader(counted, _BUFFER_SIZE)
        magic = _MAGIC.match(buffered.peek(_MAGIC_LENGTH))
        compression = (magic.lastgroup or "") if magic else ""
        plain = cast(BinaryIO, buffered)
        data = _decompressed(compression, plain, name, stack) if compression else plain
        yield EmbeddingSource(name, compression, data, counted)


def _standard_input() -> Any:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise EmbeddingFileError("standard input is closed, or no stream of bytes; give a file, or pipe one.")
    return getattr(stream, "raw", stream)  # Not buffered.


def _decompressed(compression: str, file: BinaryIO, name: str, stack: ExitStack) -> BinaryIO:
    if compression == "gzip":
        return cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=file)))
    if compression == "bzip2":
        return cast(BinaryIO, stack.enter_context(bz2.BZ2File(file)))
    if compression == "xz":
        return cast(BinaryIO, stack.enter_context(lzma.LZMAFile(file)))
    return _open_member(file, name, stack)


def _open_member(file: BinaryIO, name: str, stack: ExitStack) -> BinaryIO:
    """The only file in a zip archive."""
    seekable = file if file.seekable() else _copied(file, stack)
    try:
        archive = stack.enter_context(zipfile.ZipFile(seekable))
        names = [item.filename for item in archive.infolist() if not item.is_dir()]
        members = [member for member in names if not _HIDDEN.search(member)]
        if len(members) == 1:
            return cast(BinaryIO, stack.enter_context(archive.open(members[0])))
    except Exception as error:  # For most damage, and for encryption, zipfile has no error of its own.
        raise EmbeddingFileError(f"{name}: the zip archive cannot be read: {error}") from error
    listed = ", ".join(map(repr, members[:20])) + (", ..." if len(members) > 20 else "")
    raise EmbeddingFileError(
        f"{name}: the zip archive holds {len(members)} files, not one: {listed or 'none'}. Pipe one of them:"
        " unzip -p ARCHIVE MEMBER | tf1hub text-embedding --embedding-file - ..."
    )


def _copied(file: BinaryIO, stack: ExitStack) -> BinaryIO:
    """A copy on disk: a zip archive is read from its end, which a pipe cannot be."""
    copy = cast(BinaryIO, stack.enter_context(tempfile.TemporaryFile()))  # noqa: SIM115
    shutil.copyfileobj(file, copy, _BUFFER_SIZE)
    copy.seek(0)
    return copy
