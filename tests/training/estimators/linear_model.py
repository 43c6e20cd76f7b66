"""A small model for the tests of Estimators."""

from typing import Any

import numpy as np
import tensorflow as tf2
import tensorflow.compat.v1 as tf

ROWS = np.array([[1, 2, 3], [0, 1, 0], [2, 0, 1], [1, 1, 1]], np.float32)
SUMS = ROWS.sum(axis=1, keepdims=True)


def input_fn() -> Any:
    """Four rows of three numbers and their sums, in batches of two."""
    return tf2.data.Dataset.from_tensor_slices(({"x": ROWS}, SUMS)).batch(2)


def endless_input_fn() -> Any:
    return input_fn().repeat()


def model_fn_of(estimator: Any, optimizer: Any = None, **more: Any) -> Any:
    """A `model_fn` that multiplies rows by three weights; `more` goes into its spec."""

    def model_fn(features, labels, mode):
        weights = tf.get_variable("weights", [3, 1], initializer=tf.random_normal_initializer())
        predictions = {"sum": tf.matmul(features["x"], weights)}
        if mode == estimator.ModeKeys.PREDICT:
            return estimator.EstimatorSpec(mode, predictions)
        loss = tf.reduce_mean(tf.square(predictions["sum"] - labels))
        train_op = (optimizer or tf.train.AdamOptimizer(0.1)).minimize(loss, tf.train.get_global_step())
        metrics = {"error": tf.metrics.mean_absolute_error(labels, predictions["sum"])}
        fields = {key: value() if callable(value) else value for key, value in more.items()}
        return estimator.EstimatorSpec(mode, predictions, loss, train_op, **{"eval_metric_ops": metrics, **fields})

    return model_fn


def estimator_of(estimator: Any, model_dir: Any, optimizer: Any = None, spec: Any = None, **config: Any) -> Any:
    """An Estimator of that model with the seed 1."""
    settings = estimator.RunConfig(model_dir=str(model_dir), **{"tf_random_seed": 1, **config})
    return estimator.Estimator(model_fn_of(estimator, optimizer, **(spec or {})), config=settings)


class Recorder(tf.train.SessionRunHook):
    """Keeps what it sees of a session."""

    def __init__(self, fetches: Any = None):
        self._fetches = fetches
        self.values: list[Any] = []
        self.calls: list[str] = []
        self.graph = None

    def begin(self):
        self.calls.append("begin")
        self.graph = tf.get_default_graph()

    def before_run(self, run_context):
        return tf.train.SessionRunArgs(self._fetches() if self._fetches else {})

    def after_run(self, run_context, run_values):
        self.calls.append("after_run")
        self.values.append(run_values.results)

    def end(self, session):
        self.calls.append("end")
