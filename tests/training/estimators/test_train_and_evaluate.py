"""train_and_evaluate in one process: which checkpoints are evaluated and exported, in which order."""

import os
import signal

import pytest
import tensorflow as tf

from tests.training.estimators.small_model import input_fn_of, make_estimator
from tests.training.implementations import for_both
from tf1hub import estimator as ours
from tf1hub.training.estimators.checkpoint_evaluation import CheckpointEvaluator

v1 = tf.compat.v1


class Diary:
    """An exporter, hooks and a listener that write down what happens."""

    def __init__(self, estimators):
        self.lines = []
        diary = self

        class Exporter(estimators.Exporter):
            name = "diary"

            def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
                assert export_path == os.path.join(estimator.model_dir, "export", "diary")
                assert sorted(eval_result) == ["global_step", "loss"]
                step = int(checkpoint_path.rpartition("-")[2])
                assert step == eval_result["global_step"]
                diary.lines.append(("exported", step, is_the_final_export))
                return f"export of {step}"

        class Listener(v1.train.CheckpointSaverListener):
            def after_save(self, session, global_step_value):
                diary.lines.append(("saved", int(global_step_value)))

            def end(self, session, global_step_value):
                diary.lines.append(("ends", int(global_step_value)))

        class Hook(v1.train.SessionRunHook):
            def end(self, session):
                diary.lines.append(("evaluated", int(session.run(v1.train.get_global_step()))))

        self.exporter, self.listener, self.hook = Exporter(), Listener(), Hook()


def run(estimators, model_dir, batches=None, max_steps=None, throttle_secs=0, hooks=(), **config):
    """What train_and_evaluate returns, and the diary of it."""
    diary = Diary(estimators)
    result = estimators.train_and_evaluate(
        make_estimator(estimators, model_dir, **{"save_checkpoints_steps": 2, **config}),
        estimators.TrainSpec(input_fn_of(batches), max_steps, hooks=hooks, saving_listeners=[diary.listener]),
        estimators.EvalSpec(
            input_fn_of(), steps=2, hooks=[diary.hook], exporters=diary.exporter, throttle_secs=throttle_secs
        ),
    )
    return result, diary.lines


def evaluation(step, is_final=False):
    return [("evaluated", step), ("exported", step, is_final)]


@for_both
def test_each_checkpoint_after_the_first_is_evaluated_and_exported(estimators, tmp_path):
    (metrics, exports), lines = run(estimators, tmp_path, max_steps=5)
    assert lines == [
        *[("saved", 0), ("saved", 2), *evaluation(2), ("saved", 4), *evaluation(4)],
        *[("saved", 5), *evaluation(5, is_final=True), ("ends", 5)],
    ]
    assert exports == ["export of 5"]
    assert (metrics["global_step"], float(metrics["loss"])) == (5, pytest.approx(4 * 0.8**10))


@for_both
def test_throttled_evaluations_are_left_out_but_for_the_last(estimators, tmp_path):
    _, lines = run(estimators, tmp_path, max_steps=5, throttle_secs=600)
    saved = [("saved", 0), ("saved", 2), *evaluation(2), ("saved", 4), ("saved", 5), ("ends", 5)]
    assert lines == saved + evaluation(5, is_final=True)


@for_both
def test_training_that_was_complete_is_not_evaluated_again(estimators, tmp_path):
    run(estimators, tmp_path, max_steps=5)
    assert run(estimators, tmp_path, max_steps=5) == ((None, None), [])


@for_both
def test_no_export_is_final_when_the_input_ends_first(estimators, tmp_path):
    _, lines = run(estimators, tmp_path, batches=3, max_steps=50)
    assert lines == [("saved", 0), ("saved", 2), *evaluation(2), ("saved", 3), *evaluation(3), ("ends", 3)]


@for_both
def test_resumed_training_does_not_evaluate_what_it_starts_from(estimators, tmp_path):
    run(estimators, tmp_path, batches=3)
    _, lines = run(estimators, tmp_path, batches=3)
    assert lines == [("saved", 3), ("saved", 5), *evaluation(5), ("saved", 6), *evaluation(6), ("ends", 6)]


@for_both
def test_early_stopping_on_an_evaluation(estimators, tmp_path):
    trained = make_estimator(estimators, tmp_path)
    hook = estimators.experimental.stop_if_lower_hook(trained, "loss", 1.0, run_every_secs=None, run_every_steps=1)
    (metrics, _), lines = run(estimators, tmp_path, max_steps=50, hooks=[hook])
    assert lines[-3:] == [*evaluation(4), ("ends", 4)]
    assert metrics["loss"] < 1


@for_both
def test_nothing_to_evaluate_without_checkpoints(estimators, tmp_path):
    with pytest.raises(ValueError, match="CheckpointSaverHook"):
        run(estimators, tmp_path, max_steps=5, save_checkpoints_steps=None)


@for_both
def test_checkpoints_of_another_directory_are_no_checkpoints_of_the_model(estimators, tmp_path):
    elsewhere = v1.train.CheckpointSaverHook(str(tmp_path / "elsewhere"), save_steps=2)
    with pytest.raises(RuntimeError, match="no new checkpoint"):
        run(estimators, tmp_path / "model", max_steps=5, hooks=[elsewhere])


@for_both
def test_arguments_of_other_types(estimators, tmp_path):
    trained, train = make_estimator(estimators, tmp_path), estimators.TrainSpec(input_fn_of(), 1)
    evaluation = estimators.EvalSpec(input_fn_of())
    for arguments in ((3, train, evaluation), (trained, evaluation, evaluation), (trained, train, train)):
        with pytest.raises(TypeError):
            estimators.train_and_evaluate(*arguments)


@for_both
def test_second_evaluator(estimators, tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"chief": ["c:1"]}, "task": {"type": "evaluator", "index": 1}}')
    with pytest.raises(ValueError, match="only be one"):
        run(estimators, tmp_path, max_steps=1)


@for_both
def test_task_that_has_nothing_to_do(estimators, tmp_path, monkeypatch):
    cluster = '{"chief": ["c:1"], "painter": ["p:1"]}'
    monkeypatch.setenv("TF_CONFIG", f'{{"cluster": {cluster}, "task": {{"type": "painter", "index": 0}}}}')
    with pytest.raises(ValueError):
        run(estimators, tmp_path, max_steps=1)


@for_both
def test_evaluator_ends_with_the_last_checkpoint(estimators, tmp_path, monkeypatch):
    make_estimator(estimators, tmp_path).train(input_fn_of(), max_steps=3)
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"chief": ["c:1"]}, "task": {"type": "evaluator", "index": 0}}')
    diary = Diary(estimators)
    estimators.train_and_evaluate(
        make_estimator(estimators, tmp_path),
        estimators.TrainSpec(input_fn_of(), 3),
        estimators.EvalSpec(
            input_fn_of(), 1, hooks=[diary.hook], exporters=diary.exporter, start_delay_secs=0, throttle_secs=0
        ),
    )
    assert diary.lines == evaluation(3, is_final=True)


class SignalAtStep(v1.train.SessionRunHook):
    """Sends the process SIGTERM in the middle of a training."""

    def __init__(self, step):
        self._step = step
        self._sent = False

    def before_run(self, run_context):
        return v1.train.SessionRunArgs(v1.train.get_global_step())

    def after_run(self, run_context, run_values):
        # The step is read while it is counted: two runs may read the same one, and a number can be passed over.
        if run_values.results >= self._step and not self._sent:
            self._sent = True
            os.kill(os.getpid(), signal.SIGTERM)


def test_no_evaluation_begins_after_sigterm(tmp_path):
    diary = Diary(ours)
    trained = make_estimator(ours, tmp_path, save_checkpoints_steps=100)
    train = ours.TrainSpec(input_fn_of(), 50, hooks=[SignalAtStep(3)], saving_listeners=[diary.listener])
    evaluation = ours.EvalSpec(input_fn_of(), hooks=[diary.hook], exporters=diary.exporter, throttle_secs=0)
    with pytest.raises(SystemExit):
        ours.train_and_evaluate(trained, train, evaluation)
    last = trained.get_variable_value("global_step")
    assert 3 <= last < 50
    assert diary.lines == [("saved", 0), ("saved", last), ("ends", last)]


def test_training_goes_on_after_sigterm(tmp_path):
    test_no_evaluation_begins_after_sigterm(tmp_path)
    (metrics, _), lines = run(ours, tmp_path, max_steps=8)
    assert (metrics["global_step"], lines[-2]) == (8, ("exported", 8, True))


def test_checkpoint_that_the_chief_removes_meanwhile_is_passed_over(tmp_path):
    trained = make_estimator(ours, tmp_path)
    trained.train(input_fn_of(), steps=1)

    def input_fn():
        for path in tmp_path.glob("model.ckpt-1.*"):
            path.unlink()
        return input_fn_of()()

    evaluator = CheckpointEvaluator(trained, ours.EvalSpec(input_fn, steps=1), max_steps=2)
    evaluator.evaluate()
    assert (evaluator.metrics, evaluator.is_complete) == (None, False)


def test_an_export_that_fails_is_told_also_when_the_checkpoint_was_removed(tmp_path):
    trained = make_estimator(ours, tmp_path)
    trained.train(input_fn_of(), steps=1)

    class FullDisk(ours.Exporter):
        name = "full"

        def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
            for path in tmp_path.glob("model.ckpt-1.*"):
                path.unlink()
            raise OSError("no space")

    eval_spec = ours.EvalSpec(input_fn_of(), steps=1, exporters=FullDisk())
    with pytest.raises(OSError, match="no space"):
        CheckpointEvaluator(trained, eval_spec, max_steps=2).evaluate()


def test_faults_of_an_evaluation_are_not_hidden(tmp_path):
    trained = make_estimator(ours, tmp_path)
    trained.train(input_fn_of(), steps=1)

    def input_fn():
        raise ValueError("no input")

    with pytest.raises(ValueError, match="no input"):
        CheckpointEvaluator(trained, ours.EvalSpec(input_fn, steps=1), max_steps=2).evaluate()
