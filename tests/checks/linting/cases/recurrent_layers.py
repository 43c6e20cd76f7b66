"""Recurrent layers, whose libraries leave nodes that nothing needs."""

from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import one_variant
from tests.checks.linting.cases.registry import keeps
from tests.kerases import KERAS_TWO
from tests.module_fns.registry import control_flow_v1


def _rnn(**options: Any) -> Any:
    return KERAS_TWO.layers.RNN(KERAS_TWO.layers.GRUCell(3, **options))


def _recurrent(make: Any = _rnn, steps: int | None = None) -> hub.ModuleSpec:
    """Keras runs one step before the loop, to learn what comes out."""

    def module_fn():
        x = tf.placeholder(tf.float32, [None, steps, 4], name="sequences")
        l2 = KERAS_TWO.regularizers.l2(0.01)
        layer = make(kernel_regularizer=l2, recurrent_regularizer=l2)
        hub.add_signature(inputs=x, outputs=layer(x))
        for loss in layer.losses:
            tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, loss)

    return one_variant(module_fn)


@keeps("unused-nodes")
def _recurrent_layer_of_keras(_):
    return _recurrent()


@keeps("unused-nodes")
def _lstm_of_keras(_):
    return _recurrent(lambda **options: KERAS_TWO.layers.LSTM(3, **options), steps=7)


@keeps("unused-nodes")
def _lstm_of_keras_that_multiplies_by_parts_of_its_weights(_):
    return _recurrent(lambda **options: KERAS_TWO.layers.LSTM(3, implementation=1, **options))


@keeps("unused-nodes")
def _gru_of_keras(_):
    return _recurrent(lambda **options: KERAS_TWO.layers.GRU(3, **options), steps=7)


@keeps("unused-nodes")
def _gru_of_keras_with_a_loop_of_tf1(_):
    with control_flow_v1():
        return _recurrent(lambda **options: KERAS_TWO.layers.GRU(3, **options))


@keeps("unused-nodes")
def _recurrent_layer_of_keras_with_a_loop_of_tf1(_):
    with control_flow_v1():
        return _recurrent()
