"""The graphs that Estimators build, node by node: the seeds of operations follow from the nodes before them."""

import pytest
import tensorflow as tf2
import tensorflow.compat.v1 as tf

from tests.training.estimators.linear_model import Recorder, input_fn, model_fn_of
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub import estimator as ours

# What tf.estimator counts batches with; here the hook that stops counts them itself. What checks that all variables are
# initialized follows from it. All of it comes after the program's own nodes.
_COUNTING = ("eval_step", "AssignAdd", "Read", "read", "Identity", "report_uninitialized", "Const_")


def shuffled_input_fn():
    return input_fn().unbatch().shuffle(4).batch(2)


def dropping_model_fn(est):
    def model_fn(features, labels, mode):
        dropped = tf.nn.dropout(features["x"], rate=0.5)
        return model_fn_of(est)({"x": dropped}, labels, mode)

    return model_fn


def graphs_of(est, model_dir):
    """The nodes of the three graphs, the metrics and the predictions."""
    hooks = {mode: Recorder() for mode in ("train", "evaluate", "predict")}
    model = est.Estimator(dropping_model_fn(est), str(model_dir), est.RunConfig(tf_random_seed=1))
    model.train(shuffled_input_fn, hooks=[hooks["train"]], steps=3)
    results = model.evaluate(shuffled_input_fn, hooks=[hooks["evaluate"]])
    predictions = [float(one["sum"][0]) for one in model.predict(shuffled_input_fn, hooks=[hooks["predict"]])]
    nodes = {
        mode: [(op.type, op.name, op.device) for op in hook.graph.get_operations()] for mode, hook in hooks.items()
    }
    return nodes, {name: float(value) for name, value in results.items()}, predictions


def first_nodes(nodes):
    return [name for _, name, _ in nodes[: [type_ for type_, _, _ in nodes].index("RandomUniform")]]


def test_the_nodes_before_a_program_draws_numbers(tmp_path):
    nodes, _, _ = graphs_of(ours, tmp_path)
    for mode, names in ((mode, first_nodes(nodes[mode])) for mode in nodes):
        assert names[0] == "global_step/Initializer/zeros"
        assert ("global_step/add" in names) == (mode == "train")


@pytest.mark.skipif("real" not in IMPLEMENTATIONS, reason="tf.estimator is not in this TensorFlow; the peer's has it")
def test_the_same_nodes_results_and_predictions_as_under_tf_estimator(tmp_path):
    nodes, results, predictions = graphs_of(ours, tmp_path / "ours")
    real_nodes, real_results, real_predictions = graphs_of(IMPLEMENTATIONS["real"], tmp_path / "real")
    assert nodes["train"] == real_nodes["train"]
    assert nodes["predict"] == real_nodes["predict"]
    assert not set(nodes["evaluate"]) - set(real_nodes["evaluate"])
    assert all(name.startswith(_COUNTING) for _, name, _ in set(real_nodes["evaluate"]) - set(nodes["evaluate"]))
    assert first_nodes(nodes["evaluate"]) == first_nodes(real_nodes["evaluate"])
    assert results == pytest.approx(real_results, rel=1e-6)
    assert predictions == pytest.approx(real_predictions, rel=1e-6)
    assert tf2.executing_eagerly()
