"""The kinds of `tests.module_fns` as modules on disk, loaded, and what graph mode answers for them."""

import functools
import tempfile
from typing import Any

import tensorflow as tf

import tf1hub as hub
from tests.graphs import published
from tests.module_fns import KINDS, as_tensors


@functools.cache
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="tf1hub-loaded-")


def loaded(kind: str, **settings: Any) -> Any:
    """A new object each time."""
    return hub.load(published(kind), **settings)


def example(kind: str, signature: str = "default") -> dict[str, Any]:
    """Inputs of a signature, as tensors by name."""
    return as_tensors(KINDS[kind].inputs[signature])


def graph_answers(path: str, inputs: Any, signature: str = "default", tags: Any = None) -> dict[str, Any]:
    """What the module answers in a graph."""
    with hub.eval_function_for_module(path, tags=tags) as evaluate:
        answers: dict[str, Any] = evaluate(inputs, signature=signature, as_dict=True)
        return answers


def values_of(module: Any) -> dict[str, Any]:
    """The values of a loaded module's variables by their names."""
    return {name: value.numpy() for name, value in zip(module.variable_names, module.variables, strict=True)}


def function_nodes(concrete: Any) -> list[Any]:
    """The nodes of a concrete function and of all functions that it calls."""
    graph_def = concrete.graph.as_graph_def()
    return [*graph_def.node, *(node for each in graph_def.library.function for node in each.node_def)]


def op_types_of(call: Any, *specs: Any) -> list[str]:
    """The types of the ops that a call needs, whether in functions of their own or not."""
    return [node.op for node in function_nodes(tf.function(call).get_concrete_function(*specs))]
