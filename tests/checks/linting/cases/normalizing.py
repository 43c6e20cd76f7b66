"""Batch normalization in the spellings of several libraries, and modules with one, for the cases about it."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, two_variants
from tests.kerases import KERAS_TWO

Normalize = Callable[[Any, Any, Any], Any]


def module_with(normalize: Normalize, momentum: float = 0.9, shape: tuple = (None, 4)) -> hub.ModuleSpec:
    """A module whose momentum a signature exposes; `normalize(x, training, momentum)`."""

    def module_fn(is_training: bool) -> None:
        x = tf.placeholder(tf.float32, shape, name="x")
        chosen = tf.placeholder_with_default(momentum, [], name="momentum")
        y = normalize(x, is_training, chosen)
        y = dense(tf.reduce_mean(y, [1, 2]) if len(shape) == 4 else y, 3)
        hub.add_signature(inputs=x, outputs=y)
        hub.add_signature("hyperparameters", {"default": x, "momentum": chosen}, y)

    return two_variants(module_fn)


def image_module_with(normalize: Normalize, momentum: float = 0.9) -> hub.ModuleSpec:
    """The same for batches of feature maps, which fused ops normalize."""
    return module_with(normalize, momentum, (None, 4, 4, 2))


def layers(x: Any, training: Any, momentum: Any) -> Any:
    """`tf.layers`."""
    return tf.layers.batch_normalization(x, training=training, momentum=momentum)


def slim(x: Any, training: Any, momentum: Any) -> Any:
    """tf_slim."""
    import tf_slim

    return tf_slim.batch_norm(x, is_training=training, decay=momentum)


def keras(x: Any, training: Any, momentum: Any) -> Any:
    """Keras 2, whose updates a `module_fn` has to collect."""
    layer = KERAS_TWO.layers.BatchNormalization(momentum=0.9)
    layer.momentum = momentum
    y = layer(x, training=training)
    for update in layer.updates if training is not False else ():
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update)
    return y


def averages(width: int, trainable: bool = False) -> tuple[Any, Any]:
    """The averages of mean and variance."""
    mean = tf.get_variable("moving_mean", [width], initializer=tf.zeros_initializer(), trainable=trainable)
    return mean, tf.get_variable("moving_variance", [width], initializer=tf.ones_initializer(), trainable=trainable)


def scaled(x: Any, mean: Any, variance: Any) -> Any:
    """(x - mean) / sqrt(variance), with a scale and an offset."""
    gamma = tf.get_variable("gamma", [x.shape[-1]], initializer=tf.ones_initializer())
    beta = tf.get_variable("beta", [x.shape[-1]], initializer=tf.zeros_initializer())
    return (x - mean) / tf.sqrt(variance + 1e-3) * gamma + beta


def raw(x: Any, training: Any, momentum: Any, trainable: bool = False) -> Any:
    """Plain ops: the averages are assigned as a whole."""
    axes = list(range(x.shape.rank - 1))
    mean, variance = averages(x.shape[-1], trainable)
    if not training:
        return scaled(x, mean, variance)
    batch_mean = tf.reduce_mean(x, axes)
    batch_variance = tf.reduce_mean(tf.square(x), axes) - tf.square(batch_mean)
    for average, value in ((mean, batch_mean), (variance, batch_variance)):
        moved = tf.assign(average, average * momentum + value * (1.0 - momentum))
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, moved.op)
    return scaled(x, batch_mean, batch_variance)
