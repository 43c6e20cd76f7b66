"""Writing a file so that it is there whole or not at all: under a hidden name in the same folder, renamed at the end."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from tf1hub import files
from tf1hub.errors import ModuleExistsError, UnsupportedHandleError, WeightsError

# What the hidden name keeps of the file's, so that it does not become longer than a file system allows.
_NAME_LENGTH = 30
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def new_file(path: str, overwrite: bool = False) -> Iterator[BinaryIO]:
    """A file to write to; it becomes `path` when the context ends without an error.

    Raises:
      ModuleExistsError: there is something at `path`, which is replaced only with `overwrite` and if it is a file.
      WeightsError: the folder is missing.
      UnsupportedHandleError: the path is remote.
    """
    if files.is_remote(path):
        raise UnsupportedHandleError(f"{path!r} is remote. Write a file on this machine, and copy it there.")
    target = os.path.abspath(path)
    folder, name = os.path.split(target)
    _check_free(target, overwrite)
    if not os.path.isdir(folder):
        raise WeightsError(f"There is no folder {folder!r} to write {name!r} to. Make it first.")
    hidden = os.path.join(folder, f".{name[:_NAME_LENGTH]}.tf1hub-{uuid.uuid4().hex[:8]}")
    try:
        with open(hidden, "xb") as file:
            yield file
        _check_free(target, overwrite)
        os.replace(hidden, target)
    except BaseException as error:
        with suppress(OSError):
            os.remove(hidden)
        _name_unwritable(error, hidden, path)
        raise


def _name_unwritable(error: BaseException, hidden: str, path: str) -> None:
    """Gives an error of writing a hidden file, or of a full disk, which has no path, the path that was asked for."""
    if isinstance(error, OSError) and (error.filename == hidden or (error.filename is None and error.errno in _FULL)):
        error.filename = path


def _check_free(path: str, overwrite: bool) -> None:
    if os.path.isdir(path):
        raise ModuleExistsError(f"{path!r} is a folder. Write to another path.")
    if os.path.lexists(path) and not overwrite:
        raise ModuleExistsError(
            f"There is a file {path!r} already. Write to another path, or replace it, with `overwrite` (--force)."
        )
