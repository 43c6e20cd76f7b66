"""Graphs with TF1 control flow, run in a TF1 session and, rebuilt, as a TF2 function."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as tf1

from tests.module_fns.registry import control_flow_v1
from tf1hub.consuming.loaded.structured_import import import_structured
from tf1hub.format import protos
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.subgraph import Boundary, cut


class Rebuilt:
    """What `build` makes of placeholders for some values, both ways.

    `build` gives one tensor or several. The first one of a floating type is differentiated by all such inputs.
    """

    def __init__(self, build: Callable[..., Any], *values: Any, shapes: Sequence[Any] | None = None):
        self.values = [np.asarray(value) for value in values]
        shapes = [value.shape for value in self.values] if shapes is None else shapes
        self.graph = tf.Graph()
        with self.graph.as_default(), control_flow_v1():
            self.inputs = [
                tf1.placeholder(value.dtype, shape, name=f"in{at}")
                for at, (value, shape) in enumerate(zip(self.values, shapes, strict=True))
            ]
            self.outputs = tf.nest.flatten(build(*self.inputs))
            self.meta_graph = tf1.train.export_meta_graph(clear_devices=True)

    @property
    def differentiated(self) -> list[int]:
        return [at for at, tensor in enumerate(self.inputs) if tensor.dtype.is_floating]

    def in_session(self) -> list[Any]:
        with tf1.Session(graph=self.graph) as session:
            return session.run(self.outputs, dict(zip(self.inputs, self.values, strict=True)))

    def gradients_in_session(self) -> list[Any]:
        with self.graph.as_default(), control_flow_v1():
            inputs = [self.inputs[at] for at in self.differentiated]
            gradients = tf1.gradients([one for one in self.outputs if one.dtype.is_floating], inputs)
            gradients = [tf.zeros_like(x) if one is None else one for x, one in zip(inputs, gradients, strict=True)]
            with tf1.Session(graph=self.graph) as session:
                return session.run(gradients, dict(zip(self.inputs, self.values, strict=True)))

    def function(self) -> Any:
        """The rebuilt graph, a function of its inputs."""
        meta_graph = protos.MetaGraphDef.FromString(self.meta_graph.SerializeToString())
        names = [tensor.name for tensor in self.outputs]
        fed = [tensor.name for tensor in self.inputs]
        subgraph = cut(GraphIndex(meta_graph), names, Boundary(tensors=frozenset(fed)))

        def compute(*tensors: Any) -> list[Any]:
            imported = import_structured(subgraph, "module", dict(zip(fed, tensors, strict=True)), names)
            return [imported.tensor(name) for name in names]

        specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in self.inputs]
        return tf1.wrap_function(compute, specs)

    def run(self, function: Any = None) -> list[Any]:
        function = function or self.function()
        return [tensor.numpy() for tensor in function(*map(tf.constant, self.values))]

    def gradients(self, function: Any = None) -> list[Any]:
        function = function or self.function()
        values = [tf.constant(value) for value in self.values]
        chosen = [values[at] for at in self.differentiated]
        with tf.GradientTape() as tape:
            tape.watch(chosen)
            outputs = [one for one in function(*values) if one.dtype.is_floating]
        found = tape.gradient(outputs, chosen, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return [tf.convert_to_tensor(one).numpy() for one in found]

    def check(self, gradients: bool = True) -> Any:
        """Compares values, and gradients, of both; returns the function."""
        function = self.function()
        assert_all_close(self.run(function), self.in_session())
        if gradients:
            assert_all_close(self.gradients(function), self.gradients_in_session())
        return function


def assert_all_close(found: Sequence[Any], expected: Sequence[Any]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
