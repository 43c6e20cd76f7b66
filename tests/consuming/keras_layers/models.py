"""Modules on disk, and small models with a layer of them, for the tests of layers."""

from typing import Any

import numpy as np

import tf1hub as hub
from tests.graphs import published

ROWS = np.array([[0.5, 1.0, -1.0], [1.5, -2.0, 0.0], [0.0, 1.0, 1.0], [2.0, 0.5, 0.5]], np.float32)
TARGETS = np.ones((4, 1), np.float32)
TEXTS = ["the", "cat", "mat", "elsewhere"]


def layer_of(keras: Any, kind: str, **arguments: Any) -> Any:
    return hub.KerasLayer(published(kind), keras=keras, **arguments)


def model_of(keras: Any, layer: Any, shape: tuple = (3,), dtype: str = "float32") -> Any:
    """A Sequential model of an input, the layer, and a Dense with weights that are always the same."""
    head = keras.layers.Dense(1, kernel_initializer="ones")
    return keras.Sequential([keras.Input(shape, dtype=dtype), layer, head])


def trained(model: Any, inputs: Any = ROWS, targets: Any = TARGETS, epochs: int = 1, optimizer: str = "sgd") -> Any:
    """The model, compiled unless it is, after some steps on all inputs."""
    if not getattr(model, "optimizer", None):
        model.compile(optimizer, "mse")
    model.fit(inputs, targets, epochs=epochs, batch_size=len(targets), shuffle=False, verbose=0)
    return model


def answers(model: Any, inputs: Any = ROWS) -> np.ndarray:
    return np.asarray(model(inputs, training=False))


def values(layer: Any) -> dict[str, np.ndarray]:
    """The values of the module's variables by their names."""
    module = layer.resolved_object
    return {name: variable.numpy() for name, variable in zip(module.variable_names, module.variables, strict=True)}
