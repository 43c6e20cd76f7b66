"""The files and folders of a module as they lie on the disk, with their modes."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from tf1hub import files
from tf1hub.checks.describing.file_sizes import file_sizes
from tf1hub.checks.linting.linted_module import LintedModule


@dataclass(frozen=True)
class ModuleFile:
    """A file or folder of a module.

    Attributes:
      name: its path inside the module, with "/" between the parts; "" is the module's own folder.
      is_folder: whether it is a folder.
      bytes: its size; 0 for a folder.
      mode: its permissions, None where there are none: on remote storage and on Windows.
    """

    name: str
    is_folder: bool
    bytes: int
    mode: int | None


def module_files(module: LintedModule) -> list[ModuleFile]:
    """What lies in a module, sorted by name. Nothing for a spec in memory."""
    if module.directory is None:
        return []
    if files.is_remote(module.directory):
        return [ModuleFile(name, False, size, None) for name, size in file_sizes(module.directory).items()]
    return sorted(_iter_files(module.directory), key=lambda file: file.name)


def _iter_files(directory: str) -> Iterator[ModuleFile]:
    """Follows links to files, but not those to folders, which may lead in a circle."""
    for folder, folders, names in os.walk(directory):
        inside = os.path.relpath(folder, directory).replace(os.sep, "/")
        prefix = "" if inside == "." else f"{inside}/"
        yield _module_file(prefix.rstrip("/"), folder)
        yield from (_module_file(prefix + name, os.path.join(folder, name)) for name in names)
        yield from (_module_file(prefix + name, os.path.join(folder, name)) for name in folders
                    if os.path.islink(os.path.join(folder, name)))  # fmt: skip


def _module_file(name: str, path: str) -> ModuleFile:
    try:
        status = os.stat(path)
    except OSError:  # a link that leads nowhere
        return ModuleFile(name, False, 0, None)
    is_folder = stat.S_ISDIR(status.st_mode)
    mode = stat.S_IMODE(status.st_mode) if os.name == "posix" else None
    return ModuleFile(name, is_folder, 0 if is_folder else status.st_size, mode)
