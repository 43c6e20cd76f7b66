"""What a graph computes when nobody feeds what need not be fed: constants, and branches that are not taken.

A placeholder with a default counts as its default. So a dropout behind `tf.placeholder_with_default(False, [])` is not alive,
and one whose rate is a placeholder with the default 0.1 has the rate 0.1.
"""

import functools
import math
import operator
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from typing import Any

from tf1hub.checks.linting.dataflow.expansion import BRANCH_RESULT, FlowNode, Ref
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.ops import MERGES
from tf1hub.format import dtypes
from tf1hub.graph.constants import first_values

Scalar = float | int | bool

_SWITCHES = frozenset({"Switch", "RefSwitch"})
_NEXT_ROUND = frozenset({"NextIteration", "RefNextIteration"})
_RESHAPES = frozenset({"Reshape", "ExpandDims", "Squeeze"})
_INTEGERS = frozenset({dtypes.INT32, dtypes.INT64})
_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "Sub": operator.sub,
    "Add": operator.add,
    "AddV2": operator.add,
    "Mul": operator.mul,
    "RealDiv": operator.truediv,
    "Div": operator.truediv,
    "Pow": math.pow,
    "Neg": operator.neg,
    "Reciprocal": lambda value: 1 / value,
    "Inv": lambda value: 1 / value,
    "Maximum": max,
    "Minimum": min,
    "Square": lambda value: value * value,
    "LogicalNot": operator.not_,
    "LogicalAnd": lambda one, other: bool(one and other),
    "LogicalOr": lambda one, other: bool(one or other),
    "Equal": operator.eq,
    "NotEqual": operator.ne,
    "Greater": operator.gt,
    "GreaterEqual": operator.ge,
    "Less": operator.lt,
    "LessEqual": operator.le,
    "Select": lambda condition, one, other: one if condition else other,
    "SelectV2": lambda condition, one, other: one if condition else other,
}
_DEEPEST = 50
_MOST_PASSES = 10
_LARGEST = 1e38


class Liveness:
    """What is constant and what is alive in one graph, with all defaults."""

    def __init__(self, flow: Flow):
        self._flow = flow
        self._values: dict[Ref, Scalar | None] = {}
        self._is_cut_short = False
        self._dead: Set[str] = frozenset()
        self._dead_outputs: Set[Ref] = frozenset()

    def constant(self, ref: Ref) -> Scalar | None:
        """The number or truth value that a value always is, for a tensor of one element; None when it is none."""
        self.dead_nodes  # noqa: B018  # from then on a TF1 branch's result is known where its predicate is
        return self._constant(self._flow.result(ref), 0)

    def _constant(self, ref: Ref, depth: int) -> Scalar | None:
        ref = self._flow.origin(ref)
        if ref in self._values:
            return self._values[ref]
        if depth >= _DEEPEST:
            self._is_cut_short = True
            return None
        self._values[ref] = None  # a value that is made of itself is none
        node = self._flow.nodes.get(ref[0])
        found = self._values[ref] = self._computed(node, ref[1], depth + 1) if node is not None else None
        if depth == 0 and self._is_cut_short:  # who asks from nearer may learn more
            self._values = {each: value for each, value in self._values.items() if value is not None}
            self._is_cut_short = False
        return found

    def _computed(self, node: FlowNode, output: int, depth: int) -> Scalar | None:
        if node.op == "Const":
            values = first_values(node.attr("value").tensor, 1)
            return values[0] if values and not isinstance(values[0], bytes) else None
        if node.op in _RESHAPES:
            return self._constant(node.inputs[0], depth) if node.inputs else None
        if node.op == BRANCH_RESULT:
            taken = self._taken(node, depth)
            return self._same([taken] if taken else node.inputs[:-1], depth)
        if node.op in MERGES and output == 0:
            return self._same([ref for ref in node.inputs if not self._is_dead(ref)], depth)
        values = [self._constant(each, depth) for each in node.inputs]
        return _folded(node, values) if values and None not in values else None

    def _same(self, refs: Sequence[Ref], depth: int) -> Scalar | None:
        """The value that all have."""
        values = [self._constant(ref, depth) for ref in refs]
        return values[0] if values and all(value == values[0] for value in values) else None

    def _taken(self, node: FlowNode, depth: int) -> Ref | None:
        """The branch of a BranchResult that is taken; None when the predicate is not known."""
        branches = node.inputs[:-1]
        predicate = self._constant(node.inputs[-1], depth) if node.inputs else None
        if predicate is None:
            return None
        # What is no number of a branch takes the last one. That of an If is the one for true.
        is_number = isinstance(predicate, int) and 0 <= predicate < len(branches)
        return branches[int(predicate) if is_number or not predicate else -1] if branches else None

    @functools.cached_property
    def dead_nodes(self) -> frozenset[str]:
        """The nodes of TF1 branches that are not taken."""
        for _ in range(_MOST_PASSES):  # which branch is taken may depend on the result of another
            outputs = self._find_dead_outputs()
            if outputs == self._dead_outputs:
                break
            self._dead, self._dead_outputs = self._spread(outputs), outputs
            self._values.clear()
        return frozenset(self._dead)

    def _find_dead_outputs(self) -> set[Ref]:
        """The outputs of TF1's switches that give nothing."""
        found: set[Ref] = set()
        for switch in self._flow.of_ops(_SWITCHES):
            predicate = self._constant(switch.inputs[1], 0) if len(switch.inputs) > 1 else None
            if predicate is not None:
                found.add((switch.name, 0 if predicate else 1))
        return found

    def _spread(self, dead: set[Ref]) -> set[str]:
        """The nodes that some dead values kill."""
        waiting: dict[str, list[str]] = defaultdict(list)
        for node in self._flow.nodes.values():
            for control in node.controls:
                waiting[control].append(node.name)
        nodes: set[str] = set()
        todo = [consumer for ref in dead for consumer in self._consumers(ref)]
        while todo:
            name = todo.pop()
            node = self._flow.nodes[name]
            if name not in nodes and not (node.op in MERGES and self._has_live_input(node, dead, nodes)):
                nodes.add(name)
                todo.extend(consumer for consumer, _ in self._flow.consumers.get(name, ()))
                todo.extend(waiting.get(name, ()))
        return nodes

    def _has_live_input(self, merge: FlowNode, dead: set[Ref], nodes: set[str]) -> bool:
        # What comes back from a loop's round is alive only if the loop is entered.
        ends = {
            name for name, _ in merge.inputs if name in self._flow.nodes and self._flow.nodes[name].op in _NEXT_ROUND
        }
        return any(ref not in dead and ref[0] not in nodes and ref[0] not in ends for ref in merge.inputs)

    def _consumers(self, ref: Ref) -> list[str]:
        consumers = self._flow.consumers.get(ref[0], ())
        return [name for name, place in consumers if self._flow.nodes[name].inputs[place] == ref]

    @functools.cached_property
    def _live_inputs(self) -> dict[str, tuple[Ref, ...]]:
        """Of the nodes that join branches, what they take from those that can be taken."""
        found: dict[str, tuple[Ref, ...]] = {}
        for node in self._flow.by_op.get(BRANCH_RESULT, ()):
            if (taken := self._taken(node, 0)) is not None:
                found[node.name] = (taken, node.inputs[-1])
        if self.dead_nodes:
            for node in self._flow.of_ops(MERGES):
                found[node.name] = tuple(ref for ref in node.inputs if not self._is_dead(ref))
        return found

    def inputs(self, node: FlowNode) -> tuple[Ref, ...]:
        """The inputs of a node without those of branches that are not taken."""
        return self._live_inputs.get(node.name, node.inputs)

    def _is_dead(self, ref: Ref) -> bool:
        return ref in self._dead_outputs or ref[0] in self._dead or ref[0] not in self._flow.nodes

    def ancestors(self, refs: Iterable[Ref], *, stops: Collection[Ref] = (), controls: bool = False) -> set[str]:
        """The nodes that are computed for some values; see `Flow.ancestors`."""
        return self._flow.ancestors(
            refs, stops=stops, controls=controls, without=self.dead_nodes, instead=self._live_inputs
        )


def _folded(node: FlowNode, values: list[Scalar]) -> Scalar | None:
    """What an op makes of some numbers; None for an op that is not known, and where there is no result."""
    try:
        if node.op == "Cast":
            return _cast(values[0], node.attr("DstT").type)
        result: Scalar = _OPERATIONS[node.op](*values)
        return result if abs(result) < _LARGEST else None
    except (ArithmeticError, KeyError, TypeError, ValueError):
        return None


def _cast(value: Scalar, dtype: int) -> Scalar:
    if dtype == dtypes.BOOL:
        return bool(value)
    return int(value) if dtype in _INTEGERS else value
