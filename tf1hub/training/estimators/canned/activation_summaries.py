"""What TensorBoard shows of a layer's outputs."""

from typing import Any

import tensorflow as tf


def summarize_activations(layer: str, values: Any) -> None:
    """How many of the values are zero, and their distribution."""
    tf.compat.v1.summary.scalar(f"{layer}/fraction_of_zero_values", tf.nn.zero_fraction(values))
    tf.compat.v1.summary.histogram(f"{layer}/activation", values)
