"""Modules with hyperparameters that matter to who fine-tunes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases import normalizing
from tests.checks.linting.cases.building import dense, rows, two_variants
from tests.checks.linting.cases.registry import breaks, keeps


def normalized(
    normalize: Callable[[Any, bool, Any], Any], momentum: Any = 0.9, shape: tuple = (None, 4)
) -> hub.ModuleSpec:
    """A module with a normalization that is built in, and one signature."""

    def module_fn(is_training: bool) -> None:
        x = tf.placeholder(tf.float32, shape)
        y = normalize(x, is_training, momentum() if callable(momentum) else momentum)
        hub.add_signature(inputs=x, outputs=dense(tf.reduce_mean(y, [1, 2]) if len(shape) == 4 else y, 2))

    return two_variants(module_fn)


@breaks("hyperparameters-hidden")
def raw_momentum_built_in(folder: Path) -> Any:
    return normalized(normalizing.raw)


@breaks("hyperparameters-hidden")
def layers_momentum_built_in(folder: Path) -> Any:
    return normalized(normalizing.layers, shape=(None, 4, 4, 2))


@breaks("hyperparameters-hidden")
def keras_momentum_built_in(folder: Path) -> Any:
    return normalized(normalizing.keras)


@breaks("hyperparameters-hidden", needs="tf_slim.batch_norm")
def slim_momentum_built_in(folder: Path) -> Any:
    return normalized(normalizing.slim, shape=(None, 4, 4, 2))


@breaks("hyperparameters-hidden")
def momentum_of_a_placeholder_in_no_signature(folder: Path) -> Any:
    return normalized(normalizing.raw, lambda: tf.placeholder_with_default(0.9, []))


@keeps("hyperparameters-hidden")
def raw_momentum_exposed(folder: Path) -> Any:
    return normalizing.module_with(normalizing.raw)


@keeps("hyperparameters-hidden")
def layers_momentum_exposed(folder: Path) -> Any:
    return normalizing.image_module_with(normalizing.layers)


@keeps("hyperparameters-hidden")
def keras_momentum_exposed(folder: Path) -> Any:
    return normalizing.module_with(normalizing.keras)


@keeps("hyperparameters-hidden", needs="tf_slim.batch_norm")
def slim_momentum_exposed(folder: Path) -> Any:
    return normalizing.image_module_with(normalizing.slim)


@keeps("hyperparameters-hidden")
def just_the_rate_of_dropout_exposed(folder: Path) -> Any:
    def module_fn(is_training: bool) -> None:
        x, rate = rows(), tf.placeholder_with_default(0.1 if is_training else 0.0, [], name="dropout_rate")
        hidden = normalizing.raw(dense(x, 8, "hidden"), is_training, 0.9)
        outputs = dense(tf.nn.dropout(hidden, rate=rate), 2, "logits")
        hub.add_signature(inputs=x, outputs=outputs)
        hub.add_signature("hyperparameters", {"default": x, "dropout_rate": rate}, outputs)

    return two_variants(module_fn)


@keeps("hyperparameters-hidden")
def layer_normalization(folder: Path) -> Any:
    """It has no averages, so there is no momentum."""

    def norm(x: Any, is_training: bool, momentum: Any) -> Any:
        mean, variance = tf.nn.moments(x, [1], keepdims=True)
        return (x - mean) * tf.rsqrt(variance + 1e-6)

    return normalized(norm)
