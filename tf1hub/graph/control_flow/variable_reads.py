"""Reading variables before loops, and not in them.

TensorFlow 2 differentiates a variable that a loop in a loop reads, but once that is saved as a SavedModel and loaded again,
the gradient is zero. The value of a variable has the right gradient there; and a loop that gets it reads nothing.

requires  a graph without reference variables
ensures   a variable that nothing in the graph writes to is read once, outside of all loops, for all reads in loops; lookups of
          rows in loops within loops take the rows from what was read
"""

from collections.abc import Mapping

from tf1hub.format import dtypes, protos
from tf1hub.names import is_control_input, node_name, tensor_name

_HANDING_ON = frozenset(("Enter", "Switch", "Identity"))
_READING = frozenset(("ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape"))
_ADDED = "tf1hub_value_before_loops"


def with_reads_before_loops(nodes: Mapping[str, protos.NodeDef]) -> dict[str, protos.NodeDef]:
    """The nodes by name, with the reads moved."""
    written = _written(nodes)
    result = dict(nodes)
    for node in nodes.values():
        if node.op not in ("ReadVariableOp", "ResourceGather"):
            continue
        handle, loops = _origin(node.input[0], nodes)
        if handle not in written and loops >= (1 if node.op == "ReadVariableOp" else 2):
            value = _value(node.input[0], node.attr["dtype"].type, result)
            (_make_identity if node.op == "ReadVariableOp" else _make_gather)(node, value, result)
    return result


def _written(nodes: Mapping[str, protos.NodeDef]) -> set[str]:
    """The variables' handles that something takes that does not read."""
    read = {_origin(node.input[0], nodes)[0] for node in nodes.values() if node.op in _READING}
    others = (node for node in nodes.values() if node.op not in _READING and node.op not in _HANDING_ON)
    taken = {_origin(name, nodes)[0] for node in others for name in node.input if not is_control_input(name)}
    return read & taken


def _origin(name: str, nodes: Mapping[str, protos.NodeDef]) -> tuple[str, int]:
    """Where a tensor comes from, and into how many loops it was handed on from there."""
    loops = 0
    while (node := nodes.get(node_name(name))) is not None and node.op in _HANDING_ON:
        loops += node.op == "Enter"
        name = node.input[0]
    return tensor_name(name), loops


def _value(handle: str, dtype: int, nodes: dict[str, protos.NodeDef]) -> str:
    """The value of a variable, handed on as its handle is; adds the nodes that do so."""
    node = nodes.get(node_name(handle))
    name = f"{node_name(handle)}/{_ADDED}"
    if node is None or node.op not in _HANDING_ON:
        nodes[name] = protos.NodeDef(name=name, op="ReadVariableOp", input=[handle])
        nodes[name].attr["dtype"].type = dtype
        return name
    if name not in nodes:
        value = _value(node.input[0], dtype, nodes)
        nodes[name] = protos.NodeDef()
        nodes[name].CopyFrom(node)
        nodes[name].name = name
        nodes[name].input[0] = value
        nodes[name].attr["T"].type = dtype
    return name + handle.removeprefix(node_name(handle))


def _make_identity(node: protos.NodeDef, value: str, nodes: dict[str, protos.NodeDef]) -> None:
    result = protos.NodeDef(name=node.name, op="Identity", device=node.device, input=[value, *node.input[1:]])
    result.attr["T"].type = node.attr["dtype"].type
    nodes[node.name] = result


def _make_gather(node: protos.NodeDef, value: str, nodes: dict[str, protos.NodeDef]) -> None:
    axis = protos.NodeDef(name=f"{node.name}/{_ADDED}", op="Const")
    axis.attr["dtype"].type = dtypes.INT32
    axis.attr["value"].tensor.CopyFrom(protos.TensorProto(dtype=dtypes.INT32, int_val=[0]))
    result = protos.NodeDef(name=node.name, op="GatherV2", device=node.device)
    result.input.extend([value, node.input[1], axis.name, *node.input[2:]])
    result.attr["Tparams"].type = node.attr["dtype"].type
    result.attr["Tindices"].type = node.attr["Tindices"].type
    result.attr["Taxis"].type = dtypes.INT32
    if "batch_dims" in node.attr:
        result.attr["batch_dims"].CopyFrom(node.attr["batch_dims"])
    nodes.update({axis.name: axis, node.name: result})
