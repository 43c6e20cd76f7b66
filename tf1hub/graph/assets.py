"""Assets: files that a graph reads, as constants in memory and as a list on disk.

In memory an asset is a scalar string constant in the collection `asset_filepaths`, its value the file's path. On disk the
value is a placeholder, and the collection `saved_model_assets` says which file in `assets/` belongs to which constant.
"""

import os
import posixpath
import re
from collections.abc import Container, Iterable

from tf1hub.errors import GraphError, UnsupportedModuleError
from tf1hub.files import is_absolute
from tf1hub.format import protos
from tf1hub.format.messages import parse_message
from tf1hub.graph import collections
from tf1hub.names import node_name, tensor_name

ASSETS_DIRECTORY = "assets"
_PLACEHOLDER = b"tf1hub-asset"
_DRIVE_OR_SCHEME = re.compile(r"[a-zA-Z]:|[a-zA-Z][a-zA-Z0-9+.-]*://")
_ANY_URL = "type.googleapis.com/tensorflow.AssetFileDef"


def asset_paths(meta_graph: protos.MetaGraphDef) -> dict[str, str]:
    """The path that each asset constant of a graph in memory holds, by its tensor's name.

    Raises:
      GraphError: something in the collection is no scalar string constant.
    """
    if collections.ASSET_FILEPATHS not in meta_graph.collection_def:
        return {}
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    paths = {}
    for name in meta_graph.collection_def[collections.ASSET_FILEPATHS].node_list.value:
        node = nodes.get(node_name(name))
        path = _constant_text(node) if node is not None else None
        if path is None:
            found = "no such node" if node is None else f"a {node.op} node"
            raise GraphError(
                f"The collection {collections.ASSET_FILEPATHS!r} lists {name!r}, which is {found}, not a constant of one"
                " string. Add the file's path as `tf.constant(path)`."
            )
        paths[tensor_name(name)] = path
    return paths


def _constant_text(node: protos.NodeDef) -> str | None:
    """The text of a constant of one string; None for any other node."""
    values = node.attr["value"].tensor.string_val if node.op == "Const" else []
    return os.fsdecode(values[0]) if len(values) == 1 else None


def file_names(paths: Iterable[str]) -> dict[str, str]:
    """A name in `assets/` for each path: its last part, numbered when two files share it (in letters of any case).

    >>> file_names(["/a/tokens.txt", "/b/tokens.txt", "/a/tokens.txt"])
    {'/a/tokens.txt': 'tokens.txt', '/b/tokens.txt': 'tokens_1.txt'}
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for path in dict.fromkeys(paths):
        base = posixpath.basename(path.replace("\\", "/")) or "asset"
        stem, extension = posixpath.splitext(base)
        name, number = base, 0
        while name.lower() in taken:
            number += 1
            name = f"{stem}_{number}{extension}"
        taken.add(name.lower())
        names[path] = name
    return names


def unfold_assets(meta_graph: protos.MetaGraphDef, names: dict[str, str]) -> None:
    """Changes a graph from its form in memory to the one on disk; `names` says what each path is called there."""
    paths = asset_paths(meta_graph)
    if not paths:
        return
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    # A constant with an asset's absolute path is that asset, listed or not: elsewhere the file lies in another place.
    unlisted = {
        f"{name}:0": path
        for name, node in nodes.items()
        if (path := _constant_text(node)) in names and path is not None and is_absolute(path)
    }
    listed = meta_graph.collection_def[collections.SAVED_MODEL_ASSETS].any_list
    for tensor, path in {**paths, **unlisted}.items():
        nodes[node_name(tensor)].attr["value"].tensor.string_val[0] = _PLACEHOLDER
        asset = protos.AssetFileDef(filename=names[path])
        asset.tensor_info.name = tensor
        listed.value.add(type_url=_ANY_URL, value=asset.SerializeToString())


def paths_in_functions(meta_graph: protos.MetaGraphDef, paths: Container[str]) -> list[tuple[str, str, str]]:
    """Where a function holds the path of an asset, which cannot be followed there: function, node, path."""
    return [
        (function.signature.name, node.name, path)
        for function in meta_graph.graph_def.library.function
        for node in function.node_def
        if (path := _constant_text(node)) is not None and path in paths and is_absolute(path)
    ]


def fold_assets(meta_graph: protos.MetaGraphDef, directory: str) -> None:
    """Changes a graph from its form on disk to the one in memory; `directory` is the module's.

    Raises:
      UnsupportedModuleError: a file name leads out of `assets/`.
      GraphError: the graph has no constant for an asset.
    """
    assets = assets_on_disk(meta_graph)
    meta_graph.collection_def.pop(collections.SAVED_MODEL_ASSETS, None)
    meta_graph.collection_def.pop(collections.ASSET_FILEPATHS, None)
    if not assets:
        return
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    for asset in assets:
        check_file_name(asset.filename)
        node = nodes.get(node_name(asset.tensor_info.name))
        if node is None or node.op != "Const":
            raise GraphError(f"The graph has no constant {asset.tensor_info.name!r} for its asset {asset.filename!r}.")
        path = posixpath.join(directory, ASSETS_DIRECTORY, asset.filename)
        node.attr["value"].tensor.string_val[:] = [os.fsencode(path)]
        meta_graph.collection_def[collections.ASSET_FILEPATHS].node_list.value.append(
            tensor_name(asset.tensor_info.name)
        )


def assets_on_disk(meta_graph: protos.MetaGraphDef) -> list[protos.AssetFileDef]:
    """The assets that a graph in its form on disk lists."""
    if collections.SAVED_MODEL_ASSETS not in meta_graph.collection_def:
        return list(meta_graph.asset_file_def)
    listed = meta_graph.collection_def[collections.SAVED_MODEL_ASSETS].any_list.value
    return [parse_message(protos.AssetFileDef, item.value, "An asset in the graph's list") for item in listed]


def check_file_name(name: str) -> None:
    """Refuses the name of an asset that leads out of `assets/`."""
    parts = name.replace("\\", "/").split("/")
    outside = name.startswith(("/", "\\")) or ".." in parts or _DRIVE_OR_SCHEME.match(name)
    if not name or "\0" in name or outside:
        raise UnsupportedModuleError(
            f"The module lists an asset {name!r}, which leads out of its {ASSETS_DIRECTORY}/ folder. Do not use this"
            " module unless you trust who made it."
        )
