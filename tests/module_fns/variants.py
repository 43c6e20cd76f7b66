"""Kinds with graph variants: batch normalisation, dropout, variables that variants share or do not share."""

from typing import Any

import tensorflow.compat.v1 as tf

from tests.module_fns.registry import BASE, TRAIN, control_flow_v1, kind, numbers

ROWS = {"default": {"default": numbers(6, 3)}}
TWO_VARIANTS = [(set(), {"training": False}), ({"train"}, {"training": True})]


def _normalise(x: Any, training: bool, scope: str = "norm") -> Any:
    """Batch normalisation spelled out, with moving averages that update ops move."""
    with tf.variable_scope(scope):
        width = x.shape[-1]
        gamma = tf.get_variable("gamma", [width], initializer=tf.ones_initializer())
        beta = tf.get_variable("beta", [width], initializer=tf.zeros_initializer())
        mean = tf.get_variable("moving_mean", [width], initializer=tf.zeros_initializer(), trainable=False)
        variance = tf.get_variable("moving_variance", [width], initializer=tf.ones_initializer(), trainable=False)
        if not training:
            return tf.nn.batch_normalization(x, mean, tf.abs(variance), beta, gamma, 1e-3)
        batch_mean, batch_variance = tf.nn.moments(x, axes=[0])
        for moving, batch in [(mean, batch_mean), (variance, batch_variance)]:
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, moving.assign_sub(0.1 * (moving - batch)))
        return tf.nn.batch_normalization(x, batch_mean, batch_variance, beta, gamma, 1e-3)


@kind(inputs=ROWS, tags=(BASE, TRAIN), trains=True)
def batch_norm(hub: Any) -> tuple:
    def module_fn(training):
        x = tf.placeholder(tf.float32, [None, 3])
        w = tf.get_variable("w", [3, 2], regularizer=lambda w: 0.1 * tf.reduce_sum(w * w))
        hub.add_signature(inputs=x, outputs=_normalise(tf.matmul(x, w), training))

    return module_fn, TWO_VARIANTS, None


@kind(inputs=ROWS, tags=(BASE, TRAIN))
def batch_norm_and_dropout(hub: Any) -> tuple:
    def module_fn(training):
        x = tf.placeholder(tf.float32, [None, 3])
        y = _normalise(tf.matmul(x, tf.get_variable("w", [3, 2])), training)
        if training:
            y = tf.nn.dropout(y, rate=0.5, seed=7)
        hub.add_signature(inputs=x, outputs=y)

    return module_fn, TWO_VARIANTS, None


@kind(
    inputs={**ROWS, "features": {"default": numbers(4, 3, seed=5)}},
    tags=(BASE, TRAIN),
    trains=True,
    predecessor_fails="applying one signature collects the update ops that need the other one's input",
)
def updates_of_two_signatures(hub: Any) -> tuple:
    """Update ops, each of which hangs on the placeholder of one signature; and one that hangs on none."""

    def module_fn(training):
        x = tf.placeholder(tf.float32, [None, 3])
        w = tf.get_variable("w", [3, 2])
        hub.add_signature(inputs=x, outputs=_normalise(tf.matmul(x, w), training, "first"))
        y = tf.placeholder(tf.float32, [None, 3])
        hub.add_signature("features", inputs=y, outputs=_normalise(y, training, "second"))
        steps = tf.get_variable("steps", [], tf.int64, tf.zeros_initializer(), trainable=False)
        if training:
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, steps.assign_add(1).op)

    return module_fn, TWO_VARIANTS, None


@kind(inputs=ROWS, tags=(BASE, TRAIN), trains=True)
def update_under_a_cond(hub: Any) -> tuple:
    """Update ops made within a TF1 cond."""

    def module_fn(training):
        x = tf.placeholder(tf.float32, [None, 3])
        mean = tf.get_variable("moving_mean", [3], initializer=tf.zeros_initializer(), trainable=False)
        if training:
            with control_flow_v1():
                change = tf.cond(
                    tf.reduce_sum(x) > -100.0,
                    lambda: 0.1 * (mean - tf.reduce_mean(x, 0)),
                    lambda: tf.zeros_like(mean),
                )
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, mean.assign_sub(change))
        hub.add_signature(inputs=x, outputs=(x - mean) * tf.get_variable("w", [3]))

    return module_fn, TWO_VARIANTS, None


@kind(
    inputs=ROWS,
    tags=(BASE, TRAIN, frozenset({"serve", "gpu"})),
    trains=True,
)
def shared_variables(hub: Any) -> tuple:
    """Three variants of the same variables, one of them with two tags and one with another signature."""

    def module_fn(factor, also=None):
        x = tf.placeholder(tf.float32, [None, 3])
        w = tf.get_variable("w", [3])
        hub.add_signature(inputs=x, outputs=x * w * factor)
        if also:
            hub.add_signature(also, inputs=x, outputs=x + w)
            hub.attach_message("factor", tf.train.FloatList(value=[factor]))

    variants = [
        (set(), {"factor": 1.0}),
        ({"train"}, {"factor": 2.0}),
        ({"serve", "gpu"}, {"factor": 3.0, "also": "sum"}),
    ]
    return module_fn, variants, None


@kind(inputs=ROWS, tags=(BASE, TRAIN), exported=TRAIN, trains=True)
def variant_with_more_variables(hub: Any) -> tuple:
    """The training variant has a variable that the other lacks; exported from the training variant."""
    return _more_variables(hub)


@kind(inputs=ROWS, tags=(BASE, TRAIN), not_on_disk=(TRAIN,))
def variant_that_lacks_variables(hub: Any) -> tuple:
    """The same, exported from the variant for inference: the other one cannot be instantiated from disk."""
    return _more_variables(hub)


def _more_variables(hub: Any) -> tuple:
    def module_fn(training):
        x = tf.placeholder(tf.float32, [None, 3])
        y = x * tf.get_variable("w", [3])
        if training:
            y += tf.get_variable("training_only", [3])
        hub.add_signature(inputs=x, outputs=y)

    return module_fn, TWO_VARIANTS, None
