"""Modules for the rules about variants."""

from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, one_variant, rows, two_variants, written
from tests.checks.linting.cases.registry import breaks, keeps
from tests.graphs import started_session
from tests.module_fns import assign_values


def _normalized(x: Any, trainable: bool = True) -> Any:
    """Batch normalization for inference, without an op that moves its averages."""
    size = x.shape[-1]
    mean = tf.get_variable("moving_mean", [size], trainable=False)
    variance = tf.get_variable("moving_variance", [size], trainable=False)
    gamma, beta = (
        tf.get_variable("gamma", [size], trainable=trainable),
        tf.get_variable("beta", [size], trainable=trainable),
    )
    return tf.nn.batch_normalization(x, mean, tf.abs(variance), beta, gamma, 1e-3)


def _switched_dropout(exposed: bool) -> hub.ModuleSpec:
    """Dropout that one truth value turns on, the rate an input of the signature for hyperparameters."""

    def module_fn():
        x, rate = rows(), tf.placeholder_with_default(0.2, [], "rate")
        is_training = tf.placeholder_with_default(False, [], "is_training")
        y = tf.layers.dropout(dense(x, 3), rate=rate, training=is_training)
        switch = {"is_training": is_training} if exposed else {}
        hub.add_signature(inputs=x, outputs=y)
        hub.add_signature("hyperparameters", inputs={"rows": x, "rate": rate, **switch}, outputs=y)

    return one_variant(module_fn)


@breaks("no-training-variant")
def _dropout_that_no_caller_can_turn_on(_):
    return _switched_dropout(exposed=False)


@breaks("no-training-variant")
def _batch_norm_for_inference_alone(_):
    def module_fn():
        x = rows()
        hub.add_signature(inputs=x, outputs=_normalized(dense(x, 3)))

    return one_variant(module_fn)


@keeps("no-training-variant")
def _dropout_that_callers_turn_on(_):
    return _switched_dropout(exposed=True)


@keeps("no-training-variant")
def _frozen_batch_norm(_):
    def module_fn():
        x = rows()
        y = x @ tf.get_variable("weights", [4, 3], trainable=False)
        hub.add_signature(inputs=x, outputs=_normalized(y, trainable=False))

    return one_variant(module_fn)


def _with_more_variables(is_training: bool) -> None:
    x = rows()
    y = dense(x, 3)
    if is_training:
        y = dense(y, 3, "training_only")
    hub.add_signature(inputs=x, outputs=y)


@breaks("training-variables-missing")
def _of_a_spec(_):
    return two_variants(_with_more_variables)


@breaks("training-variables-missing")
def _on_disk(folder):
    return written(two_variants(_with_more_variables), folder)


@keeps("training-variables-missing")
def _exported_from_the_variant_that_has_all(folder: Path):
    with tf.Graph().as_default():
        module = hub.Module(two_variants(_with_more_variables), tags={"train"})
        with started_session() as session:
            assign_values(module, session)
            module.export(folder / "module", session)
    return str(folder / "module")


@keeps("training-variables-missing")
def _partitioned(folder):
    def module_fn(is_training):
        x = rows()
        with tf.variable_scope("", partitioner=tf.fixed_size_partitioner(2)):
            y = dense(x, 4)
        hub.add_signature(inputs=x, outputs=y)

    return written(two_variants(module_fn), folder)


def _signatures(inference: Any, training: Any) -> hub.ModuleSpec:
    """Variants whose signatures a function makes, of rows and what a dense layer makes of them."""

    def module_fn(is_training):
        x = rows()
        (training if is_training else inference)(x, dense(x, 3))

    return two_variants(module_fn)


def _default_alone(x: Any, y: Any) -> None:
    hub.add_signature(inputs=x, outputs=y)


def _with_features(x: Any, y: Any) -> None:
    hub.add_signature(inputs=x, outputs=y)
    hub.add_signature("features", inputs=x, outputs=tf.nn.relu(y))


@breaks("variant-signatures-differ")
def _a_signature_for_inference_alone(_):
    return _signatures(_with_features, _default_alone)


@breaks("variant-signatures-differ")
def _a_signature_for_training_alone(_):
    return _signatures(_default_alone, _with_features)


@breaks("variant-signatures-differ")
def _an_input_more(_):
    def training(x, y):
        rate = tf.placeholder_with_default(0.5, [], "scale")
        hub.add_signature(inputs={"default": x, "scale": rate}, outputs=y * rate)

    return _signatures(_default_alone, training)


@breaks("variant-signatures-differ")
def _another_width(_):
    return _signatures(_default_alone, lambda x, y: hub.add_signature(inputs=x, outputs=tf.concat([y, y], 1)))


@keeps("variant-signatures-differ")
def _a_signature_for_training_that_adds_hyperparameters(_):
    def training(x, y):
        scale = tf.placeholder_with_default(1.0, [], "scale")
        y = y * scale
        hub.add_signature(inputs=x, outputs=y)
        hub.add_signature("hyperparameters", inputs={"default": x, "scale": scale}, outputs=y)

    return _signatures(_default_alone, training)


@keeps("variant-signatures-differ")
def _sizes_that_one_variant_knows(_):
    def module_fn(is_training):
        size = 8 if is_training else None
        maps = tf.placeholder(tf.float32, [None, size, size, 5], "maps")
        hub.add_signature(inputs=maps, outputs=dense(tf.reduce_mean(maps, [1, 2]), 3))

    return two_variants(module_fn)


def _frozen(trainable_in: Any) -> hub.ModuleSpec:
    """Variants whose layer's scale may be trained in those variants that the function says."""

    def module_fn(is_training):
        x = rows()
        scale = tf.get_variable("scale", [3], trainable=trainable_in(is_training))
        hub.add_signature(inputs=x, outputs=dense(x, 3) * scale)

    return two_variants(module_fn)


@breaks("variant-trainables-differ")
def _trainable_in_training_alone(_):
    return _frozen(lambda is_training: is_training)


@breaks("variant-trainables-differ")
def _trainable_for_inference_alone(_):
    return _frozen(lambda is_training: not is_training)


@breaks("variant-trainables-differ")
def _layers_that_are_frozen_for_inference(_):
    def module_fn(is_training):
        x = rows()
        regularizer = lambda weights: 0.01 * tf.nn.l2_loss(weights)  # noqa: E731
        hub.add_signature(
            inputs=x, outputs=tf.layers.dense(x, 3, kernel_regularizer=regularizer, trainable=is_training)
        )

    return two_variants(module_fn)


@keeps("variant-trainables-differ")
def _frozen_in_both(_):
    return _frozen(lambda _: False)


@keeps("variant-trainables-differ")
def _variables_of_one_variant_alone(folder):
    """The training variant has a head that the other lacks, and the checkpoint has it."""
    return _exported_from_the_variant_that_has_all(folder)
