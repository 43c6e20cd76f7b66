"""Which optimizer a canned Estimator trains with: by name, as an instance, or made by a function in the graph."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

_BY_NAME: dict[str, Callable[[float], Any]] = {
    "Adagrad": tf.compat.v1.train.AdagradOptimizer,
    "Adam": tf.compat.v1.train.AdamOptimizer,
    "Ftrl": tf.compat.v1.train.FtrlOptimizer,
    "RMSProp": tf.compat.v1.train.RMSPropOptimizer,
    "SGD": tf.compat.v1.train.GradientDescentOptimizer,
}


def optimizer_from(optimizer: Any, learning_rate: float) -> Any:
    """The optimizer that an Estimator's argument speaks of.

    Args:
      optimizer: one of the names above, a `tf.compat.v1.train.Optimizer`, or a function without arguments that makes one.
      learning_rate: the learning rate of an optimizer that is given by name.

    Raises:
      ValueError: an unknown name, or no optimizer of TensorFlow 1.
    """
    if isinstance(optimizer, str):
        if optimizer not in _BY_NAME:
            raise ValueError(f"There is no optimizer {optimizer!r}. Those known by name: {', '.join(_BY_NAME)}.")
        return _BY_NAME[optimizer](learning_rate)
    made = optimizer() if callable(optimizer) else optimizer
    if not isinstance(made, tf.compat.v1.train.Optimizer):
        raise ValueError(
            f"The optimizer is {made!r}, which is not a tf.compat.v1.train.Optimizer. Pass one, such as"
            f" tf.compat.v1.train.AdamOptimizer(0.001), or a name: {', '.join(_BY_NAME)}. Keras's optimizers cannot train a"
            " canned Estimator."
        )
    return made
