"""What differs between the signatures of two variants."""

from collections.abc import Iterator

from tf1hub.checks.comparing.changes import Change, find_changes
from tf1hub.checks.describing.signature_description import SignatureDescription, TensorDescription, described_signatures
from tf1hub.checks.wording import counted
from tf1hub.format import protos


def find_signature_changes(a: protos.MetaGraphDef, b: protos.MetaGraphDef) -> tuple[Change, ...]:
    """The signatures that differ. The parts of a changed one are its inputs and outputs, and its method's name."""
    return find_changes(
        {signature.name: signature for signature in described_signatures(a)},
        {signature.name: signature for signature in described_signatures(b)},
        _signature_text,
        _parts,
    )


def _signature_text(signature: SignatureDescription) -> str:
    return f"{counted(len(signature.inputs), 'input')}, {counted(len(signature.outputs), 'output')}"


def _parts(a: SignatureDescription, b: SignatureDescription) -> Iterator[Change]:
    for kind, one, other in (("input", a.inputs, b.inputs), ("output", a.outputs, b.outputs)):
        tensors_a = {f"{kind} {tensor.key}": tensor for tensor in one}
        tensors_b = {f"{kind} {tensor.key}": tensor for tensor in other}
        for change in find_changes(tensors_a, tensors_b, _tensor_text):
            if change.a is None or change.b is None or _type(tensors_a[change.name]) != _type(tensors_b[change.name]):
                yield change
            else:
                sources = [_source(tensors[change.name]) for tensors in (tensors_a, tensors_b)]
                yield Change(change.name, f"{change.a} {sources[0]}", f"{change.a} {sources[1]}")
    if a.method_name != b.method_name:
        yield Change("method name", a.method_name, b.method_name)


def _type(tensor: TensorDescription) -> tuple[object, ...]:
    """All but which tensor of the graph it is."""
    return tensor.kind, tensor.dtype, tensor.shape, tensor.ragged_rank


def _tensor_text(tensor: TensorDescription) -> str:
    if tensor.shape is None:
        shape = "of any shape"
    else:
        shape = "[" + ", ".join("None" if size is None else str(size) for size in tensor.shape) + "]"
    rank = f", ragged rank {tensor.ragged_rank}" if tensor.ragged_rank else ""
    return f"{tensor.kind} {tensor.dtype} {shape}{rank}"


def _source(tensor: TensorDescription) -> str:
    return "from " + ", ".join(tensor.tensors)
