import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import export, scaling_spec
from tests.training.estimators.linear_model import ROWS, SUMS, estimator_of, input_fn, model_fn_of
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub import estimator as ours

both = pytest.mark.parametrize("est", IMPLEMENTATIONS.values(), ids=list(IMPLEMENTATIONS))
UNMOVED = tf.train.GradientDescentOptimizer


def started(est, model_dir, warm_start_from, model_fn=None):
    """The variables of a model after a step that changes none of them."""
    model_fn = model_fn or model_fn_of(est, UNMOVED(0.0))
    model = est.Estimator(model_fn, str(model_dir), warm_start_from=warm_start_from).train(input_fn, steps=1)
    return {name: model.get_variable_value(name) for name in model.get_variable_names()}


@pytest.fixture
def earlier(tmp_path):
    return estimator_of(ours, tmp_path / "earlier").train(input_fn)


@both
def test_from_a_directory_of_checkpoints(est, earlier, tmp_path):
    found = started(est, tmp_path / "new", earlier.model_dir)
    np.testing.assert_array_equal(found["weights"], earlier.get_variable_value("weights"))
    assert found["global_step"] == 1


@both
def test_from_a_checkpoint(est, earlier, tmp_path):
    path = f"{earlier.model_dir}/model.ckpt-0"
    np.testing.assert_array_equal(
        started(est, tmp_path / "new", path)["weights"], tf.train.load_variable(path, "weights")
    )


@both
def test_from_a_saved_model(est, earlier, tmp_path):
    def serving_input_fn():
        rows = tf.placeholder(tf.float32, [None, 3])
        return ours.export.ServingInputReceiver({"x": rows}, rows)

    path = earlier.export_saved_model(str(tmp_path / "export"), serving_input_fn).decode()
    np.testing.assert_array_equal(
        started(est, tmp_path / "new", path)["weights"], earlier.get_variable_value("weights")
    )


@both
def test_variables_by_other_names(est, earlier, tmp_path):
    def model_fn(features, labels, mode):
        with tf.variable_scope("renamed"):
            return model_fn_of(est, UNMOVED(0.0))(features, labels, mode)

    settings = est.WarmStartSettings(
        earlier.model_dir, "renamed/.*", var_name_to_prev_var_name={"renamed/weights": "weights"}
    )
    found = started(est, tmp_path / "new", settings, model_fn)
    np.testing.assert_array_equal(found["renamed/weights"], earlier.get_variable_value("weights"))


@both
def test_none_but_the_wanted_variables(est, earlier, tmp_path):
    settings = est.WarmStartSettings(earlier.model_dir, vars_to_warm_start="other")
    assert not np.array_equal(
        started(est, tmp_path / "new", settings)["weights"], earlier.get_variable_value("weights")
    )


@both
def test_partitioned_variables(est, earlier, tmp_path):
    def model_fn(features, labels, mode):
        with tf.variable_scope("", partitioner=tf.fixed_size_partitioner(2)):
            return model_fn_of(est, UNMOVED(0.0))(features, labels, mode)

    found = started(est, tmp_path / "new", earlier.model_dir, model_fn)
    np.testing.assert_array_equal(found["weights"], earlier.get_variable_value("weights"))


@both
def test_a_vocabulary_that_grew(est, tmp_path):
    for name, words in (("old.txt", "a\nb\n"), ("new.txt", "b\nc\na\n")):
        (tmp_path / name).write_text(words)

    def model_fn_with(rows):
        def model_fn(features, labels, mode):
            table = tf.get_variable("table", initializer=tf.constant(rows))
            loss = tf.reduce_sum(table) * 0.0
            return est.EstimatorSpec(mode, loss=loss, train_op=tf.train.get_global_step().assign_add(1).op)

        return model_fn

    started(est, tmp_path / "old", None, model_fn_with([[1.0], [2.0]]))
    vocabulary = tf.train.VocabInfo(
        str(tmp_path / "new.txt"), 3, 0, str(tmp_path / "old.txt"), backup_initializer=tf.ones_initializer()
    )
    settings = est.WarmStartSettings(str(tmp_path / "old"), var_name_to_vocab_info={"table": vocabulary})
    found = started(est, tmp_path / "new", settings, model_fn_with([[0.0], [0.0], [0.0]]))
    assert found["table"].tolist() == [[2], [1], [1]]


@both
def test_evaluating_and_predicting_before_any_training(est, earlier, tmp_path):
    model = est.Estimator(model_fn_of(est), str(tmp_path / "new"), warm_start_from=earlier.model_dir)
    expected = ROWS @ earlier.get_variable_value("weights")
    assert model.evaluate(input_fn)["loss"] == pytest.approx(np.mean((expected - SUMS) ** 2), rel=1e-5)
    np.testing.assert_allclose([one["sum"] for one in model.predict(input_fn)], expected, rtol=1e-5)


def test_a_model_with_checkpoints_goes_on_from_them(earlier, tmp_path):
    other = estimator_of(ours, tmp_path / "other", tf_random_seed=2).train(input_fn, steps=1)
    found = started(ours, other.model_dir, "no such checkpoint")
    assert found["global_step"] == 2
    np.testing.assert_array_equal(
        found["weights"], tf.train.load_variable(f"{other.model_dir}/model.ckpt-1", "weights")
    )


def test_the_variables_of_a_module(tmp_path):
    path = export(scaling_spec(), tmp_path / "module")

    def model_fn(features, labels, mode):
        module = hub.Module(path, trainable=True, name="module")
        loss = tf.reduce_mean(tf.square(module(features["x"]) - labels))
        return ours.EstimatorSpec(mode, loss=loss, train_op=UNMOVED(rate).minimize(loss, tf.train.get_global_step()))

    rate = 0.1
    first = started(ours, tmp_path / "first", None, model_fn)
    rate = 0.0
    again = started(ours, tmp_path / "again", str(tmp_path / "first"), model_fn)
    assert not np.array_equal(first["module/w"], [2, 2, 2])
    np.testing.assert_array_equal(again["module/w"], first["module/w"])


@both
@pytest.mark.parametrize("wrong", [3, "", ["path"]])
def test_what_stands_for_no_checkpoint(est, wrong):
    with pytest.raises(ValueError, match=r"must|MUST"):
        est.Estimator(model_fn_of(est), "somewhere", warm_start_from=wrong)


@both
def test_the_settings_and_their_defaults(est):
    settings = est.WarmStartSettings("path")
    assert tuple(settings) == ("path", ".*", {}, {})
    assert type(settings)._fields == (
        *("ckpt_to_initialize_from", "vars_to_warm_start", "var_name_to_vocab_info", "var_name_to_prev_var_name"),
    )
