"""Keeping the resources of two instances of a module apart.

requires  nodes that are about to be imported under a scope
ensures   a resource that has a name to be shared by has one of its own for that scope
"""

from tf1hub.format import protos

_ATTR = "shared_name"


def has_shared_names(graph_def: protos.GraphDef) -> bool:
    """Whether any node names the resource that it makes."""
    return any(_ATTR in node.attr and node.attr[_ATTR].s for node in graph_def.node)


def with_scoped_shared_names(graph_def: protos.GraphDef, scope: str) -> protos.GraphDef:
    """A copy in which each shared name is put under `scope` ("module", with no slash at the end)."""
    result = protos.GraphDef()
    result.CopyFrom(graph_def)
    for node in result.node:
        if _ATTR in node.attr and node.attr[_ATTR].s:
            node.attr[_ATTR].s = scope.encode() + b"/" + node.attr[_ATTR].s
    return result
