import json
import os
import pathlib

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.training.estimators.linear_model import estimator_of, input_fn, model_fn_of
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub import estimator as ours

both = pytest.mark.parametrize("est", IMPLEMENTATIONS.values(), ids=list(IMPLEMENTATIONS))


@both
def test_without_a_directory_a_temporary_one_is_made(est):
    model_dir = est.Estimator(model_fn_of(est)).model_dir
    assert os.listdir(model_dir) == []
    os.rmdir(model_dir)


@both
def test_the_directory_may_be_a_path_object(est):
    model = est.Estimator(model_fn_of(est), pathlib.Path("somewhere"))
    assert model.model_dir == model.config.model_dir == "somewhere"


@both
def test_the_directory_comes_from_the_configuration(est):
    config = est.RunConfig(model_dir="somewhere")
    assert est.Estimator(model_fn_of(est), config=config).model_dir == "somewhere"
    assert est.Estimator(model_fn_of(est), "somewhere", config).model_dir == "somewhere"


@both
@pytest.mark.parametrize("model_dir", ["elsewhere", ""])
def test_two_directories_are_refused(est, model_dir):
    with pytest.raises(ValueError, match="model_dir"):
        est.Estimator(model_fn_of(est), model_dir, est.RunConfig(model_dir="somewhere"))


@both
def test_the_directory_comes_from_the_environment(est, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"model_dir": "there"}))
    assert est.Estimator(model_fn_of(est)).model_dir == "there"
    with pytest.raises(ValueError, match="model_dir"):
        est.Estimator(model_fn_of(est), "elsewhere")


@both
@pytest.mark.parametrize("config", [{}, "config", tf.ConfigProto()])
def test_a_configuration_that_is_none_is_refused(est, config):
    with pytest.raises(ValueError, match="RunConfig"):
        est.Estimator(model_fn_of(est), config=config)


@both
def test_the_configuration_has_what_sessions_run_with(est):
    config = est.Estimator(model_fn_of(est), "somewhere").config
    assert config.session_config.allow_soft_placement
    own = est.RunConfig(session_config=tf.ConfigProto(inter_op_parallelism_threads=3))
    assert est.Estimator(model_fn_of(est), "somewhere", own).config.session_config.inter_op_parallelism_threads == 3


@both
def test_parameters_are_copied(est):
    given = {"sizes": [1]}
    model = est.Estimator(lambda features, params: None, "somewhere", params=given)
    given["sizes"].append(2)
    model.params["sizes"].append(3)
    assert model.params == {"sizes": [1]}
    assert est.Estimator(model_fn_of(est), "somewhere").params == {}


@both
def test_functions_may_take_parameters_out(est, tmp_path):
    sizes = []

    def model_fn(features, labels, mode, params):
        sizes.append(params.pop("model_size"))
        return model_fn_of(est)(features, labels, mode)

    def small_input_fn(params):
        sizes.append(params.pop("batch_size"))
        return input_fn()

    model = est.Estimator(model_fn, str(tmp_path), params={"model_size": 3, "batch_size": 2})
    model.train(small_input_fn, steps=1)
    model.evaluate(small_input_fn)
    assert sizes == [2, 3, 2, 3]


@both
@pytest.mark.parametrize("numbers", [{"steps": 0}, {"max_steps": -1}, {"steps": 1, "max_steps": 1}])
def test_numbers_of_steps_that_cannot_be(est, numbers):
    with pytest.raises(ValueError, match="steps"):
        est.Estimator(model_fn_of(est), "somewhere").train(input_fn, **numbers)


@both
def test_what_are_no_hooks_or_listeners_is_refused(est):
    model = est.Estimator(model_fn_of(est), "somewhere")
    for action in (lambda: model.train(input_fn, hooks=["hook"]), lambda: model.evaluate(input_fn, hooks=["hook"])):
        with pytest.raises(TypeError, match="hook"):
            action()
    with pytest.raises(TypeError, match="hook"):
        next(model.predict(input_fn, hooks=["hook"]))
    with pytest.raises(TypeError, match="saving_listeners"):
        model.train(input_fn, saving_listeners=["listener"])


@both
@pytest.mark.parametrize("task", ["ps", "evaluator"])
def test_tasks_that_do_not_train_are_told_so(est, task, monkeypatch):
    cluster = {"chief": ["localhost:1"], "ps": ["localhost:2"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": task, "index": 0}}))
    with pytest.raises(ValueError, match="train_and_evaluate"):
        est.Estimator(model_fn_of(est), "somewhere").train(input_fn)


@both
def test_a_model_without_checkpoints(est, tmp_path):
    model = estimator_of(est, tmp_path)
    assert model.latest_checkpoint() is None
    for action in (model.get_variable_names, lambda: model.get_variable_value("weights")):
        with pytest.raises(ValueError, match=str(tmp_path)):
            action()
    assert model.evaluate(input_fn)["global_step"] == 0
    assert len(list(model.predict(input_fn))) == 4


@both
def test_variables_of_a_trained_model(est, tmp_path):
    model = estimator_of(est, tmp_path)
    assert model.train(input_fn, steps=2) is model
    assert model.latest_checkpoint() == str(tmp_path / "model.ckpt-2")
    assert model.get_variable_value("global_step") == 2
    assert sorted(model.get_variable_names()) == [
        *("beta1_power", "beta2_power", "global_step", "weights", "weights/Adam", "weights/Adam_1")
    ]
    assert model.get_variable_value("weights").dtype == np.float32
    with pytest.raises(tf.errors.NotFoundError):
        model.get_variable_value("no such")


@both
def test_where_evaluations_write(est):
    model = est.Estimator(model_fn_of(est), "somewhere")
    assert (model.eval_dir(), model.eval_dir("test")) == ("somewhere/eval", "somewhere/eval_test")


@both
def test_the_model_function_is_called_from_outside(est):
    seen = {}

    def model_fn(features, params):
        seen.update(features=features, params=params)
        return est.EstimatorSpec("infer", predictions=tf.constant([1.0]))

    model = est.Estimator(model_fn, "somewhere", params={"a": 1})
    with tf.Graph().as_default():
        assert model.model_fn("rows", None, "infer", model.config).mode == "infer"
    assert seen == {"features": "rows", "params": {"a": 1}}


def serving_input_fn():
    rows = tf.placeholder(tf.float32, [None, 3])
    return ours.export.ServingInputReceiver({"x": rows}, rows)


@pytest.mark.parametrize("name", ["export_saved_model", "export_savedmodel"])
def test_a_saved_model_is_exported(name, tmp_path):
    model = estimator_of(ours, tmp_path / "model").train(input_fn, steps=1)
    path = getattr(model, name)(str(tmp_path / "export"), serving_input_fn)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.saved_model.load(session, ["serve"], path.decode())
        weights = session.run(tf.trainable_variables()[0])
    np.testing.assert_array_equal(weights, model.get_variable_value("weights"))
