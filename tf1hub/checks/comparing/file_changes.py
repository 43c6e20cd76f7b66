"""What differs between the files of two modules that are neither graph nor checkpoint: assets, and files of no format."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tf1hub.checks.comparing.changes import Change, told_apart
from tf1hub.checks.describing.file_sizes import file_sizes
from tf1hub.checks.wording import counted
from tf1hub.format import module_directory
from tf1hub.format.bundle_data import is_checkpoint_file
from tf1hub.graph.assets import ASSETS_DIRECTORY

_CHUNK = 1 << 20
_MESSAGES = (module_directory.MARKER, module_directory.SAVED_MODEL)
_CHECKPOINT = module_directory.checkpoint_prefix("")


@dataclass(frozen=True)
class ComparedFiles:
    """A module's files.

    Attributes:
      directory: the module's.
      sizes: bytes by path inside it.
      assets: the name in `assets/` for each tensor that holds an asset's path.
    """

    directory: str
    sizes: Mapping[str, int]
    assets: Mapping[str, str]

    def size(self, asset: str) -> int | None:
        """The size of an asset; None when it is not there."""
        return self.sizes.get(f"{ASSETS_DIRECTORY}/{asset}")

    def others(self) -> dict[str, int]:
        """The sizes of files that are neither assets nor of the format, by path."""
        assets = {f"{ASSETS_DIRECTORY}/{name}" for name in self.assets.values()}
        return {
            path: size
            for path, size in self.sizes.items()
            if path not in assets and path not in _MESSAGES and not is_checkpoint_file(path, _CHECKPOINT)
        }


def read_module_files(directory: str, assets: Mapping[str, str], problems: list[str]) -> ComparedFiles:
    """The names and sizes of a module's files. A directory that cannot be read is added to `problems`."""
    try:
        return ComparedFiles(directory, file_sizes(directory), assets)
    except OSError as error:
        problems.append(f"The files of {directory!r} cannot be listed: {error.strerror or error}.")
        return ComparedFiles(directory, {}, assets)


def find_asset_changes(a: ComparedFiles, b: ComparedFiles, problems: list[str]) -> tuple[Change, ...]:
    """The assets that differ, in contents or in name: what one tensor reads is the same asset under any name."""
    names_a, names_b = set(a.assets.values()), set(b.assets.values())
    found = []
    for name, name_b in _pairs(a, b):
        sizes = (a.size(name) if name in names_a else None, b.size(name_b) if name_b in names_b else None)
        if sizes == (None, None):
            problems.append(f"The asset {name!r} is listed but not there, and cannot be compared.")
            continue
        texts = [None if size is None else counted(size, "byte") for size in sizes]
        paths = [f"{ASSETS_DIRECTORY}/{each}" for each in (name, name_b)]
        equal = sizes[0] == sizes[1] and _equal(a, paths[0], b, paths[1], problems)
        if name != name_b and texts[1] is not None:
            texts[1] = f"{name_b}, {'the same contents' if equal else texts[1]}"
        elif equal:
            continue
        found.append(told_apart(name, *texts))
    return tuple(found)


def find_other_file_changes(a: ComparedFiles, b: ComparedFiles, problems: list[str]) -> tuple[Change, ...]:
    """The files of no format that differ."""
    found = []
    others_a, others_b = a.others(), b.others()
    for path in sorted({*others_a, *others_b}):
        one, other = others_a.get(path), others_b.get(path)
        if one is not None and one == other and _equal(a, path, b, path, problems):
            continue
        texts = [None if size is None else counted(size, "byte") for size in (one, other)]
        found.append(told_apart(path, *texts))
    return tuple(found)


def _pairs(a: ComparedFiles, b: ComparedFiles) -> list[tuple[str, str]]:
    """For each asset its name in A and in B; where only one has it, twice the same."""
    names_a, names_b = set(a.assets.values()), set(b.assets.values())
    renamed: dict[str, str] = {}
    for tensor, name in a.assets.items():
        name_b = b.assets.get(tensor)
        if name_b is not None and name not in names_b and name_b not in names_a:
            renamed.setdefault(name, name_b)
    rest = (names_a | names_b) - {*renamed, *renamed.values()}
    return sorted([*renamed.items(), *((name, name) for name in rest)])


def _equal(a: ComparedFiles, path_a: str, b: ComparedFiles, path_b: str, problems: list[str]) -> bool:
    """Whether two files have the same contents. One that cannot be read is added to `problems`."""
    try:
        with Path(a.directory, path_a).open("rb") as one, Path(b.directory, path_b).open("rb") as other:
            while True:
                left, right = one.read(_CHUNK), other.read(_CHUNK)
                if left != right:
                    return False
                if not left:
                    return True
    except OSError as error:
        problems.append(f"{error.filename}: {error.strerror}, so {path_a!r} cannot be compared.")
        return True
