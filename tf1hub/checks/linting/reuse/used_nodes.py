"""Which nodes of a graph somebody needs who uses the module."""

import functools
from collections.abc import Container, Iterable, Mapping
from weakref import WeakKeyDictionary

from tf1hub.checks.linting.linted_module import Variant
from tf1hub.graph import collections
from tf1hub.graph.contexts import names_used, nodes_inside, read_contexts
from tf1hub.names import is_control_input, node_name

_FOUND: "WeakKeyDictionary[Variant, Uses]" = WeakKeyDictionary()


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
        todo = list(nodes)
        while todo:
            name = todo.pop()
            if name not in needed and name in self.sources:
                needed.add(name)
                todo.extend(self.sources[name])
        return needed

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
        used = self.computing | self.initializing | self.needed_by([*map(node_name, names), *self._inputs])
        for contexts in read_contexts(self._index).values():
            for context in contexts:
                inside = nodes_inside(context, self._index)
                if inside & used:
                    used |= inside | self.needed_by(map(node_name, names_used(context, self._index)))
        return used


def uses_of(variant: Variant) -> Uses:
    """The uses of a variant's nodes, found once."""
    if variant not in _FOUND:
        _FOUND[variant] = Uses(variant)
    return _FOUND[variant]
