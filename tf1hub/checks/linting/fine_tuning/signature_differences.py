"""What keeps a program that applies one variant's signatures from applying another variant's."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tf1hub.checks.describing.signature_description import (
    Shape,
    SignatureDescription,
    TensorDescription,
    described_signatures,
)
from tf1hub.checks.linting.findings import named
from tf1hub.checks.linting.linted_module import Variant

_Signatures = Mapping[str, SignatureDescription]


class SignatureDifference(NamedTuple):
    """How a signature of one variant differs from that of another, in words that follow "the other variant"."""

    signature: str
    what: str


def find_signature_differences(one: Variant, other: Variant) -> Iterator[SignatureDifference]:
    """What `other` lacks of the signatures of `one`, and has otherwise; what it has besides if it is there to train `one`."""
    ours, theirs = _by_name(one), _by_name(other)
    for name in ours.keys() & theirs.keys():
        details = [*_differences("input", ours[name], theirs[name]), *_differences("output", ours[name], theirs[name])]
        if details:
            yield SignatureDifference(name, "; ".join(details))
    for name in ours.keys() - theirs.keys():
        yield SignatureDifference(name, "lacks it")
    for name in theirs.keys() - ours.keys() if other.is_for_training else ():
        if not any(_extends(theirs[name], theirs[known]) for known in ours.keys() & theirs.keys()):
            yield SignatureDifference(name, "alone has it")


def _by_name(variant: Variant) -> dict[str, SignatureDescription]:
    return {each.name: each for each in described_signatures(variant.index.meta_graph)}


def _extends(signature: SignatureDescription, known: SignatureDescription) -> bool:
    """Whether a signature is a known one with inputs more, such as hyperparameters."""
    return {each.key for each in known.inputs} < {each.key for each in signature.inputs} and {
        each.key for each in known.outputs
    } <= {each.key for each in signature.outputs}


def _differences(kind: str, ours: SignatureDescription, theirs: SignatureDescription) -> Iterator[str]:
    """What differs between the inputs, or outputs, of two signatures."""
    our_tensors = {each.key: each for each in (ours.inputs if kind == "input" else ours.outputs)}
    their_tensors = {each.key: each for each in (theirs.inputs if kind == "input" else theirs.outputs)}
    lacking, added = (
        sorted(our_tensors.keys() - their_tensors.keys()),
        sorted(their_tensors.keys() - our_tensors.keys()),
    )
    if lacking:
        yield f"has no {kind} {named(lacking)}"
    if added:
        yield f"has the {kind} {named(added)} besides"
    for key in sorted(our_tensors.keys() & their_tensors.keys()):
        our_tensor, their_tensor = our_tensors[key], their_tensors[key]
        if not _fit(our_tensor, their_tensor):
            yield f"has the {kind} {key!r} as {_text(their_tensor)} and not as {_text(our_tensor)}"


def _fit(one: TensorDescription, other: TensorDescription) -> bool:
    """Whether a tensor may be both: sizes that one variant leaves open may be known in the other."""
    return (one.kind, one.dtype) == (other.kind, other.dtype) and _shapes_fit(one.shape, other.shape)


def _shapes_fit(one: Shape, other: Shape) -> bool:
    if one is None or other is None:
        return True
    return len(one) == len(other) and all(a == b or a is None or b is None for a, b in zip(one, other, strict=True))


def _text(tensor: TensorDescription) -> str:
    if tensor.shape is None:
        shape = "of any shape"
    else:
        shape = f"[{', '.join('None' if size is None else str(size) for size in tensor.shape)}]"
    return f"{tensor.dtype} {shape}" if tensor.kind == "dense" else f"{tensor.kind} {tensor.dtype} {shape}"
