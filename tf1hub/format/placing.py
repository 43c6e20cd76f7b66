"""Writing a module's directory so that it is there whole or not at all.

    new path, or an empty directory    built beside it under a hidden name, then renamed: one step
    directory with other files         built inside it under a hidden name; our files are put into their places,
                                       `tfhub_module.pb` last
    remote path                        built in a temporary directory and copied, `tfhub_module.pb` last

Nothing that was there is ever replaced. What an export leaves behind that was killed is cleared away by the next
one (see staging.py); a list in the hidden directory says what it put where:

    moved.json    {"marker": the file that comes last, "files": {name: [inode, size, time]},
                   "folders": [those that the export makes, the outer first]}

A SavedModel is placed the same way, with `saved_model.pb` last.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tf1hub import files
from tf1hub.errors import ModuleExistsError
from tf1hub.format.module_directory import MARKER
from tf1hub.format.staging import (
    find_leftovers,
    hidden_prefix,
    local_staging_directory,
    staging_directory,
    upload,
)

_MOVED = "moved.json"


@contextmanager
def new_module_directory(path: str, marker: str = MARKER) -> Iterator[str]:
    """A local directory to build a module in; it becomes `path` when the context ends without an error.

    Args:
      path: the directory.
      marker: the file that makes a directory what is built. Where files are placed one by one it comes last.

    Raises:
      ModuleExistsError: there is a module, a file of the same name as one of ours, or no directory.
    """
    if files.is_remote(path):
        with _uploaded(path, marker) as temporary:
            yield temporary
        return
    target = Path(os.path.realpath(files.absolute(path)))
    _clear_leftovers(target)
    check_free(str(target), marker)
    made = [parent for parent in target.parents if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    # In an empty directory that cannot be replaced the files are put into their places as well.
    inside = target.is_dir() and not _can_be_replaced(target)
    parent, prefix = (target, ".") if inside else (target.parent, hidden_prefix(target.name))
    try:
        with staging_directory(parent, prefix) as staging:
            yield str(staging)
            if inside:
                _move_in(staging, target, marker)
            else:
                _become(staging, target)
    except BaseException:
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        raise


def check_free(path: str, marker: str = MARKER) -> None:
    """Refuses a path at which a module, or something that is no directory, is already."""
    if files.exists(files.join(path, marker)):
        raise ModuleExistsError(
            f"There is a module at {path!r} already (it has a {marker}). Export to another path, or remove it first."
        )
    if files.exists(path) and not files.is_directory(path):
        raise ModuleExistsError(f"{path!r} is a file; a module is a directory. Export to another path.")
    parents = [] if files.is_remote(path) else Path(os.path.realpath(files.absolute(path))).parents
    above = next((parent for parent in parents if parent.exists()), None)
    if above is not None and not above.is_dir():
        raise ModuleExistsError(
            f"No directory can be made for {path!r}, since {str(above)!r} is none. Export to another path."
        )


def _can_be_replaced(directory: Path) -> bool:
    """Whether another directory can take this one's place, and nobody loses anything by it."""
    if any(directory.iterdir()) or os.path.ismount(directory):
        return False
    # Whoever stands in the working directory would stand in nothing.
    in_use = os.path.samestat(directory.stat(), os.stat("."))
    return not in_use and os.access(directory.parent, os.W_OK | os.X_OK)


def _become(staging: Path, target: Path) -> None:
    if target.is_dir():
        stat = target.stat()
        with suppress(OSError, AttributeError):  # Not for us to do, or a system without owners.
            os.chown(staging, stat.st_uid, stat.st_gid)
        shutil.copymode(target, staging)
    try:
        os.rename(staging, target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        raise ModuleExistsError(
            f"{str(target)!r} came to hold files while the module was exported ({error.strerror}). Nothing of"
            " it was changed; export to another path."
        ) from error


def _move_in(staging: Path, target: Path, marker: str) -> None:
    """Moves all files of `staging` into `target`, the marker last; takes them out when one cannot be."""
    names = _files_below(staging, marker)
    for name in names:
        _check_unused(target, name)
    folders = sorted({str(folder) for name in names for folder in Path(name).parents} - {"."})
    plan = {
        "marker": marker,
        "files": {name: _mark(staging / name) for name in names},
        "folders": [folder for folder in folders if not (target / folder).exists()],
    }
    (staging / _MOVED).write_text(json.dumps(plan))
    try:
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            _place(staging / name, target / name)
    except BaseException:
        _take_out(target, plan)
        raise


def _check_unused(target: Path, name: str) -> None:
    """Refuses a file's place when it, or that of a folder above it, is taken."""
    taken = [target / name] if os.path.lexists(target / name) else []
    folders = [target / folder for folder in Path(name).parents]
    taken += [folder for folder in folders if os.path.lexists(folder) and not folder.is_dir()]
    if taken:
        raise ModuleExistsError(
            f"{str(taken[0])!r} exists already, and an export replaces nothing. Export to another path, or"
            " remove that file first."
        )


def _place(source: Path, target: Path) -> None:
    """Gives a file its place, and never another one's that came to be there meanwhile."""
    try:
        os.link(source, target)
    except FileExistsError as error:
        raise ModuleExistsError(
            f"{str(target)!r} came to be there while the module was exported. It was left as it is; export to"
            " another path."
        ) from error
    except OSError:  # A file system without hard links.
        os.rename(source, target)


def _take_out(target: Path, plan: dict[str, Any]) -> None:
    """Removes what an export put into `target`: its files, and the folders that it made, unless others use them."""
    for name, mark in reversed(plan["files"].items()):  # The marker first: without it there is no module.
        file = target / name
        if file.is_file() and _mark(file) == mark:
            file.unlink()
    for folder in reversed(plan["folders"]):
        with suppress(OSError):
            (target / folder).rmdir()


def _clear_leftovers(target: Path) -> None:
    """Clears away what exports to `target` left that were killed on this machine."""
    for parent, prefix in ((target.parent, hidden_prefix(target.name)), (target, ".")):
        for staging in find_leftovers(parent, prefix):
            moved = staging / _MOVED
            if parent == target and moved.is_file():
                # A list that is cut short was not finished, so nothing was moved.
                with suppress(ValueError, KeyError, OSError):
                    plan = json.loads(moved.read_text())
                    # With the marker in its place the module is whole, and stays.
                    if not (target / plan["marker"]).exists():
                        _take_out(target, plan)
            shutil.rmtree(staging, ignore_errors=True)


def _mark(file: Path) -> list[int]:
    stat = file.stat()
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns]


def _files_below(directory: Path, marker: str) -> list[str]:
    """The files in a directory by their relative path, the marker last."""
    found = sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())
    return sorted(found, key=lambda name: name == marker)


@contextmanager
def _uploaded(path: str, marker: str) -> Iterator[str]:
    """The same for a remote path, whose file systems cannot rename a directory in one step."""
    check_free(path, marker)
    remote = files.remote_files()
    with local_staging_directory() as staging:
        yield staging
        names = _files_below(Path(staging), marker)
        for name in names:
            if remote.exists(files.join(path, name)):
                raise ModuleExistsError(f"{files.join(path, name)!r} exists already. Export to another path.")
        upload(staging, path, names)
