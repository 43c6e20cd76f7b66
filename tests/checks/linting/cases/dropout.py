"""Modules with dropout, in the forms in which it is published."""

from pathlib import Path
from typing import Any

import tensorflow as tf2
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, rows, two_variants
from tests.checks.linting.cases.dropping import (
    add_signatures,
    dropout_of_2019,
    exposed_rate,
    hiding,
    layers_dropout,
    old_dropout,
    slim_dropout,
    switched,
    two_layers,
    with_inference,
    with_training,
)
from tests.checks.linting.cases.registry import breaks, keeps
from tests.kerases import KERAS_TWO
from tests.module_fns.registry import control_flow_v1, control_flow_v2


@breaks("dropout-in-inference")
def new_form(folder: Path) -> Any:
    return with_inference(lambda x: tf.nn.dropout(x, rate=0.3))


@breaks("dropout-in-inference")
def old_form(folder: Path) -> Any:
    return with_inference(lambda x: old_dropout(x, 0.7))


@breaks("dropout-in-inference")
def form_of_2019(folder: Path) -> Any:
    return with_inference(lambda x: dropout_of_2019(x, tf.constant(0.3)))


@breaks("dropout-in-inference")
def rate_with_a_default(folder: Path) -> Any:
    def module_fn(is_training: bool) -> None:
        x, rate = rows(), exposed_rate(0.1)
        add_signatures(x, rate, two_layers(x, lambda y: tf.nn.dropout(y, rate=rate)))

    return two_variants(module_fn)


@breaks("dropout-in-inference")
def mask_for_whole_columns(folder: Path) -> Any:
    return with_inference(lambda x: tf.nn.dropout(x, rate=0.3, noise_shape=[1, 8]))


@breaks("dropout-in-inference")
def mask_scaled_instead_of_values(folder: Path) -> Any:
    return with_inference(lambda x: x * (tf.floor(0.7 + tf.random_uniform(tf.shape(x))) / 0.7))


@breaks("dropout-in-inference")
def stateless(folder: Path) -> Any:
    return with_inference(lambda x: tf2.nn.experimental.stateless_dropout(x, rate=0.3, seed=[1, 2]))


@breaks("dropout-in-inference", needs="tf_slim")
def slim(folder: Path) -> Any:
    return with_inference(lambda x: slim_dropout(x, keep_prob=0.8, is_training=True))


@breaks("dropout-in-inference", needs="tf_keras")
def layers(folder: Path) -> Any:
    return with_inference(lambda x: layers_dropout(x, rate=0.3, training=True))


@breaks("dropout-in-inference")
def keras(folder: Path) -> Any:
    return with_inference(lambda x: KERAS_TWO.layers.Dropout(0.3)(x, training=True))


@breaks("dropout-in-inference")
def keras_alpha(folder: Path) -> Any:
    return with_inference(lambda x: KERAS_TWO.layers.AlphaDropout(0.3)(x, training=True))


@breaks("dropout-in-inference")
def keras_gaussian(folder: Path) -> Any:
    return with_inference(lambda x: KERAS_TWO.layers.GaussianDropout(0.3)(x, training=True))


@breaks("dropout-in-inference")
def in_a_function(folder: Path) -> Any:
    return with_inference(tf.function(lambda x: tf.nn.dropout(x, rate=0.3), autograph=False))


@breaks("dropout-in-inference")
def in_a_loop(folder: Path) -> Any:
    with control_flow_v1():
        return with_inference(_dropped_in_a_loop)


@breaks("dropout-in-inference")
def in_a_loop_of_functions(folder: Path) -> Any:
    with control_flow_v2():
        return with_inference(_dropped_in_a_loop)


def _dropped_in_a_loop(x: Any) -> Any:
    """As `DropoutWrapper` with `variational_recurrent` does it: the noise is the same in each round."""
    keep, noise = tf.constant(0.6), tf.random_uniform(tf.shape(x))
    step = lambda i, y: (i + 1, tf.div(y, keep) * tf.floor(keep + noise))  # noqa: E731
    return tf.while_loop(lambda i, _: i < 3, step, [0, x])[1]


@breaks("dropout-in-inference")
def switched_on(folder: Path) -> Any:
    with control_flow_v1():
        return with_inference(lambda x: switched(x, True))


@breaks("dropout-in-inference")
def switched_on_with_functions(folder: Path) -> Any:
    with control_flow_v2():
        return with_inference(lambda x: switched(x, True))


@keeps("dropout-in-inference")
def switched_off(folder: Path) -> Any:
    with control_flow_v1():
        return with_inference(lambda x: switched(x, False))


@keeps("dropout-in-inference")
def switched_off_with_functions(folder: Path) -> Any:
    with control_flow_v2():
        return with_inference(lambda x: switched(x, False))


@keeps("dropout-in-inference")
def rate_of_zero_that_can_be_fed(folder: Path) -> Any:
    def module_fn(is_training: bool) -> None:
        x, rate = rows(), exposed_rate(0.1 if is_training else 0.0)
        add_signatures(x, rate, two_layers(x, lambda y: tf.nn.dropout(y, rate=rate)))

    return two_variants(module_fn)


@keeps("dropout-in-inference")
def old_form_that_keeps_all(folder: Path) -> Any:
    def module_fn(is_training: bool) -> None:
        x, keep_prob = rows(), tf.placeholder_with_default(0.9 if is_training else 1.0, [])
        outputs = two_layers(x, lambda y: old_dropout(y, keep_prob))
        hub.add_signature(inputs=x, outputs=outputs)
        hub.add_signature("hyperparameters", {"default": x, "keep_prob": keep_prob}, outputs)

    return two_variants(module_fn)


@keeps("dropout-in-inference")
def signature_for_training(folder: Path) -> Any:
    def module_fn(is_training: bool) -> None:
        x, rate = rows(), exposed_rate(0.1)
        outputs = dense(x, 2)
        hub.add_signature(inputs=x, outputs=outputs)
        hub.add_signature("training", {"default": x, "dropout_rate": rate}, tf.nn.dropout(outputs, rate=rate))

    return two_variants(module_fn)


@keeps("dropout-in-inference", needs="tf_keras")
def layers_without_training(folder: Path) -> Any:
    return with_inference(lambda x: layers_dropout(x, rate=0.3, training=False))


@keeps("dropout-in-inference")
def sampling(folder: Path) -> Any:
    """Units that are on or off, with a chance that is computed, and scaled by it."""

    def sample(x: Any) -> Any:
        chance = tf.sigmoid(x)
        return tf.cast(tf.random_uniform(tf.shape(x)) < chance, tf.float32) * chance

    return with_inference(sample)


@keeps("dropout-in-inference")
def random_flips(folder: Path) -> Any:
    """Half of the rows, in the other direction."""

    def flipped(x: Any) -> Any:
        flips = tf.floor(0.5 + tf.random_uniform([tf.shape(x)[0], 1]))
        return flips * tf.reverse(x, [1]) + (1 - flips) * x

    return with_inference(flipped)


@keeps("dropout-in-inference")
def gumbel_noise(folder: Path) -> Any:
    return with_inference(lambda x: x - tf.log(-tf.log(tf.random_uniform(tf.shape(x), 1e-6, 1.0))))


@keeps("dropout-in-inference")
def random_brightness(folder: Path) -> Any:
    return with_inference(lambda x: x * tf.random_normal([tf.shape(x)[0], 1], 1.0, 0.1))


@keeps("dropout-in-inference")
def reparametrized_normal(folder: Path) -> Any:
    return with_inference(lambda x: x + tf.exp(x) * tf.random_normal(tf.shape(x)))


@breaks("dropout-missing-in-training", needs="tf_keras")
def layers_built_for_inference(folder: Path) -> Any:
    return with_training(lambda x: layers_dropout(x, rate=0.3, training=False))


@breaks("dropout-missing-in-training", needs="tf_slim")
def slim_built_for_inference(folder: Path) -> Any:
    return with_training(lambda x: slim_dropout(x, keep_prob=0.8, is_training=False, scope="Dropout_1b"))


@breaks("dropout-missing-in-training")
def keras_built_for_inference(folder: Path) -> Any:
    return with_training(lambda x: KERAS_TWO.layers.SpatialDropout1D(0.3)(x[:, None], training=False)[:, 0])


@breaks("dropout-missing-in-training")
def switched_off_for_training(folder: Path) -> Any:
    with control_flow_v1():
        return with_training(_switched_off_in_a_scope)


@breaks("dropout-missing-in-training")
def switched_off_for_training_with_functions(folder: Path) -> Any:
    with control_flow_v2():
        return with_training(_switched_off_in_a_scope)


def _switched_off_in_a_scope(x: Any) -> Any:
    with tf.name_scope("attention_dropout"):
        return switched(x, False)


@keeps("dropout-missing-in-training", needs="tf_keras")
def layers_built_for_training(folder: Path) -> Any:
    return with_training(lambda x: layers_dropout(x, rate=0.3, training=True))


@keeps("dropout-missing-in-training", needs="tf_slim")
def slim_built_for_training(folder: Path) -> Any:
    return with_training(lambda x: slim_dropout(x, keep_prob=0.8, is_training=True, scope="Dropout_1b"))


@keeps("dropout-missing-in-training")
def scope_of_the_rate(folder: Path) -> Any:
    def module_fn(is_training: bool) -> None:
        x = rows()
        with tf.name_scope("dropout_rate"):
            rate = 1 - tf.placeholder_with_default(0.9 if is_training else 1.0, [], name="keep_prob")
        outputs = two_layers(x, lambda y: tf.nn.dropout(y, rate=rate, name="between"))
        hub.add_signature(inputs=x, outputs=outputs)
        keep_prob = rate.graph.get_tensor_by_name("dropout_rate/keep_prob:0")
        hub.add_signature("hyperparameters", {"default": x, "keep_prob": keep_prob}, outputs)

    return two_variants(module_fn)


@keeps("dropout-missing-in-training")
def noise_of_its_own_kind(folder: Path) -> Any:
    """Values that are replaced by others at random, in a scope with dropout's name."""

    def shuffled(x: Any) -> Any:
        with tf.name_scope("dropout"):
            return tf.where(tf.random_uniform([tf.shape(x)[0]]) < 0.1, tf.reverse(x, [0]), x)

    return with_training(shuffled)


@breaks("dropout-rate")
def most_is_dropped(folder: Path) -> Any:
    return with_training(lambda x: tf.nn.dropout(x, rate=0.9))


@breaks("dropout-rate")
def old_form_with_the_rate_as_keep_prob(folder: Path) -> Any:
    return with_training(lambda x: old_dropout(x, 0.1))


@breaks("dropout-rate")
def keras_drops_most(folder: Path) -> Any:
    return with_training(lambda x: KERAS_TWO.layers.Dropout(0.8)(x, training=True))


@breaks("dropout-rate")
def hardly_anything_is_dropped(folder: Path) -> Any:
    return with_training(lambda x: tf.nn.dropout(x, rate=0.001))


@keeps("dropout-rate")
def usual_rate(folder: Path) -> Any:
    return with_training(lambda x: tf.nn.dropout(x, rate=0.5))


@keeps("dropout-rate")
def old_form_that_keeps_most(folder: Path) -> Any:
    return with_training(lambda x: old_dropout(x, 0.9))


@keeps("dropout-rate")
def stochastic_depth(folder: Path) -> Any:
    """Rates that grow from block to block."""

    def blocks(x: Any) -> Any:
        for rate in (0.0125, 0.1, 0.2):
            x = x + tf.nn.dropout(tf.nn.relu(x), rate=rate, noise_shape=[tf.shape(x)[0], 1])
        return x

    return with_training(blocks)


@keeps("dropout-rate")
def unusual_rate_that_can_be_fed(folder: Path) -> Any:
    def module_fn(is_training: bool) -> None:
        x, rate = rows(), exposed_rate(0.8 if is_training else 0.0)
        add_signatures(x, rate, two_layers(x, lambda y: tf.nn.dropout(y, rate=rate)))

    return two_variants(module_fn)


@breaks("dropout-rate-hidden")
def built_in(folder: Path) -> Any:
    return hiding(lambda x: tf.nn.dropout(x, rate=0.3))


@breaks("dropout-rate-hidden")
def old_form_built_in(folder: Path) -> Any:
    return hiding(lambda x: old_dropout(x, 0.7))


@breaks("dropout-rate-hidden")
def placeholder_in_no_signature(folder: Path) -> Any:
    return hiding(lambda x: tf.nn.dropout(x, rate=exposed_rate(0.3)))


@breaks("dropout-rate-hidden")
def keras_built_in(folder: Path) -> Any:
    return hiding(lambda x: KERAS_TWO.layers.Dropout(0.3)(x, training=True))


@breaks("dropout-rate-hidden", needs="tf_keras")
def rnn_cells(folder: Path) -> Any:
    def module_fn(is_training: bool) -> None:
        x = tf.placeholder(tf.float32, [None, 5, 4], name="sequences")
        cell = tf.nn.rnn_cell.BasicRNNCell(8)
        if is_training:
            keep = {"input_keep_prob": 0.8, "state_keep_prob": 0.6, "output_keep_prob": 0.7}
            cell = tf.nn.rnn_cell.DropoutWrapper(cell, **keep)
        states, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
        hub.add_signature(inputs=x, outputs=dense(states[:, -1], 2))

    return two_variants(module_fn)


@keeps("dropout-rate-hidden")
def rate_computed_from_an_input(folder: Path) -> Any:
    def module_fn(is_training: bool) -> None:
        x, keep_prob = rows(), tf.placeholder_with_default(0.8 if is_training else 1.0, [], name="keep_prob")
        outputs = two_layers(x, lambda y: tf.nn.dropout(y, rate=tf.maximum(1 - keep_prob, 0.0)))
        hub.add_signature(inputs=x, outputs=outputs)
        hub.add_signature("hyperparameters", {"default": x, "keep_prob": keep_prob}, outputs)

    return two_variants(module_fn)


@keeps("dropout-rate-hidden")
def rate_exposed_in_a_loop(folder: Path) -> Any:
    def module_fn(is_training: bool) -> None:
        x, rate = rows(), exposed_rate(0.1 if is_training else 0.0)
        step = lambda i, y: (i + 1, tf.nn.dropout(y, rate=rate))  # noqa: E731
        add_signatures(x, rate, two_layers(x, lambda y: tf.while_loop(lambda i, _: i < 3, step, [0, y])[1]))

    with control_flow_v2():
        return two_variants(module_fn)
