"""train_and_evaluate in its odd cases: input that ends, a model that is trained already, delays, no metrics."""

import os

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

CALLS = []


def model_fn(features, labels, mode):
    CALLS.append(mode)
    w = tf.get_variable("w", [2])
    loss = tf.reduce_sum(tf.square(w - features))
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, {"w": w[None] + features}, loss, train_op)


def input_fn(count):
    return tf.data.Dataset.from_tensors(tf.constant([1.0, 2.0])).repeat(count)


class EndSaver(tf.estimator.SessionRunHook):
    def end(self, session):
        CALLS.append("end")


def run(folder, name, count, max_steps, evaluation, **options):
    config = tf.estimator.RunConfig(tf_random_seed=1, save_checkpoints_steps=options.pop("every", 4))
    estimator = tf.estimator.Estimator(model_fn, os.path.join(folder, name), config)
    if options.pop("again", False):
        estimator.train(lambda: input_fn(None), max_steps=max_steps)
    CALLS.append(name)
    return tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(lambda: input_fn(count), max_steps=max_steps, hooks=[EndSaver()]),
        tf.estimator.EvalSpec(lambda: input_fn(None), start_delay_secs=0, **evaluation),
    )


def main(folder):
    often, seldom = {"steps": 1, "throttle_secs": 0}, {"steps": 3, "throttle_secs": 600, "name": "seldom"}
    results = {
        "ends": run(folder, "ends", 6, None, often),
        "ends_early": run(folder, "ends_early", 6, 20, often),
        "seldom": run(folder, "seldom", None, 10, seldom),
        "hooks": run(folder, "hooks", None, 5, {**often, "hooks": [EndSaver()]}, every=100),
        "again": run(folder, "again", None, 5, often, again=True),
    }
    return {"results": results, "calls": CALLS}
