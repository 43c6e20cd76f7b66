"""Which Keras a layer is made for: the one that `tf.keras` is in this process, or the one that a program passes."""

from typing import Any

import tensorflow as tf


def chosen_keras(keras: Any = None) -> Any:
    """The Keras to use: the given module, or what `tf.keras` is.

    Raises:
      TypeError: something else than a Keras was given.
    """
    if keras is None:
        return tf.keras
    if not isinstance(getattr(getattr(keras, "layers", None), "Layer", None), type):
        raise TypeError(f"`keras` is a module such as `keras` or `tf_keras`, but got {keras!r}.")
    return keras


def is_keras_three(keras: Any) -> bool:
    """Whether it is Keras 3, not tf_keras or the Keras 2 that TensorFlow 2.15 brings."""
    return hasattr(keras, "Operation")


def check_backend(keras: Any) -> None:
    """Refuses a Keras 3 that does not run on TensorFlow.

    Raises:
      RuntimeError: it runs on something else.
    """
    backend = keras.config.backend() if is_keras_three(keras) else "tensorflow"
    if backend != "tensorflow":
        raise RuntimeError(
            f"hub.KerasLayer runs TensorFlow graphs, and this process has Keras 3 on {backend!r}. Set the environment"
            " variable KERAS_BACKEND to 'tensorflow' before Keras is imported, or pass `keras=tf_keras`."
        )
