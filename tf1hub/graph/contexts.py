"""TF1 control flow: the contexts of while loops and conds.

A context is a message in a collection that names nodes: its pivots, predicate, loop exits, and all values inside.
TensorFlow's gradients go by it. So a subgraph that has one node of a context needs all that the context names, and a
context that is imported must name its nodes as they are called after the import.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from tf1hub.format import protos
from tf1hub.format.messages import parse_message
from tf1hub.graph import collections
from tf1hub.graph.index import GraphIndex
from tf1hub.names import node_name, tensor_name

ContextDef: TypeAlias = protos.CondContextDef | protos.WhileContextDef
Contexts: TypeAlias = dict[str, list[ContextDef]]

_MESSAGES: dict[str, Any] = {
    collections.COND_CONTEXT: protos.CondContextDef,
    collections.WHILE_CONTEXT: protos.WhileContextDef,
}
_SINGLE_NAMES = ("pred_name", "pivot_name", "pivot_for_pred_name", "pivot_for_body_name", "maximum_iterations_name")
_NAME_LISTS = ("loop_exit_names", "loop_enter_names")


def read_contexts(index: GraphIndex) -> Contexts:
    """The outermost contexts by collection. Those within them come nested in the messages."""
    return {
        key: [parse_message(message, value, f"A context in {key!r}") for value in index.collection_bytes(key)]
        for key, message in _MESSAGES.items()
    }


def nodes_inside(context: ContextDef, index: GraphIndex) -> set[str]:
    """The nodes that belong to a context: what it computes, not what it merely takes from outside."""
    inside: set[str] = set()
    for nested in _with_nested(context):
        outside = set(nested.values_def.external_values)
        inside.update(node_name(value) for value in nested.values_def.values if value not in outside)
    return {name for name in inside if name in index.nodes}


def names_used(context: ContextDef, index: GraphIndex) -> set[str]:
    """All names in a context that TensorFlow looks up when the context is imported."""
    used: set[str] = set()
    for nested in _with_nested(context):
        used.update(name for field in _SINGLE_NAMES if (name := getattr(nested, field, "")))
        for field in _NAME_LISTS:
            used.update(getattr(nested, field, ()))
        used.update(nested.values_def.external_values.values())
        used.update(set(nested.values_def.values) - set(nested.values_def.external_values))
    return {name for name in used if index.has(name)}


def renamed(context: ContextDef, rename: Callable[[str], str], scoped: Callable[[str], str]) -> ContextDef:
    """The context with each tensor or node name through `rename`, and its own name through `scoped`."""
    result: ContextDef = copy.deepcopy(context)
    for nested in _with_nested(result):
        nested.context_name = scoped(nested.context_name)
        for field in _SINGLE_NAMES:
            if getattr(nested, field, ""):
                setattr(nested, field, rename(getattr(nested, field)))
        for field in _NAME_LISTS:
            if names := list(getattr(nested, field, ())):
                getattr(nested, field)[:] = [rename(name) for name in names]
        _rename_values(nested.values_def, rename)
    return result


def put_beside(context: ContextDef, nodes: Mapping[str, str]) -> None:
    """Adds nodes to a context in place: each, and its first output, is wherever the node that it is mapped to is."""
    for nested in _with_nested(context):
        inside = {node_name(value) for value in nested.values_def.values}
        inside -= {node_name(value) for value in nested.values_def.external_values}
        for name, other in nodes.items():
            if other in inside:
                inside.add(name)
                nested.values_def.values.append(tensor_name(name))


def _rename_values(values: protos.ValuesDef, rename: Callable[[str], str]) -> None:
    values.values[:] = [rename(name) for name in values.values]
    external = {rename(key): rename(value) for key, value in values.external_values.items()}
    values.external_values.clear()
    values.external_values.update(external)


def _with_nested(context: ContextDef) -> Iterator[ContextDef]:
    todo: list[ContextDef] = [context]
    while todo:
        current = todo.pop()
        yield current
        todo.extend(_chosen(current.nested_contexts))


def _chosen(contexts: Iterable[protos.ControlFlowContextDef]) -> Iterator[ContextDef]:
    for context in contexts:
        if context.HasField("while_ctxt"):
            yield context.while_ctxt
        elif context.HasField("cond_ctxt"):
            yield context.cond_ctxt


def loops_without_gradients(contexts: Contexts) -> frozenset[str]:
    """The names of the while loops through which there shall be no gradients: those made with `back_prop=False`."""
    outermost = [context for key in collections.CONTEXT_COLLECTIONS for context in contexts.get(key, ())]
    loops = (
        each for context in outermost for each in _with_nested(context) if isinstance(each, protos.WhileContextDef)
    )
    return frozenset(loop.context_name for loop in loops if not loop.back_prop)
