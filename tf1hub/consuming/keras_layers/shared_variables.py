"""Keras 3 variables over a module's `tf.Variable`s: one storage, so what changes one changes the other."""

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def shared_variable(keras: Any, variable: Any, name: str, layer: Any) -> Any:
    """A Keras variable with the storage of a `tf.Variable`; one of a Keras layer's is such a variable already.

    Layers that share a `tf.Variable` share the Keras variable, too: an optimizer would train two of them twice.

    Args:
      keras: the module of Keras 3.
      variable: the `tf.Variable`, or a Keras variable.
      name: the name, without slashes.
      layer: the layer that has it; its `is_trained(variable)` tells whether it trains the `tf.Variable` at the moment.

    Raises:
      RuntimeError: this Keras makes a copy of it.
    """
    if isinstance(variable, keras.Variable):
        return variable
    made = _class_for(keras)
    shared = made.known.get(id(variable))
    if shared is None:
        shared = made(variable, name)
    if shared.value is not variable:
        raise RuntimeError(
            f"Keras {keras.__version__} cannot share the storage of a tf.Variable. Update it: pip install -U keras."
        )
    made.known[id(variable)] = shared
    shared.layers.add(layer)
    shared.trainable = True
    return shared


@functools.cache
def _class_for(keras: Any) -> Any:
    class SharedVariable(keras.Variable):  # type: ignore[misc]
        """Is trained as its layers and the module say; by Keras alone it could not be frozen in the module."""

        known: Any = weakref.WeakValueDictionary()  # by the id of the tf.Variable, which lives as long as this one does

        def __init__(self, variable: Any, name: str):
            self.layers: Any = weakref.WeakSet()
            self._variable = variable
            self._losses: list[tuple[Callable[[], Any], Sequence[Any]]] = []
            super().__init__(variable, dtype=variable.dtype, autocast=False, name=name)

        @property
        def trainable(self) -> bool:
            return bool(super().trainable) and any(layer.is_trained(self._variable) for layer in self.layers)

        @trainable.setter
        def trainable(self, value: bool) -> None:
            super(SharedVariable, type(self)).trainable.__set__(self, value)

        def add_loss(self, loss: Callable[[], Any], variables: Sequence[Any]) -> None:
            """Has a function's value among the layers' losses while this is the first trained one of the variables."""
            if all(loss is not known for known, _ in self._losses):
                self._losses.append((loss, variables))

        @property
        def regularizer(self) -> Any:
            losses = [loss for loss, variables in self._losses if _first_trained(variables) is self]
            return (lambda _: tf.add_n([loss() for loss in losses])) if losses else self._regularizer

        @regularizer.setter
        def regularizer(self, value: Any) -> None:
            self._regularizer = value

    return SharedVariable


def _first_trained(variables: Sequence[Any]) -> Any:
    return next((variable for variable in variables if variable.trainable), None)
