"""Kinds made of `tf.layers`, `tf.nn.rnn_cell`, tf_keras layers and tf_slim."""

from typing import Any

import tensorflow.compat.v1 as tf

from tests.module_fns.registry import BASE, TRAIN, control_flow_v1, kind, numbers
from tests.module_fns.variants import TWO_VARIANTS

ROWS = {"default": {"default": numbers(6, 3)}}
IMAGES = {"default": {"images": numbers(2, 4, 4, 3)}}
SEQUENCES = {"default": {"default": numbers(2, 5, 3)}}


@kind(inputs=ROWS, trains=True, needs="tf_keras")
def layers_dense(hub: Any) -> tuple:
    def module_fn():
        inputs = tf.placeholder(dtype=tf.float32, shape=[None, 3])
        layer1 = tf.layers.dense(inputs, 4, activation=tf.nn.relu)
        layer2 = tf.layers.dense(layer1, 2, kernel_regularizer=lambda w: 0.1 * tf.reduce_sum(w * w))
        hub.add_signature(inputs=inputs, outputs={"default": layer2, "hidden_activations": layer1})

    return module_fn, None, None


@kind(inputs=IMAGES, tags=(BASE, TRAIN), trains=True, needs="tf_keras")
def layers_conv_batch_norm(hub: Any) -> tuple:
    def module_fn(training):
        images = tf.placeholder(tf.float32, [None, 4, 4, 3])
        features = tf.layers.conv2d(images, 2, 3, kernel_regularizer=lambda w: 0.1 * tf.reduce_sum(w * w), name="c")
        features = tf.layers.batch_normalization(features, training=training, momentum=0.9)
        features = tf.layers.max_pooling2d(tf.nn.relu(features), 2, 2)
        hub.add_signature(inputs={"images": images}, outputs=tf.layers.dense(tf.layers.flatten(features), 2))

    return module_fn, TWO_VARIANTS, None


@kind(inputs=ROWS, tags=(BASE, TRAIN), needs="tf_keras")
def layers_dropout(hub: Any) -> tuple:
    def module_fn(training):
        x = tf.placeholder(tf.float32, [None, 3])
        y = tf.layers.dropout(tf.layers.dense(x, 4), rate=0.5, training=training, seed=3)
        hub.add_signature(inputs=x, outputs=y)

    return module_fn, TWO_VARIANTS, None


@kind(inputs=SEQUENCES, trains=True, needs="tf_keras", tf1_gradients=True)
def rnn(hub: Any) -> tuple:
    def module_fn():
        sequences = tf.placeholder(tf.float32, [None, 5, 3])
        with control_flow_v1():
            cell = tf.nn.rnn_cell.MultiRNNCell(
                [tf.nn.rnn_cell.BasicLSTMCell(2, name="basic"), tf.nn.rnn_cell.GRUCell(3)]
            )
            outputs, state = tf.nn.dynamic_rnn(cell, sequences, dtype=tf.float32)
        hub.add_signature(inputs=sequences, outputs={"default": outputs, "state": state[0].h})

    return module_fn, None, None


@kind(inputs=SEQUENCES, trains=True, needs="tf_keras")
def rnn_v2(hub: Any) -> tuple:
    def module_fn():
        sequences = tf.placeholder(tf.float32, [None, 5, 3])
        cell = tf.nn.rnn_cell.LSTMCell(2)
        outputs, _ = tf.nn.dynamic_rnn(cell, sequences, dtype=tf.float32, sequence_length=tf.constant([5, 3]))
        hub.add_signature(inputs=sequences, outputs=outputs)

    return module_fn, None, None


@kind(inputs=ROWS, trains=True, needs="tf_keras")
def keras_layers(hub: Any) -> tuple:
    def module_fn():
        from tests.kerases import KERAS_TWO

        x = tf.placeholder(tf.float32, [None, 3])
        y = KERAS_TWO.layers.Dense(4, activation="tanh")(x)
        y = KERAS_TWO.layers.LayerNormalization()(y)
        hub.add_signature(inputs=x, outputs=KERAS_TWO.layers.Dense(2, use_bias=False, name="last")(y))

    return module_fn, None, None


@kind(inputs=IMAGES, trains=True, needs="tf_slim")
def slim(hub: Any) -> tuple:
    def module_fn():
        import tf_slim

        images = tf.placeholder(tf.float32, [None, 4, 4, 3])
        regularizer = tf_slim.l2_regularizer(0.1)
        with tf_slim.arg_scope([tf_slim.conv2d, tf_slim.fully_connected], weights_regularizer=regularizer):
            features = tf_slim.conv2d(images, 2, [3, 3], scope="conv")
            outputs = tf_slim.fully_connected(tf_slim.flatten(features), 2, activation_fn=None)
        hub.add_signature(inputs={"images": images}, outputs=outputs)

    return module_fn, None, None


@kind(
    inputs=IMAGES,
    tags=(BASE, TRAIN),
    trains=True,
    needs="tf_slim.batch_norm",
    predecessor_fails="beside tf_keras, tf_slim's batch_norm looks for a `tf_keras.legacy_tf_layers` that does not exist",
)
def slim_batch_norm(hub: Any) -> tuple:
    def module_fn(training):
        import tf_slim

        images = tf.placeholder(tf.float32, [None, 4, 4, 3])
        features = tf_slim.conv2d(images, 2, [3, 3], normalizer_fn=tf_slim.batch_norm,
                                  normalizer_params={"is_training": training, "decay": 0.9})  # fmt: skip
        hub.add_signature(inputs={"images": images}, outputs=tf.reduce_mean(features, [1, 2]))

    return module_fn, TWO_VARIANTS, None
