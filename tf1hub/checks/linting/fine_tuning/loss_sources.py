"""What regularization losses are made of: the inputs that they need, and the variables that they reach."""

from tf1hub.checks.linting.dataflow.expansion import Ref
from tf1hub.checks.linting.dataflow.ops import VARIABLES
from tf1hub.checks.linting.linted_module import Variant

_PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderV2"})
_PLACEHOLDER_WITH_DEFAULT = "PlaceholderWithDefault"
# Through these a value may come from a variable, but no gradient goes back to it.
_WITHOUT_GRADIENT = frozenset(
    {"StopGradient", "Shape", "ShapeN", "Size", "Rank", "VariableShape", "ZerosLike", "OnesLike", "ArgMax", "ArgMin"}
)
_PRODUCTS = frozenset({"Mul", "MulNoNan"})


def find_losses(variant: Variant) -> list[Ref]:
    """The regularization losses that the graph has nodes for, each once."""
    return [loss for loss in dict.fromkeys(variant.regularization_losses) if loss[0] in variant.flow.nodes]


def find_inputs(variant: Variant) -> dict[Ref, list[str]]:
    """The losses that depend on inputs, each with the nodes of these.

    A placeholder is one, fed by a signature or not. One with a default is one when it is an input of a signature.
    """
    flow, losses = variant.flow, find_losses(variant)
    fed = variant.input_nodes
    inputs = {node.name for node in flow.of_ops(_PLACEHOLDERS)}
    inputs.update(node.name for node in flow.by_op.get(_PLACEHOLDER_WITH_DEFAULT, ()) if node.name in fed)
    if not inputs & flow.ancestors(map(flow.result, losses), controls=True):
        return {}
    found = {loss: sorted(inputs & flow.ancestors([flow.result(loss)], controls=True)) for loss in losses}
    return {loss: names for loss, names in found.items() if names}


def has_default(variant: Variant, placeholder: str) -> bool:
    """Whether a placeholder has a value when it is not fed."""
    return variant.flow.nodes[placeholder].op == _PLACEHOLDER_WITH_DEFAULT


def find_variables(variant: Variant, loss: Ref) -> set[str]:
    """The nodes of the variables that a gradient of the loss goes to, trainable or not."""
    flow, liveness = variant.flow, variant.liveness
    value = flow.result(loss)
    alive = liveness.ancestors([value])
    ends: dict[str, tuple[Ref, ...]] = {}
    for name in alive:
        node = flow.nodes[name]
        is_zero = node.op in _PRODUCTS and any(liveness.constant(factor) == 0 for factor in node.inputs)
        if is_zero or node.op in _WITHOUT_GRADIENT:
            ends[name] = ()
    return {name for name in alive & flow.ancestors([value], instead=ends) if flow.nodes[name].op in VARIABLES}
