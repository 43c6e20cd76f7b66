"""How large a module's files are, by what they are for."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tf1hub import files
from tf1hub.format import module_directory
from tf1hub.graph.assets import ASSETS_DIRECTORY


@dataclass(frozen=True)
class Sizes:
    """Bytes: of the graphs (`saved_model.pb`), the variables, the assets, all other files, and of all together."""

    graph: int
    variables: int
    assets: int
    other: int

    @property
    def total(self) -> int:
        """All files."""
        return self.graph + self.variables + self.assets + self.other


def file_sizes(directory: str) -> dict[str, int]:
    """The size of each file under a directory by its path inside it, with "/" between the parts."""
    walked = _walk_remote(directory) if files.is_remote(directory) else _walk(directory, "", set())
    return dict(sorted(walked))


def sizes_by_purpose(sizes: Mapping[str, int]) -> Sizes:
    """The sizes of files summed up by what the files are for."""
    graph = sizes.get(module_directory.SAVED_MODEL, 0)
    variables = sum(size for name, size in sizes.items() if name.startswith(module_directory.VARIABLES + "/"))
    assets = sum(size for name, size in sizes.items() if name.startswith(ASSETS_DIRECTORY + "/"))
    return Sizes(graph, variables, assets, sum(sizes.values()) - graph - variables - assets)


def _walk(directory: str, prefix: str, seen: set[tuple[int, int]]) -> Iterator[tuple[str, int]]:
    """Follows links, as those who read the module do, but enters no directory twice."""
    status = os.stat(directory)
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _walk(entry.path, f"{prefix}{entry.name}/", seen)
            elif entry.is_file():
                yield prefix + entry.name, entry.stat().st_size


def _walk_remote(directory: str) -> Iterator[tuple[str, int]]:
    remote: Any = files.remote_files()
    for folder, _, names in remote.walk(directory):
        for name in names:
            path = files.join(folder, name)
            yield path.removeprefix(directory).lstrip("/"), remote.stat(path).length
