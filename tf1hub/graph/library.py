"""The functions in a graph's library: which of them a set of nodes calls, and giving them other names."""

import copy
import hashlib
from collections.abc import Iterable, Iterator, Mapping

from tf1hub.format import protos

# Attributes of a function that name another one as text.
_FUNCTION_NAME_ATTRS = ("forward_function_name", "backward_function_name")
_LOOPS = frozenset({"While", "StatelessWhile"})


def used_library(nodes: Iterable[protos.NodeDef], library: protos.FunctionDefLibrary) -> protos.FunctionDefLibrary:
    """The part of `library` that `nodes` can reach, in its order."""
    functions = {function.signature.name: function for function in library.function}
    gradients = {gradient.function_name: gradient.gradient_func for gradient in library.gradient}
    used: set[str] = set()
    todo = [name for node in nodes for name in functions_of(node) if name in functions] if functions else []
    while todo:
        name = todo.pop()
        if name in used or name not in functions:
            continue
        used.add(name)
        todo.append(gradients.get(name, ""))
        todo.extend(_functions_in(functions[name].attr.values()))
        for node in functions[name].node_def:
            todo.extend(functions_of(node))
    result = protos.FunctionDefLibrary()
    result.function.extend(function for name, function in functions.items() if name in used)
    result.gradient.extend(gradient for gradient in library.gradient if gradient.function_name in used)
    return result


def functions_of(node: protos.NodeDef) -> Iterator[str]:
    """The names that a node may call functions by: its op, and its attributes that are functions."""
    yield node.op
    yield from _functions_in(node.attr.values())


def _functions_in(values: Iterable[protos.AttrValue]) -> Iterator[str]:
    for value in values:
        kind = value.WhichOneof("value")
        if kind == "func":
            yield value.func.name
            yield from _functions_in(value.func.attr.values())
        elif kind == "list":
            for function in value.list.func:
                yield function.name
                yield from _functions_in(function.attr.values())
        elif kind == "s":
            # Some attributes name a function as text, such as a gradient's; what names none, the caller passes over.
            yield value.s.decode("utf-8", "replace")


def has_loops(graph_def: protos.GraphDef) -> bool:
    """Whether a node of the graph or of a function is a v2 loop."""
    bodies = [graph_def.node, *(function.node_def for function in graph_def.library.function)]
    return any(node.op in _LOOPS for body in bodies for node in body)


def fingerprints(library: protos.FunctionDefLibrary) -> dict[str, str]:
    """A short text for each function that tells it from others: by its body, and by those of all functions it calls."""
    functions = {function.signature.name: function for function in library.function}
    own = {name: function.SerializeToString(deterministic=True) for name, function in functions.items()}
    called = {
        name: {callee for node in function.node_def for callee in functions_of(node) if callee in functions}
        for name, function in functions.items()
    }
    prints = {}
    for name in functions:
        reached, todo = set(), [name]
        while todo:
            if (current := todo.pop()) not in reached:
                reached.add(current)
                todo.extend(called[current])
        digest = hashlib.sha256(own[name])
        for callee in sorted(reached - {name}):
            digest.update(own[callee])
        prints[name] = digest.hexdigest()[:12]
    return prints


def with_renamed_functions(graph_def: protos.GraphDef, names: Mapping[str, str]) -> protos.GraphDef:
    """A copy in which functions of the library have other names, wherever they are named.

    requires  `names` maps names of functions to names that no op and no function has
    """
    result = copy.deepcopy(graph_def)
    for function in result.library.function:
        function.signature.name = names.get(function.signature.name, function.signature.name)
        _rename_in_attrs(function.attr.values(), names)
        for attr in _FUNCTION_NAME_ATTRS:
            if attr in function.attr:
                name = function.attr[attr].s.decode("utf-8", "replace")
                function.attr[attr].s = names.get(name, name).encode()
    for gradient in result.library.gradient:
        gradient.function_name = names.get(gradient.function_name, gradient.function_name)
        gradient.gradient_func = names.get(gradient.gradient_func, gradient.gradient_func)
    bodies = [result.node, *(function.node_def for function in result.library.function)]
    for node in (node for body in bodies for node in body):
        node.op = names.get(node.op, node.op)
        _rename_in_attrs(node.attr.values(), names)
    return result


def _rename_in_attrs(values: Iterable[protos.AttrValue], names: Mapping[str, str]) -> None:
    for value in values:
        kind = value.WhichOneof("value")
        functions = [value.func] if kind == "func" else value.list.func if kind == "list" else ()
        for function in functions:
            function.name = names.get(function.name, function.name)
            _rename_in_attrs(function.attr.values(), names)
