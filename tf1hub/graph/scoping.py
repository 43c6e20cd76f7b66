"""Keeping two imports of the same nodes apart where their names do not: in attributes.

requires  nodes that are about to be imported under a scope
ensures   a resource that has a name to be shared by has one of its own for that scope (`shared_name`), and so has the
          frame of a TF1 loop (`frame_name` of its Enter nodes, which is its context's name too)
"""

import copy

from tf1hub.format import protos

_ATTRS = ("shared_name", "frame_name")


def needs_scoping(graph_def: protos.GraphDef) -> bool:
    """Whether any node has such attributes."""
    return any(_names_in(node) for node in graph_def.node)


def scoped(graph_def: protos.GraphDef, scope: str) -> protos.GraphDef:
    """A copy of the graph with such attributes put under `scope` ("a/module", no slash at the end)."""
    result = copy.deepcopy(graph_def)
    for node in result.node:
        for attr in _names_in(node):
            node.attr[attr].s = scope.encode() + b"/" + node.attr[attr].s
    return result


def _names_in(node: protos.NodeDef) -> list[str]:
    return [attr for attr in _ATTRS if attr in node.attr and node.attr[attr].s]
