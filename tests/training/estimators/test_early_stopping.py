"""Hooks that end a training early: at which evaluations, and how the workers learn of it."""

import pytest
import tensorflow as tf

from tests.training.estimators.small_model import input_fn_of, make_estimator
from tests.training.implementations import for_both
from tf1hub import estimator as ours
from tf1hub.training.estimators.evaluation_results import read_evaluation_results

v1 = tf.compat.v1
EVERY_STEP = {"run_every_secs": None, "run_every_steps": 1}
RESULTS = {10: 5.0, 20: 4.0, 30: 3.0, 40: 3.5, 50: 3.25, 60: 3.125}
STOP = "signal_early_stopping/STOP"


def write_results(eval_dir, results):
    with tf.Graph().as_default(), v1.summary.FileWriter(str(eval_dir)) as writer:
        for step, value in results.items():
            summary = v1.Summary(value=[v1.Summary.Value(tag="error", simple_value=value)])
            writer.add_summary(summary, step)


@pytest.fixture(scope="module")
def eval_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eval")
    write_results(folder, RESULTS)
    return str(folder)


def is_stopped(trained, hook):
    """Whether the hook ends the training after its first step, of three."""
    trained.train(input_fn_of(), hooks=[hook], max_steps=3)
    return {1: True, 3: False}[int(trained.get_variable_value("global_step"))]


CASES = [
    ("stop_if_higher_hook", 4.5, 0, True),
    ("stop_if_higher_hook", 5.0, 0, False),
    ("stop_if_higher_hook", 4.5, 15, False),
    ("stop_if_lower_hook", 3.1, 0, True),
    ("stop_if_lower_hook", 3.1, 35, False),
    ("stop_if_no_decrease_hook", 30, 0, True),
    ("stop_if_no_decrease_hook", 31, 0, False),
    ("stop_if_no_decrease_hook", 30, 35, False),
    ("stop_if_no_increase_hook", 50, 0, True),
    ("stop_if_no_increase_hook", 51, 0, False),
    ("stop_if_no_increase_hook", 20, 35, True),
]


@for_both
@pytest.mark.parametrize(("make_hook", "limit", "min_steps", "expected"), CASES)
def test_evaluations_that_end_a_training(estimators, tmp_path, eval_dir, make_hook, limit, min_steps, expected):
    trained = make_estimator(estimators, tmp_path)
    make = getattr(estimators.experimental, make_hook)
    hook = make(trained, "error", limit, eval_dir=eval_dir, min_steps=min_steps, **EVERY_STEP)
    assert is_stopped(trained, hook) == expected


@for_both
def test_training_goes_on_before_the_first_evaluation(estimators, tmp_path):
    trained = make_estimator(estimators, tmp_path)
    assert not is_stopped(trained, estimators.experimental.stop_if_lower_hook(trained, "loss", 100, **EVERY_STEP))


@for_both
def test_metric_that_is_not_there(estimators, tmp_path, eval_dir):
    trained = make_estimator(estimators, tmp_path)
    hook = estimators.experimental.stop_if_lower_hook(trained, "accuracy", 1, eval_dir=eval_dir, **EVERY_STEP)
    with pytest.raises(KeyError, match="accuracy"):
        trained.train(input_fn_of(), hooks=[hook], max_steps=3)


@for_both
def test_function_is_asked_every_so_many_steps(estimators, tmp_path):
    trained, asked = make_estimator(estimators, tmp_path), []
    hook = estimators.experimental.make_early_stopping_hook(
        trained, lambda: bool(asked.append(1)), run_every_secs=None, run_every_steps=3
    )
    trained.train(input_fn_of(), hooks=[hook], max_steps=8)
    assert len(asked) == 3


@for_both
def test_variable_that_tells_the_workers_is_in_the_checkpoint(estimators, tmp_path):
    trained = make_estimator(estimators, tmp_path)
    assert is_stopped(trained, estimators.experimental.make_early_stopping_hook(trained, lambda: True, None, 1))
    assert sorted(trained.get_variable_names()) == ["global_step", STOP, "w"]
    assert trained.get_variable_value(STOP)


@for_both
def test_worker_stops_when_the_chief_says_so(estimators, tmp_path, monkeypatch):
    monkeypatch.setenv(
        "TF_CONFIG", '{"cluster": {"chief": ["c:1"], "worker": ["w:1"]}, "task": {"type": "worker", "index": 0}}'
    )
    worker = make_estimator(estimators, tmp_path)
    hook = estimators.experimental.make_early_stopping_hook(worker, lambda: True)
    steps = []
    with tf.Graph().as_default():
        step = v1.train.create_global_step()
        count = step.assign_add(1)
        with v1.train.MonitoredSession(hooks=[hook]) as session:
            chief = next(one for one in v1.global_variables() if one.op.name == STOP)
            while not session.should_stop():
                steps.append(int(session.run(count)))
                if len(steps) == 3:
                    session.run_step_fn(lambda step_context: chief.load(True, step_context.session))
    assert len(steps) == 4


@for_both
def test_arguments_that_cannot_be(estimators, tmp_path):
    trained, make = make_estimator(estimators, tmp_path), estimators.experimental.make_early_stopping_hook
    with pytest.raises(ValueError):
        make(trained, lambda: True, run_every_secs=60, run_every_steps=5)
    with pytest.raises(ValueError):
        make(trained, lambda: True, run_every_secs=None)
    with pytest.raises(TypeError):
        make(trained, "stop")
    with pytest.raises(TypeError):
        make("estimator", lambda: True)


def test_results_of_several_runs_come_in_the_order_of_their_steps(tmp_path):
    write_results(tmp_path, {20: 2.0})
    with tf.Graph().as_default(), v1.summary.FileWriter(str(tmp_path), filename_suffix=".later") as writer:
        writer.add_summary(v1.Summary(value=[v1.Summary.Value(tag="error", simple_value=1.0)]), 10)
    assert list(read_evaluation_results(str(tmp_path)).items()) == [(10, {"error": 1.0}), (20, {"error": 2.0})]


def test_half_written_result_is_left_out(tmp_path):
    write_results(tmp_path, {10: 1.0, 20: 2.0})
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    assert read_evaluation_results(str(tmp_path)) == {10: {"error": 1.0}}


def test_hook_of_the_facade_is_for_our_estimators_only(tmp_path):
    with pytest.raises(TypeError, match=r"tf1hub\.estimator\.Estimator"):
        ours.experimental.stop_if_lower_hook(type("Other", (), {"eval_dir": lambda self: ""})(), "loss", 1)
