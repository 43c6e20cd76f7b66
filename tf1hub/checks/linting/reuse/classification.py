"""The rule about classifications: they give logits."""

from collections.abc import Iterator

from tf1hub.checks.linting.dataflow.expansion import Ref
from tf1hub.checks.linting.dataflow.ops import PASSING
from tf1hub.checks.linting.findings import ADVICE, Problem
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.reuse.image_signature import is_image_signature
from tf1hub.checks.linting.reuse.interface import DEFAULT, inputs_of, outputs_of, told_once
from tf1hub.checks.linting.rule import rule

_RESHAPING = PASSING | {"Reshape", "Squeeze", "ExpandDims", "Cast"}


@rule("classification-softmax", ADVICE, "a classification gives probabilities instead of logits")
def classification_softmax(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        signatures = [name for name in variant.signatures if _is_classification(variant, name)]
        outputs = ((name, outputs_of(variant, name).get(DEFAULT)) for name in signatures)
        dense = ((name, output) for name, output in outputs if output is not None and output.is_dense and output.refs)
        for told in told_once((name, output) for name, output in dense if _softmax(variant, output.refs[0])):
            node = _softmax(variant, told.endpoints[0].refs[0])
            yield Problem(
                f"The signature {told.signature!r}{told.also} gives the probabilities of the softmax {node!r} where a"
                " classification gives logits, so the usual losses, which take logits, train badly on it and nothing fails.",
                "Give what goes into the softmax as `default`; the probabilities can be one more output.",
                tags=variant.tags,
                signature=told.signature,
                node=node,
            )


def _is_classification(variant: Variant, signature: str) -> bool:
    """A default signature that makes vectors of images or texts counts: when a softmax gives them, they are no features."""
    if "classif" in signature.lower():
        return True
    if signature != DEFAULT:
        return False
    return is_image_signature(variant, signature) or _makes_vectors_of_pictures_or_texts(variant)


def _makes_vectors_of_pictures_or_texts(variant: Variant) -> bool:
    inputs = list(inputs_of(variant, DEFAULT).values())
    output = outputs_of(variant, DEFAULT).get(DEFAULT)
    if len(inputs) != 1 or output is None or output.rank != 2:
        return False
    return (inputs[0].is_float and inputs[0].rank == 4) or (inputs[0].dtype == "string" and inputs[0].rank == 1)


def _softmax(variant: Variant, ref: Ref) -> str | None:
    """The node of the softmax that gives a value; None when none does. One may be written out as exp(x) / sum(exp(x))."""
    flow = variant.flow
    name, _ = flow.origin(ref, _RESHAPING)
    node = flow.nodes.get(name)
    if node is not None and node.op == "Softmax":
        return name
    if node is None or node.op not in ("RealDiv", "Div") or len(node.inputs) < 2:
        return None
    above, (below, _) = flow.origin(node.inputs[0]), flow.origin(node.inputs[1])
    exp, total = flow.nodes.get(above[0]), flow.nodes.get(below)
    is_written_out = exp is not None and exp.op == "Exp" and total is not None and total.op == "Sum"
    return name if is_written_out and total is not None and total.inputs[:1] == (above,) else None


RULES = (classification_softmax,)
