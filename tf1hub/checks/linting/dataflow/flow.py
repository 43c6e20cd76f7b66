"""The dataflow of a graph, functions included: what a value is made of, and where it goes.

A call of a function, a branch or a loop is one node of the graph; here the nodes of the function are nodes as well, under
"<call>/<node>" or "<If>/<function>/<node>", and values lead through them. Two kinds of nodes are made up for that:

    BranchResult    an output of If or Case: the value of each branch (of If: for false, for true), then the predicate
    LoopVariable    a variable of While: its first value, the value after each round, then the condition

A variable that no round changes hands on its first value, and is an Identity of that.
"""

import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from tf1hub.checks.linting.dataflow.expansion import LOOP_VARIABLE, Expansion, FlowNode, Ref
from tf1hub.checks.linting.dataflow.ops import PASSING, VARIABLES
from tf1hub.graph.index import GraphIndex

_PASSING_OR_CASTING = PASSING | {"Cast"}


class Flow:
    """What is computed from what in one graph. Reads it, never changes it.

    Attributes:
      nodes: every node by its name, those of functions under the call's name.
    """

    def __init__(self, index: GraphIndex):
        self._expansion = Expansion(index)
        self.nodes: Mapping[str, FlowNode] = self._expansion.nodes
        # What each way of looking found: chains of nodes that hand a value on can be long.
        self._origins: dict[frozenset[str], dict[Ref, Ref]] = defaultdict(dict)
        self._settle_loop_variables(self._expansion.nodes)

    def _settle_loop_variables(self, nodes: dict[str, FlowNode]) -> None:
        # An inner loop's come after those of the loop around it, which can be seen through them only when they are settled.
        for node in reversed([node for node in nodes.values() if node.op == LOOP_VARIABLE]):
            if len(node.inputs) > 1 and self.origin(node.inputs[1]) == (node.name, 0):
                nodes[node.name] = node._replace(op="Identity", inputs=node.inputs[:1])
                self._origins.clear()

    def result(self, ref: Ref) -> Ref:
        """What a call's output, such as that of a signature, is inside of the function; any other value as it is."""
        return self._expansion.result(ref)

    @functools.cached_property
    def consumers(self) -> Mapping[str, list[tuple[str, int]]]:
        """For each node the nodes that take a value of it, each with the place of that input."""
        found: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for node in self.nodes.values():
            for place, (source, _) in enumerate(node.inputs):
                found[source].append((node.name, place))
        return found

    @functools.cached_property
    def _waiting(self) -> Mapping[str, list[str]]:
        """For each node those that wait for it."""
        found: dict[str, list[str]] = defaultdict(list)
        for node in self.nodes.values():
            for source in node.controls:
                found[source].append(node.name)
        return found

    @functools.cached_property
    def by_op(self) -> Mapping[str, list[FlowNode]]:
        """The nodes of each op."""
        found: dict[str, list[FlowNode]] = defaultdict(list)
        for node in self.nodes.values():
            found[node.op].append(node)
        return found

    def of_ops(self, ops: Iterable[str]) -> list[FlowNode]:
        """The nodes of some ops."""
        return [node for op in ops for node in self.by_op.get(op, ())]

    def origin(self, ref: Ref, passing: Collection[str] = PASSING) -> Ref:
        """Where a value was computed: back through nodes that only hand it on."""
        known = self._origins[frozenset(passing)]
        path: dict[Ref, None] = {}
        ref = self.result(ref)
        while ref not in path and ref not in known:
            path[ref] = None
            node = self.nodes.get(ref[0])
            place = ref[1] if node is not None and node.op == "IdentityN" else 0
            if node is None or node.op not in passing or place >= len(node.inputs):
                break
            ref = node.inputs[place]
        found = known.get(ref, ref)
        known.update(dict.fromkeys(path, found))
        return found

    def variable_of(self, ref: Ref) -> str | None:
        """The node of the variable that a value is read from as it is, also when it is cast; None for any other value."""
        name, _ = self.origin(ref, _PASSING_OR_CASTING)
        node = self.nodes.get(name)
        return name if node is not None and node.op in VARIABLES else None

    def ancestors(
        self,
        refs: Iterable[Ref],
        *,
        stops: Collection[Ref] = (),
        controls: bool = False,
        without: Collection[str] = (),
        instead: Mapping[str, tuple[Ref, ...]] | None = None,
    ) -> set[str]:
        """The nodes that some values need, those that compute them included.

        Args:
          refs: the values.
          stops: values that come from outside, such as a signature's inputs: what is behind them does not count, nor do
            the nodes that give them.
          controls: whether the nodes count that others only wait for, with what those need.
          without: nodes that do not count, nor what only they need.
          instead: the inputs that count of some nodes; all do of others.
        """
        found: set[str] = set()
        given = [ref for ref in refs if ref not in stops]
        todo = [*map(self.result, given), *(given if controls else ())]
        nodes, instead = self.nodes, instead or {}
        while todo:
            name = todo.pop()[0]
            if name in found or name in without or name not in nodes:
                continue
            found.add(name)
            node = nodes[name]
            inputs = instead.get(name, node.inputs)
            todo.extend([ref for ref in inputs if ref not in stops] if stops else inputs)
            if controls:
                todo.extend((control, 0) for control in node.controls)
        return found

    def uses(self, name: str, passing: Collection[str] = PASSING) -> Iterator[tuple[FlowNode, int]]:
        """What takes a node's values, with the place of that input; nodes that only hand them on are passed over."""
        seen = set()
        todo = [name]
        while todo:
            for consumer, place in self.consumers.get(todo.pop(), ()):
                node = self.nodes[consumer]
                if node.op not in passing or place != 0:
                    yield node, place
                elif consumer not in seen:
                    seen.add(consumer)
                    todo.append(consumer)

    def descendants(self, names: Iterable[str], *, controls: bool = False) -> set[str]:
        """The nodes that take something from some nodes, directly or not; those included.

        `controls`: whether those count that wait for such a node.
        """
        found: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in found and name in self.nodes:
                found.add(name)
                todo.extend(consumer for consumer, _ in self.consumers.get(name, ()))
                if controls:
                    todo.extend(self._waiting.get(name, ()))
        return found

    def variables_behind(self, refs: Iterable[Ref], **options: Any) -> set[str]:
        """The nodes of the variables that some values depend on; options as for `ancestors`."""
        return {name for name in self.ancestors(refs, **options) if self.nodes[name].op in VARIABLES}
