"""A module of image features: a small convolutional network with batch normalization and dropout.

It has two variants. The one tagged "train" normalizes by the statistics of its batch, drops features at random, and brings
update ops and regularization losses; the other one is for inference. Both have the same variables.
"""

from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf
from digits import FIRST, make_task
from terminal import say

import tf1hub as hub

FEATURES = 16


def module_fn(training: bool) -> None:
    """Images float32 [batch, 8, 8, 1] from 0 to 1 become features float32 [batch, 16]."""
    pixels = tf.placeholder(tf.float32, [None, 8, 8, 1], name="images")
    layer = pixels
    for filters in (8, FEATURES):
        layer = tf.layers.conv2d(
            layer, filters, 3, strides=2, padding="same", use_bias=False, kernel_regularizer=decay_weights
        )
        layer = tf.layers.batch_normalization(layer, training=training, momentum=0.9)
        layer = tf.nn.relu(layer)
    features = tf.layers.dropout(tf.reduce_mean(layer, [1, 2]), 0.1, training=training)
    hub.add_signature(inputs={"images": pixels}, outputs=features)


def decay_weights(kernel: tf.Tensor) -> tf.Tensor:
    return 1e-4 * tf.nn.l2_loss(kernel)


def publish(path: Path, steps: int) -> None:
    """Trains the module to tell the digits 0 to 4 apart, and exports it."""
    spec = hub.create_module_spec(module_fn, [(set(), {"training": False}), ({"train"}, {"training": True})])
    training, _ = make_task(FIRST, train=800)
    batches = np.random.RandomState(2)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        module = hub.Module(spec, trainable=True, tags={"train"})
        image = tf.placeholder(tf.float32, [None, 8, 8, 1])
        label = tf.placeholder(tf.int64, [None])
        logits = tf.layers.dense(module(image), len(FIRST))
        loss = tf.losses.sparse_softmax_cross_entropy(label, logits) + tf.losses.get_regularization_loss()
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            train = tf.train.AdamOptimizer(0.01).minimize(loss)
        session.run(tf.global_variables_initializer())
        for _ in range(steps):
            batch = batches.randint(len(training.labels), size=64)
            session.run(train, {image: training.images[batch], label: training.labels[batch]})
        module.export(path, session)
    say(f"published a module that has learned the digits {FIRST}: {path}")
