"""Initializing variables from a checkpoint, with one restore op for all of them.

requires  a graph variant whose variables have initializers
ensures   each variable's initializer assigns what one shared RestoreV2 node reads for it; initializers that nothing
          needs any more are left for the cut to drop; names of existing nodes do not change
"""

from collections.abc import Sequence

from tf1hub.format import protos
from tf1hub.graph import collections
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.variables import stored_variable, variable_defs
from tf1hub.names import node_name, tensor_name

_STRING = 7  # TensorFlow's DT_STRING
_ASSIGN_OPS = {"VarHandleOp": "AssignVariableOp", "VariableV2": "Assign", "Variable": "Assign"}


def with_restored_variables(meta_graph: protos.MetaGraphDef, checkpoint: str) -> protos.MetaGraphDef:
    """A copy of the variant in which the variables' initial values come from `checkpoint` (a path prefix)."""
    result = protos.MetaGraphDef()
    result.CopyFrom(meta_graph)
    index = GraphIndex(result)
    defs = variable_defs(index)
    if not defs:
        return result
    stored = [stored_variable(variable, index) for variable in defs]
    scope = _unused_name(index, "checkpoint_initializer")
    inputs = [
        _string_constant(result, f"{scope}/prefix", [checkpoint], scalar=True),
        _string_constant(result, f"{scope}/tensor_names", [one.checkpoint_name for one in stored]),
        _string_constant(result, f"{scope}/shape_and_slices", [one.slice_spec for one in stored]),
    ]
    restore = _add_node(result, scope, "RestoreV2", inputs)
    restore.attr["dtypes"].list.type.extend(one.dtype for one in stored)
    restored = {one.node: tensor_name(f"{scope}:{i}") for i, one in enumerate(stored)}
    initializers = {name: _initialize(result, index, name, value) for name, value in restored.items()}
    _point_definitions(result, restored, initializers)
    return result


def _initialize(meta_graph: protos.MetaGraphDef, index: GraphIndex, variable: str, value: str) -> str:
    """Makes the variable's assignment take `value`; returns that assignment's name."""
    assign_op = _ASSIGN_OPS.get(index.nodes[variable].op)
    name = f"{variable}/Assign"
    node = index.nodes.get(name)
    if node is None or node.op != assign_op or node_name(node.input[0]) != variable:
        node = _add_node(meta_graph, _unused_name(index, name), assign_op or "AssignVariableOp", [variable, value])
        node.device = index.nodes[variable].device
        dtype = "dtype" if node.op == "AssignVariableOp" else "T"
        node.attr[dtype].type = index.nodes[variable].attr["dtype"].type
        return node.name
    node.input[:] = [node.input[0], value]
    return node.name


def _point_definitions(meta_graph: protos.MetaGraphDef, restored: dict[str, str], initializers: dict[str, str]) -> None:
    """Lets the VariableDefs speak of the new initial values."""
    for key in collections.VARIABLE_COLLECTIONS:
        if key not in meta_graph.collection_def:
            continue
        collection = meta_graph.collection_def[key]
        for i, value in enumerate(collection.bytes_list.value):
            variable = protos.VariableDef.FromString(value)
            name = node_name(variable.variable_name)
            if name in restored:
                variable.initial_value_name = restored[name]
                variable.initializer_name = initializers[name]
                collection.bytes_list.value[i] = variable.SerializeToString()


def _string_constant(meta_graph: protos.MetaGraphDef, name: str, values: Sequence[str], scalar: bool = False) -> str:
    node = _add_node(meta_graph, name, "Const", [])
    node.attr["dtype"].type = _STRING
    tensor = node.attr["value"].tensor
    tensor.dtype = _STRING
    tensor.string_val.extend(value.encode() for value in values)
    if scalar:
        tensor.tensor_shape.SetInParent()
    else:
        tensor.tensor_shape.dim.add(size=len(values))
    return name


def _add_node(meta_graph: protos.MetaGraphDef, name: str, op: str, inputs: Sequence[str]) -> protos.NodeDef:
    # Restoring is done by the host whatever device scope the module is instantiated under.
    device = "/device:CPU:0" if op in ("Const", "RestoreV2") else ""
    return meta_graph.graph_def.node.add(name=name, op=op, input=inputs, device=device)


def _unused_name(index: GraphIndex, wanted: str) -> str:
    name, number = wanted, 0
    while name in index.nodes or any(other.startswith(name + "/") for other in index.nodes):
        number += 1
        name = f"{wanted}_{number}"
    return name
