"""Dropout is found in every form in which it is published, with its rate; other randomness is not taken for it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf2
import tensorflow.compat.v1 as tf

from tests.checks.linting.cases.dropping import dropout_of_2019, old_dropout, switched
from tests.graphs import evaluate, spec_with
from tests.kerases import KERASES
from tests.module_fns.registry import control_flow_v1, control_flow_v2
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.checks.linting.recognising.dropout import Dropout, find_dropouts

Layer = Callable[[Any], Any]

both_control_flows = pytest.mark.parametrize("control_flow", [control_flow_v1, control_flow_v2])


def dropouts_of(outputs: Layer) -> list[Dropout]:
    (variant,) = LintedModule(spec_with(outputs)).variants
    return find_dropouts(variant)


def mask(x: Any, chance: float) -> Any:
    return tf.random_uniform(tf.shape(x)) < chance


def _old_sum(x: Any) -> Any:
    return tf.raw_ops.Add(x=0.7, y=tf.raw_ops.Add(x=tf.raw_ops.Mul(x=tf.random_uniform(tf.shape(x)), y=1.0), y=0.0))


def rate() -> Any:
    return tf.placeholder_with_default(0.3, [], name="rate")


FORMS: dict[str, Layer] = {
    "new": lambda x: tf.nn.dropout(x, rate=0.3),
    "of TensorFlow 2": lambda x: tf2.nn.dropout(x, 0.3),
    "keep_prob fed": lambda x: old_dropout(x, tf.placeholder_with_default(0.7, [])),
    "old": lambda x: old_dropout(x, 0.7),
    "ops of TensorFlow 1.0": lambda x: tf.raw_ops.Mul(x=tf.raw_ops.Div(x=x, y=0.7), y=tf.floor(_old_sum(x))),
    "of 2019": lambda x: dropout_of_2019(x, 0.3),
    "of 2019, fed": lambda x: dropout_of_2019(x, rate()),
    "fed": lambda x: tf.nn.dropout(x, rate=rate()),
    "rate computed": lambda x: tf.nn.dropout(x, rate=tf.minimum(rate() * 2, 0.3)),
    "columns": lambda x: tf.nn.dropout(x, rate=0.3, noise_shape=[tf.shape(x)[0], 1]),
    "stateless": lambda x: tf2.nn.experimental.stateless_dropout(x, rate=0.3, seed=[1, 2]),
    "sampler given": lambda x: tf2.nn.experimental.general_dropout(x, 0.3, tf.random_uniform),
    "mask scaled": lambda x: x * (tf.floor(0.7 + tf.random_uniform(tf.shape(x))) / 0.7),
    "product scaled": lambda x: x * tf.cast(mask(x, 0.7), tf.float32) / 0.7,
    "what to drop": lambda x: tf.where(mask(x, 0.3), tf.zeros_like(x), x / 0.7),
    "not what to drop": lambda x: x / 0.7 * tf.cast(tf.logical_not(mask(x, 0.3)), tf.float32),
    "one minus what to drop": lambda x: x / 0.7 * (1.0 - tf.cast(mask(x, 0.3), tf.float32)),
    "ones and zeros": lambda x: x / 0.7 * tf.where(mask(x, 0.7), tf.ones_like(x), tf.zeros_like(x)),
    "half floats": lambda x: tf.cast(tf.nn.dropout(tf.cast(x, tf.float16), rate=0.3), tf.float32),
    "bfloat16": lambda x: tf.cast(tf.nn.dropout(tf.cast(x, tf.bfloat16), rate=0.3), tf.float32),
    "function": lambda x: tf.function(lambda y: tf.nn.dropout(y, rate=0.3), autograph=False)(x),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_its_rate_is_the_share_that_is_dropped(form):
    (found,) = dropouts_of(FORMS[form])
    assert found.is_active
    with tf.Graph().as_default():
        dropped = evaluate(FORMS[form](tf.ones([1000, 3]))) == 0
    assert found.rate == pytest.approx(0.3, abs=0.001)
    assert np.mean(dropped) == pytest.approx(found.rate, abs=0.07)


@pytest.mark.parametrize("name", ["Dropout", "SpatialDropout1D", "AlphaDropout", "GaussianDropout"])
@pytest.mark.parametrize("keras", KERASES)
def test_layers_of_keras_are_found(keras, name):
    layer = getattr(KERASES[keras].layers, name)
    (found,) = dropouts_of(lambda x: layer(0.3)(x[:, None], training=True))
    assert (round(found.rate, 3), found.is_active) == (0.3, True)


@pytest.mark.parametrize("keras", KERASES)
def test_masks_of_keras_cells_are_found(keras):
    layer = KERASES[keras].layers.LSTM
    found = dropouts_of(lambda x: layer(2, dropout=0.3, recurrent_dropout=0.2)(x[:, None], training=True))
    assert {each.rate for each in found if each.is_active} == {0.2, 0.3}


@both_control_flows
@pytest.mark.parametrize("variational", [False, True])
@pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:UserWarning")
@pytest.mark.filterwarnings("ignore:`tf.nn.rnn_cell:UserWarning")
def test_wrapped_cells_are_found(control_flow, variational):
    def wrapped(x: Any) -> Any:
        options = {"variational_recurrent": True, "input_size": 3, "dtype": tf.float32} if variational else {}
        keep = {"input_keep_prob": 0.9, "state_keep_prob": 0.8, "output_keep_prob": 0.7}
        cell = tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.BasicRNNCell(3), **keep, **options)
        return tf.nn.dynamic_rnn(cell, x[:, None], dtype=tf.float32)[0]

    with control_flow():
        found = dropouts_of(wrapped)
    assert sorted(each.rate for each in found if each.is_active) == pytest.approx([0.1, 0.2, 0.3])


OTHERS: dict[str, Layer] = {
    "sampling": lambda x: tf.cast(tf.random_uniform(tf.shape(x)) < tf.sigmoid(x), tf.float32) * x,
    "sampling, scaled": lambda x: tf.cast(tf.random_uniform(tf.shape(x)) < tf.sigmoid(x), tf.float32) * tf.sigmoid(x),
    "sign at random": lambda x: tf.where(mask(x, 0.5), x, -x),
    "one of two": lambda x: tf.where(mask(x, 0.5), 2 * x, tf.tanh(x)),
    "zoneout": lambda x: tf.where(mask(x, 0.9), tf.tanh(x), x),
    "pixels blotted out": lambda x: x * tf.cast(mask(x, 0.9), tf.float32),
    "pixels left out": lambda x: tf.where(mask(x, 0.9), x, tf.zeros_like(x)),
    "another scale": lambda x: x * 3.0 * tf.cast(mask(x, 0.9), tf.float32),
    "another range": lambda x: x * 2.0 * tf.cast(tf.random_uniform(tf.shape(x), -1, 1) > 0.5, tf.float32),
    "gumbel": lambda x: x - tf.log(-tf.log(tf.random_uniform(tf.shape(x)))),
    "noise": lambda x: x + tf.random_normal(tf.shape(x)),
    "brightness": lambda x: x * tf.random_normal([tf.shape(x)[0], 1], 1.0, 0.1),
    "contrast": lambda x: x * tf.random_uniform([], 0.8, 1.2),
    "drawn from logits": lambda x: tf.one_hot(tf.random.categorical(x, 1), 3),
    "negative samples": lambda x: tf.gather(x, tf.random_uniform([2], 0, 3, tf.int32), axis=1),
    "shuffled": tf.random_shuffle,
}


@pytest.mark.parametrize("other", OTHERS)
def test_other_randomness_is_not_taken_for_it(other):
    assert dropouts_of(OTHERS[other]) == []


@both_control_flows
@pytest.mark.parametrize("default", [False, True])
def test_the_default_of_a_switch_decides_whether_it_is_active(control_flow, default):
    with control_flow():
        (found,) = dropouts_of(lambda x: switched(x, default))
    assert (found.is_alive, found.is_active) == (default, default)


@both_control_flows
def test_behind_a_switch_that_has_to_be_fed_it_is_not_always_active(control_flow):
    def fed(x: Any) -> Any:
        return tf.cond(tf.placeholder(tf.bool, []), lambda: tf.nn.dropout(x, rate=0.3), lambda: tf.identity(x))

    with control_flow():
        (found,) = dropouts_of(fed)
    assert (found.is_alive, found.is_active) == (True, False)


@both_control_flows
def test_a_rate_that_a_switch_chooses_is_known(control_flow):
    def chosen(x: Any) -> Any:
        switch = tf.placeholder_with_default(False, [], name="switch")
        return tf.nn.dropout(x, rate=tf.cond(switch, lambda: tf.constant(0.3), lambda: tf.constant(0.0)))

    with control_flow():
        (found,) = dropouts_of(chosen)
    assert (found.rate, found.is_active, found.placeholders) == (0.0, False, {"switch"})


def test_the_placeholders_of_a_rate_are_known():
    (found,) = dropouts_of(FORMS["rate computed"])
    assert found.placeholders == {"rate"}


def test_one_that_no_output_needs_is_not_alive():
    def unused(x: Any) -> Any:
        tf.nn.dropout(x, rate=0.3)
        return tf.identity(x)

    (found,) = dropouts_of(unused)
    assert not found.is_alive
