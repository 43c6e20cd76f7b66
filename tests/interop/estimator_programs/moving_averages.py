"""Evaluates, predicts and exports with the moving averages of the variables, by a scaffold's saver."""

import os

import tensorflow.compat.v1 as tf
import tensorflow_hub as hub

tf.disable_v2_behavior()


def module_fn():
    x = tf.placeholder(tf.float32, [None, 2])
    w = tf.get_variable("w", [2], initializer=tf.zeros_initializer())
    hub.add_signature(inputs=x, outputs=x * w)


def model_fn(features, labels, mode):
    module = hub.Module(hub.create_module_spec(module_fn), trainable=True, name="scale")
    hub.register_module_for_export(module, "scale")
    outputs = tf.reduce_sum(module(features["x"]), 1)
    averages = tf.train.ExponentialMovingAverage(0.9, zero_debias=False)
    if mode == tf.estimator.ModeKeys.TRAIN:
        loss = tf.losses.mean_squared_error(labels, outputs)
        minimize = tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_global_step())
        with tf.control_dependencies([minimize]):
            train_op = averages.apply(tf.trainable_variables())
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
    scaffold = tf.train.Scaffold(saver=tf.train.Saver(averages.variables_to_restore()))
    if mode == tf.estimator.ModeKeys.PREDICT:
        exports = {"serving_default": tf.estimator.export.PredictOutput({"outputs": outputs})}
        return tf.estimator.EstimatorSpec(mode, outputs, export_outputs=exports, scaffold=scaffold)
    loss = tf.losses.mean_squared_error(labels, outputs)
    return tf.estimator.EstimatorSpec(mode, loss=loss, scaffold=scaffold)


def input_fn():
    return tf.data.Dataset.from_tensors(({"x": [[1.0, 2.0], [2.0, 1.0]]}, [5.0, 4.0])).repeat(20)


def serving_input_fn():
    x = tf.placeholder(tf.float32, [None, 2])
    return tf.estimator.export.ServingInputReceiver({"x": x}, {"x": x})


def main(folder):
    estimator = tf.estimator.Estimator(model_fn, os.path.join(folder, "model"))
    estimator.train(input_fn)
    exporter = hub.LatestModuleExporter("tf_hub", serving_input_fn)
    exporter.export(estimator, os.path.join(folder, "exports"))
    estimator.export_saved_model(os.path.join(folder, "served"), serving_input_fn)
    return {
        "metrics": estimator.evaluate(input_fn, steps=1),
        "predictions": [next(estimator.predict(input_fn))],
        "w": estimator.get_variable_value("scale/w"),
    }
