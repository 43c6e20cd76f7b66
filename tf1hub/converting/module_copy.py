"""Copying a module's files, all but those of its checkpoint: also those that are no part of the format."""

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from tf1hub.errors import UnsupportedModuleError
from tf1hub.format.bundle_data import is_checkpoint_file
from tf1hub.format.module_directory import checkpoint_prefix

_CHECKPOINT = checkpoint_prefix("")


@dataclass(frozen=True)
class CopiedFiles:
    """The files and folders of a module, by their paths in it, but for those of its checkpoint."""

    directory: str
    files: tuple[str, ...]
    folders: tuple[str, ...]

    def copy_to(self, target: str) -> None:
        """Copies them, byte for byte."""
        for folder in self.folders:
            os.makedirs(os.path.join(target, folder), exist_ok=True)
        for name in self.files:
            shutil.copyfile(os.path.join(self.directory, name), os.path.join(target, name))


def find_module_files(directory: str) -> CopiedFiles:
    """The files that a copy of the module needs. Links are followed.

    Raises:
      UnsupportedModuleError: something that is neither a file nor a folder, or a folder that links back to one above.
    """
    files: list[str] = []
    folders: list[str] = []
    for name, is_folder in _walk(directory, "", (os.path.realpath(directory),)):
        (folders if is_folder else files).append(name)
    return CopiedFiles(directory, tuple(files), tuple(folders))


def _walk(directory: str, inside: str, above: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    for name in sorted(os.listdir(os.path.join(directory, inside))):
        relative = os.path.join(inside, name)
        path = os.path.join(directory, relative)
        if is_checkpoint_file(relative, _CHECKPOINT):
            continue
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            yield relative, False
        elif not stat.S_ISDIR(mode):
            raise UnsupportedModuleError(f"{path!r} is neither a file nor a folder. Remove it from the module.")
        else:
            real = os.path.realpath(path)
            if any(os.path.commonpath([real, each]) == real for each in above):
                raise UnsupportedModuleError(f"{path!r} links to a folder above itself. Remove it from the module.")
            yield relative, True
            yield from _walk(directory, relative, (*above, real))
