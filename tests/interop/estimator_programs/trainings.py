"""Trains in several calls, evaluates under several names and at several checkpoints."""

import os

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def model_fn(features, labels, mode):
    net = tf.layers.dense(features["x"], 5, tf.nn.relu)
    net = tf.layers.dropout(net, 0.5, training=mode == tf.estimator.ModeKeys.TRAIN)
    logits = tf.layers.dense(net, 3)
    classes = tf.argmax(logits, 1)
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    train_op = tf.train.AdamOptimizer().minimize(loss, tf.train.get_global_step())
    metrics = {
        "accuracy": tf.metrics.accuracy(labels, classes),
        "recall/per class": tf.metrics.mean_per_class_accuracy(labels, classes, 3),
        "means": tf.metrics.mean_tensor(tf.reduce_mean(tf.nn.softmax(logits), 0)),
    }
    return tf.estimator.EstimatorSpec(mode, classes, loss, train_op, eval_metric_ops=metrics)


def input_fn():
    x = tf.random.stateless_normal([60, 4], [1, 2])
    y = tf.cast(x[:, 0] > 0, tf.int64) + tf.cast(x[:, 1] > 0.5, tf.int64)
    return tf.data.Dataset.from_tensor_slices(({"x": x}, y)).batch(10)


def repeated():
    return input_fn().shuffle(10).repeat()


def main(folder):
    model_dir = os.path.join(folder, "model")
    config = tf.estimator.RunConfig(tf_random_seed=7, save_checkpoints_steps=5, keep_checkpoint_max=3)
    estimator = tf.estimator.Estimator(model_fn, model_dir, config)
    found = [estimator.latest_checkpoint() is None]
    found.append(estimator.train(repeated, steps=4) is estimator)
    first = estimator.latest_checkpoint()
    results = [estimator.evaluate(input_fn)]
    estimator.train(repeated, max_steps=4)
    estimator.train(repeated, max_steps=6)
    estimator.train(input_fn)
    results.append(estimator.evaluate(input_fn, steps=2, name="two"))
    again = tf.estimator.Estimator(model_fn, config=config.replace(model_dir=model_dir))
    again.train(repeated, steps=9)
    results.append(again.evaluate(input_fn, checkpoint_path=again.latest_checkpoint(), name="again"))
    found += [os.path.basename(first), os.path.basename(again.latest_checkpoint())]
    found += [os.path.relpath(again.eval_dir(name), folder) for name in (None, "two", "a b")]
    values = [again.get_variable_value("dense/bias"), again.get_variable_value("global_step")]
    return {"results": results, "found": found, "values": values, "names": again.get_variable_names()}
