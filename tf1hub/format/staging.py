"""Hidden directories that something is built in before it gets its name.

    .<name>.tf1hub-export-<host>-<process>-<random>

The name says who builds there. What a killed process leaves behind is thus known for what it is, and the next export clears
it away: on the same machine only, since nobody can tell whether a process of another one lives. Containers can share a
machine's name and disk, and count their processes each for itself, so a directory that is built in is locked as well.
"""

import os
import shutil
import socket
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tf1hub import files

_HIDDEN = "tf1hub-export"
# What the hidden name keeps of the target's, so that it does not become longer than a file system allows.
_NAME_LENGTH = 30
# The hidden directories that this process builds in. Another one with its number was left by an earlier process with the
# same number, as the first process of a container always has.
_IN_USE: set[str] = set()


@contextmanager
def hidden_path(parent: str | os.PathLike[str], prefix: str = ".") -> Iterator[Path]:
    """The path of a hidden directory in `parent`. What is there when the context ends is deleted."""
    hidden = Path(parent, f"{prefix}{_HIDDEN}-{owner(os.getpid())}-{uuid.uuid4().hex[:8]}")
    _IN_USE.add(hidden.name)
    try:
        yield hidden
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        _IN_USE.discard(hidden.name)


@contextmanager
def staging_directory(parent: str | os.PathLike[str], prefix: str = ".") -> Iterator[Path]:
    """A new hidden directory in `parent` to build in. What is still there when the context ends is deleted."""
    with hidden_path(parent, prefix) as staging:
        staging.mkdir()
        with locked(staging):
            yield staging


@contextmanager
def locked(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Holds the lock of a directory, where the system has locks. It waits for another process of this machine."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # A file system without locks.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_locked(folder: Path) -> bool:
    """Whether a process holds the lock, be it one of another container, whose number says nothing here."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # A file system without locks.
        return False
    finally:
        os.close(descriptor)
    return False


@contextmanager
def local_staging_directory() -> Iterator[str]:
    """A directory on this machine to build in what is uploaded then."""
    with tempfile.TemporaryDirectory(prefix=f"{_HIDDEN}-") as directory:
        yield directory


def hidden_prefix(name: str) -> str:
    """What the hidden directories begin with in which something of this name is built."""
    return f".{name[:_NAME_LENGTH]}."


def find_leftovers(parent: str | os.PathLike[str], prefix: str = ".") -> list[Path]:
    """The hidden directories in `parent` with this prefix whose processes are dead."""
    start = f"{prefix}{_HIDDEN}-"
    found = list(Path(parent).iterdir()) if os.path.isdir(parent) else []
    named = [each for each in found if each.name.startswith(start)]
    return [each for each in named if _is_left(each.name, start) and not _is_locked(each)]


def owner(process: int) -> str:
    """How hidden names call a process of this machine."""
    return f"{socket.gethostname()}-{process}"


def _is_left(name: str, start: str) -> bool:
    host, _, process = name[len(start) :].rpartition("-")[0].rpartition("-")
    if host != socket.gethostname() or not process.isdigit():
        return False
    if int(process) == os.getpid():
        return name not in _IN_USE
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def upload(directory: str, remote_path: str, names: Sequence[str]) -> None:
    """Copies files of a local directory to a remote one, in this order. An error takes them out again."""
    remote = files.remote_files()
    copied: list[str] = []
    try:
        for name in names:
            copied.append(files.join(remote_path, name))
            remote.makedirs(os.path.dirname(copied[-1]))
            remote.copy(os.path.join(directory, name), copied[-1])
    except BaseException:
        for name in reversed(copied):
            with suppress(Exception):
                remote.remove(name)
        raise
