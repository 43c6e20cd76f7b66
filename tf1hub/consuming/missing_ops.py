"""Saying which op of a module this TensorFlow does not have, and which library likely brings it."""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.graph.op_libraries import find_library
from tf1hub.tensorflow_private import is_registered


@contextmanager
def explain_import_error(graph_def: protos.GraphDef) -> Iterator[None]:
    """Raises what TensorFlow's import raised as a GraphError that names the ops it lacks."""
    try:
        yield
    except (ValueError, tf.errors.OpError) as error:
        if missing := missing_ops(graph_def):
            raise GraphError(_described(missing)) from error
        raise GraphError(
            f"TensorFlow {tf.__version__} cannot import the module's graph: {error}. A module from a newer TensorFlow"
            " may need that TensorFlow."
        ) from error


def check_functions(graph_def: protos.GraphDef) -> None:
    """Refuses functions with unknown ops. TensorFlow imports them, and fails when they are run."""
    if graph_def.library.function and (missing := missing_ops(graph_def)):
        raise GraphError(_described(missing))


def _described(missing: dict[str, str]) -> str:
    lines = [f"{op} (node {node!r}): {likely_library(op)}" for op, node in sorted(missing.items())]
    return (
        f"The module's graph has ops that this TensorFlow {tf.__version__} does not know:\n  "
        + "\n  ".join(lines)
        + "\nLoad the library that registers them before you use the module."
    )


def missing_ops(graph_def: protos.GraphDef) -> dict[str, str]:
    """The ops of a graph and its functions that are not registered, each with a node that has it."""
    functions = {function.signature.name for function in graph_def.library.function}
    nodes = list(graph_def.node) + [node for function in graph_def.library.function for node in function.node_def]
    return {
        node.op: node.name
        for node in reversed(nodes)
        if node.op not in functions and not is_registered(node.op) and node.op != "SymbolicGradient"
    }


def likely_library(op: str) -> str:
    """What brings an op, as far as its name tells."""
    if library := find_library(op):
        return f"likely from {library}"
    return "a custom op; ask the module's publisher which library registers it (`tf.load_op_library`)"
