"""A program for TensorFlow 2 that never switched its behaviour off: resource variables, eager mode outside."""

import os

import tensorflow as tf
import tensorflow_hub as hub

v1 = tf.compat.v1


def module_fn():
    x = v1.placeholder(tf.float32, [None, 2])
    w = v1.get_variable("w", [2], initializer=v1.ones_initializer())
    hub.add_signature(inputs=x, outputs=x * w)


def model_fn(features, labels, mode, params):
    module = hub.Module(params["module"], trainable=True)
    hub.register_module_for_export(module, "scale")
    outputs = tf.reduce_sum(module(features["x"]), 1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, {"y": outputs})
    loss = v1.losses.mean_squared_error(labels, outputs)
    train_op = v1.train.AdamOptimizer(0.1).minimize(loss, v1.train.get_or_create_global_step())
    metrics = {"error": v1.metrics.mean_absolute_error(labels, outputs)}
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)


def input_fn():
    data = tf.data.Dataset.from_tensor_slices(({"x": [[1.0, 2.0], [3.0, 1.0], [0.5, 0.5]]}, [5.0, 5.0, 1.5]))
    return data.shuffle(3, seed=1).repeat(4).batch(2)


def serving_input_fn():
    x = v1.placeholder(tf.float32, [None, 2])
    return tf.estimator.export.ServingInputReceiver({"x": x}, {"x": x})


def main(folder):
    eager = tf.constant(1.0) + 1.0
    spec = hub.create_module_spec(module_fn)
    config = tf.estimator.RunConfig(save_checkpoints_steps=3)
    estimator = tf.estimator.Estimator(model_fn, os.path.join(folder, "model"), config, {"module": spec})
    metrics, _ = tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(input_fn),
        tf.estimator.EvalSpec(
            input_fn,
            exporters=[
                hub.LatestModuleExporter("tf_hub", serving_input_fn),
                tf.estimator.LatestExporter("latest", serving_input_fn),
            ],
            throttle_secs=0,
        ),
    )
    predictions = list(estimator.predict(input_fn))
    return {"metrics": metrics, "predictions": predictions, "eager": [tf.executing_eagerly(), float(eager)]}
