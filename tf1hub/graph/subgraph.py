"""Cutting the part out of a graph that some targets need.

The cut goes along a boundary: tensors that are fed from outside (a signature's inputs) and nodes that live elsewhere
(the state of a module). What is left over crosses the boundary by name, and whoever imports the subgraph maps those
names to tensors.
"""

import functools
from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass

from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.graph import collections
from tf1hub.graph.contexts import Contexts, names_used, nodes_inside, read_contexts
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.library import used_library
from tf1hub.names import (
    COLOCATION_ATTR,
    colocated_node,
    colocation_group,
    is_control_input,
    node_name,
    tensor_name,
)


@dataclass(frozen=True)
class Boundary:
    """Where a cut stops: at these tensors, and at these nodes whatever of them is used."""

    tensors: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()

    def stops(self, name: str) -> bool:
        """Whether an input of a node comes from outside."""
        node = node_name(name)
        if node in self.nodes:
            return True
        if not self.tensors:
            return False
        if is_control_input(name):
            return node in self._tensor_nodes
        return tensor_name(name) in self.tensors

    @functools.cached_property
    def _tensor_nodes(self) -> frozenset[str]:
        return frozenset(node_name(tensor) for tensor in self.tensors)


@dataclass(frozen=True, eq=False)
class Subgraph:
    """A part of a graph, ready to be imported.

    `crossing` are the inputs that come from outside: tensor names, and "^node" for control inputs. `colocations` lists,
    for a node, the outside nodes that it is to be placed with; its `_class` no longer says so.
    """

    graph_def: protos.GraphDef
    crossing: tuple[str, ...]
    colocations: tuple[tuple[str, tuple[str, ...]], ...]
    contexts: Contexts
    nodes: frozenset[str]

    def keeps(self, name: str) -> bool:
        """Whether the node of this tensor or node name is in here."""
        return node_name(name) in self.nodes


def needed_nodes(index: GraphIndex, targets: Iterable[str], boundary: Boundary, known: Container[str] = ()) -> set[str]:
    """The nodes that the target tensors or nodes need, themselves included, up to the boundary and to `known` ones.

    Raises:
      GraphError: a node takes its input from one that does not exist.
    """
    needed: set[str] = set()
    todo = list(targets)
    while todo:
        name = todo.pop()
        node = node_name(name)
        if node in needed or node in known or boundary.stops(name):
            continue
        if node not in index.nodes:
            raise GraphError(f"The graph has no node {node!r}, which {name!r} names. The module is damaged.")
        needed.add(node)
        todo.extend(index.nodes[node].input)
    return needed


def cut(
    index: GraphIndex, targets: Collection[str], boundary: Boundary = Boundary(), everything: bool = False
) -> Subgraph:
    """What `targets` need of a graph, with the TF1 control flow contexts that this touches.

    With `everything` all nodes are kept, those outside the boundary too; the edges still cross it.
    """
    needed = needed_nodes(index, targets, boundary)
    contexts, needed = _close_over_contexts(index, needed, boundary)
    kept = frozenset(index.nodes) if everything else frozenset(needed)
    graph_def = protos.GraphDef(versions=index.meta_graph.graph_def.versions)
    graph_def.node.extend(node for name, node in index.nodes.items() if name in kept)
    graph_def.library.CopyFrom(used_library(graph_def.node, index.meta_graph.graph_def.library))
    crossing = dict.fromkeys(
        name if is_control_input(name) else tensor_name(name)
        for node in graph_def.node
        for name in node.input
        if boundary.stops(name)
    )
    colocations = _take_out_colocations(graph_def, kept, boundary, everything)
    if everything:
        contexts = read_contexts(index)
    return Subgraph(graph_def, tuple(crossing), colocations, contexts, kept)


def _close_over_contexts(index: GraphIndex, needed: set[str], boundary: Boundary) -> tuple[Contexts, set[str]]:
    """The contexts that have a needed node inside, and all nodes that are needed because of them."""
    touched: Contexts = {key: [] for key in collections.CONTEXT_COLLECTIONS}
    waiting = [(key, context) for key, all_ in read_contexts(index).items() for context in all_]
    contexts_of: dict[str, list[int]] = {}
    for at, (_, context) in enumerate(waiting):
        for name in nodes_inside(context, index):
            contexts_of.setdefault(name, []).append(at)
    needed = set(needed)
    todo = [at for name, found in contexts_of.items() if name in needed for at in found]
    seen: set[int] = set()
    while todo:
        if (at := todo.pop()) not in seen:
            seen.add(at)
            new = needed_nodes(index, names_used(waiting[at][1], index), boundary, needed)
            needed |= new
            todo.extend(other for name in new for other in contexts_of.get(name, ()))
    for at in sorted(seen):
        key, context = waiting[at]
        touched[key].append(context)
    return touched, needed


def _take_out_colocations(
    graph_def: protos.GraphDef, kept: frozenset[str], boundary: Boundary, everything: bool
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Removes colocations with nodes outside; returns those whose node lies across the boundary.

    Nodes that were placed with a node which nobody needs stay together: the first of them takes its place.
    """
    outside = boundary.nodes | {node_name(name) for name in boundary.tensors}
    leaders: dict[str, str] = {}
    crossing = []
    for node in graph_def.node:
        if COLOCATION_ATTR not in node.attr or (everything and node.name in outside):
            continue
        inside, across = [], []
        for group in node.attr[COLOCATION_ATTR].list.s:
            target = colocated_node(group)
            if target is None:
                inside.append(group)
            elif target in outside:
                across.append(target)
            elif target in kept:
                inside.append(group)
            elif (leader := leaders.setdefault(target, node.name)) != node.name:
                inside.append(colocation_group(leader))
        if inside:
            node.attr[COLOCATION_ATTR].list.s[:] = inside
        else:
            del node.attr[COLOCATION_ATTR]
        if across:
            crossing.append((node.name, tuple(across)))
    return tuple(crossing)
