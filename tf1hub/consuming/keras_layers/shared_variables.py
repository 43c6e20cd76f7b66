"""Keras 3 variables over a module's `tf.Variable`s: one storage, so what changes one changes the other."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf


def shared_variable(keras: Any, variable: Any, name: str, is_trained: Callable[[], bool]) -> Any:
    """A Keras variable with the storage of a `tf.Variable`; one of a Keras layer's is such a variable already.

    Args:
      keras: the module of Keras 3.
      variable: the `tf.Variable`, or a Keras variable.
      name: the name, without slashes.
      is_trained: whether the variable is trained at the moment.

    Raises:
      RuntimeError: this Keras makes a copy of it.
    """
    if isinstance(variable, keras.Variable):
        return variable
    shared = _class_for(keras)(variable, name, is_trained)
    if shared.value is not variable:
        raise RuntimeError(
            f"Keras {keras.__version__} cannot share the storage of a tf.Variable. Update it: pip install -U keras."
        )
    return shared


@functools.cache
def _class_for(keras: Any) -> Any:
    class SharedVariable(keras.Variable):  # type: ignore[misc]
        """Is trained as the layer and the module say; by Keras alone it could not be frozen in the module."""

        def __init__(self, variable: Any, name: str, is_trained: Callable[[], bool]):
            self._is_trained = is_trained
            self._losses: list[Callable[[], Any]] = []
            super().__init__(variable, dtype=variable.dtype, autocast=False, name=name)

        @property
        def trainable(self) -> bool:
            return bool(super().trainable) and self._is_trained()

        @trainable.setter
        def trainable(self, value: bool) -> None:
            super(SharedVariable, type(self)).trainable.__set__(self, value)

        def add_loss(self, loss: Callable[[], Any]) -> None:
            """Has a function's value among the losses of the layer while the variable is trained."""
            self._losses.append(loss)
            self.regularizer = self._loss

        def _loss(self, _: Any) -> Any:
            return tf.add_n([loss() for loss in self._losses])

    return SharedVariable
