"""Building a graph from its ops, without TensorFlow.

`ops.binpb` has the definitions of the ops that can be used; `make ops` takes them from TensorFlow.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Any

from tf1hub.format import dtypes, protos
from tf1hub.graph import collections
from tf1hub.graph.defaults import strip_default_attrs
from tf1hub.names import tensor_name

# The rules that the graph asks to be read by: from version 22 on a placeholder's shape counts, from 26 on attributes that
# equal their default may be left out. No later rule concerns these ops, and a low number suits the oldest readers.
_PRODUCER = 26
_CONSTANTS = {
    dtypes.STRING: "string_val",
    dtypes.INT32: "int_val",
    dtypes.INT64: "int64_val",
    dtypes.FLOAT32: "float_val",
}


class GraphBuilder:
    """A graph that is being built.

    >>> builder = GraphBuilder()
    >>> keys = builder.placeholder("keys", dtypes.STRING, [-1])
    >>> builder.add("StringLower", "lower", keys, encoding=b"utf-8")
    'lower'
    """

    def __init__(self) -> None:
        self._meta_graph = protos.MetaGraphDef()

    def add(self, op: str, name: str, *inputs: str, **attrs: Any) -> str:
        """Adds a node; returns its name, which is its first output. Attributes are bytes, numbers, or shapes as lists."""
        kinds = {attr.name: attr.type for attr in op_definitions()[op].attr}
        node = self._meta_graph.graph_def.node.add(name=name, op=op, input=inputs)
        for key, value in attrs.items():
            node.attr[key].CopyFrom(_attr_value(kinds[key], value))
        return name

    def placeholder(self, name: str, dtype: int, shape: Sequence[int]) -> str:
        """Adds an input; -1 in its shape stands for a size that is not known."""
        return self.add("Placeholder", name, dtype=dtype, shape=shape)

    def constant(self, name: str, dtype: int, values: Iterable[Any], shape: Sequence[int] = ()) -> str:
        """Adds a constant, a scalar when it has no shape."""
        tensor = protos.TensorProto(dtype=dtype, tensor_shape=shape_message(shape))
        getattr(tensor, _CONSTANTS[dtype]).extend(values)
        return self.add("Const", name, dtype=dtype, value=tensor)

    def variable(self, name: str, dtype: int, shape: Sequence[int], trainable: bool) -> str:
        """Adds a resource variable that begins as zeros; returns its handle."""
        handle = self.add("VarHandleOp", name, dtype=dtype, shape=shape, shared_name=name.encode())
        sizes = self.constant(f"{name}/Initializer/shape", dtypes.INT32, shape, [len(shape)])
        zero = self.constant(f"{name}/Initializer/zero", dtype, [0])
        zeros = self.add("Fill", f"{name}/Initializer/zeros", sizes, zero, T=dtype)
        self.add("VarIsInitializedOp", f"{name}/IsInitialized/VarIsInitializedOp", handle)
        assign = self.add("AssignVariableOp", f"{name}/Assign", handle, zeros, dtype=dtype)
        read = self.add("ReadVariableOp", f"{name}/Read/ReadVariableOp", handle, dtype=dtype)
        definition = protos.VariableDef(
            variable_name=tensor_name(name),
            initializer_name=assign,
            snapshot_name=tensor_name(read),
            initial_value_name=tensor_name(zeros),
            is_resource=True,
            trainable=trainable,
        )
        keys = [collections.GLOBAL_VARIABLES, *([collections.TRAINABLE_VARIABLES] if trainable else [])]
        for key in keys:
            self._meta_graph.collection_def[key].bytes_list.value.append(definition.SerializeToString())
        return handle

    def collect(self, key: str, name: str) -> None:
        """Adds a node or tensor to a collection."""
        self._meta_graph.collection_def[key].node_list.value.append(name)

    def signature(self, inputs: dict[str, protos.TensorInfo], outputs: dict[str, protos.TensorInfo]) -> None:
        """Declares the signature "default"."""
        signature = self._meta_graph.signature_def["default"]
        for key, info in inputs.items():
            signature.inputs[key].CopyFrom(info)
        for key, info in outputs.items():
            signature.outputs[key].CopyFrom(info)

    def meta_graph(self) -> protos.MetaGraphDef:
        """The graph, with the definitions of its ops and without attributes that go without saying."""
        meta_graph = protos.MetaGraphDef()
        meta_graph.CopyFrom(self._meta_graph)
        meta_graph.graph_def.versions.producer = _PRODUCER
        used = sorted({node.op for node in meta_graph.graph_def.node})
        meta_graph.meta_info_def.stripped_op_list.op.extend(op_definitions()[op] for op in used)
        strip_default_attrs(meta_graph)
        return meta_graph


@cache
def op_definitions() -> dict[str, protos.OpDef]:
    """The ops that can be used, by name."""
    data = resources.files(__package__).joinpath("ops.binpb").read_bytes()
    return {op.name: op for op in protos.OpList.FromString(data).op}


def shape_message(shape: Sequence[int]) -> protos.TensorShapeProto:
    """A shape; -1 stands for a size that is not known."""
    return protos.TensorShapeProto(dim=[protos.TensorShapeProto.Dim(size=size) for size in shape])


def tensor_info(name: str, dtype: int, shape: Sequence[int]) -> protos.TensorInfo:
    """An input or output of a signature."""
    return protos.TensorInfo(name=tensor_name(name), dtype=dtype, tensor_shape=shape_message(shape))


def _attr_value(kind: str, value: Any) -> protos.AttrValue:
    if kind == "shape":
        return protos.AttrValue(shape=shape_message(value))
    field = {"type": "type", "int": "i", "string": "s", "bool": "b", "tensor": "tensor"}[kind]
    return protos.AttrValue(**{field: value})
