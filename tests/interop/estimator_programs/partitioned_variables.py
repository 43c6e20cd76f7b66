"""Partitioned variables in a module and beside it; warm start of one model from the other."""

import os

import tensorflow.compat.v1 as tf
import tensorflow_hub as hub

tf.disable_v2_behavior()


def module_fn():
    ids = tf.placeholder(tf.int64, [None])
    initial = tf.glorot_uniform_initializer(seed=9)
    parts = tf.fixed_size_partitioner(3)
    table = tf.get_variable("table", [7, 2], partitioner=parts, initializer=initial)
    hub.add_signature(inputs=ids, outputs=tf.nn.embedding_lookup(table, ids, partition_strategy="div"))


def model_fn(features, labels, mode):
    module = hub.Module(hub.create_module_spec(module_fn), trainable=True, name="ids")
    hub.register_module_for_export(module, "ids")
    vectors = module(features["id"])
    with tf.variable_scope("head", partitioner=tf.fixed_size_partitioner(2)):
        w = tf.get_variable("w", [2], initializer=tf.constant_initializer(0.5))
        outputs = tf.reduce_sum(vectors * w, 1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, outputs)
    loss = tf.losses.mean_squared_error(labels, outputs)
    train_op = tf.train.AdagradOptimizer(0.2).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn():
    ids = tf.constant([0, 1, 2, 3, 4, 5, 6], tf.int64)
    return {"id": ids}, tf.cast(ids, tf.float32) / 7.0


def serving_input_fn():
    ids = tf.placeholder(tf.int64, [None])
    return tf.estimator.export.ServingInputReceiver({"id": ids}, ids)


def main(folder):
    estimator = tf.estimator.Estimator(model_fn, os.path.join(folder, "model"))
    exporter = hub.LatestModuleExporter("tf_hub", serving_input_fn)
    metrics, _ = tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(input_fn, max_steps=8),
        tf.estimator.EvalSpec(input_fn, steps=1, exporters=[exporter]),
    )
    warm = tf.estimator.WarmStartSettings(estimator.model_dir, ".*table.*")
    second = tf.estimator.Estimator(model_fn, os.path.join(folder, "second"), warm_start_from=warm)
    second.train(input_fn, steps=1)
    return {"metrics": metrics, "names": estimator.get_variable_names(), "second": second.evaluate(input_fn, steps=1)}
