"""Modules inside a `model_fn`: trained, evaluated and asked."""

import numpy as np
import pytest
import tensorflow as tf2
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import export, spec_of
from tests.module_fns import KINDS, TRAIN, as_tensors
from tests.training.implementations import IMPLEMENTATIONS

_QUICK = ["dense", "text"]
_SLOW = [
    *("nested_with_assets", "partitioned_rows", "partitioned_references", "reference_variables", "batch_norm"),
    *("regularized", "nested_with_regularizers_and_updates", "layers_conv_batch_norm"),
]


def model_of(est, kind, path, model_dir):
    """An Estimator that trains a module until its outputs are 3. Its input is what the kind is fed in other tests."""

    def model_fn(features, labels, mode):
        tags = TRAIN if mode == "train" and TRAIN in KINDS[kind].tags else None
        module = hub.Module(path, trainable=True, tags=tags, name="module")
        outputs = module(as_tensors(KINDS[kind].inputs["default"]))
        if mode == "infer":
            return est.EstimatorSpec(mode, {"outputs": outputs})
        loss = tf.reduce_mean(tf.square(outputs - labels)) + tf.losses.get_regularization_loss()
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            train_op = tf.train.AdamOptimizer(0.05).minimize(loss, tf.train.get_global_step())
        return est.EstimatorSpec(mode, loss=loss, train_op=train_op)

    return est.Estimator(model_fn, str(model_dir), est.RunConfig(tf_random_seed=1))


def input_fn(batches):
    return tf2.data.Dataset.from_tensors((0.0, 3.0)).repeat(batches)


def results_of(est, kind, path, model_dir):
    """The losses before and after training, the variables of the module and its outputs."""
    model = model_of(est, kind, path, model_dir)
    losses = [float(model.evaluate(lambda: input_fn(1))["loss"])]
    model.train(lambda: input_fn(3)).train(lambda: input_fn(2))
    losses.append(float(model.evaluate(lambda: input_fn(1))["loss"]))
    names = [name for name in model.get_variable_names() if name.startswith("module/")]
    variables = {name: model.get_variable_value(name) for name in names}
    outputs = next(model.predict(lambda: input_fn(1), yield_single_examples=False))["outputs"]
    return losses, variables, outputs


@pytest.mark.filterwarnings("ignore:.tf.layers:UserWarning")
@pytest.mark.parametrize("kind", [*_QUICK, *(pytest.param(kind, marks=pytest.mark.slow) for kind in _SLOW)])
def test_a_module_is_trained_and_used(kind, tmp_path):
    path = export(spec_of(kind), tmp_path / "module")
    found = {name: results_of(est, kind, path, tmp_path / name) for name, est in IMPLEMENTATIONS.items()}
    losses, variables, outputs = found["ours"]
    assert losses[1] < losses[0]
    before = tf.train.load_checkpoint(f"{path}/variables/variables")
    trained = [name for name in variables if "Adam" not in name]
    assert any(not np.array_equal(variables[name], before.get_tensor(name.removeprefix("module/"))) for name in trained)
    for real_losses, real_variables, real_outputs in found.values():
        assert losses == pytest.approx(real_losses, rel=1e-5)
        assert set(variables) == set(real_variables)
        for name, value in variables.items():
            np.testing.assert_allclose(value, real_variables[name], rtol=1e-5, err_msg=name)
        np.testing.assert_allclose(outputs, real_outputs, rtol=1e-5)
