"""TensorArrays, made into TensorLists.

A TensorArray is an object that ops change behind the graph's back, so functions have no gradients of it. A TensorList is a
value, a tensor of type variant, which TensorFlow 2 differentiates, compiles and saves.

requires  a graph that uses the arrays as TF1's `tf.TensorArray` does: each op takes the flow that the op before gave it
ensures   no TensorArray op is left; each flow, and each handle, is a list now
"""

import copy
from collections.abc import Collection, Iterable, Sequence

from tf1hub.errors import GraphError
from tf1hub.format import dtypes, protos
from tf1hub.graph.building import shape_message
from tf1hub.names import is_control_input, node_name, tensor_name

_PREFIX = "TensorArray"
_VERSIONS = ("V2", "V3")
_PASSING_ON = frozenset(
    ("Identity", "Enter", "Exit", "Switch", "Merge", "NextIteration", "StopGradient", "PreventGradient")
)
# Where an op of TensorArrays takes the flow; those that take none are not here.
_FLOW_INPUT = {"Write": 3, "Read": 2, "Gather": 2, "Scatter": 3, "Size": 1, "Concat": 1, "Split": 3}
_WRITES = frozenset(("Write", "Scatter", "Split"))

# A shape; None when not even the rank is known, and None for a size that is not.
_Shape = tuple[int | None, ...] | None


def uses_tensor_arrays(nodes: Iterable[protos.NodeDef]) -> bool:
    """Whether there is an op of TensorArrays."""
    return any(node.op.startswith(_PREFIX) for node in nodes)


def with_tensor_lists(nodes: Collection[protos.NodeDef]) -> list[protos.NodeDef]:
    """The nodes with lists in place of TensorArrays. They are copies where they differ.

    Raises:
      GraphError: an op of TensorArrays has no counterpart, or a flow goes where no list can.
    """
    return _Rewrite(nodes).nodes() if uses_tensor_arrays(nodes) else list(nodes)


def _kind(node: protos.NodeDef) -> str | None:
    """What an op of TensorArrays does: "Read"; "" makes one; None is no such op."""
    if not node.op.startswith(_PREFIX):
        return None
    return node.op[len(_PREFIX) :].removesuffix("V2").removesuffix("V3")


class _Rewrite:
    def __init__(self, nodes: Collection[protos.NodeDef]):
        self._nodes = {node.name: node for node in nodes}
        self._consumers: dict[str, list[protos.NodeDef]] = {}
        for node in nodes:
            for name in node.input:
                self._consumers.setdefault(node_name(name), []).append(node)
        self._uses: dict[str, list[protos.NodeDef]] = {node.name: [] for node in nodes if _kind(node) == ""}
        self._array_of: dict[str, str] = {}
        for node in nodes:
            self._find_array(node)
        self._element_shapes = {array: self._element_shape(array) for array in self._uses}
        self._new: list[protos.NodeDef] = []

    def nodes(self) -> list[protos.NodeDef]:
        lists = self._nodes_of_lists()
        for node in self._nodes.values():
            kind = _kind(node)
            result = node
            if kind is not None:
                result = self._list_op(kind, node)
            elif node.name in lists or any(self._is_array_flow(name) for name in node.input):
                result = copy.deepcopy(node)
            if node.name in lists:
                result.attr["T"].type = dtypes.VARIANT
            if result is not node:
                result.input[:] = [node_name(name) if self._is_array_flow(name) else name for name in result.input]
            self._new.append(result)
        return self._new

    def _is_array_flow(self, name: str) -> bool:
        """Whether this is the second output of an array's op, which a list's op does not have."""
        return name.endswith(":1") and node_name(name) in self._uses

    def _find_array(self, node: protos.NodeDef) -> None:
        """Finds whose handle an op takes: back along what only passes it on."""
        kind = _kind(node)
        if not kind:
            return
        if kind not in (*_FLOW_INPUT, "Close") or not node.op.endswith(_VERSIONS):
            raise GraphError(
                f"The node {node.name!r} is a {node.op}, which cannot be made into an op on TensorLists. The module computes a"
                " gradient through a TensorArray itself, or was made by a TensorFlow older than 1.0. Use it in a TF1 graph:"
                " hub.Module(...)."
            )
        at = node_name(node.input[0])
        while at in self._nodes and self._nodes[at].op in _PASSING_ON:
            at = node_name(self._nodes[at].input[0])
        if at not in self._uses:
            raise GraphError(f"The node {node.name!r} takes its TensorArray from {at!r}, which makes none.")
        self._array_of[node.name] = at
        self._uses[at].append(node)

    def _element_shape(self, array: str) -> _Shape:
        """What is known of the shape of an array's elements: from itself, and from where they are gathered."""
        known = _shape_of(self._nodes[array], "element_shape")
        for use in self._uses[array]:
            if _kind(use) == "Gather":
                known = _merged(known, _shape_of(use, "element_shape"))
        return known

    def _nodes_of_lists(self) -> set[str]:
        """The nodes that pass a list on: their type changes."""
        todo = [*self._uses, *(name for name in self._array_of if _kind(self._nodes[name]) in _WRITES)]
        found: set[str] = set()
        while todo:
            source = todo.pop()
            for node in self._consumers.get(source, ()):
                if _kind(node) is not None or all(
                    is_control_input(name) for name in node.input if node_name(name) == source
                ):
                    continue
                if node.op not in _PASSING_ON:
                    raise GraphError(
                        f"The node {node.name!r} ({node.op}) computes with the flow of the TensorArray in {source!r}, which"
                        " cannot be a TensorList there. Use the module in a TF1 graph: hub.Module(...)."
                    )
                if node.name not in found:
                    found.add(node.name)
                    todo.append(node.name)
        return found

    def _list_op(self, kind: str, node: protos.NodeDef) -> protos.NodeDef:
        if kind == "Close":
            return _node(node, "NoOp", [])
        if kind == "":
            return self._reserve(node)
        array = self._nodes[self._array_of[node.name]]
        make = {
            "Write": self._write,
            "Read": self._read,
            "Gather": self._gather,
            "Scatter": self._scatter,
            "Size": self._size,
            "Concat": self._concat,
            "Split": self._split,
        }
        return make[kind](node, array, node.input[_FLOW_INPUT[kind]])

    def _reserve(self, node: protos.NodeDef) -> protos.NodeDef:
        shape = self._shape_input(node, self._element_shapes[node.name])
        attrs = {"element_dtype": _dtype(node), "shape_type": dtypes.INT32}
        result = _node(node, "TensorListReserve", [shape, node.input[0]], **attrs)
        if not node.attr["dynamic_size"].b:
            return result
        # XLA would compile a list that grows as one that does not, and drop what is written past its end. It cannot resize.
        result.name = self._free_name(f"{node.name}/reserved")
        self._new.append(result)
        return _node(node, "TensorListResize", [result.name, node.input[0]])

    def _write(self, node: protos.NodeDef, array: protos.NodeDef, flow: str) -> protos.NodeDef:
        result = _node(node, "TensorListSetItem", [flow, node.input[1], node.input[2]], element_dtype=_dtype(array))
        if array.attr["dynamic_size"].b:
            result.attr["resize_if_index_out_of_bounds"].b = True
        return result

    def _read(self, node: protos.NodeDef, array: protos.NodeDef, flow: str) -> protos.NodeDef:
        shape = self._shape_input(node, _merged(self._element_shapes[array.name], _output_shape(node)))
        return _node(node, "TensorListGetItem", [flow, node.input[1], shape], element_dtype=_dtype(array))

    def _gather(self, node: protos.NodeDef, array: protos.NodeDef, flow: str) -> protos.NodeDef:
        shape = self._shape_input(node, self._element_shapes[array.name])
        if self._are_all(node.input[1], array):
            # All of them: XLA compiles this and its gradient, and not the picking of some.
            result = _node(node, "TensorListStack", [flow, shape], element_dtype=_dtype(array))
            size = scalar_of(self._nodes.get(node_name(array.input[0])))
            if size is not None and not array.attr["dynamic_size"].b:
                result.attr["num_elements"].i = size
            return result
        return _node(node, "TensorListGather", [flow, node.input[1], shape], element_dtype=_dtype(array))

    def _scatter(self, node: protos.NodeDef, array: protos.NodeDef, flow: str) -> protos.NodeDef:
        kinds = [_kind(use) for use in self._uses[array.name]]
        alone = sum(kind in _WRITES for kind in kinds) == 1 and "Size" not in kinds
        if alone and self._limit_of_range(node.input[1]) is not None:
            shape = self._shape_input(node, self._element_shapes[array.name])
            attrs = {"element_dtype": _dtype(array), "shape_type": dtypes.INT32}
            return _node(node, "TensorListFromTensor", [node.input[2], shape], **attrs)
        inputs = [flow, node.input[2], node.input[1]]
        return _node(node, "TensorListScatterIntoExistingList", inputs, element_dtype=_dtype(array))

    def _size(self, node: protos.NodeDef, array: protos.NodeDef, flow: str) -> protos.NodeDef:
        return _node(node, "TensorListLength", [flow])

    def _concat(self, node: protos.NodeDef, array: protos.NodeDef, flow: str) -> protos.NodeDef:
        rows = _shape_of(node, "element_shape_except0")
        shape = self._shape_input(node, None if rows is None else (None, *rows))
        sizes = self._constant(node, "leading_dims", dtypes.INT64, [], [0])
        attrs = {"element_dtype": _dtype(array), "shape_type": dtypes.INT32}
        return _node(node, "TensorListConcatV2", [flow, shape, sizes], **attrs)

    def _split(self, node: protos.NodeDef, array: protos.NodeDef, flow: str) -> protos.NodeDef:
        shape = self._shape_input(node, self._element_shapes[array.name])
        attrs = {"element_dtype": _dtype(array), "shape_type": dtypes.INT32}
        return _node(node, "TensorListSplit", [node.input[1], shape, node.input[2]], **attrs)

    def _are_all(self, indices: str, array: protos.NodeDef) -> bool:
        """Whether these are the indices of all elements of an array."""
        limit = self._limit_of_range(indices)
        if limit is None:
            return False
        if self._array_of.get(node_name(limit)) == array.name:
            return _kind(self._nodes[node_name(limit)]) == "Size"
        if array.attr["dynamic_size"].b:
            return False
        known = scalar_of(self._nodes.get(node_name(limit)))
        same = known is not None and known == scalar_of(self._nodes.get(node_name(array.input[0])))
        return same or tensor_name(limit) == tensor_name(array.input[0])

    def _limit_of_range(self, name: str) -> str | None:
        """The tensor n, when this one is `tf.range(0, n)`."""
        node = self._nodes.get(node_name(name))
        if node is None or node.op != "Range":
            return None
        start, delta = (self._nodes.get(node_name(node.input[at])) for at in (0, 2))
        return node.input[1] if scalar_of(start) == 0 and scalar_of(delta) == 1 else None

    def _shape_input(self, node: protos.NodeDef, shape: _Shape) -> str:
        values = [-1] if shape is None else [-1 if size is None else size for size in shape]
        return self._constant(node, "element_shape", dtypes.INT32, values, [] if shape is None else [len(shape)])

    def _constant(
        self, node: protos.NodeDef, what: str, dtype: int, values: Sequence[int], shape: Sequence[int]
    ) -> str:
        name = self._free_name(f"{node.name}/{what}")
        constant = protos.NodeDef(name=name, op="Const")
        constant.attr["dtype"].type = dtype
        tensor = constant.attr["value"].tensor
        tensor.dtype = dtype
        tensor.tensor_shape.CopyFrom(shape_message(shape))
        (tensor.int_val if dtype == dtypes.INT32 else tensor.int64_val).extend(values)
        self._new.append(constant)
        return name

    def _free_name(self, name: str) -> str:
        while name in self._nodes:
            name += "_"
        return name


def scalar_of(node: protos.NodeDef | None) -> int | None:
    """The integer that a node is, or None."""
    if node is None or node.op != "Const":
        return None
    tensor = node.attr["value"].tensor
    if tensor.tensor_shape.dim or tensor.dtype not in (dtypes.INT32, dtypes.INT64):
        return None
    if tensor.tensor_content:
        return int.from_bytes(tensor.tensor_content, "little", signed=True)
    values = tensor.int_val if tensor.dtype == dtypes.INT32 else tensor.int64_val
    return values[0] if values else 0


def _node(old: protos.NodeDef, op: str, inputs: Sequence[str], **types: int) -> protos.NodeDef:
    """A node in the place of another, with its name, its device and its control inputs."""
    controls = [name for name in old.input if is_control_input(name)]
    result = protos.NodeDef(name=old.name, op=op, device=old.device, input=[*inputs, *controls])
    for key, value in types.items():
        result.attr[key].type = value
    return result


def _dtype(array: protos.NodeDef) -> int:
    dtype: int = array.attr["dtype"].type
    return dtype


def _shape_of(node: protos.NodeDef, attr: str) -> _Shape:
    return _as_shape(node.attr[attr].shape) if attr in node.attr else None


def _output_shape(node: protos.NodeDef) -> _Shape:
    """The shape that the publisher's TensorFlow noted for a node's first output."""
    shapes = node.attr["_output_shapes"].list.shape if "_output_shapes" in node.attr else ()
    return _as_shape(shapes[0]) if shapes else None


def _as_shape(shape: protos.TensorShapeProto) -> _Shape:
    return None if shape.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in shape.dim)


def _merged(one: _Shape, other: _Shape) -> _Shape:
    """What both shapes say; the first of them when they contradict each other."""
    if one is None or other is None:
        return other if one is None else one
    if len(one) != len(other):
        return one
    return tuple(size if size is not None else more for size, more in zip(one, other, strict=True))
