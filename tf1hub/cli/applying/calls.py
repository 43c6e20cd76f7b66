"""How the command line calls a signature: what it takes and gives, and which inputs have a value for each example.

    some inputs have an open first dimension    it is the batch; the other inputs are settings, one value for all examples
    all first dimensions are the same number    it is the batch, of exactly that size; inputs without dimensions are settings
    anything else, vectors of fixed length too  there is no batch: a row of input is all that the signature takes at once

This is read from the messages of the signature, without TensorFlow.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tf1hub.errors import InputError, UnsupportedModuleError
from tf1hub.format.dtypes import RESOURCE, VARIANT, base_dtype, dtype_name
from tf1hub.graph.signature_tensors import partial_shape
from tf1hub.spec import ModuleSpec
from tf1hub.tensor_info import TensorInfo

DENSE, SPARSE, RAGGED = "dense", "sparse", "ragged"
_RAGGED_CLASS = 3  # TypeSpecProto.TypeSpecClass
Shape = tuple[int | None, ...] | None


@dataclass(frozen=True)
class Field:
    """An input or output: its kind, the number of its dtype, its shape (None when even the rank is open)."""

    key: str
    kind: str
    dtype: int
    shape: Shape
    ragged_rank: int = 0

    def __str__(self) -> str:
        return described(self.kind, self.dtype, self.shape)


@dataclass(frozen=True)
class Input:
    """An input, and whether rows give it one value for each example."""

    field: Field
    batched: bool

    @property
    def value_shape(self) -> Shape:
        """The shape of one value: without the batch when there is one."""
        shape = self.field.shape
        return shape[1:] if self.batched and shape is not None else shape

    @property
    def ragged_rank(self) -> int:
        """How many dimensions of one value are ragged lists, the outermost included where it is no batch."""
        return self.field.ragged_rank - self.batched

    def __str__(self) -> str:
        return described(self.field.kind, self.field.dtype, self.value_shape)


@dataclass(frozen=True)
class Call:
    """A signature as it is called.

    `size` is the only size of batch that it takes, if so; `whole` says that there are no batches.
    """

    signature: str
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Field]
    size: int | None
    whole: bool

    def describe_inputs(self) -> str:
        """The inputs for people, a line for each."""
        lines = [f"  {key!r}: {each.field}" for key, each in self.inputs.items()]
        return f"The signature {self.signature!r} takes" + (":\n" + "\n".join(lines) if lines else " no inputs.")


def call_of(
    spec: ModuleSpec, tags: frozenset[str], signature: str | None, outputs: Iterable[str] = (), whole: bool = False
) -> Call:
    """How a signature is called for some of its outputs; none named is "default", or all when there is none.

    Raises:
      TagsError, SignatureError: no such variant or signature.
      InputError: no such output, or one that has no value on a command line.
    """
    name = "default" if signature is None else signature
    taken = {key: _field(key, info) for key, info in spec.get_input_info_dict(name, tags).items()}
    given = {key: _field(key, info) for key, info in spec.get_output_info_dict(name, tags).items()}
    if unknown := [key for key in outputs if key not in given]:
        raise InputError(f"The signature {name!r} has no output {unknown[0]!r}. It has: {', '.join(map(repr, given))}.")
    wanted = list(dict.fromkeys(outputs)) or (["default"] if "default" in given else list(given))
    chosen = {key: given[key] for key in wanted}
    for what, fields in (("input", taken), ("output", chosen)):
        for key, field in fields.items():
            if base_dtype(field.dtype) in (RESOURCE, VARIANT):
                raise InputError(
                    f"The {what} {key!r} of the signature {name!r} is a {dtype_name(field.dtype)}, a handle within one"
                    " session. It cannot be given or shown on the command line."
                )
    batched, size = (frozenset[str](), None) if whole else _batch(list(taken.values()))
    inputs = {key: Input(field, key in batched) for key, field in taken.items()}
    return Call(name, inputs, chosen, size, whole=not batched)


def _batch(fields: list[Field]) -> tuple[frozenset[str], int | None]:
    """The inputs with a value for each example, and the size that a batch must have, if any."""
    if open_ones := [field.key for field in fields if field.shape is None or field.shape[:1] == (None,)]:
        return frozenset(open_ones), None
    several = [field for field in fields if field.shape]
    sizes = {field.shape[0] for field in several if field.shape}
    # [1] is a batch of one; [300] alone is far more often a vector than exactly 300 examples.
    if len(sizes) == 1 and (sizes == {1} or any(len(field.shape or ()) > 1 for field in several)):
        return frozenset(field.key for field in several), sizes.pop()
    return frozenset(), None


def _field(key: str, info: TensorInfo) -> Field:
    proto = info.proto
    if not info.is_composite:
        return Field(key, DENSE, base_dtype(proto.dtype), partial_shape(proto.tensor_shape))
    if info.is_sparse:
        return Field(key, SPARSE, base_dtype(proto.dtype), partial_shape(proto.tensor_shape))
    spec = proto.composite_tensor.type_spec
    state = spec.type_state.tuple_value.values
    if spec.type_spec_class != _RAGGED_CLASS or len(state) < 3:
        kind = spec.type_spec_class_name or f"number {spec.type_spec_class}"
        raise UnsupportedModuleError(
            f"{key!r} is a composite tensor of type {kind}; the command line knows dense, sparse and ragged tensors."
        )
    shape = partial_shape(state[0].tensor_shape_value)
    return Field(key, RAGGED, state[1].tensor_dtype_value, shape, state[2].int64_value)


def described(kind: str, dtype: int, shape: Shape) -> str:
    """A tensor for people.

    >>> described("dense", 1, (None, 3)), described("sparse", 9, None), described("dense", 7, ())
    ('float32 of shape [?, 3]', 'sparse int64 of any shape', 'a string')
    """
    name = ("" if kind == DENSE else f"{kind} ") + dtype_name(dtype)
    if shape == ():
        return f"a {name}"
    if shape is None:
        return f"{name} of any shape"
    return f"{name} of shape [{', '.join('?' if size is None else str(size) for size in shape)}]"
