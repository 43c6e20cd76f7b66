"""Stops trainings by what evaluations say."""

import os

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def model_fn(features, labels, mode):
    w = tf.get_variable("w", [], initializer=tf.constant_initializer(4.0))
    loss = tf.square(w - features) + 0.5
    train_op = tf.train.GradientDescentOptimizer(0.2).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops={"w": tf.metrics.mean(w)})


def input_fn():
    return tf.data.Dataset.from_tensors(tf.constant(1.0)).repeat()


def run(folder, name, make_hook):
    config = tf.estimator.RunConfig(save_checkpoints_steps=5)
    estimator = tf.estimator.Estimator(model_fn, os.path.join(folder, name), config)
    os.makedirs(estimator.eval_dir())
    hook = make_hook(estimator)
    metrics, _ = tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(input_fn, max_steps=60, hooks=[hook]),
        tf.estimator.EvalSpec(input_fn, steps=1, start_delay_secs=0, throttle_secs=0),
    )
    return metrics


def main(folder):
    experimental = tf.estimator.experimental
    every = {"run_every_secs": None, "run_every_steps": 5}
    return {
        "lower": run(folder, "lower", lambda e: experimental.stop_if_lower_hook(e, "w", 1.5, **every)),
        "higher": run(
            folder, "higher", lambda e: experimental.stop_if_higher_hook(e, "loss", 0.0, min_steps=12, **every)
        ),
        "no_decrease": run(
            folder, "no_decrease", lambda e: experimental.stop_if_no_decrease_hook(e, "loss", 10, **every)
        ),
        "no_increase": run(
            folder, "no_increase", lambda e: experimental.stop_if_no_increase_hook(e, "w", 15, min_steps=3, **every)
        ),
        "own": run(folder, "own", lambda e: experimental.make_early_stopping_hook(e, lambda: True, None, 7)),
    }
