"""Paths: local ones by the operating system, those with a scheme (`gs://`, `s3://`, `ram://`) by TensorFlow.

TensorFlow's file systems are all that a module on remote storage needs; they are loaded when such a path is met.
"""

import errno
import importlib
import os
import re
import shutil
import stat
from typing import Any, BinaryIO
from urllib.parse import unquote

from tf1hub.errors import MissingModuleError, UnsupportedHandleError

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
# Opening a pipe would otherwise wait for whoever writes to it.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_DOWNLOADED = ("http", "https", "tfhub", "kaggle", "hf")


def resolve(handle: str | os.PathLike[str]) -> str:
    """The path that a handle speaks of: a local path as it is, `file://` without its scheme, a remote path as it is.

    Args:
      handle: a path of a module's directory, as text or `os.PathLike`.

    Raises:
      UnsupportedHandleError: the handle is a web address (an `OSError` and a `ValueError`).
      TypeError: the handle is no path.

    >>> resolve("file:///models/half_plus_two")
    '/models/half_plus_two'
    """
    try:
        path = os.fsdecode(handle)
    except TypeError:
        raise TypeError(f"A handle is a path; this is {type(handle).__name__}: {handle!r}.") from None
    scheme = path.partition("://")[0].lower() if is_remote(path) else ""
    if scheme in _DOWNLOADED:
        raise UnsupportedHandleError(
            f"{path!r} is a web address, and downloading modules is not supported yet. Download the module (its page"
            " offers a .tar.gz), unpack it into a directory of its own, and pass that directory's path."
        )
    if scheme == "file":
        local = path.partition("://")[2]
        return unquote(local.removeprefix("localhost") if local.startswith("localhost/") else local)
    return path


def is_remote(path: str) -> bool:
    """Whether the path has a scheme."""
    return _SCHEME.match(path) is not None


def absolute(path: str) -> str:
    """The path from the root, so that it stays right when the working directory changes."""
    return path if is_remote(path) else os.path.abspath(os.path.expanduser(path))


def is_absolute(path: str) -> bool:
    """Whether the path says by itself where it leads."""
    return is_remote(path) or os.path.isabs(path)


def join(directory: str, *parts: str) -> str:
    """A path inside a directory, local or remote."""
    return "/".join((directory.rstrip("/"), *parts)) if is_remote(directory) else os.path.join(directory, *parts)


def exists(path: str) -> bool:
    """Whether there is a file or directory of that path."""
    return bool(remote_files().exists(path)) if is_remote(path) else os.path.exists(path)


def is_directory(path: str) -> bool:
    """Whether there is a directory of that path."""
    return bool(remote_files().isdir(path)) if is_remote(path) else os.path.isdir(path)


def read_bytes(path: str) -> bytes:
    """All of a file.

    Raises:
      MissingModuleError: there is no such file.
    """
    if not exists(path):
        raise MissingModuleError(f"There is no file {path!r}.")
    if is_remote(path):
        with remote_files().GFile(path, "rb") as file:
            data: bytes = file.read()
            return data
    with open_local(path) as local:
        return local.read()


def open_local(path: str) -> BinaryIO:
    """Opens a local file for reading. A pipe or a device, which may have no end, is refused with an OSError."""
    descriptor = os.open(path, _FLAGS)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a directory", path)
    raise OSError(errno.EINVAL, "it is a pipe or a device", path)


def matching(pattern: str) -> list[str]:
    """The remote files that match a pattern with `*` in it, sorted."""
    return sorted(remote_files().glob(pattern))


def copy(source: str, target: str) -> None:
    """Copies a file's contents; either side may be remote."""
    if is_remote(source) or is_remote(target):
        remote_files().copy(source, target)
    else:
        shutil.copyfile(source, target)


def remote_files() -> Any:
    """TensorFlow's file systems, `tf.io.gfile`."""
    # By name: a plain import would make every layer depend on TensorFlow in the eyes of the layers' check.
    return importlib.import_module("tensorflow").io.gfile
