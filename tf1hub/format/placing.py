"""Writing a module's directory so that it is there whole or not at all.

    new path, or an empty directory    built beside it under a hidden name, then renamed: one step
    directory with other files         built inside it under a hidden name; our files are moved in, `tfhub_module.pb` last
    remote path                        built in a temporary directory and copied, `tfhub_module.pb` last

Nothing that was there is ever replaced. What an export leaves behind that was killed is cleared away by the next one:
the hidden names say which process made them, and a list in there (name, inode, size, time) which files it moved.
"""

import json
import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tf1hub import files
from tf1hub.errors import ModuleExistsError
from tf1hub.format.module_directory import MARKER

_HIDDEN = "tf1hub-export"
_MOVED = "moved.json"


@contextmanager
def new_module_directory(path: str) -> Iterator[str]:
    """A local directory to build a module in; it becomes `path` when the context ends without an error.

    Raises:
      ModuleExistsError: there is a module, a file of the same name as one of ours, or something that is no directory.
    """
    if files.is_remote(path):
        with _uploaded(path) as staging:
            yield staging
        return
    target = Path(os.path.realpath(files.absolute(path)))
    check_free(str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(target)
    # The working directory is not replaced, be it empty: whoever stands in it would stand in nothing.
    inside = target.is_dir() and (any(target.iterdir()) or target == Path.cwd())
    parent, prefix = (target, ".") if inside else (target.parent, f".{target.name}.")
    staging = parent / f"{prefix}{_HIDDEN}-{_owner(os.getpid())}-{uuid.uuid4().hex[:8]}"
    staging.mkdir()
    try:
        yield str(staging)
        if inside:
            _move_in(staging, target)
        else:
            _become(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def check_free(path: str) -> None:
    """Refuses a path at which a module, or something that is no directory, is already."""
    if files.exists(files.join(path, MARKER)):
        raise ModuleExistsError(
            f"There is a module at {path!r} already (it has a {MARKER}). Export to another path, or remove it first."
        )
    if files.exists(path) and not files.is_directory(path):
        raise ModuleExistsError(f"{path!r} is a file; a module is a directory. Export to another path.")


def _become(staging: Path, target: Path) -> None:
    if target.is_dir():
        shutil.copymode(target, staging)
    try:
        os.rename(staging, target)
    except OSError as error:
        raise ModuleExistsError(
            f"{str(target)!r} came to hold files while the module was exported ({error.strerror}). Nothing of it was"
            " changed; export to another path."
        ) from error


def _move_in(staging: Path, target: Path) -> None:
    """Moves all files of `staging` into `target`, the marker last; takes them out again when one cannot be."""
    names = _files_below(staging)
    for name in names:
        if (target / name).exists():
            raise ModuleExistsError(
                f"{str(target / name)!r} exists already, and an export replaces nothing. Export to another path, or"
                " remove that file first."
            )
    marks = {name: _mark(staging / name) for name in names}
    (staging / _MOVED).write_text(json.dumps(marks))
    try:
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            os.rename(staging / name, target / name)
    except BaseException:
        _take_out(target, marks)
        raise


def _take_out(target: Path, marks: dict[str, list[int]]) -> None:
    """Removes those files that an export moved into `target`, and the folders that this leaves empty."""
    for name, mark in marks.items():
        file = target / name
        if file.is_file() and _mark(file) == mark:
            file.unlink()
            with suppress(OSError):
                if file.parent != target:
                    file.parent.rmdir()


def _clear_leftovers(target: Path) -> None:
    """Clears away what exports to `target` left that were killed on this machine."""
    for parent, prefix in ((target.parent, f".{target.name}."), (target, ".")):
        for staging in parent.glob(f"{prefix}{_HIDDEN}-*") if parent.is_dir() else ():
            owner = staging.name.removeprefix(f"{prefix}{_HIDDEN}-").rpartition("-")[0]
            if not _is_dead(owner):
                continue
            moved = staging / _MOVED
            if parent == target and moved.is_file():
                with suppress(ValueError):
                    _take_out(target, json.loads(moved.read_text()))
            shutil.rmtree(staging, ignore_errors=True)


def _owner(process: int) -> str:
    return f"{socket.gethostname()}-{process}"


def _is_dead(owner: str) -> bool:
    host, _, process = owner.rpartition("-")
    if host != socket.gethostname() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _mark(file: Path) -> list[int]:
    stat = file.stat()
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns]


def _files_below(directory: Path) -> list[str]:
    """The files in a directory by their relative path, the marker last."""
    found = sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())
    return sorted(found, key=lambda name: name == MARKER)


@contextmanager
def _uploaded(path: str) -> Iterator[str]:
    """The same for a remote path, whose file systems cannot rename a directory in one step."""
    check_free(path)
    remote = files.remote_files()
    with tempfile.TemporaryDirectory(prefix=f"{_HIDDEN}-") as staging:
        yield staging
        names = _files_below(Path(staging))
        for name in names:
            if remote.exists(files.join(path, name)):
                raise ModuleExistsError(f"{files.join(path, name)!r} exists already. Export to another path.")
        copied = []
        try:
            for name in names:
                copied.append(files.join(path, name))
                remote.makedirs(os.path.dirname(copied[-1]))
                remote.copy(os.path.join(staging, name), copied[-1])
        except BaseException:
            for name in copied:
                with suppress(Exception):
                    remote.remove(name)
            raise
