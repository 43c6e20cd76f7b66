"""What signatures take and give, as the rules about them see it, and which of it one finding tells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tf1hub.checks.linting.dataflow.expansion import Ref
from tf1hub.checks.linting.findings import Problem, named
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.format import protos
from tf1hub.format.dtypes import base_dtype, dtype_name
from tf1hub.graph.signature_tensors import partial_shape

DEFAULT = "default"
"""The signature, and the output of a signature, that a call means when it names none."""

_MOST_SHAPES = 5
_FLOATS = frozenset({"float32", "float64", "float16", "bfloat16"})

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Endpoint:
    """One input or output of a signature.

    `shape` is None when its rank is unknown, and for tensors that are neither dense nor sparse; `refs` are the tensors that it
    is made of.
    """

    key: str
    encoding: str
    dtype: str
    shape: Shape | None
    refs: tuple[Ref, ...]

    @property
    def is_dense(self) -> bool:
        """Whether it is one tensor."""
        return self.encoding == "name"

    @property
    def is_sparse(self) -> bool:
        """Whether it is a sparse tensor."""
        return self.encoding == "coo_sparse"

    @property
    def is_float(self) -> bool:
        """Whether its elements are floating-point numbers."""
        return self.dtype in _FLOATS

    @property
    def rank(self) -> int | None:
        """The number of dimensions; None when it is unknown."""
        return None if self.shape is None else len(self.shape)

    def __str__(self) -> str:
        """Name and shape, for messages."""
        return f"{self.key!r} {'of unknown shape' if self.shape is None else list(self.shape)}"


def inputs_of(variant: Variant, signature: str) -> dict[str, Endpoint]:
    """The inputs of a signature by their keys."""
    return _endpoints(variant.signatures[signature].inputs, variant.inputs(signature))


def outputs_of(variant: Variant, signature: str) -> dict[str, Endpoint]:
    """The outputs of a signature by their keys."""
    return _endpoints(variant.signatures[signature].outputs, variant.outputs(signature))


def _endpoints(infos: Mapping[str, protos.TensorInfo], refs: Mapping[str, Sequence[Ref]]) -> dict[str, Endpoint]:
    return {key: _endpoint(key, infos[key], tuple(refs[key])) for key in refs}


def _endpoint(key: str, info: protos.TensorInfo, refs: tuple[Ref, ...]) -> Endpoint:
    encoding = info.WhichOneof("encoding") or "name"
    shape = None if encoding == "composite_tensor" else partial_shape(info.tensor_shape)
    return Endpoint(key, encoding, dtype_name(base_dtype(info.dtype)), shape, refs)


def main_inputs(variant: Variant, inputs: Mapping[str, Endpoint]) -> list[Endpoint]:
    """The inputs that are no hyperparameters: neither numbers nor placeholders that have a default."""
    return [each for each in inputs.values() if each.rank != 0 and not has_default(variant, each)] or [
        each for each in inputs.values() if not has_default(variant, each)
    ]


def has_default(variant: Variant, endpoint: Endpoint) -> bool:
    """Whether an input is a placeholder that has a value when nothing is fed."""
    node = variant.index.nodes.get(endpoint.refs[0][0]) if endpoint.refs else None
    return node is not None and node.op == "PlaceholderWithDefault"


@dataclass
class Told:
    """Inputs or outputs of a signature that have the same fault: what one finding tells of.

    `others` are signatures that have the fault because they share a tensor with this one.
    """

    signature: str
    endpoints: list[Endpoint]
    others: list[str]

    @property
    def keys(self) -> str:
        """What the inputs or outputs are called, for messages."""
        return named([each.key for each in self.endpoints])

    @property
    def shapes(self) -> str:
        """What they are called and their shapes."""
        shown = [str(each) for each in self.endpoints[:_MOST_SHAPES]]
        more = len(self.endpoints) - len(shown)
        return ", ".join(shown) + (f" and {more:,} more" if more else "")

    @property
    def also(self) -> str:
        """The other signatures, in parentheses; "" when there are none."""
        return f" (also in {named(self.others)})" if self.others else ""

    def problem(self, variant: Variant, reason: str, remedy: str) -> Problem:
        """What is wrong with them, at the first of them."""
        return Problem(reason, remedy, tags=variant.tags, signature=self.signature, node=self.endpoints[0].refs[0][0])


def told_once(found: Iterable[tuple[str, Endpoint]]) -> list[Told]:
    """Faulty inputs or outputs, each with its signature, by what one finding tells."""
    told: dict[str, Told] = {}
    first: dict[tuple[Ref, ...], Told] = {}
    for signature, endpoint in found:
        known = first.get(endpoint.refs)
        if known is None or known.signature == signature:
            group = told.setdefault(signature, Told(signature, [], []))
            group.endpoints.append(endpoint)
            first[endpoint.refs] = group
        elif signature not in known.others:
            known.others.append(signature)
    return list(told.values())
