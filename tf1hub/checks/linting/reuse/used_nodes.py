"""Which nodes of a graph somebody needs who uses the module."""

import functools
from collections.abc import Container, Iterable, Mapping

from tf1hub.checks.linting.linted_module import Variant
from tf1hub.graph import collections
from tf1hub.graph.contexts import ContextDef, names_used, nodes_inside, read_contexts
from tf1hub.names import is_control_input, node_name


class Uses:
    """What needs what among the nodes of a graph itself; a node that calls functions is one node.

    Attributes:
      sources: for each node those that it takes something from or waits for, also such as do not exist.
    """

    def __init__(self, variant: Variant):
        self._index = variant.index
        self._results = [name for name, _ in (*variant.all_outputs, *variant.regularization_losses)]
        self._results.extend(variant.update_ops)
        self._inputs = [name for name, _ in variant.all_inputs]
        self._variables = variant.index.variables(collections.GLOBAL_VARIABLES)
        self.sources: Mapping[str, list[str]] = {
            name: [node_name(source) for source in node.input] for name, node in variant.index.nodes.items()
        }

    def needed_by(self, nodes: Iterable[str]) -> set[str]:
        """The nodes that some nodes need, themselves included. Names of no node are passed over."""
        needed: set[str] = set()
        self._add_needed(needed, nodes)
        return needed

    def _add_needed(self, needed: set[str], nodes: Iterable[str]) -> list[str]:
        """Adds what some nodes need to what is known to be needed, and returns what is new of it."""
        added = []
        todo = list(nodes)
        while todo:
            name = todo.pop()
            if name not in needed and name in self.sources:
                needed.add(name)
                added.append(name)
                todo.extend(self.sources[name])
        return added

    def reached(self, nodes: Iterable[str], stops: Container[str] = ()) -> set[str]:
        """The nodes that values of some nodes get to, themselves included, but through no op of `stops`."""
        reached: set[str] = set()
        todo = list(nodes)
        while todo:
            name = todo.pop()
            if name not in reached and name in self.sources and self._index.nodes[name].op not in stops:
                reached.add(name)
                todo.extend(self.consumers.get(name, ()))
        return reached

    @functools.cached_property
    def consumers(self) -> Mapping[str, list[str]]:
        """For each node those that take a value of it."""
        found: dict[str, list[str]] = {}
        for name, node in self._index.nodes.items():
            for source in node.input:
                if not is_control_input(source):
                    found.setdefault(node_name(source), []).append(name)
        return found

    @functools.cached_property
    def computing(self) -> set[str]:
        """What a consumer runs: the nodes that outputs, update ops and regularization losses need."""
        return self.needed_by(self._results)

    @functools.cached_property
    def initializing(self) -> set[str]:
        """What gives variables their initial values."""
        names = (name for each in self._variables for name in (each.initializer_name, each.initial_value_name))
        return self.needed_by(map(node_name, names))

    @functools.cached_property
    def used(self) -> set[str]:
        """What a consumer runs, what makes variables and tables ready, and the loops and branches that these are in."""
        names = [name for each in self._variables for name in (each.variable_name, each.snapshot_name)]
        for key in (collections.TABLE_INITIALIZERS, collections.ASSET_FILEPATHS):
            names += self._index.collection_nodes(key)
        contexts = [context for some in read_contexts(self._index).values() for context in some]
        within: dict[str, list[int]] = {}
        for number, context in enumerate(contexts):
            for name in nodes_inside(context, self._index):
                within.setdefault(name, []).append(number)
        used: set[str] = set()
        taken: set[int] = set()
        added = self._add_needed(used, [*self.computing, *self.initializing, *map(node_name, names), *self._inputs])
        while added:
            entered = {number for name in added for number in within.get(name, ())} - taken
            taken |= entered
            added = self._add_needed(used, (name for number in entered for name in self._whole(contexts[number])))
        return used

    def _whole(self, context: ContextDef) -> set[str]:
        """The nodes of a loop or branch, and those that it cannot be without."""
        return nodes_inside(context, self._index).union(map(node_name, names_used(context, self._index)))


def uses_of(variant: Variant) -> Uses:
    """The uses of a variant's nodes, found once."""
    return variant.kept(Uses)
