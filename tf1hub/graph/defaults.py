"""Leaving out what goes without saying, so that an older TensorFlow can read the graph.

requires  a MetaGraphDef that lists the definitions of its ops
ensures   no node's attribute equals its op's default
"""

from tf1hub.format import protos


def strip_default_attrs(meta_graph: protos.MetaGraphDef) -> None:
    """Changes `meta_graph` in place. Does nothing when its writer did it already."""
    info = meta_graph.meta_info_def
    if info.stripped_default_attrs:
        return
    defaults = {
        op.name: {attr.name: attr.default_value for attr in op.attr if attr.HasField("default_value")}
        for op in info.stripped_op_list.op
    }
    for node in meta_graph.graph_def.node:
        known = defaults.get(node.op, {})
        for name in [name for name in node.attr if name in known]:
            if node.attr[name] == known[name]:
                del node.attr[name]
    info.stripped_default_attrs = True
