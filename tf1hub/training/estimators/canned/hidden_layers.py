"""The network of a DNN Estimator: feature columns, fully connected layers, logits."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf1hub.tensorflow_private import provide_tf_layers
from tf1hub.training.estimators.canned.activation_summaries import summarize_activations
from tf1hub.training.estimators.mode_keys import ModeKeys

_BATCH_NORM_MOMENTUM = 0.999
_SMALLEST_INPUT_SLICE = 64 << 20


@dataclass(frozen=True)
class HiddenLayers:
    """What a DNN Estimator's arguments say of its network."""

    units: Sequence[int]
    feature_columns: Iterable[Any]
    activation_fn: Callable[[Any], Any] | None
    dropout: float | None
    batch_norm: bool
    input_layer_partitioner: Any

    def logits(self, features: Any, mode: Any, dimension: int, parameter_servers: int) -> Any:
        """The logits, float32 [batch, dimension], in the current variable scope, which partitions the layers."""
        training = mode == ModeKeys.TRAIN
        with tf.compat.v1.variable_scope(
            "input_from_feature_columns", partitioner=self._partitioner(parameter_servers)
        ):
            values = tf.compat.v1.feature_column.input_layer(features, self.feature_columns)
        for number, units in enumerate(self.units):
            with tf.compat.v1.variable_scope(f"hiddenlayer_{number}") as scope:
                values = _dense(values, units)
                values = values if self.activation_fn is None else self.activation_fn(values)
                if self.dropout is not None and training:
                    values = tf.nn.dropout(values, rate=self.dropout)
                if self.batch_norm:
                    values = _normalized(values, f"batchnorm_{number}", training)
            summarize_activations(scope.name, values)
        with tf.compat.v1.variable_scope("logits") as scope:
            logits = _dense(values, dimension)
        summarize_activations(scope.name, logits)
        return logits

    def _partitioner(self, parameter_servers: int) -> Any:
        return self.input_layer_partitioner or tf.compat.v1.min_max_variable_partitioner(
            max_partitions=parameter_servers, min_slice_size=_SMALLEST_INPUT_SLICE
        )


def _dense(values: Any, units: int) -> Any:
    """A fully connected layer's values before the activation, [batch, units]."""
    initializer = tf.compat.v1.glorot_uniform_initializer()
    kernel = tf.compat.v1.get_variable("kernel", [values.shape[-1], units], tf.float32, initializer)
    bias = tf.compat.v1.get_variable("bias", [units], tf.float32, tf.compat.v1.zeros_initializer())
    return tf.nn.bias_add(tf.matmul(values, kernel), bias)


def _normalized(values: Any, name: str, training: bool) -> Any:
    provide_tf_layers()
    layer = tf.compat.v1.layers.BatchNormalization(momentum=_BATCH_NORM_MOMENTUM, name=name)
    return layer(values, training=training)
