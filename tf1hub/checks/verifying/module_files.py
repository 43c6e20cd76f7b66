"""The files of a module as a check reads them: trusting none, and counting what was read."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tf1hub import files

_PIECE = 1 << 18


@dataclass(frozen=True)
class ListedFile:
    """What lies in a module; `name` is its path inside it, with "/" between the parts. A link is no directory."""

    name: str
    is_directory: bool
    is_link: bool


class ModuleFiles:
    """The files of the module in a directory, by their names inside it.

    Attributes:
      opened: the names of those that could be opened.
      unreadable: the names of those that are there and could not be opened.
      bytes_read: how many bytes were read of all of them.
    """

    def __init__(self, directory: str, progress: Callable[[int], None] | None = None) -> None:
        self.directory = directory
        self.opened: set[str] = set()
        self.unreadable: set[str] = set()
        self.bytes_read = 0
        self._progress = progress

    def path(self, name: str) -> str:
        """Where a file lies."""
        return os.path.join(self.directory, *name.split("/"))

    def list_all(self) -> list[ListedFile]:
        """All that lies in the module, sorted by name. Links to directories are listed, and not entered."""
        found = []
        for folder, folders, names in os.walk(self.directory):
            for name in [*folders, *names]:
                path = Path(folder, name)
                is_link = path.is_symlink()
                inside = path.relative_to(self.directory).as_posix()
                found.append(ListedFile(inside, path.is_dir() and not is_link, is_link))
        return sorted(found, key=lambda file: file.name)

    def leads_out(self, name: str) -> bool:
        """Whether links take a name to a place outside of the module."""
        root = os.path.realpath(self.directory)
        target = os.path.realpath(self.path(name))
        return target != root and not target.startswith(os.path.join(root, ""))

    def open(self, name: str) -> BinaryIO:
        """Opens a file for reading. Raises OSError when there is none, or what is there is no regular file."""
        try:
            file = files.open_local(self.path(name))
        except FileNotFoundError:
            raise
        except OSError:
            self.unreadable.add(name)
            raise
        self.opened.add(name)
        return file

    def read(self, name: str) -> bytes:
        """All bytes of a file. Raises OSError."""
        with self.open(name) as file:
            data = file.read()
        self.count(len(data))
        return data

    def iter_pieces(self, file: BinaryIO, offset: int, size: int) -> Iterator[bytes]:
        """The bytes of an open file from `offset` on, piece by piece. Raises OSError, also when the file ends before."""
        file.seek(offset)
        while size > 0:
            piece = file.read(min(size, _PIECE))
            if not piece:
                raise OSError(errno.EIO, "the file became shorter while it was read")
            size -= len(piece)
            self.count(len(piece))
            yield piece

    def count(self, size: int) -> None:
        """Counts bytes that were read."""
        self.bytes_read += size
        if self._progress:
            self._progress(size)


def reason(error: OSError) -> str:
    """Why a file cannot be read."""
    return error.strerror or str(error)


def printable(name: str) -> str:
    """A file's name as text that can be encoded, whatever bytes it is made of.

    >>> printable("caf\\udce9")
    'caf\\\\xe9'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")
