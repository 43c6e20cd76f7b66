"""Taking out of a graph what speaks of the machine that it was made on.

requires  a graph in its form in memory
ensures   no node or function names a device; no attribute holds the path of an asset; tables that shared a name still
          share one, and others still do not; attributes that only newer TensorFlows know, and that say nothing to a
          consumer, are gone
"""

import os
from collections.abc import Iterator

from tf1hub.format import protos
from tf1hub.names import node_name

# `debug_name` repeats a variable's name for error messages; TensorFlow before 2.17 does not know the attribute.
_DEBUGGING_ATTRS = ("debug_name",)


def make_anonymous(meta_graph: protos.MetaGraphDef, asset_names: dict[str, str]) -> None:
    """Changes `meta_graph` in place. `asset_names` gives the name on disk for each asset's path."""
    # The longest path first: "/a/b" must not be replaced within "/a/b.txt".
    encoded = [(os.fsencode(path), os.fsencode(name)) for path, name in asset_names.items()]
    paths = sorted(encoded, key=lambda pair: -len(pair[0]))
    tables: dict[bytes, bytes] = {}
    for node in _all_nodes(meta_graph):
        node.device = ""
        for key in _DEBUGGING_ATTRS:
            node.attr.pop(key, None)
        for key, value in node.attr.items():
            kind = value.WhichOneof("value")
            if kind == "s":
                value.s = _without_paths(value.s, paths)
                if key == "shared_name" and "HashTable" in node.op:
                    value.s = _without_folder(value.s, tables)
            elif kind == "list" and value.list.s:
                value.list.s[:] = [_without_paths(text, paths) for text in value.list.s]
    _forget_checkpoints(meta_graph)


def _all_nodes(meta_graph: protos.MetaGraphDef) -> Iterator[protos.NodeDef]:
    yield from meta_graph.graph_def.node
    for function in meta_graph.graph_def.library.function:
        yield from function.node_def


def _without_paths(text: bytes, paths: list[tuple[bytes, bytes]]) -> bytes:
    for path, name in paths:
        text = text.replace(path, name)
    return text


def _forget_checkpoints(meta_graph: protos.MetaGraphDef) -> None:
    """Empties the paths that a nested module's variables are initialized from; their values are exported."""
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    for restore in (node for node in meta_graph.graph_def.node if node.op == "RestoreV2"):
        prefix = nodes.get(node_name(restore.input[0]))
        if prefix is not None and prefix.op == "Const":
            prefix.attr["value"].tensor.string_val[:] = [b""]


def _without_folder(shared_name: bytes, renamed: dict[bytes, bytes]) -> bytes:
    """A table's shared name without the folder in it, one for one: TensorFlow makes it from the vocabulary's path."""
    if shared_name not in renamed:
        base = shared_name.replace(b"\\", b"/").rpartition(b"/")[2]
        name, number = base, 0
        while name in renamed.values():
            number += 1
            name = base + b"_%d" % number
        renamed[shared_name] = name
    return renamed[shared_name]
