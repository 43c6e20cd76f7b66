"""Values that a random mask zeroes, and that are scaled to make up for it.

The scale is 1 / chance, where `chance` is that of a value to stay. It may multiply the values, the mask or the product; or
they are divided by the chance. Alpha dropout has no such scale: there what is dropped becomes a constant of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tf1hub.checks.linting.dataflow.expansion import FlowNode, Ref
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.liveness import Liveness
from tf1hub.checks.linting.dataflow.ops import PASSING
from tf1hub.checks.linting.recognising.random_masks import (
    ADDITIONS,
    HANDING_ON,
    RandomMask,
    iter_random_masks,
    other_input,
)

DIVISIONS = frozenset({"RealDiv", "Div", "DivNoNan"})
_INVERSIONS = DIVISIONS | {"Reciprocal", "Inv"}
_SELECTIONS = frozenset({"Select", "SelectV2"})
_ARITHMETIC = ADDITIONS | DIVISIONS | {"Sub", "Mul", "Neg", "Reciprocal", "Inv", "Maximum", "Minimum"}
_HANDING_ON_BUT_PLACEHOLDERS = (PASSING | {"Cast", "Reshape"}) - {"PlaceholderWithDefault"}
_FILLED = {"ZerosLike": 0.0, "OnesLike": 1.0}
# What dropped values become in alpha dropout: - scale * alpha of selu, in the papers' digits.
_ALPHA = -1.7580993408473766
# bfloat16 has three digits.
_CLOSE = 0.01
_MOST_STEPS = 30


def is_close(one: float, other: float) -> bool:
    """Whether two numbers are the same but for the rounding of small floats."""
    return abs(one - other) <= _CLOSE * abs(other)


def sources(ref: Ref, flow: Flow) -> frozenset[Ref]:
    """The values that a number is computed from by arithmetic, constants aside; itself if it is none that is computed so."""
    found: set[Ref] = set()
    seen: set[Ref] = set()
    todo = [ref]
    while todo and len(seen) < _MOST_STEPS:
        each = todo.pop()
        if each in seen:
            continue
        seen.add(each)
        node = flow.nodes.get(each[0])
        if node is None:
            found.add(each)
        elif node.op in _HANDING_ON_BUT_PLACEHOLDERS:
            place = each[1] if node.op == "IdentityN" else 0
            todo.extend(node.inputs[place : place + 1])
        elif node.op in _ARITHMETIC:
            todo.extend(node.inputs)
        elif node.op != "Const":
            found.add(each)
    return frozenset(found)


@dataclass(frozen=True)
class Masked:
    """Values that a mask zeroes: the node that computes them, and the chance of a value to be dropped or to stay."""

    node: str
    threshold: Ref
    threshold_is_rate: bool


def iter_masked_values(flow: Flow, liveness: Liveness) -> Iterator[Masked]:
    """All values that are dropped at random."""
    for mask in iter_random_masks(flow, liveness):
        yield from _Applications(mask, flow, liveness).find()


class _Applications:
    """Where one mask is applied."""

    def __init__(self, mask: RandomMask, flow: Flow, liveness: Liveness):
        self._mask = mask
        self._flow = flow
        self._liveness = liveness
        self._sources = sources(mask.threshold, flow)

    def find(self) -> Iterator[Masked]:
        seen = set()
        todo = [(self._mask.node, self._mask.is_complement, False)]
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            seen.add(at)
            for consumer, place in self._flow.consumers.get(at[0], ()):
                node = self._flow.nodes[consumer]
                following = self._following(node, place, *at[1:])
                if following is not None:
                    todo.append(following)
                elif (is_rate := self._drops(node, place, *at[1:])) is not None:
                    yield Masked(consumer, self._mask.threshold, is_rate)

    def _following(
        self, node: FlowNode, place: int, is_complement: bool, scaled: bool
    ) -> tuple[str, bool, bool] | None:
        """The node with what it is if its output is the mask again: in another form, negated, or scaled."""
        other = other_input(node, place)
        if node.op in HANDING_ON and place == 0:
            return node.name, is_complement, scaled
        if node.op == "LogicalNot" or (node.op == "Sub" and place == 1 and self._number(other) == 1 and not scaled):
            return node.name, not is_complement, scaled
        if node.op == "Mul" and not scaled and self._is_scale(other, is_complement):
            return node.name, is_complement, True
        if node.op in DIVISIONS and place == 0 and not scaled and self._is_chance(other, is_complement):
            return node.name, is_complement, True
        if node.op in _SELECTIONS and place == 0 and len(node.inputs) == 3:
            set_to, unset_to = self._number(node.inputs[1]), self._number(node.inputs[2])
            if (set_to == 1 and unset_to == 0) or (set_to == 0 and unset_to == 1):
                return node.name, is_complement != (set_to == 0), scaled
        return None

    def _drops(self, node: FlowNode, place: int, is_complement: bool, scaled: bool) -> bool | None:
        """Whether the threshold is the rate, if a node drops values; None if it does not."""
        if node.op == "Mul":
            values = other_input(node, place)
            if scaled or self._is_scaled(values, node, is_complement) or self._is_alpha(node):
                return is_complement
        elif node.op in _SELECTIONS and place == 0 and len(node.inputs) == 3:
            for values, rest, complement in (
                (node.inputs[1], node.inputs[2], is_complement),
                (node.inputs[2], node.inputs[1], not is_complement),
            ):
                number = self._number(rest)
                if number == 0 and self._is_scaled(values, node, complement):
                    return complement
                if number is not None and is_close(number, _ALPHA):
                    return complement
        return None

    def _is_scaled(self, values: Ref, product: FlowNode, is_complement: bool) -> bool:
        """Whether the values were scaled before they were masked, or are afterwards."""
        node = self._flow.nodes.get(self._flow.origin(values, HANDING_ON)[0])
        if node is not None and any(self._scales(node, place, is_complement) for place in range(len(node.inputs))):
            return True
        consumers = self._flow.consumers.get(product.name, ())
        return any(self._scales(self._flow.nodes[name], place, is_complement) for name, place in consumers)

    def _scales(self, node: FlowNode, place: int, is_complement: bool) -> bool:
        """Whether a node scales the input at a place."""
        if node.op == "Mul":
            return self._is_scale(other_input(node, place), is_complement)
        return node.op in DIVISIONS and place == 0 and self._is_chance(other_input(node, 0), is_complement)

    def _is_scale(self, ref: Ref, is_complement: bool) -> bool:
        """Whether a number is 1 / chance."""
        if not self._sources:
            number, chance = self._liveness.constant(ref), self._chance(is_complement)
            return number is not None and chance is not None and is_close(number * chance, 1)
        node = self._flow.nodes.get(self._flow.origin(ref)[0])
        if node is None or not node.inputs or node.op not in _INVERSIONS:
            return False
        *above, below = (sources(each, self._flow) for each in node.inputs)
        return below == self._sources and not any(above)

    def _is_chance(self, ref: Ref, is_complement: bool) -> bool:
        """Whether a number is the chance of a value to stay."""
        if self._sources:
            return sources(ref, self._flow) == self._sources
        number, chance = self._liveness.constant(ref), self._chance(is_complement)
        return number is not None and chance is not None and is_close(number, chance)

    def _chance(self, is_complement: bool) -> float | None:
        threshold = self._liveness.constant(self._mask.threshold)
        chance = threshold if threshold is None or not is_complement else 1 - threshold
        return chance if chance is not None and 0 < chance < 1 else None

    def _is_alpha(self, product: FlowNode) -> bool:
        """Whether the constant of alpha dropout is added where the mask drops: values * mask + constant * (1 - mask)."""
        for name, place in self._flow.consumers.get(product.name, ()):
            if self._flow.nodes[name].op in ADDITIONS:
                added = self._flow.nodes.get(self._flow.origin(other_input(self._flow.nodes[name], place))[0])
                numbers = map(self._number, added.inputs) if added is not None and added.op == "Mul" else ()
                if any(number is not None and is_close(number, _ALPHA) for number in numbers):
                    return True
        return False

    def _number(self, ref: Ref) -> float | None:
        """What all elements of a value are, if the graph says so without arithmetic."""
        name, output = self._flow.origin(ref, HANDING_ON)
        node = self._flow.nodes.get(name)
        if node is None:
            return None
        if node.op in _FILLED:
            return _FILLED[node.op]
        if node.op == "Fill" and len(node.inputs) == 2:
            return self._liveness.constant(node.inputs[1])
        return self._liveness.constant((name, output)) if node.op == "Const" else None
