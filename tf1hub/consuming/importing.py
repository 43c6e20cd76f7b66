"""Importing a part of a module's graph into the graph that is being built."""

import itertools
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf1hub.consuming.missing_ops import check_functions, explain_import_error
from tf1hub.errors import WrongGraphError
from tf1hub.format import protos
from tf1hub.garbage import no_garbage_collection
from tf1hub.graph.contexts import renamed
from tf1hub.graph.library import fingerprints, has_loops, with_renamed_functions
from tf1hub.graph.scoping import needs_scoping, scoped
from tf1hub.graph.subgraph import Subgraph
from tf1hub.names import in_scope, is_control_input, node_name, tensor_name
from tf1hub.tensorflow_private import (
    brought_into,
    defined_functions,
    is_function_graph,
    place_with,
    python_object,
)


@dataclass(frozen=True)
class ImportedGraph:
    """A subgraph as it lies in a graph: under which scope ("a/module", no slash at the end), on which outside tensors."""

    graph: Any
    scope: str
    fed: Mapping[str, Any]

    def tensor(self, name: str) -> Any:
        """The tensor that `name` stands for here: an imported one, or what was fed for it."""
        name = tensor_name(name)
        return self.fed[name] if name in self.fed else self.graph.get_tensor_by_name(in_scope(name, self.scope))

    def element(self, name: str) -> Any:
        """The tensor or operation that an entry of a collection stands for here."""
        return self.tensor(name) if ":" in name else self.graph.get_operation_by_name(in_scope(name, self.scope))

    def final_name(self, name: str) -> str:
        """A name of the module's graph as it reads here."""
        if not is_control_input(name) and tensor_name(name) in self.fed:
            fed: str = self.fed[tensor_name(name)].name
            return fed if ":" in name else node_name(fed)
        return in_scope(name, self.scope)


def import_subgraph(subgraph: Subgraph, name: str, feeds: Mapping[str, Any] | None = None) -> ImportedGraph:
    """Imports a subgraph under the name scope `name` of the current scope.

    Args:
      subgraph: what to import.
      name: a name that is not taken in the current name scope is used as it is, another gets a number.
      feeds: a tensor for each tensor name that crosses the subgraph's boundary; there may be more.

    Raises:
      GraphError: TensorFlow cannot import it, for instance because it does not know an op.
    """
    graph = tf.compat.v1.get_default_graph()
    feeds = dict(feeds or {})
    used = [key for key in (_feed_for(name, feeds) for name in subgraph.crossing) if key is not None]
    feeds.update({key: brought_into(graph, feeds[key]) for key in sorted(set(used))})
    input_map = {name: feeds[key] for name in subgraph.crossing if (key := _feed_for(name, feeds)) is not None}
    scope = graph.unique_name(name, mark_as_used=False)
    with explain_import_error(subgraph.graph_def), no_garbage_collection():
        tf.graph_util.import_graph_def(_to_tensorflow(subgraph, graph, scope), input_map=input_map, name=name)
    imported = ImportedGraph(graph, scope, feeds)
    _place(imported, subgraph)
    _import_contexts(imported, subgraph)
    return imported


def check_free(subgraph: Subgraph, name: str) -> None:
    """Refuses a scope in which a node has one of our names: TensorFlow would number ours, and mix the two up.

    Raises:
      WrongGraphError: there is such a node.
    """
    graph = tf.compat.v1.get_default_graph()
    scope = graph.unique_name(name, mark_as_used=False)
    for node in subgraph.nodes:
        name = in_scope(node, scope)
        try:
            graph.get_operation_by_name(name)
        except KeyError:
            continue
        raise WrongGraphError(
            f"The graph has a node {name!r} already, which is no part of the module. Give the module another name:"
            " hub.Module(..., name=...)."
        )


# Subgraphs that read the same wherever they are imported, as TensorFlow's own message.
_placeless: "weakref.WeakKeyDictionary[Subgraph, Any]" = weakref.WeakKeyDictionary()


def _to_tensorflow(subgraph: Subgraph, graph: Any, scope: str) -> Any:
    """A subgraph as TensorFlow's own message, changed where that is needed for this place."""
    if subgraph in _placeless:
        return _placeless[subgraph]
    graph_def = subgraph.graph_def
    if not needs_scoping(graph_def) and not graph_def.library.function:
        _placeless[subgraph] = tf.compat.v1.GraphDef.FromString(graph_def.SerializeToString())
        return _placeless[subgraph]
    return tf.compat.v1.GraphDef.FromString(without_clashes(graph_def, graph, scope).SerializeToString())


def without_clashes(graph_def: protos.GraphDef, graph: Any, scope: str) -> protos.GraphDef:
    """A copy that shares no names with what is in `graph` already, when its nodes come under `scope`.

    Raises:
      GraphError: a function of its library calls an op that TensorFlow does not know.
    """
    check_functions(graph_def)
    graph_def = scoped(graph_def, scope)
    return _with_own_functions(graph_def, graph) if graph_def.library.function else graph_def


_loop_number = itertools.count(1)
# The functions that were imported into a graph, by name, with their fingerprints.
_imported_functions: "weakref.WeakKeyDictionary[Any, dict[str, str]]" = weakref.WeakKeyDictionary()


def _with_own_functions(graph_def: protos.GraphDef, graph: Any) -> protos.GraphDef:
    """Renames functions whose names are taken by others: two publishers' `cond_true_7` are not the same."""
    if has_loops(graph_def):
        # TensorFlow names a loop's gradient functions after its body, so two loops must not share one.
        unique = next(_loop_number)
        return with_renamed_functions(
            graph_def, {name: f"{name}_{unique}" for name in (f.signature.name for f in graph_def.library.function)}
        )
    ours = _imported_functions.setdefault(graph, {})
    prints = fingerprints(graph_def.library)
    foreign = defined_functions(graph) - set(ours)
    # The functions of functions end up in a table of the whole process; there every name must be its own.
    taken = set(prints) if is_function_graph(graph) else foreign
    names = {
        name: f"{name}_{print_}" for name, print_ in prints.items() if name in taken or ours.get(name, print_) != print_
    }
    ours.update({names.get(name, name): print_ for name, print_ in prints.items()})
    return with_renamed_functions(graph_def, names) if names else graph_def


def add_to_collection(key: str, values: Iterable[Any]) -> None:
    """Adds values to a collection of the current graph."""
    for value in values:
        tf.compat.v1.add_to_collection(key, value)


def _feed_for(crossing: str, feeds: Mapping[str, Any]) -> str | None:
    """The feed that a crossing input stands for; for a control input any tensor of that node."""
    if not is_control_input(crossing):
        return crossing
    node = node_name(crossing)
    return next((name for name in feeds if node_name(name) == node), None)


def _place(imported: ImportedGraph, subgraph: Subgraph) -> None:
    for node, targets in subgraph.colocations:
        feeds = [imported.fed[key] for target in targets if (key := _feed_for("^" + target, imported.fed)) is not None]
        op = imported.graph.get_operation_by_name(in_scope(node, imported.scope))
        if others := [feed.op for feed in feeds if feed.graph is imported.graph]:
            place_with(op, others)


def _import_contexts(imported: ImportedGraph, subgraph: Subgraph) -> None:
    for key, contexts in subgraph.contexts.items():
        for context in contexts:
            message = renamed(context, imported.final_name, lambda name: in_scope(name, imported.scope))
            add_to_collection(key, [python_object(key, message.SerializeToString())])
