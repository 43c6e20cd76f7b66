import types

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.training.estimators.linear_model import ROWS, Recorder, endless_input_fn, estimator_of, input_fn
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub import estimator as ours

both = pytest.mark.parametrize("est", IMPLEMENTATIONS.values(), ids=list(IMPLEMENTATIONS))


def predicting(est, tmp_path, outputs, hooks=()):
    """An Estimator without variables, whose predictions the function makes of the rows."""

    def model_fn(features, mode):
        return est.EstimatorSpec(mode, outputs(features["x"]), prediction_hooks=hooks)

    return est.Estimator(model_fn, str(tmp_path))


@both
def test_a_dict_for_each_example(est, tmp_path):
    model = estimator_of(est, tmp_path).train(input_fn)
    expected = ROWS @ model.get_variable_value("weights")
    found = list(model.predict(input_fn))
    assert [list(one) for one in found] == [["sum"]] * 4
    np.testing.assert_allclose([one["sum"] for one in found], expected, rtol=1e-5)


@both
def test_an_array_for_each_example(est, tmp_path):
    found = list(predicting(est, tmp_path, lambda rows: rows + 1).predict(input_fn))
    np.testing.assert_array_equal(found, ROWS + 1)


@both
def test_whole_batches(est, tmp_path):
    model = predicting(est, tmp_path, lambda rows: {"rows": rows, "count": tf.shape(rows)[0]})
    found = list(model.predict(input_fn, yield_single_examples=False))
    assert [batch["count"] for batch in found] == [2, 2]
    np.testing.assert_array_equal(np.concatenate([batch["rows"] for batch in found]), ROWS)


@both
def test_predictions_of_other_lengths_are_refused(est, tmp_path):
    model = predicting(est, tmp_path, lambda rows: {"rows": rows, "first": rows[:1]})
    with pytest.raises(ValueError, match="predictions"):
        next(model.predict(input_fn))
    assert len(list(model.predict(input_fn, predict_keys=["rows"]))) == 4


@both
def test_only_the_wanted_ones_are_computed(est, tmp_path):
    def outputs(rows):
        return {"rows": rows, "broken": tf.debugging.check_numerics(rows / 0, "computed"), "more": rows}

    model = predicting(est, tmp_path, outputs)
    assert list(next(model.predict(input_fn, predict_keys=["rows", "no such"]))) == ["rows"]
    with pytest.raises(ValueError, match="no such"):
        next(model.predict(input_fn, predict_keys=["no such"]))


@both
def test_one_tensor_has_no_key(est, tmp_path):
    with pytest.raises(ValueError, match="predict_keys"):
        next(predicting(est, tmp_path, lambda rows: rows).predict(input_fn, predict_keys=["rows"]))


@both
def test_nothing_runs_before_the_first_is_asked_for(est, tmp_path):
    found = predicting(est, tmp_path, lambda rows: rows).predict("never called")
    assert isinstance(found, types.GeneratorType)


@both
def test_hooks_of_the_call_and_of_the_spec_run(est, tmp_path):
    hooks = [Recorder(), Recorder()]
    list(predicting(est, tmp_path, lambda rows: rows, hooks[:1]).predict(input_fn, hooks=hooks[1:]))
    assert [hook.calls for hook in hooks] == [["begin", "after_run", "after_run", "end"]] * 2


@both
def test_an_older_checkpoint(est, tmp_path):
    model = estimator_of(est, tmp_path, save_checkpoints_steps=1).train(endless_input_fn, steps=3)
    path = str(tmp_path / "model.ckpt-1")
    expected = ROWS @ tf.train.load_variable(path, "weights")
    found = [one["sum"] for one in model.predict(input_fn, checkpoint_path=path)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_leaving_early_and_predicting_twice_at_once(tmp_path):
    model = predicting(ours, tmp_path, lambda rows: rows)
    one, other = model.predict(endless_input_fn), model.predict(input_fn)
    with tf.Graph().as_default() as graph:
        for row in ROWS:
            np.testing.assert_array_equal(next(one), row)
            np.testing.assert_array_equal(next(other), row)
            assert tf.get_default_graph() is graph
        one.close()
        assert list(other) == []
    assert not graph.get_operations()


def test_a_hook_ends_in_the_graph_of_the_predictions(tmp_path):
    class Ending(tf.train.SessionRunHook):
        def end(self, session):
            assert session.graph is tf.get_default_graph()
            self.ended = True

    hook = Ending()
    list(predicting(ours, tmp_path, lambda rows: rows).predict(input_fn, hooks=[hook]))
    assert hook.ended
