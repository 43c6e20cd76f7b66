"""Dropout, recognised by what it computes: values are zeroed at random and the rest is scaled by 1 / (1 - rate).

    old         x / keep * floor(keep + uniform)
    new         x * (1 / (1 - rate)) * cast(uniform >= rate), or select(uniform >= rate, x / (1 - rate), 0)
    alpha       x where uniform >= rate, else a constant of self-normalizing networks
    Gaussian    x * (1 + normal * sqrt(rate / (1 - rate)))

The scale may be applied to the values, to the mask or to the product. A random mask without that scale is something else:
sampling, augmentation of images, noise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tf1hub.checks.linting.dataflow.expansion import BRANCH_RESULT, Ref
from tf1hub.checks.linting.dataflow.liveness import Scalar
from tf1hub.checks.linting.dataflow.ops import PLACEHOLDERS
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.checks.linting.recognising.masked_values import Masked, iter_masked_values
from tf1hub.checks.linting.recognising.noisy_values import iter_noisy_values


@dataclass(frozen=True)
class Dropout:
    """One dropout.

    Attributes:
      node: the node whose output lacks what was dropped.
      rate: the share that is dropped, with all defaults; None when it is not known before something is fed.
      placeholders: the nodes of the placeholders that the rate is computed from.
      is_alive: whether it can be computed for an output or an update op when placeholders have their defaults.
      is_active: whether it always is, and drops something.
    """

    node: str
    rate: float | None
    placeholders: frozenset[str]
    is_alive: bool
    is_active: bool


def find_dropouts(variant: Variant) -> list[Dropout]:
    """All dropouts of a variant."""
    return variant.kept(_all_dropouts)


def _all_dropouts(variant: Variant) -> list[Dropout]:
    return list(_iter_dropouts(variant))


def _iter_dropouts(variant: Variant) -> Iterator[Dropout]:
    flow, liveness = variant.flow, variant.liveness
    found = [(each.node, each.threshold, _rate(variant, each)) for each in iter_masked_values(flow, liveness)]
    found += [(each.node, each.deviation, each.rate(liveness)) for each in iter_noisy_values(flow, liveness)]
    if not found:
        return
    results = [flow.result(ref) for ref in (*variant.all_outputs, *((name, 0) for name in variant.update_ops))]
    alive = liveness.ancestors(results)
    certain = _certain(variant, results, alive)
    for node, source, rate in found:
        yield Dropout(node, rate, _placeholders(variant, source), node in alive, rate != 0 and node in certain)


def _placeholders(variant: Variant, ref: Ref) -> frozenset[str]:
    """The placeholders that a number is computed from, or that choose it."""
    nodes = variant.flow.nodes
    names = variant.flow.ancestors([ref])
    if any(nodes[name].op == "Merge" for name in names):  # its constants only wait for the predicate
        names = variant.flow.ancestors([ref], controls=True)
    return frozenset(name for name in names if nodes[name].op in PLACEHOLDERS)


def _rate(variant: Variant, masked: Masked) -> float | None:
    number = variant.liveness.constant(masked.threshold)
    if number is None:
        number = _of_branch(variant, masked.threshold)
    if number is None:
        return None
    # Float32 shows in the last digits.
    return round(float(number) if masked.threshold_is_rate else 1 - number, 6)


def _of_branch(variant: Variant, ref: Ref) -> Scalar | None:
    """The number that comes out of a TF1 cond whose predicate is known."""
    node = variant.flow.nodes.get(variant.flow.origin(ref)[0])
    if node is None or node.op != "Merge":
        return None
    taken = [each for each in node.inputs if each[0] not in variant.liveness.dead_nodes]
    return variant.liveness.constant(taken[0]) if len(taken) == 1 else None


def find_certain_nodes(variant: Variant, results: Iterable[Ref]) -> set[str]:
    """The nodes that are computed for some values, whatever is fed: not those of branches that may not be taken."""
    results = [variant.flow.result(ref) for ref in results]
    return _certain(variant, results, variant.liveness.ancestors(results))


def _certain(variant: Variant, results: Iterable[Ref], alive: set[str]) -> set[str]:
    """Of the nodes that can be computed for some values, those that always are."""
    flow, dead = variant.flow, variant.liveness.dead_nodes
    undecided: dict[str, tuple[Ref, ...]] = {}
    for node in flow.by_op.get(BRANCH_RESULT, ()):
        if node.inputs and variant.liveness.constant(node.inputs[-1]) is None:
            undecided[node.name] = node.inputs[-1:]
    for node in flow.by_op.get("Merge", ()):
        sources = [flow.nodes[name] for name, _ in node.inputs if name in flow.nodes and name not in dead]
        if len(sources) > 1 and all(source.op != "NextIteration" for source in sources):
            undecided[node.name] = ()
    return alive & flow.ancestors(results, without=dead, instead=undecided) if undecided else alive
