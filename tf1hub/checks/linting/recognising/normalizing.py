"""Where a graph normalizes: (x - mean) / sqrt(variance + epsilon), fused into one op or spelled out."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tf1hub.checks.linting.dataflow.expansion import FlowNode, Ref
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.ops import FUSED_BATCH_NORMS, PASSING

_DIVISIONS = frozenset({"RealDiv", "Div", "DivNoNan"})
_SUMS = frozenset({"Add", "AddV2", "BiasAdd"})
_HANDING_ON = PASSING | {"Cast", "Reshape"}
_SHAPING = frozenset({"Cast", "Reshape", "ExpandDims", "Squeeze", "BroadcastTo", "Tile"})
_MOST_CONSUMERS = 8


@dataclass(frozen=True)
class Normalization:
    """A place where a value is normalized.

    Attributes:
      node: the fused op, or the one that computes the root of the variance.
      mean: what is subtracted.
      variance: what is divided by the root of.
      is_scaled: whether the result is multiplied by a variable, or one is added.
    """

    node: FlowNode
    mean: Ref
    variance: Ref
    is_scaled: bool


def iter_normalizations(flow: Flow) -> Iterator[Normalization]:
    """All of a graph."""
    for node in flow.of_ops(FUSED_BATCH_NORMS):
        if len(node.inputs) >= 5:
            is_scaled = any(flow.variable_of(ref) is not None for ref in node.inputs[1:3])
            yield Normalization(node, node.inputs[3], node.inputs[4], is_scaled)
    for op in ("Rsqrt", "Sqrt"):
        for node in flow.by_op.get(op, ()):
            found = _Spelled(flow, node)
            if found.mean is not None:
                yield Normalization(node, found.mean, node.inputs[0], found.is_scaled)


class _Spelled:
    """What is done with a root of a variance: what is subtracted, and whether a scale and an offset follow."""

    def __init__(self, flow: Flow, root: FlowNode):
        self._flow = flow
        self.mean: Ref | None = None
        self.is_scaled = False
        if root.inputs:
            self._look_behind(root, is_inverse=root.op == "Rsqrt")

    def _look_behind(self, root: FlowNode, is_inverse: bool) -> None:
        """Follows a factor, the inverse of the root, to the products that it is in."""
        todo = [(root.name, is_inverse)]
        seen: set[str] = set()
        while todo and len(seen) < _MOST_CONSUMERS:
            name, is_inverse = todo.pop()
            for node, place in self._flow.uses(name, _HANDING_ON):
                if node.name in seen or len(node.inputs) != 2:
                    continue
                seen.add(node.name)
                if (node.op == "Mul" and is_inverse) or (node.op in _DIVISIONS and place == 1 and not is_inverse):
                    todo.extend(self._of_product(node, node.inputs[1 - place]))

    def _of_product(self, product: FlowNode, other: Ref) -> list[tuple[str, bool]]:
        """Takes in a product of the inverse and another value; returns it when it can be but a scaled inverse."""
        taken_off_from = self._minuend(product)
        if taken_off_from is not None:  # offset - mean * inverse
            self.mean = other
            self.is_scaled = self.is_scaled or self._is_parameter(taken_off_from, _SUMS)
        elif self.mean is None and (mean := self._mean_in(other)) is not None:
            self.mean = mean
            self.is_scaled = self.is_scaled or self._is_scaled_after(product)
        else:
            self.is_scaled = self.is_scaled or self._is_parameter(other)
            return [(product.name, True)]
        return []

    def _minuend(self, product: FlowNode) -> Ref | None:
        """What a product is subtracted from."""
        for node, place in self._flow.uses(product.name, _HANDING_ON):
            if node.op == "Sub" and place == 1:
                return node.inputs[0]
            if node.op == "Neg":
                return product.name, 0
        return None

    def _mean_in(self, ref: Ref) -> Ref | None:
        """The mean of a value that is x - mean, or scale * (x - mean), or -mean."""
        node = self._flow.nodes.get(self._flow.origin(ref)[0])
        if node is not None and node.op == "Neg" and node.inputs:
            return node.inputs[0]
        if node is not None and node.op == "Mul" and len(node.inputs) == 2:
            scaled = [each for each in node.inputs if not self._is_parameter(each)]
            self.is_scaled = self.is_scaled or len(scaled) == 1
            node = self._flow.nodes.get(self._flow.origin(scaled[0])[0]) if len(scaled) == 1 else None
        return node.inputs[1] if node is not None and node.op == "Sub" and len(node.inputs) == 2 else None

    def _is_scaled_after(self, product: FlowNode) -> bool:
        for node, place in self._flow.uses(product.name, _HANDING_ON):
            is_affine = (node.op in _SUMS or node.op == "Mul") and len(node.inputs) == 2
            if is_affine and self._is_parameter(node.inputs[1 - place]):
                return True
        return False

    def _is_parameter(self, ref: Ref, sums: Collection[str] = ()) -> bool:
        """Whether a value is a variable, in whichever shape, or a variable times something (renormalization).

        With `sums` also if it is such a product and an offset.
        """
        todo = [ref]
        for _ in range(_MOST_CONSUMERS):
            if not todo:
                break
            if self._flow.variable_of(ref := todo.pop()) is not None:
                return True
            node = self._flow.nodes.get(self._flow.origin(ref)[0])
            if node is not None and (node.op in _SHAPING or node.op in sums or node.op == "Mul"):
                todo.extend(node.inputs[:1] if node.op in _SHAPING else node.inputs)
        return False
