"""TrainSpec and EvalSpec: what they take and refuse."""

import pytest
import tensorflow as tf

from tests.training.implementations import for_both

HOOK, LISTENER = tf.compat.v1.train.StopAtStepHook(1), tf.compat.v1.train.CheckpointSaverListener()


def input_fn():
    return tf.data.Dataset.range(1)


def exporter(estimators, name):
    class Named(estimators.Exporter):
        @property
        def name(self):
            return name

        def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
            return None

    return Named()


@for_both
def test_defaults(estimators):
    assert estimators.TrainSpec(input_fn) == (input_fn, None, (), ())
    assert estimators.EvalSpec(input_fn) == (input_fn, 100, None, (), (), 120, 600)


@for_both
def test_hooks_and_listeners_become_tuples(estimators):
    train = estimators.TrainSpec(input_fn, 5, [HOOK], [LISTENER])
    assert (train.max_steps, train.hooks, train.saving_listeners) == (5, (HOOK,), (LISTENER,))
    assert estimators.EvalSpec(input_fn, hooks=[HOOK]).hooks == (HOOK,)


@for_both
def test_exporters_are_one_several_or_none(estimators):
    one, other = exporter(estimators, "a"), exporter(estimators, "b")
    assert estimators.EvalSpec(input_fn, exporters=one).exporters == (one,)
    assert estimators.EvalSpec(input_fn, exporters=[one, other]).exporters == (one, other)
    assert estimators.EvalSpec(input_fn, exporters=[]).exporters == ()


BAD_TRAINING = [
    ({"input_fn": None}, TypeError),
    ({"max_steps": 0}, ValueError),
    ({"max_steps": -1}, ValueError),
    ({"hooks": [3]}, TypeError),
    ({"hooks": HOOK}, TypeError),
    ({"saving_listeners": [HOOK]}, TypeError),
]


@for_both
@pytest.mark.parametrize(("arguments", "error"), BAD_TRAINING)
def test_training_that_cannot_be(estimators, arguments, error):
    with pytest.raises(error):
        estimators.TrainSpec(**{"input_fn": input_fn, **arguments})


BAD_EVALUATION = [
    ({"input_fn": 3}, TypeError),
    ({"steps": 0}, ValueError),
    ({"name": 3}, TypeError),
    ({"hooks": [LISTENER]}, TypeError),
    ({"exporters": 3}, TypeError),
    ({"exporters": [3]}, TypeError),
    ({"start_delay_secs": -1}, ValueError),
    ({"throttle_secs": -1}, ValueError),
]


@for_both
@pytest.mark.parametrize(("arguments", "error"), BAD_EVALUATION)
def test_evaluation_that_cannot_be(estimators, arguments, error):
    with pytest.raises(error):
        estimators.EvalSpec(**{"input_fn": input_fn, **arguments})


@for_both
@pytest.mark.parametrize("names", [["a", "a"], [""], [None], [3]], ids=str)
def test_exporters_need_names_of_their_own(estimators, names):
    with pytest.raises(ValueError):
        estimators.EvalSpec(input_fn, exporters=[exporter(estimators, name) for name in names])
