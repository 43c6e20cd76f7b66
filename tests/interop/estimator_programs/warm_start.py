"""Starts a model from another one's checkpoint: by its directory, and by settings that pick and rename variables."""

import os

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def model_fn(features, labels, mode, params):
    with tf.variable_scope(params["scope"]):
        hidden = tf.layers.dense(features["x"], 4, tf.nn.tanh, name="hidden")
        outputs = tf.layers.dense(hidden, 1, name="output")[:, 0]
    loss = tf.losses.mean_squared_error(labels, outputs)
    train_op = tf.train.AdagradOptimizer(0.1).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, predictions=outputs)


def input_fn():
    x = tf.reshape(tf.range(12.0) / 12.0, [4, 3])
    return {"x": x}, tf.reduce_sum(x, 1)


def main(folder):
    def estimator(name, scope="model", **options):
        config = tf.estimator.RunConfig(os.path.join(folder, name), tf_random_seed=2)
        return tf.estimator.Estimator(model_fn, config=config, params={"scope": scope}, **options)

    first = estimator("first")
    first.train(input_fn, steps=5)
    settings = {
        "all": first.model_dir,
        "hidden": tf.estimator.WarmStartSettings(first.model_dir, vars_to_warm_start=".*hidden/.*"),
        "listed": tf.estimator.WarmStartSettings(
            first.latest_checkpoint(), ["model/output/kernel", "model/hidden.*Adagrad"]
        ),
        "none": tf.estimator.WarmStartSettings(first.model_dir, vars_to_warm_start=None),
    }
    losses = {}
    for name, setting in settings.items():
        second = estimator(name, warm_start_from=setting)
        second.train(input_fn, steps=1)
        second.train(input_fn, steps=2)
        losses[name] = second.evaluate(input_fn, steps=1)
    renamed = tf.estimator.WarmStartSettings(
        first.model_dir,
        vars_to_warm_start="other/.*kernel",
        var_name_to_prev_var_name={
            "other/hidden/kernel": "model/hidden/kernel",
            "other/output/kernel": "model/output/kernel",
        },
    )
    other = estimator("renamed", "other", warm_start_from=renamed)
    other.train(input_fn, steps=2)
    return {"losses": losses, "renamed": other.evaluate(input_fn, steps=1)}
