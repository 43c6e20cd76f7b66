"""A small Estimator around a module, for the tests of what exports it."""

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as tf1

import tf1hub as hub
from tests.graphs import outputs_of, scaling_spec


def input_fn() -> Any:
    """Rows of three; the module scales them, and should learn to give zeros."""
    return tf.data.Dataset.from_tensors(({"rows": np.ones([2, 3], np.float32)}, np.zeros([2, 3], np.float32))).repeat()


def estimator_of(library: Any, model_dir: Any, names: tuple[str, ...] = ("scaling",), **more: Any) -> Any:
    """An Estimator that trains a module and registers it for export under these names.

    `more` may hold a `config`, `spec` (the module's), `variable` (that of an additional one), `hook(module)` and
    `scaffold(module)`.
    """

    def model_fn(features, labels, mode):
        module = hub.Module(more.get("spec") or scaling_spec(), trainable=True)
        predictions = module(features["rows"])
        if "variable" in more:
            with tf1.variable_scope("head", partitioner=tf1.fixed_size_partitioner(2)):
                predictions += tf1.get_variable(more["variable"], [3], initializer=tf1.zeros_initializer())
        for name in names:
            hub.register_module_for_export(module, name)
        loss = train_op = None
        if mode != library.ModeKeys.PREDICT:
            loss = tf.reduce_mean(tf.square(predictions - labels))
            train_op = tf1.train.GradientDescentOptimizer(0.1).minimize(loss, tf1.train.get_global_step())
        hooks = [more["hook"](module)] if "hook" in more else None
        scaffold = more["scaffold"](module) if "scaffold" in more else None
        return library.EstimatorSpec(
            mode, {"scaled": predictions}, loss, train_op, training_chief_hooks=hooks, scaffold=scaffold
        )

    return library.Estimator(model_fn, str(model_dir), more.get("config"))


def serving_input_fn(library: Any) -> Any:
    """What receives rows of three to predict."""

    def receive():
        rows = tf1.placeholder(tf.float32, [None, 3])
        return library.export.ServingInputReceiver({"rows": rows}, {"rows": rows})

    return receive


def scale_of(module: Any) -> float:
    """What a module scales ones to. It begins with 2 and comes closer to 0 with each step."""
    return float(outputs_of(str(module), np.ones([1, 3], np.float32))[0, 0])


def trained_scale(estimator: Any) -> float:
    """The module's only value in an Estimator's latest checkpoint."""
    return float(estimator.get_variable_value("module/w")[0])
