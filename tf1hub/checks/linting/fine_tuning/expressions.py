"""Which values of a graph are computed alike, and which ones a sum is made of."""

from collections.abc import Hashable

from tf1hub.checks.linting.dataflow.expansion import FlowNode, Ref
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.liveness import Liveness
from tf1hub.graph.constants import canonical_constant

_SUMS = frozenset({"Add", "AddV2", "AddN", "AccumulateNV2", "Pack"})
_PRODUCTS = frozenset({"Mul"})
_COMMUTATIVE = _SUMS - {"Pack"} | _PRODUCTS


class Expressions:
    """The values of one graph by how they are computed. Names of nodes and repeated reads of a variable make no difference."""

    def __init__(self, flow: Flow, liveness: Liveness):
        self._flow = flow
        self._liveness = liveness
        self._nodes: dict[str, int] = {}
        self._numbers: dict[Hashable, int] = {}

    def number(self, ref: Ref) -> int:
        """A number that values have in common when they are computed alike from the same variables."""
        name, output = self._flow.origin(self._flow.result(ref))
        self._number_nodes(name)
        return self._number_of(("value", self._nodes[name], output))

    def terms(self, ref: Ref) -> list[Ref]:
        """What a value is the sum of, down through sums of sums and products with constants; not the value itself."""
        first = self._flow.origin(self._flow.result(ref))
        found = {first: None}
        todo = [first]
        while todo:
            for term in map(self._flow.origin, self._summed(todo.pop())):
                if term not in found:
                    found[term] = None
                    todo.append(term)
        return list(found)[1:]

    def _summed(self, ref: Ref) -> tuple[Ref, ...]:
        node = self._flow.nodes.get(ref[0])
        if node is None:
            return ()
        if node.op in _SUMS:
            return node.inputs
        if node.op == "Sum":
            return node.inputs[:1]
        if node.op in _PRODUCTS:
            varying = tuple(each for each in node.inputs if self._liveness.constant(each) is None)
            return varying if len(varying) == 1 else ()
        return ()

    def _number_nodes(self, target: str) -> None:
        """Gives a number to a node, and before it to all that it is computed from."""
        todo, opened = [target], set()
        while todo:
            name = todo[-1]
            missing = [each for each in self._sources(name) if each not in self._nodes]
            if name in self._nodes or not missing or name in opened:  # in a loop some are missing for good
                todo.pop()
                if name not in self._nodes:
                    self._nodes[name] = self._number_of(self._expression(name))
            else:
                opened.add(name)
                todo.extend(missing)

    def _sources(self, name: str) -> list[str]:
        node = self._flow.nodes.get(name)
        return [self._flow.origin(ref)[0] for ref in node.inputs] if node is not None else []

    def _expression(self, name: str) -> Hashable:
        node = self._flow.nodes.get(name)
        if node is None:
            return "node", name
        if node.op == "Const":
            return "constant", canonical_constant(node.attr("value").tensor)
        if not node.inputs or "Random" in node.op:  # state, or another number each time
            return "node", name
        inputs: list[tuple[int, int]] = []
        for source, output in map(self._flow.origin, node.inputs):
            number = self._nodes.get(source)
            inputs.append((self._number_of(("node", source)) if number is None else number, output))
        return node.op, _attrs(node), tuple(sorted(inputs) if node.op in _COMMUTATIVE else inputs)

    def _number_of(self, expression: Hashable) -> int:
        return self._numbers.setdefault(expression, len(self._numbers))


def _attrs(node: FlowNode) -> Hashable:
    """What a node's attributes say of the computation."""
    if node.definition is None:
        return ()
    attrs = node.definition.attr
    return tuple((key, attrs[key].SerializeToString(deterministic=True)) for key in sorted(attrs) if key[0] != "_")
