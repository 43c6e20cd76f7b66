"""Moving averages: the ops that move a variable a part of the way towards a value, and how large the part is."""

import itertools
import weakref
from collections.abc import Iterable
from dataclasses import dataclass

from tf1hub.checks.linting.dataflow.expansion import FlowNode, Ref
from tf1hub.checks.linting.dataflow.ops import FLOATS, PLACEHOLDERS
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.checks.linting.recognising.statistics import choices, find_sources, live_choices

_found: weakref.WeakKeyDictionary[Variant, list["Update"]] = weakref.WeakKeyDictionary()
_ASSIGNMENTS = ("Assign", "AssignVariableOp")
_SUBTRACTIONS = ("AssignSub", "AssignSubVariableOp")
_ADDITIONS = ("AssignAdd", "AssignAddVariableOp")
_HANDED_ON = frozenset({"Cast", "Reshape", "Squeeze", "ExpandDims"})
_DEEPEST = 9
# float32 has no more; 1 - 0.01 shall be 0.99 again.
_DIGITS = 6


@dataclass(frozen=True)
class Update:
    """An op that updates a moving average.

    Attributes:
      node: the op.
      variable: the node of the variable.
      momentum: the part of the old value that stays, with the defaults of all placeholders; None when it cannot be told.
      is_still: whether all of the old value can stay with the defaults of all placeholders, so that nothing moves.
      momentum_inputs: the placeholders that the momentum is computed from, sorted.
      statistics: the statistics of a batch that the variable moves towards.
      averages: the other variables that it is computed from.
    """

    node: str
    variable: str
    momentum: float | None
    is_still: bool
    momentum_inputs: tuple[str, ...]
    statistics: frozenset[Ref]
    averages: frozenset[str]

    @property
    def can_move(self) -> bool:
        """Whether something moves in one of the branches."""
        return self.momentum is not None or not self.is_still


def find_updates(variant: Variant) -> list[Update]:
    """All ops of a graph that move a variable towards a statistic, or a part of the way towards anything.

    They are looked for once.
    """
    if variant not in _found:
        _found[variant] = _updates(variant)
    return _found[variant]


def _updates(variant: Variant) -> list[Update]:
    flow = variant.flow
    updates = []
    for node in flow.of_ops(_ASSIGNMENTS + _SUBTRACTIONS + _ADDITIONS):
        variable = flow.variable_of(node.inputs[0]) if len(node.inputs) > 1 else None
        if variable is not None:
            update = _update(variant, node, variable)
            if update.momentum is not None or update.statistics or update.averages:
                updates.append(update)
    return updates


def _update(variant: Variant, node: FlowNode, variable: str) -> Update:
    variables, statistics = find_sources(variant.flow, node.inputs[1:2])
    kept = _Shares(variant, variable)
    momenta = sorted(share for share in kept.of_update(node, live=False) if 0 < share < 1)
    return Update(
        node.name,
        variable,
        momenta[-1] if momenta else None,
        1.0 in kept.of_update(node, live=True),
        kept.placeholders(),
        frozenset(statistics),
        frozenset(variables - {variable}),
    )


class _Shares:
    """What part of a variable's value is in values computed from it, where they are sums of parts of it and of others.

    All methods return the numbers that are possible, one for each branch; an empty set says that they cannot be told.
    """

    def __init__(self, variant: Variant, variable: str):
        self._flow = variant.flow
        self._liveness = variant.liveness
        self._variable = variable
        self._factors: set[Ref] = set()

    def of_update(self, node: FlowNode, live: bool) -> set[float]:
        """What part of the old value is in the new one; `live`: with the defaults of all placeholders."""
        change = self._share(node.inputs[1], live, 0)
        if node.op in _SUBTRACTIONS:
            return {round(1 - share, _DIGITS) for share in change}
        if node.op in _ADDITIONS:
            return {round(1 + share, _DIGITS) for share in change}
        return {round(share, _DIGITS) for share in change}

    def placeholders(self) -> tuple[str, ...]:
        """The placeholders of floats that the parts depend on."""
        nodes = (self._flow.nodes[name] for name in self._flow.ancestors(self._factors))
        found = (node.name for node in nodes if node.op in PLACEHOLDERS and node.attr("dtype").type in FLOATS)
        return tuple(sorted(found))

    def _share(self, ref: Ref, live: bool, depth: int) -> set[float]:
        if self._flow.variable_of(ref) is not None:
            return {1.0 if self._flow.variable_of(ref) == self._variable else 0.0}
        ref = self._flow.origin(ref)
        node = self._flow.nodes.get(ref[0])
        if node is None or depth > _DEEPEST:
            return set()
        if some := self._taken(node, live):
            return set().union(*(self._share(each, live, depth + 1) for each in some))
        if node.op in _HANDED_ON and node.inputs:
            return self._share(node.inputs[0], live, depth + 1)
        if len(node.inputs) == 2 and node.op in ("Add", "AddV2", "Sub", "Mul", "RealDiv", "Div"):
            one, other = (self._share(each, live, depth + 1) for each in node.inputs)
            return self._combined(node, one, other, live)
        return {0.0}

    def _combined(self, node: FlowNode, one: set[float], other: set[float], live: bool) -> set[float]:
        if node.op == "Sub":
            return {a - b for a, b in itertools.product(one, other)}
        if node.op in ("Add", "AddV2"):
            return {a + b for a, b in itertools.product(one, other)}
        if one == other == {0.0}:
            return {0.0}
        factor, shares = (node.inputs[1], one) if other == {0.0} else (node.inputs[0], other)
        self._factors.add(factor)
        numbers = self._numbers(factor, live, 0)
        if node.op == "Mul":
            return {a * b for a, b in itertools.product(shares, numbers)}
        return {a / b for a, b in itertools.product(shares, numbers) if b} if other == {0.0} else set()

    def _numbers(self, ref: Ref, live: bool, depth: int) -> set[float]:
        """The numbers that a value can be."""
        ref = self._flow.origin(ref)
        constant = self._liveness.constant(ref)
        found = set() if constant is None else {float(constant)}
        node = self._flow.nodes.get(ref[0])
        if node is None or depth > _DEEPEST or (live and found):
            return found
        if some := self._taken(node, live):
            return self._all_numbers(some, live, depth)
        if node.op in ("Minimum", "Maximum"):  # a momentum that grows with the steps, up to a number
            return self._all_numbers(node.inputs, live, depth)
        if node.op in _HANDED_ON and node.inputs:
            return self._numbers(node.inputs[0], live, depth + 1)
        if node.op == "Sub" and len(node.inputs) == 2:
            one, other = (self._numbers(each, live, depth + 1) for each in node.inputs)
            return {a - b for a, b in itertools.product(one, other)}
        return found

    def _all_numbers(self, refs: Iterable[Ref], live: bool, depth: int) -> set[float]:
        return set().union(*(self._numbers(each, live, depth + 1) for each in refs))

    def _taken(self, node: FlowNode, live: bool) -> tuple[Ref, ...]:
        """The values that a node hands on one of; `live`: those that it can with the defaults."""
        return live_choices(self._liveness, node) if live else choices(node)
