"""Taking out of a graph what speaks of the machine that it was made on.

requires  a graph in its form in memory
ensures   no node or function names a device; no attribute holds the path of an asset; tables that shared a name still
          share one, and others still do not; attributes that only newer TensorFlows know, and that say nothing to a
          consumer, are gone
"""

from collections.abc import Iterator

from tf1hub.format import protos

# `debug_name` repeats a variable's name for error messages; TensorFlow before 2.17 does not know the attribute.
_DEBUGGING_ATTRS = ("debug_name",)


def make_anonymous(meta_graph: protos.MetaGraphDef, asset_names: dict[str, str]) -> None:
    """Changes `meta_graph` in place. `asset_names` gives the name on disk for each asset's path."""
    # The longest path first: "/a/b" must not be replaced within "/a/b.txt".
    paths = sorted(((path.encode(), name.encode()) for path, name in asset_names.items()), key=lambda p: -len(p[0]))
    tables: dict[bytes, bytes] = {}
    for node in _all_nodes(meta_graph):
        node.device = ""
        for key in _DEBUGGING_ATTRS:
            node.attr.pop(key, None)
        for key, value in node.attr.items():
            if value.WhichOneof("value") == "s":
                _replace_paths(value, paths)
                if key == "shared_name" and "HashTable" in node.op:
                    value.s = _without_folder(value.s, tables)


def _all_nodes(meta_graph: protos.MetaGraphDef) -> Iterator[protos.NodeDef]:
    yield from meta_graph.graph_def.node
    for function in meta_graph.graph_def.library.function:
        yield from function.node_def


def _replace_paths(value: protos.AttrValue, paths: list[tuple[bytes, bytes]]) -> None:
    for path, name in paths:
        if path in value.s:
            value.s = value.s.replace(path, name)


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
