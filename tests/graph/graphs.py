"""Small graphs, built from messages, for the tests of the graph layer."""

from tf1hub.format import protos
from tf1hub.graph.index import GraphIndex

FLOAT, STRING, RESOURCE = 1, 7, 20


def node(name, op="Identity", *inputs, near=(), device="", **attrs):
    """A node. `near` are the nodes it is colocated with; an attribute is bytes, a DataType, a shape or a message."""
    result = protos.NodeDef(name=name, op=op, input=inputs, device=device)
    if near:
        result.attr["_class"].list.s.extend(b"loc:@" + other.encode() for other in near)
    for key, value in attrs.items():
        if isinstance(value, protos.AttrValue):
            result.attr[key].CopyFrom(value)
        elif isinstance(value, bytes):
            result.attr[key].s = value
        elif isinstance(value, tuple):
            result.attr[key].shape.CopyFrom(shape(value))
        else:
            result.attr[key].type = value
    return result


def shape(sizes):
    return protos.TensorShapeProto(dim=[protos.TensorShapeProto.Dim(size=size) for size in sizes])


def text(name, value):
    """A constant of one string."""
    tensor = protos.TensorProto(dtype=STRING, string_val=[value.encode()])
    return node(name, "Const", value=protos.AttrValue(tensor=tensor))


def variable(name, sizes=(2,)):
    """The nodes of a resource variable."""
    return [
        node(name, "VarHandleOp", dtype=FLOAT, shape=tuple(sizes)),
        node(f"{name}/init", "Const"),
        node(f"{name}/Assign", "AssignVariableOp", name, f"{name}/init", dtype=FLOAT),
        node(f"{name}/Read", "ReadVariableOp", name),
    ]


def definition(name, **fields):
    """The VariableDef of a variable, as a collection holds it."""
    return protos.VariableDef(
        variable_name=f"{name}:0",
        initializer_name=f"{name}/Assign",
        initial_value_name=f"{name}/init:0",
        snapshot_name=f"{name}/Read:0",
        **fields,
    )


def meta_graph(*nodes, functions=(), ops=(), **collections):
    """A variant. A collection is a list of names, or of messages."""
    result = protos.MetaGraphDef()
    result.graph_def.node.extend(nodes)
    result.graph_def.library.function.extend(functions)
    result.meta_info_def.stripped_op_list.op.extend(ops)
    for key, values in collections.items():
        for value in values:
            if isinstance(value, str):
                result.collection_def[key].node_list.value.append(value)
            else:
                result.collection_def[key].bytes_list.value.append(value.SerializeToString())
    return result


def index(*nodes, **options):
    return GraphIndex(meta_graph(*nodes, **options))


def function(name, *nodes):
    return protos.FunctionDef(signature=protos.OpDef(name=name), node_def=nodes)


def names(graph_def):
    return [each.name for each in graph_def.node]


def by_name(graph_def):
    return {each.name: each for each in graph_def.node}
