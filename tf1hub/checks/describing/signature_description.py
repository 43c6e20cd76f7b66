"""What a signature takes and gives, as plain data."""

from dataclasses import dataclass

from tf1hub.format import dtypes, protos
from tf1hub.graph.signature_tensors import iter_tensor_names, partial_shape

# TypeSpecProto.TypeSpecClass
_COMPOSITES = {1: "sparse", 2: "indexed slices", 3: "ragged"}

Shape = tuple[int | None, ...] | None


@dataclass(frozen=True)
class TensorDescription:
    """One input or output of a signature.

    Attributes:
      key: its name in the signature.
      kind: "dense", "sparse", "ragged", or the name of another composite tensor's type.
      dtype: TensorFlow's name of its values' type, e.g. "float32".
      shape: its sizes, None for each that is not known; None when not even their number is.
      ragged_rank: how many of its dimensions have rows of different lengths, 0 unless it is ragged.
      tensors: the names of the tensors in the graph that it is made of.
    """

    key: str
    kind: str
    dtype: str
    shape: Shape
    ragged_rank: int
    tensors: tuple[str, ...]


@dataclass(frozen=True)
class SignatureDescription:
    """A signature: its name, its inputs and outputs sorted by key, and the method name that its publisher gave it."""

    name: str
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]
    method_name: str


def described_signatures(meta_graph: protos.MetaGraphDef) -> tuple[SignatureDescription, ...]:
    """The signatures of a variant, sorted by name."""
    return tuple(
        SignatureDescription(
            name,
            tuple(_described(key, signature.inputs[key]) for key in sorted(signature.inputs)),
            tuple(_described(key, signature.outputs[key]) for key in sorted(signature.outputs)),
            signature.method_name,
        )
        for name, signature in sorted(meta_graph.signature_def.items())
    )


def _described(key: str, proto: protos.TensorInfo) -> TensorDescription:
    tensors = tuple(iter_tensor_names(proto))
    if proto.WhichOneof("encoding") == "composite_tensor":
        return _composite(key, proto.composite_tensor.type_spec, tensors)
    kind = "sparse" if proto.WhichOneof("encoding") == "coo_sparse" else "dense"
    return TensorDescription(key, kind, dtypes.dtype_name(proto.dtype), partial_shape(proto.tensor_shape), 0, tensors)


def _composite(key: str, spec: protos.TypeSpecProto, tensors: tuple[str, ...]) -> TensorDescription:
    """The state of a type spec begins with its shape and dtype; a ragged one's ragged rank comes after them."""
    state: dict[str | None, protos.StructuredValue] = {}
    for value in spec.type_state.tuple_value.values:
        state.setdefault(value.WhichOneof("kind"), value)
    kind = _COMPOSITES.get(spec.type_spec_class) or spec.type_spec_class_name or f"type {spec.type_spec_class}"
    shape = partial_shape(state["tensor_shape_value"].tensor_shape_value) if "tensor_shape_value" in state else None
    dtype = dtypes.dtype_name(state["tensor_dtype_value"].tensor_dtype_value) if "tensor_dtype_value" in state else ""
    ragged_rank = state["int64_value"].int64_value if kind == "ragged" and "int64_value" in state else 0
    return TensorDescription(key, kind, dtype or "unknown type", shape, ragged_rank, tensors)
