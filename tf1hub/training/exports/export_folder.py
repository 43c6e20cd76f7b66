"""A folder of exports, for all that export while training: their names, that each is whole, which ones are kept.

    <path>/1700000000/                   an export; the name is when it was made, in seconds since 1970
    <path>/1700000001/                   a newer one
    <path>/.tf1hub-export-<owner>/       hidden: one that is being made, or removed

One rename makes an export visible, and one rename takes it out of sight before it is deleted, so a killed process leaves
none that is half there. What it leaves hidden, the next export clears away (see format/staging.py).

On remote file systems there is no such rename: there an export is built locally and uploaded, the files that make a module
or a SavedModel of a directory last, and removed in the opposite order. A killed process can leave files there that are no
module, nothing clears them away, and two processes that export at the same second can take the same name.
"""

import errno
import os
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tf1hub import files
from tf1hub.format.module_directory import MARKER, SAVED_MODEL, SAVED_MODEL_TEXT
from tf1hub.format.staging import (
    find_leftovers,
    hidden_path,
    local_staging_directory,
    locked,
    staging_directory,
    upload,
)

_NAME = re.compile(r"[0-9]{10}")
_LAST_NAME = 10**10 - 1
# With these a directory is a SavedModel or a module.
_LAST_FILES = (SAVED_MODEL, SAVED_MODEL_TEXT, MARKER)
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


@dataclass
class NewExport:
    """An export that is being made.

    Attributes:
      staging: the hidden directory to write it into, on this machine. Set it to a directory that was made in there, and
        that one becomes the export.
      path: the directory that it has become; empty until then.
    """

    staging: str
    path: str = ""


class ExportFolder:
    """The exports of one kind below one path.

    Nothing else is ever removed: neither links, nor directories that are not named by ten digits, nor those in which
    `is_export` finds no export of this kind.

    Args:
      path: the folder; it is made with the first export.
      exports_to_keep: how many exports are kept, the newest ones; None keeps all.
      is_export: whether a directory holds an export of this kind.

    Raises:
      ValueError: `exports_to_keep` is less than one.
    """

    def __init__(self, path: str | os.PathLike[str], exports_to_keep: int | None, is_export: Callable[[str], bool]):
        check_exports_to_keep(exports_to_keep)
        self.path = files.absolute(files.resolve(path))
        self._exports_to_keep = exports_to_keep
        self._is_export = is_export

    def exports(self) -> list[str]:
        """The directories of the exports, the oldest first."""
        named = [files.join(self.path, name) for name in sorted(_entries(self.path)) if _NAME.fullmatch(name)]
        return [each for each in named if _is_real_directory(each) and self._is_export(each)]

    @contextmanager
    def new_export(self) -> Iterator[NewExport]:
        """An export to write. When the context ends without an error it gets its name, and older ones are removed.

        Raises:
          OSError: the folder cannot be written, or its disk is full. Older exports are left as they are.
        """
        if files.is_remote(self.path):
            with local_staging_directory() as staging:
                new = NewExport(staging)
                yield new
                new.path = self._free_path()
                _upload(new.staging, new.path)
        else:
            folder = Path(self.path)
            made = [each for each in (folder, *folder.parents) if not each.exists()]
            try:
                folder.mkdir(parents=True, exist_ok=True)
                for leftover in find_leftovers(folder):
                    shutil.rmtree(leftover, ignore_errors=True)
                with staging_directory(folder) as hidden:
                    new = NewExport(str(hidden))
                    yield new
                    new.path = self._name(new.staging)
            except BaseException:
                for each in made:
                    with suppress(OSError):
                        each.rmdir()
                raise
        self.remove_older()

    def _name(self, staging: str) -> str:
        """Makes a hidden directory visible as the newest export."""
        with locked(self.path):
            while True:
                path = self._free_path()
                try:
                    os.rename(staging, path)
                except OSError as error:  # Another machine's export took the name meanwhile.
                    if error.errno not in _TAKEN:
                        raise
                else:
                    return path

    def _free_path(self) -> str:
        """A path whose name is free, and not lower than that of an export, so that the order of names is that of age."""
        newest = max((int(os.path.basename(each)) for each in self.exports()), default=-1)
        number = max(int(time.time()), newest + 1)
        taken = _entries(self.path)
        while f"{number:010}" in taken:
            number += 1
        if number > _LAST_NAME:
            raise FileExistsError(
                f"After the exports in {self.path!r} no name of ten digits is free: the newest is {newest}. Names are"
                " seconds since 1970; rename or remove that one."
            )
        return files.join(self.path, f"{number:010}")

    def remove_older(self) -> None:
        """Removes the exports beyond those that are kept."""
        if self._exports_to_keep is None:
            return
        for path in self.exports()[: -self._exports_to_keep]:
            _remove(path)


def check_exports_to_keep(exports_to_keep: int | None) -> None:
    """Refuses to keep less than the newest export."""
    if exports_to_keep is not None and exports_to_keep < 1:
        raise ValueError(f"`exports_to_keep` is {exports_to_keep}; it must be at least 1. None keeps all exports.")


def _entries(folder: str) -> set[str]:
    if not files.is_directory(folder):
        return set()
    if files.is_remote(folder):
        return {name.rstrip("/") for name in files.remote_files().listdir(folder)}
    return set(os.listdir(folder))


def _is_real_directory(path: str) -> bool:
    return files.is_directory(path) and (files.is_remote(path) or not os.path.islink(path))


def _files_in_order(directory: str) -> list[str]:
    """The files below a directory by their relative path, those last that make something whole of the others."""
    found = sorted(str(path.relative_to(directory)) for path in Path(directory).rglob("*") if path.is_file())
    last = ["", *_LAST_FILES]
    return sorted(found, key=lambda name: last.index(file) if (file := os.path.basename(name)) in last else 0)


def _remove(path: str) -> None:
    try:
        if files.is_remote(path):
            _remove_remote(path)
        else:
            with hidden_path(os.path.dirname(path)) as hidden:
                os.rename(path, hidden)
    except FileNotFoundError:
        pass  # Another process has removed it.
    except OSError as error:
        warnings.warn(
            f"The older export {path!r} cannot be removed ({error}). The new one is complete; remove that one by hand.",
            stacklevel=2,
        )


def _upload(directory: str, path: str) -> None:
    try:
        upload(directory, path, _files_in_order(directory))
    except Exception as error:  # TensorFlow's errors, which are no OSErrors.
        raise OSError(f"The export could not be copied to {path!r}: {error}") from error


def _remove_remote(path: str) -> None:
    """Deletes a remote directory, first the files that make an export of it."""
    remote = files.remote_files()
    try:
        for folder, _, names in list(remote.walk(path)):
            for name in names:
                if name in _LAST_FILES:
                    remote.remove(files.join(folder, name))
        remote.rmtree(path)
    except Exception as error:  # TensorFlow's errors, which are no OSErrors.
        raise OSError(str(error)) from error
