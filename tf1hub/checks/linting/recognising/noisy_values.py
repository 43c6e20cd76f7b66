"""Values that are multiplied by noise of the mean 1, of a number of its own for each: Gaussian dropout."""

from collections.abc import Iterator
from typing import NamedTuple

from tf1hub.checks.linting.dataflow.expansion import Ref
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.liveness import Liveness
from tf1hub.checks.linting.recognising.random_masks import ADDITIONS, HANDING_ON, other_input
from tf1hub.graph.constants import first_values

_MOST_DIMENSIONS = 8
_NORMAL_OPS = frozenset({"RandomStandardNormal", "StatelessRandomNormal", "StatelessRandomNormalV2"})


class Noisy(NamedTuple):
    """Values with noise: the node that computes them, and the standard deviation of the noise."""

    node: str
    deviation: Ref

    def rate(self, liveness: Liveness) -> float | None:
        """The rate of the dropout that has this deviation."""
        deviation = liveness.constant(self.deviation)
        if deviation is None:
            return None
        odds = deviation * deviation
        return round(odds / (1 + odds), 6)


def iter_noisy_values(flow: Flow, liveness: Liveness) -> Iterator[Noisy]:
    """All values that are multiplied by such noise."""
    for random in flow.of_ops(_NORMAL_OPS):
        if not random.inputs or not _has_features(random.inputs[0], flow, liveness):
            continue
        for scaled, place in flow.uses(random.name, HANDING_ON):
            for noise, at in flow.uses(scaled.name, HANDING_ON) if scaled.op == "Mul" else ():
                if noise.op in ADDITIONS and liveness.constant(other_input(noise, at)) == 1:
                    deviation = other_input(scaled, place)
                    products = (product for product, _ in flow.uses(noise.name, HANDING_ON) if product.op == "Mul")
                    yield from (Noisy(product.name, deviation) for product in products)


def _has_features(shape: Ref, flow: Flow, liveness: Liveness) -> bool:
    """Whether a shape is that of values, with many in its last dimension. One number for a whole image is augmentation."""
    node = flow.nodes.get(flow.origin(shape)[0])
    if node is None:
        return False
    if node.op == "Pack" and node.inputs:
        return liveness.constant(node.inputs[-1]) != 1
    if node.op == "Const":
        sizes = first_values(node.attr("value").tensor, _MOST_DIMENSIONS)
        return sizes is not None and sizes[-1] != 1
    return node.op == "Shape"
