"""Values of plain Python, which Keras takes for nests of inputs where programs mean one input."""

from typing import Any

import tensorflow as tf


def is_plain(value: Any) -> bool:
    """Whether it is a number, a text, or a list of those, nested or not: one input, and no tensor yet."""
    if isinstance(value, tf.compat.v1.SparseTensorValue | tf.compat.v1.ragged.RaggedTensorValue):
        return True
    if isinstance(value, list | tuple):
        return all(is_plain(item) for item in value)
    return isinstance(value, str | bytes | bool | int | float)
