"""Initializing variables from a checkpoint, with one restore op for all of them.

requires  a graph variant whose variables have initializers
ensures   each variable's initializer assigns what one shared RestoreV2 node reads for it; initializers that nothing
          needs any more are left for the cut to drop; names of existing nodes do not change
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tf1hub.format import protos
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.variables import StoredVariable, stored_variables
from tf1hub.names import node_name, tensor_name

_STRING = 7  # TensorFlow's DT_STRING
_ASSIGN_OPS = {"VarHandleOp": "AssignVariableOp", "VariableV2": "Assign", "Variable": "Assign"}


@dataclass(frozen=True)
class Restored:
    """A variant whose variables come from a checkpoint: `values` and `initializers` by the variable's node."""

    index: GraphIndex
    values: dict[str, str]
    initializers: dict[str, str]

    def definition(self, variable: protos.VariableDef) -> protos.VariableDef:
        """The variable's definition with its new initial value; the same one when it has none."""
        name = node_name(variable.variable_name)
        if name not in self.values:
            return variable
        changed = protos.VariableDef()
        changed.CopyFrom(variable)
        changed.initial_value_name = self.values[name]
        changed.initializer_name = self.initializers[name]
        return changed


def restored_from(index: GraphIndex, checkpoint: str) -> Restored:
    """The variant with its variables' initial values taken from `checkpoint` (a path prefix)."""
    stored = stored_variables(index)
    if not stored:
        return Restored(index, {}, {})
    scope = _unused_name(index, "checkpoint_initializer")
    new = _restoring_nodes(scope, checkpoint, stored)
    values = {one.node: tensor_name(f"{scope}:{i}") for i, one in enumerate(stored)}
    assignments = {name: _assignment(index, name, value) for name, value in values.items()}
    new += assignments.values()
    return Restored(index.with_nodes(new), values, {name: node.name for name, node in assignments.items()})


def _restoring_nodes(scope: str, checkpoint: str, stored: Sequence[StoredVariable]) -> list[protos.NodeDef]:
    inputs = [
        _string_constant(f"{scope}/prefix", [checkpoint], scalar=True),
        _string_constant(f"{scope}/tensor_names", [one.checkpoint_name for one in stored]),
        _string_constant(f"{scope}/shape_and_slices", [one.slice_spec for one in stored]),
    ]
    restore = _host_node(scope, "RestoreV2", [node.name for node in inputs])
    restore.attr["dtypes"].list.type.extend(one.dtype for one in stored)
    return [*inputs, restore]


def _assignment(index: GraphIndex, variable: str, value: str) -> protos.NodeDef:
    """The node that assigns `value` to the variable: its own assignment changed, or a new one."""
    handle = index.nodes[variable]
    assign_op = _ASSIGN_OPS.get(handle.op, "AssignVariableOp")
    name = f"{variable}/Assign"
    own = index.nodes.get(name)
    node = protos.NodeDef()
    if own is not None and own.op == assign_op and node_name(own.input[0]) == variable:
        node.CopyFrom(own)
        node.input[:] = [own.input[0], value]
        return node
    node = protos.NodeDef(name=_unused_name(index, name), op=assign_op, input=[variable, value], device=handle.device)
    node.attr["dtype" if assign_op == "AssignVariableOp" else "T"].type = handle.attr["dtype"].type
    return node


def _string_constant(name: str, values: Sequence[str], scalar: bool = False) -> protos.NodeDef:
    node = _host_node(name, "Const", [])
    node.attr["dtype"].type = _STRING
    tensor = node.attr["value"].tensor
    tensor.dtype = _STRING
    tensor.string_val.extend(value.encode() for value in values)
    if scalar:
        tensor.tensor_shape.SetInParent()
    else:
        tensor.tensor_shape.dim.add(size=len(values))
    return node


def _host_node(name: str, op: str, inputs: Sequence[str]) -> protos.NodeDef:
    # Restoring is done by the host whatever device scope the module is instantiated under.
    return protos.NodeDef(name=name, op=op, input=inputs, device="/device:CPU:0")


def _unused_name(index: GraphIndex, wanted: str) -> str:
    name, number = wanted, 0
    while name in index.nodes or any(other.startswith(name + "/") for other in index.nodes):
        number += 1
        name = f"{wanted}_{number}"
    return name
