"""Exporters warn once of an optimizer that regularizes the module, and never fail because of it."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.compat.v1 as tf1

import tf1hub as hub
from tests.graphs import scaling_spec
from tests.kerases import KERAS_TWO, for_each_keras
from tests.module_fns.registry import control_flow_v2
from tests.training.exports.trained import serving_input_fn
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub.training.exports.regularization_warning import regularization_by_keras

REGULARIZING = {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02}
ROWS = np.ones([4, 3], np.float32)


def told(action):
    """The warnings of an action that are about optimizers."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        action()
    return [str(each.message) for each in caught if "optimizer" in str(each.message)]


def train(folder, hooks=(), optimizer=tf1.train.FtrlOptimizer, **strengths):
    """Trains a module for three steps, which writes checkpoints to the folder; `hooks(module)`."""
    with tf.Graph().as_default():
        module = hub.Module(scaling_spec(), trainable=True)
        loss = tf.nn.l2_loss(module(ROWS))
        train_op = optimizer(0.1, **strengths).minimize(loss, tf1.train.get_or_create_global_step())
        last = tf1.train.StopAtStepHook(last_step=3)
        hooks = [*(hook(module) for hook in hooks), last]
        with tf1.train.MonitoredTrainingSession(checkpoint_dir=str(folder), hooks=hooks) as session:
            while not session.should_stop():
                session.run(train_op)


def exports(folder):
    return len(list(Path(folder).glob("[0-9]*")))


def test_the_hook_warns_once(tmp_path):
    def hook(module):
        return hub.ModuleExportHook(module, tmp_path / "exports", every_steps=1)

    [message] = told(lambda: train(tmp_path / "model", [hook], **REGULARIZING))
    assert "'Ftrl' (FtrlOptimizer) regularizes the variable 'module/w' with l1=0.01 and l2=0.02" in message
    assert "0.01 * tf.reduce_sum(tf.abs(w)) + 0.04 * tf.nn.l2_loss(w)" in message
    assert message.endswith("`tf1hub lint --explain optimizer-regularization` tells more.")
    assert exports(tmp_path / "exports") == 3


def test_the_hook_looks_into_branches(tmp_path):
    class SkippingOptimizer(tf1.train.FtrlOptimizer):
        """As one that scales losses: leaves out steps whose gradients overflow."""

        def minimize(self, loss, step):
            gradients = self.compute_gradients(loss)
            with control_flow_v2():
                return tf.cond(tf.math.is_finite(loss), lambda: self.apply_gradients(gradients, step), tf.no_op)

    def hook(module):
        return hub.ModuleExportHook(module, tmp_path / "exports")

    [message] = told(lambda: train(tmp_path / "model", [hook], SkippingOptimizer, **REGULARIZING))
    assert "(FtrlOptimizer) regularizes the variable 'module/w' with l1=0.01 and l2=0.02" in message


def test_the_hook_is_silent_without_strengths(tmp_path):
    def hook(module):
        return hub.ModuleExportHook(module, tmp_path / "exports")

    assert told(lambda: train(tmp_path / "model", [hook])) == []


def test_an_export_from_a_checkpoint_reads_the_graph_beside_it(tmp_path):
    train(tmp_path / "model", **REGULARIZING)
    [message] = told(lambda: hub.export_from_checkpoint(scaling_spec(), tmp_path / "model", tmp_path / "module"))
    assert "'module/w'" in message
    for graph in (tmp_path / "model").glob("*.meta"):
        graph.unlink()
    assert told(lambda: hub.export_from_checkpoint(scaling_spec(), tmp_path / "model", tmp_path / "other")) == []


def test_a_graph_that_cannot_be_read_fails_no_export(tmp_path):
    train(tmp_path / "model", **REGULARIZING)
    for graph in (tmp_path / "model").glob("*.meta"):
        graph.write_bytes(b"\x0a\xff\xff\x01ApplyFtrl")
    assert told(lambda: hub.export_from_checkpoint(scaling_spec(), tmp_path / "model", tmp_path / "module")) == []
    assert hub.verify(tmp_path / "module").is_sound


def test_the_export_is_there_even_where_warnings_are_errors(tmp_path):
    train(tmp_path / "model", **REGULARIZING)
    with pytest.raises(UserWarning, match="FtrlOptimizer"):
        hub.export_from_checkpoint(scaling_spec(), tmp_path / "model", tmp_path / "module")
    assert hub.verify(tmp_path / "module").is_sound


def estimator_of(library, folder, strengths):
    def model_fn(features, labels, mode):
        module = hub.Module(scaling_spec(), trainable=True)
        scaled = module(features["rows"])
        hub.register_module_for_export(module, "scaling")
        loss = train_op = None
        if mode != library.ModeKeys.PREDICT:
            loss = tf.nn.l2_loss(scaled - labels)
            optimizer = tf1.train.ProximalAdagradOptimizer(0.1, **strengths)
            train_op = optimizer.minimize(loss, tf1.train.get_global_step())
        return library.EstimatorSpec(mode, {"scaled": scaled}, loss, train_op)

    estimator = library.Estimator(model_fn, str(folder))
    estimator.train(lambda: tf.data.Dataset.from_tensors(({"rows": ROWS}, ROWS)).repeat(), steps=2)
    return estimator


@pytest.mark.parametrize("library", IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def test_exporters_of_an_estimator_warn_once_each(library, tmp_path):
    estimator = estimator_of(library, tmp_path / "model", REGULARIZING)
    serving = serving_input_fn(library)
    latest, best = hub.LatestModuleExporter("latest", serving), hub.BestModuleExporter("best", serving)
    final = hub.FinalModuleExporter("final", serving)

    def export():
        latest.export(estimator, str(tmp_path / "latest"))
        best.export(estimator, str(tmp_path / "best"), eval_result={"loss": 1.0})
        final.export(estimator, str(tmp_path / "final"), is_the_final_export=True)

    messages = told(export)
    assert len(messages) == 3
    assert all("(ProximalAdagradOptimizer) regularizes the variable 'module/w'" in each for each in messages)
    assert told(export) == []


def test_an_estimator_without_strengths_exports_silently(tmp_path):
    library = hub.estimator
    estimator = estimator_of(library, tmp_path / "model", {})
    exporter = hub.LatestModuleExporter("latest", serving_input_fn(library))
    assert told(lambda: exporter.export(estimator, str(tmp_path / "latest"))) == []


def fit(keras, folder, optimizer, trainable=True, epochs=2):
    layer = hub.KerasLayer(scaling_spec(), trainable=trainable, keras=keras)
    model = keras.Sequential([keras.Input([3]), layer, keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    callback = hub.ModuleExportCallback(layer, folder)
    return told(lambda: model.fit(ROWS, ROWS[:, :1], epochs=epochs, verbose=0, callbacks=[callback]))


@for_each_keras
def test_the_callback_looks_at_the_optimizer_of_any_keras(keras, tmp_path):
    [message] = fit(keras, tmp_path / "ftrl", keras.optimizers.Ftrl(**REGULARIZING))
    assert "(Ftrl) regularizes the variable 'w' with l1=0.01 and l2=0.02" in message
    assert exports(tmp_path / "ftrl") == 2


@for_each_keras
def test_optimizers_of_keras_without_strengths_are_fine(keras):
    module = hub.load(scaling_spec())
    for optimizer in (keras.optimizers.Ftrl(), keras.optimizers.Ftrl(beta=1.0), keras.optimizers.Adam()):
        assert regularization_by_keras(optimizer, module) == []


def test_l1_of_a_wide_part_is_fine_in_keras_too():
    def module_fn():
        ids = tf1.placeholder(tf.int64, [None, 3])
        rows = tf.nn.embedding_lookup(tf1.get_variable("linear", [9, 1]), ids)
        hub.add_signature(inputs=ids, outputs=tf.reduce_sum(rows, 1) + tf1.get_variable("bias", [1]))

    module = hub.load(hub.create_module_spec(module_fn))
    assert regularization_by_keras(KERAS_TWO.optimizers.Ftrl(l1_regularization_strength=0.1), module) == []
    [finding] = regularization_by_keras(KERAS_TWO.optimizers.Ftrl(**REGULARIZING), module)
    assert "('linear' and 'bias') with l2=0.02" in finding.reason


def test_a_layer_that_is_not_trained_is_not_regularized(tmp_path):
    optimizer = KERAS_TWO.optimizers.Ftrl(**REGULARIZING)
    assert fit(KERAS_TWO, tmp_path, optimizer, trainable=False, epochs=1) == []


def test_the_callback_looks_into_an_optimizer_that_scales_losses(tmp_path):
    inner = KERAS_TWO.optimizers.Ftrl(**REGULARIZING)
    optimizer = KERAS_TWO.mixed_precision.LossScaleOptimizer(inner)
    assert len(fit(KERAS_TWO, tmp_path, optimizer, epochs=1)) == 1
