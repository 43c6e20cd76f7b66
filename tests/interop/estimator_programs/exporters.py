"""Exports whole models as they get better, at each evaluation and at the end; goes on after a restart."""

import os

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

CALLS = []


def model_fn(features, labels, mode):
    w = tf.get_variable("w", [2], initializer=tf.zeros_initializer())
    outputs = tf.reduce_sum(features["x"] * w, 1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, {"y": outputs})
    loss = tf.losses.mean_squared_error(labels, outputs)
    train_op = tf.train.GradientDescentOptimizer(0.02).minimize(loss, tf.train.get_global_step())
    metrics = {"error": tf.metrics.mean_absolute_error(labels, outputs)}
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)


def input_fn():
    return tf.data.Dataset.from_tensors(({"x": [[1.0, 2.0], [3.0, 1.0]]}, [3.0, 4.0])).repeat()


def serving_input_fn():
    features = {"x": tf.placeholder(tf.float32, [None, 2], name="x")}
    return tf.estimator.export.build_raw_serving_input_receiver_fn(features)()


class Own(tf.estimator.Exporter):
    """An exporter of the program's own."""

    @property
    def name(self):
        return "own"

    def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
        CALLS.append(
            [os.path.basename(export_path), os.path.basename(checkpoint_path), eval_result, is_the_final_export]
        )
        return "own/path"


def higher_error(best_eval_result, current_eval_result):
    return current_eval_result["error"] > best_eval_result["error"]


def main(folder):
    results = []
    for max_steps in (12, 20):
        estimator = tf.estimator.Estimator(
            model_fn, os.path.join(folder, "model"), tf.estimator.RunConfig(save_checkpoints_steps=4)
        )
        exporters = [
            tf.estimator.BestExporter(serving_input_receiver_fn=serving_input_fn, exports_to_keep=2),
            tf.estimator.BestExporter("worst", serving_input_fn, compare_fn=higher_error, as_text=True),
            tf.estimator.LatestExporter("latest", serving_input_fn, exports_to_keep=2),
            tf.estimator.FinalExporter("final", serving_input_fn),
            Own(),
        ]
        train_spec = tf.estimator.TrainSpec(input_fn, max_steps=max_steps)
        eval_spec = tf.estimator.EvalSpec(input_fn, 1, "all", None, exporters, start_delay_secs=0, throttle_secs=0)
        metrics, exports = tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)
        results += [metrics, [None if path is None else os.path.exists(path) for path in exports]]
    return {"results": results, "calls": CALLS}
