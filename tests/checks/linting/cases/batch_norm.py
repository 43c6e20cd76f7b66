"""Modules that break or keep the rules about batch normalization."""

from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases import normalizing
from tests.checks.linting.cases.building import dense, one_variant, rows, two_variants
from tests.checks.linting.cases.normalizing import averages, image_module_with, module_with, scaled
from tests.checks.linting.cases.registry import breaks, keeps
from tests.module_fns.registry import control_flow_v1

MOMENTUM = "batch-norm-momentum"
NOT_UPDATED = "batch-norm-averages-not-updated"
IN_INFERENCE = "batch-norm-updates-in-inference"
BATCH_STATISTICS = "batch-norm-batch-statistics"
TRAINABLE = "batch-norm-averages-trainable"


@breaks(MOMENTUM)
def layers_fused(folder: Path) -> hub.ModuleSpec:
    return image_module_with(normalizing.layers, momentum=0.999)


@breaks(MOMENTUM)
def layers_of_rows(folder: Path) -> hub.ModuleSpec:
    return module_with(normalizing.layers, momentum=0.997)


@breaks(MOMENTUM, needs="tf_slim.batch_norm")
def slim(folder: Path) -> hub.ModuleSpec:
    return image_module_with(normalizing.slim, momentum=0.9997)


@breaks(MOMENTUM)
def keras(folder: Path) -> hub.ModuleSpec:
    return module_with(normalizing.keras, momentum=0.995)


@breaks(MOMENTUM)
def raw(folder: Path) -> hub.ModuleSpec:
    return module_with(normalizing.raw, momentum=0.999)


@breaks(MOMENTUM)
def switched_on_in_a_branch_of_tf1(folder: Path) -> hub.ModuleSpec:
    """The momentum is 1 where the switch is off, which is no momentum; 0.999 is."""

    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        with control_flow_v1():
            return normalizing.layers(x, tf.placeholder_with_default(training, [], name="training"), momentum)

    return image_module_with(normalize, momentum=0.999)


@keeps(MOMENTUM)
def layers_of_ninety_nine_hundredths(folder: Path) -> hub.ModuleSpec:
    return image_module_with(normalizing.layers, momentum=0.99)


@keeps(MOMENTUM)
def slow_averages_of_weights(folder: Path) -> hub.ModuleSpec:
    """An average that follows weights with 0.9999 is none of a batch normalization."""

    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        weights = tf.get_variable("weights", [4, 4])
        average = tf.get_variable("average", [4, 4], trainable=False, initializer=tf.zeros_initializer())
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(weights))
        if training:
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, average.assign_sub((average - weights) * 0.0001).op)
        return normalizing.raw(x @ (weights if training else average), training, momentum)

    return module_with(normalize)


@breaks(NOT_UPDATED)
def updates_of_keras_not_collected(folder: Path) -> hub.ModuleSpec:
    """The other rule about nodes that nothing needs does not say to leave them out."""
    from tests.kerases import KERAS_TWO

    return module_with(lambda x, training, momentum: KERAS_TWO.layers.BatchNormalization()(x, training=training))


@breaks(NOT_UPDATED, needs="tf_slim.batch_norm")
def updates_of_slim_not_collected(folder: Path) -> hub.ModuleSpec:
    """The other rule about nodes that nothing needs does not say to leave them out."""

    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        y = normalizing.slim(x, training, momentum)
        tf.get_default_graph().clear_collection(tf.GraphKeys.UPDATE_OPS)
        return y

    return image_module_with(normalize)


@breaks(NOT_UPDATED)
def averages_without_updates(folder: Path) -> hub.ModuleSpec:
    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        mean, variance = averages(4)
        return scaled(x, *(tf.nn.moments(x, [0]) if training else (mean, variance)))

    return module_with(normalize)


@keeps(NOT_UPDATED)
def averages_frozen_in_training(folder: Path) -> hub.ModuleSpec:
    return image_module_with(lambda x, training, momentum: normalizing.layers(x, False, momentum))


@keeps(NOT_UPDATED)
def statistics_behind_a_switch_that_no_caller_reaches(folder: Path) -> hub.ModuleSpec:
    """Such as the learning phase of Keras: the averages are taken in training, too."""

    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        switch = tf.placeholder_with_default(False, [], name="learning_phase")
        chosen = averages(4)
        return scaled(x, *tf.cond(switch, lambda: tf.nn.moments(x, [0]), lambda: tuple(map(tf.identity, chosen))))

    return module_with(normalize)


@keeps(NOT_UPDATED, needs="tf_slim.batch_norm")
def updates_that_outputs_wait_for(folder: Path) -> hub.ModuleSpec:
    return image_module_with(lambda *arguments: _awaited(normalizing.slim(*arguments)))


def _awaited(y: Any) -> Any:
    """The same value, computed after the updates, which are in no collection then."""
    with tf.control_dependencies(tf.get_collection_ref(tf.GraphKeys.UPDATE_OPS)):
        y = tf.identity(y)
    tf.get_default_graph().clear_collection(tf.GraphKeys.UPDATE_OPS)
    return y


@breaks(MOMENTUM)
def averages_over_virtual_batches(folder: Path) -> hub.ModuleSpec:
    """The averages follow the mean of the statistics that the parts of a batch have."""
    return module_with(_of_virtual_batches, momentum=0.999)


@keeps(NOT_UPDATED)
def updates_over_virtual_batches(folder: Path) -> hub.ModuleSpec:
    return module_with(_of_virtual_batches)


def _of_virtual_batches(x: Any, training: Any, momentum: Any) -> Any:
    mean, variance = averages(4)
    if not training:
        return scaled(x, mean, variance)
    parts = tf.reshape(x, [2, -1, 4])
    moments = tf.nn.moments(parts, [0], keepdims=True)
    for average, value in zip((mean, variance), moments, strict=True):
        update = average.assign_sub((average - tf.reduce_mean(value, [0, 1])) * (1.0 - momentum))
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update.op)
    return tf.reshape(scaled(parts, *moments), [-1, 4])


@keeps(NOT_UPDATED)
def renormalized(folder: Path) -> hub.ModuleSpec:
    """The variance is not moved but computed from the average of another variable."""

    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        return tf.layers.batch_normalization(
            x, training=training, momentum=momentum, renorm=True, renorm_momentum=momentum
        )

    return image_module_with(normalize)


@keeps(NOT_UPDATED)
def layer_normalization(folder: Path) -> hub.ModuleSpec:
    """It takes an example's own statistics, and Keras computes it with the fused op for batch normalization."""
    from tests.kerases import KERAS_TWO

    def module_fn() -> None:
        x = rows()
        hub.add_signature(inputs=x, outputs=dense(KERAS_TWO.layers.LayerNormalization()(dense(x, 4)), 3, "last"))

    return one_variant(module_fn)


def _updating(x: Any, training: bool, momentum: Any) -> Any:
    """Normalizes with the averages, but moves them in either variant."""
    mean, variance = averages(4)
    batch_mean, batch_variance = tf.nn.moments(x, [0])
    for average, value in ((mean, batch_mean), (variance, batch_variance)):
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, average.assign_sub((average - value) * (1.0 - momentum)).op)
    return scaled(x, *((batch_mean, batch_variance) if training else (mean, variance)))


@breaks(IN_INFERENCE)
def moves_the_averages_that_it_applies(folder: Path) -> hub.ModuleSpec:
    return module_with(_updating)


@breaks(IN_INFERENCE)
def outputs_wait_for_updates(folder: Path) -> hub.ModuleSpec:
    return module_with(lambda *arguments: _awaited(_updating(*arguments)))


@keeps(IN_INFERENCE)
def updates_that_are_switched_off(folder: Path) -> hub.ModuleSpec:
    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        return normalizing.layers(x, tf.placeholder_with_default(training, [], name="training"), momentum)

    return image_module_with(normalize)


@keeps(IN_INFERENCE)
def updates_that_are_switched_off_in_tf1(folder: Path) -> hub.ModuleSpec:
    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        with control_flow_v1():
            return normalizing.layers(x, tf.placeholder_with_default(training, [], name="training"), momentum)

    return module_with(normalize)


@breaks(BATCH_STATISTICS, also=(IN_INFERENCE,))
def layers_of_a_training_graph(folder: Path) -> hub.ModuleSpec:
    """A variant for inference that was built as one for training has its updates, too."""
    return image_module_with(lambda x, training, momentum: normalizing.layers(x, True, momentum))


@breaks(BATCH_STATISTICS)
def batch_statistics_of_rows(folder: Path) -> hub.ModuleSpec:
    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        if training:
            return normalizing.raw(x, training, momentum)
        averages(4)
        return scaled(x, *tf.nn.moments(x, [0]))

    return module_with(normalize)


@breaks(BATCH_STATISTICS, also=(IN_INFERENCE,), needs="tf_slim.batch_norm")
def slim_of_a_training_graph(folder: Path) -> hub.ModuleSpec:
    """Here as well."""
    return image_module_with(lambda x, training, momentum: normalizing.slim(x, True, momentum))


@keeps(BATCH_STATISTICS)
def instance_normalization(folder: Path) -> hub.ModuleSpec:
    """It takes statistics over height and width of each example."""

    def module_fn() -> None:
        x = tf.placeholder(tf.float32, [None, 4, 4, 2], name="x")
        y = scaled(x, *tf.nn.moments(x, [1, 2], keepdims=True))
        hub.add_signature(inputs=x, outputs=dense(tf.reduce_mean(y, [1, 2]), 3))

    return one_variant(module_fn)


@keeps(BATCH_STATISTICS)
def standardized_weights(folder: Path) -> hub.ModuleSpec:
    """Statistics over the first axis of weights are none of a batch."""

    def module_fn() -> None:
        x = rows()
        weights = tf.get_variable("weights", [4, 3])
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(weights))
        hub.add_signature(inputs=x, outputs=x @ scaled(weights, *tf.nn.moments(weights, [0])))

    return one_variant(module_fn)


@keeps(BATCH_STATISTICS)
def switch_that_must_be_fed(folder: Path) -> hub.ModuleSpec:
    """What it takes depends on the consumer, who has to say it."""

    def module_fn(is_training: bool) -> None:
        x = tf.placeholder(tf.float32, [None, 4, 4, 2], name="x")
        switch, momentum = tf.placeholder(tf.bool, [], name="training"), tf.placeholder_with_default(0.9, [])
        y = dense(tf.reduce_mean(normalizing.layers(x, switch, momentum), [1, 2]), 3)
        hub.add_signature(inputs={"default": x, "training": switch, "momentum": momentum}, outputs=y)

    return two_variants(module_fn)


@breaks(TRAINABLE)
def averages_created_as_weights(folder: Path) -> hub.ModuleSpec:
    return module_with(lambda *arguments: normalizing.raw(*arguments, trainable=True))


@breaks(TRAINABLE)
def fused_with_trainable_averages(folder: Path) -> hub.ModuleSpec:
    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        mean, variance = averages(2, trainable=True)
        ones = tf.ones([2])
        return tf.nn.fused_batch_norm(x, ones, ones, mean, variance, is_training=False)[0]

    return image_module_with(normalize)


@keeps(TRAINABLE)
def learned_whitening(folder: Path) -> hub.ModuleSpec:
    """A mean and a variance that nothing averages are weights like others."""

    def module_fn() -> None:
        x = rows()
        hub.add_signature(inputs=x, outputs=dense(scaled(x, *averages(4, trainable=True)), 3))

    return one_variant(module_fn)


@keeps(TRAINABLE)
def trainable_scale_and_offset(folder: Path) -> hub.ModuleSpec:
    return module_with(normalizing.raw)
