"""Taking out of a graph what speaks of the machine that it was made on.

requires  a graph in its form in memory
ensures   no node or function names a device or a checkpoint; no resource is named by the path of an asset; tables that
          shared a name still share one, and others still do not; attributes that only newer TensorFlows know, and that
          say nothing to a consumer, are gone
"""

import os
from collections.abc import Iterator

from tf1hub.files import is_absolute
from tf1hub.format import protos
from tf1hub.names import node_name

# The attributes by which resources are shared.
_RESOURCE_ATTRS = ("shared_name", "container")
# `debug_name` repeats a variable's name for error messages; TensorFlow before 2.17 does not know the attribute.
_DEBUGGING_ATTRS = ("debug_name",)


def make_anonymous(meta_graph: protos.MetaGraphDef, asset_names: dict[str, str]) -> None:
    """Changes `meta_graph` in place. `asset_names` gives the name on disk for each asset's path."""
    absolute = {os.fsencode(path): os.fsencode(name) for path, name in asset_names.items() if is_absolute(path)}
    renamed: dict[bytes, bytes] = {}
    for node in _all_nodes(meta_graph):
        node.device = ""
        for key in _DEBUGGING_ATTRS:
            node.attr.pop(key, None)
        for key in _RESOURCE_ATTRS:
            if key in node.attr and (shared := node.attr[key].s):
                node.attr[key].s = _without_path(shared, absolute, renamed, "HashTable" in node.op)
    _forget_checkpoints(meta_graph)


def _all_nodes(meta_graph: protos.MetaGraphDef) -> Iterator[protos.NodeDef]:
    yield from meta_graph.graph_def.node
    for function in meta_graph.graph_def.library.function:
        yield from function.node_def


def _forget_checkpoints(meta_graph: protos.MetaGraphDef) -> None:
    """Empties the paths that a nested module's variables are initialized from; their values are exported."""
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    for restore in (node for node in meta_graph.graph_def.node if node.op == "RestoreV2"):
        prefix = nodes.get(node_name(restore.input[0]))
        if prefix is not None and prefix.op == "Const":
            prefix.attr["value"].tensor.string_val[:] = [b""]


def _without_path(shared: bytes, absolute: dict[bytes, bytes], renamed: dict[bytes, bytes], is_table: bool) -> bytes:
    """A resource's name without a path in it, one for one: TensorFlow makes a table's from its vocabulary's path."""
    if shared in renamed:
        return renamed[shared]
    base = shared
    if found := [path for path in absolute if path in shared]:
        longest = max(found, key=len)
        base = shared.replace(longest, absolute[longest])
    if is_table:
        base = base.replace(b"\\", b"/").rpartition(b"/")[2]
    name, number = base, 0
    while name in renamed.values():
        number += 1
        name = base + b"_%d" % number
    renamed[shared] = name
    return name
