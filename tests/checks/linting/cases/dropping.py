"""Dropout in the spellings of several libraries, and modules with it, for the cases about it."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, rows, two_variants


def exposed_rate(default: float) -> Any:
    return tf.placeholder_with_default(default, [], name="dropout_rate")


def add_signatures(x: Any, rate: Any, outputs: Any) -> None:
    """The `default` signature, and one with the rate as a further input."""
    hub.add_signature(inputs=x, outputs=outputs)
    hub.add_signature("hyperparameters", {"default": x, "dropout_rate": rate}, outputs)


def two_layers(x: Any, drop: Callable[[Any], Any]) -> Any:
    """Two dense layers with something between them."""
    return dense(drop(dense(x, 8, "hidden")), 2, "logits")


def with_inference(drop: Callable[[Any], Any]) -> hub.ModuleSpec:
    """A module whose variant for training is well-behaved, and that has `drop` in the one for inference."""

    def module_fn(is_training: bool) -> None:
        x, rate = rows(), exposed_rate(0.1 if is_training else 0.0)
        add_signatures(x, rate, two_layers(x, (lambda y: tf.nn.dropout(y, rate=rate)) if is_training else drop))

    return two_variants(module_fn)


def with_training(drop: Callable[[Any], Any]) -> hub.ModuleSpec:
    """A module that has `drop` in the variant for training, before a dropout whose rate is exposed."""

    def module_fn(is_training: bool) -> None:
        x, rate = rows(), exposed_rate(0.1 if is_training else 0.0)
        outputs = two_layers(x, drop if is_training else tf.identity)
        add_signatures(x, rate, tf.nn.dropout(outputs, rate=rate))

    return two_variants(module_fn)


def old_dropout(x: Any, keep_prob: Any) -> Any:
    """What `tf.nn.dropout` was made of before TensorFlow 1.13."""
    return tf.div(x, keep_prob) * tf.floor(keep_prob + tf.random_uniform(tf.shape(x)))


def dropout_of_2019(x: Any, rate: Any) -> Any:
    """What it was made of in TensorFlow 1.14."""
    kept = tf.random_uniform(tf.shape(x)) >= rate
    return x * (1 / (1 - rate)) * tf.cast(kept, x.dtype)


def slim_dropout(x: Any, **options: Any) -> Any:
    import tf_slim

    return tf_slim.dropout(x, **options)


def layers_dropout(x: Any, **options: Any) -> Any:
    return tf.layers.dropout(x, **options)


def switched(x: Any, by_default: bool) -> Any:
    is_training = tf.placeholder_with_default(by_default, [], name="is_training")
    return tf.cond(is_training, lambda: tf.nn.dropout(x, rate=0.4), lambda: tf.identity(x))


def hiding(drop: Callable[[Any], Any]) -> hub.ModuleSpec:
    """A module with `drop` in the variant for training and one signature."""

    def module_fn(is_training: bool) -> None:
        x = rows()
        hub.add_signature(inputs=x, outputs=two_layers(x, drop if is_training else tf.identity))

    return two_variants(module_fn)
