"""The files that a module's graphs read, as plain data."""

import os
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tf1hub import files
from tf1hub.errors import Tf1HubError
from tf1hub.graph.assets import ASSETS_DIRECTORY, asset_paths, assets_on_disk, check_file_name
from tf1hub.graph.index import GraphIndex

Tags = tuple[str, ...]


@dataclass(frozen=True)
class AssetDescription:
    """A file that graphs read.

    Attributes:
      name: its name in `assets/`; its path when the module is not on disk yet.
      bytes: its size; None when it is not there.
      variants: the tags of each variant that reads it.
    """

    name: str
    bytes: int | None
    variants: tuple[Tags, ...]


def assets_of_module(
    graphs: Iterable[tuple[Tags, GraphIndex]], file_sizes: Mapping[str, int], problems: list[str]
) -> tuple[AssetDescription, ...]:
    """The assets of graphs in their form on disk; `file_sizes` are those of the module's files."""
    readers: dict[str, list[Tags]] = {}
    for tags, index in graphs:
        try:
            names = [asset.filename for asset in assets_on_disk(index.meta_graph)]
        except Tf1HubError as error:
            problems.append(str(error))
            continue
        for name in dict.fromkeys(names):
            readers.setdefault(name, []).append(tags)
    described = []
    for name, variants in readers.items():
        size = None
        try:
            check_file_name(name)
            size = file_sizes.get(posixpath.normpath(f"{ASSETS_DIRECTORY}/{name}"))
            if size is None:
                problems.append(f"There is no {ASSETS_DIRECTORY}/{name}, which the graph reads.")
        except Tf1HubError as error:
            problems.append(str(error))
        described.append(AssetDescription(name, size, tuple(variants)))
    return tuple(described)


def assets_of_spec(
    graphs: Iterable[tuple[Tags, GraphIndex]], directory: str | None, problems: list[str]
) -> tuple[AssetDescription, ...]:
    """The assets of graphs in their form in memory; `directory` is the one that they were read from, if any."""
    readers: dict[str, list[Tags]] = {}
    for tags, index in graphs:
        for path in dict.fromkeys(asset_paths(index.meta_graph).values()):
            readers.setdefault(path, []).append(tags)
    inside = files.join(directory, ASSETS_DIRECTORY, "") if directory is not None else ""
    described = []
    for path, variants in readers.items():
        size = None if files.is_remote(path) or not os.path.isfile(path) else os.path.getsize(path)
        if size is None and not files.exists(path):
            problems.append(f"There is no {path}, which the graph reads.")
        described.append(AssetDescription(path.removeprefix(inside), size, tuple(variants)))
    return tuple(described)
