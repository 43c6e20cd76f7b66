"""The network of a linear Estimator: a weight for each value of the feature columns, and a bias."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

_SMALLEST_SLICE = 64 << 20


@dataclass(frozen=True)
class LinearLayer:
    """What a linear Estimator's arguments say of its network."""

    feature_columns: Sequence[Any]
    sparse_combiner: str

    def learning_rate(self, highest: float) -> float:
        """The learning rate of an optimizer given by name: the more columns there are, the smaller."""
        if not self.feature_columns:
            raise ValueError("There are no feature columns. Give one or more.")
        return min(highest, 1 / math.sqrt(len(self.feature_columns)))

    def logits(self, features: Any, dimension: int) -> Any:
        """The logits, float32 [batch, dimension], in the current variable scope, which partitions the weights."""
        made: dict[Any, Any] = {}
        with warnings.catch_warnings():
            # TensorFlow warns of what it calls itself.
            warnings.filterwarnings("ignore", r"`layer\.add_variable` is deprecated")
            logits = tf.compat.v1.feature_column.linear_model(
                features, self.feature_columns, dimension, self.sparse_combiner, cols_to_vars=made
            )
        bias = tf.concat([tf.convert_to_tensor(part) for part in made.pop("bias")], 0)
        if dimension == 1:
            tf.compat.v1.summary.scalar("bias", bias[0])
        else:
            tf.compat.v1.summary.histogram("bias", bias)
        weights = [part for parts in made.values() for part in tf.nest.flatten(parts)]
        tf.compat.v1.summary.scalar("fraction_of_zero_weights", _zero_fraction(weights))
        return logits


def linear_partitioner(partitioner: Any, parameter_servers: int) -> Any:
    """How the weights are divided: as asked, or among parameter servers, in parts of 64 MiB or more."""
    return partitioner or tf.compat.v1.min_max_variable_partitioner(
        max_partitions=parameter_servers, min_slice_size=_SMALLEST_SLICE
    )


def _zero_fraction(variables: Sequence[Any]) -> Any:
    with tf.compat.v1.name_scope("zero_fraction"):
        sizes = [tf.cast(tf.size(variable), tf.float32) for variable in variables]
        zeros = [tf.nn.zero_fraction(variable) * size for variable, size in zip(variables, sizes, strict=True)]
        return tf.add_n(zeros) / tf.add_n(sizes)
