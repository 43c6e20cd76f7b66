"""Faults of the functions in a graph's library: what they call, and the names inside their bodies."""

from collections.abc import Collection, Iterable, Iterator

from tf1hub.checks.verifying.graph_names import GraphNames
from tf1hub.checks.wording import quoted
from tf1hub.format import protos
from tf1hub.names import node_name

# Ops that take the name of a function or of an op.
_ALSO_OF_OPS = frozenset({"SymbolicGradient"})


def functions_missing(node: protos.NodeDef, names: GraphNames) -> list[str]:
    """The functions that the attributes of a node name and that are not in the library."""
    if node.op in _ALSO_OF_OPS:
        return []
    called = dict.fromkeys(_function_names(node.attr.values()))
    # Where no function is needed, an attribute may hold an empty name.
    return [name for name in called if name and name not in names.functions]


def _function_names(values: Iterable[protos.AttrValue]) -> Iterator[str]:
    for value in values:
        kind = value.WhichOneof("value")
        functions = [value.func] if kind == "func" else value.list.func if kind == "list" else ()
        for function in functions:
            yield function.name
            yield from _function_names(function.attr.values())


def _node_faults(node: protos.NodeDef, inside: Collection[str], names: GraphNames) -> Iterator[str]:
    for source in node.input:
        if node_name(source) not in inside:
            yield f"takes {quoted(source)}, and there is no such node"
    for called in functions_missing(node, names):
        yield f"calls a function {quoted(called)}, which is not in the library"


def iter_function_faults(library: protos.FunctionDefLibrary, names: GraphNames) -> Iterator[str]:
    """What is wrong with the functions of a library, in words.

    The ops in their bodies are not looked at: TensorFlow lists those of the graph, and not of all functions.
    """
    for function in library.function:
        where = f"the function {quoted(function.signature.name)}"
        inside = {node.name for node in function.node_def} | {arg.name for arg in function.signature.input_arg}
        for node in function.node_def:
            name = quoted(node.name)
            for fault in _node_faults(node, inside, names):
                yield f"{where}: the node {name} {fault}"
        for arg in function.signature.output_arg:
            if arg.name not in function.ret:
                yield f"{where}: nothing is returned for its output {quoted(arg.name)}"
        for output, source in [*function.ret.items(), *function.control_ret.items()]:
            if node_name(source) not in inside:
                yield f"{where}: its output {quoted(output)} is {quoted(source)}, and there is no such node"
    for gradient in library.gradient:
        for name in (gradient.function_name, gradient.gradient_func):
            if name not in names.functions:
                yield f"a gradient speaks of the function {quoted(name)}, which is not in the library"
