"""The functions in a graph's library: which of them a set of nodes calls, directly or through others."""

from collections.abc import Iterable, Iterator

from tf1hub.format import protos


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
            # Gradient functions are named in string attributes (`_gradient_op_type`, `api_implements` are not functions
            # of the library and are passed over by the caller).
            yield value.s.decode("utf-8", "replace")
