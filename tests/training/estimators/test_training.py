import json
import os
import threading

import numpy as np
import pytest
import tensorflow as tf2
import tensorflow.compat.v1 as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.programs import run_program
from tests.training.estimators.linear_model import Recorder, endless_input_fn, estimator_of, input_fn, model_fn_of
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub import estimator as ours
from tf1hub.training.estimators.training import parameter_server_setter
from tf1hub.training.estimators.training_hooks import choose_training_hooks

both = pytest.mark.parametrize("est", IMPLEMENTATIONS.values(), ids=list(IMPLEMENTATIONS))


def saved_steps(folder):
    return sorted(int(path.stem.split("-")[1]) for path in folder.glob("model.ckpt-*.index"))


def scalars(folder):
    events = EventAccumulator(str(folder)).Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


@both
def test_training_ends_with_the_input(est, tmp_path):
    model = estimator_of(est, tmp_path).train(input_fn)
    assert model.get_variable_value("global_step") == 2
    assert saved_steps(tmp_path) == [0, 2]


@both
def test_steps_are_added_and_max_steps_are_not(est, tmp_path):
    model = estimator_of(est, tmp_path)
    model.train(endless_input_fn, steps=3).train(endless_input_fn, steps=2)
    assert model.get_variable_value("global_step") == 5
    model.train(endless_input_fn, max_steps=6)
    assert model.get_variable_value("global_step") == 6


@both
def test_nothing_runs_when_max_steps_are_reached(est, tmp_path):
    model = estimator_of(est, tmp_path).train(endless_input_fn, steps=3)
    assert model.train("never called", max_steps=3) is model


@both
def test_an_empty_input_trains_nothing(est, tmp_path):
    model = estimator_of(est, tmp_path).train(lambda: input_fn().take(0))
    assert model.get_variable_value("global_step") == 0


@both
def test_the_files_of_a_model(est, tmp_path):
    estimator_of(est, tmp_path).train(input_fn)
    names = {path.name for path in tmp_path.iterdir() if "tfevents" not in path.name}
    parts = ("data-00000-of-00001", "index", "meta")
    assert names == {"checkpoint", "graph.pbtxt", *(f"model.ckpt-{step}.{part}" for step in (0, 2) for part in parts)}
    assert 'model_checkpoint_path: "model.ckpt-2"' in (tmp_path / "checkpoint").read_text()


@both
def test_a_model_without_saved_graphs(est, tmp_path):
    estimator_of(est, tmp_path, checkpoint_save_graph_def=False).train(input_fn)
    assert not list(tmp_path.glob("*.meta"))
    assert not (tmp_path / "graph.pbtxt").exists()


@both
def test_how_many_checkpoints_are_kept(est, tmp_path):
    estimator_of(est, tmp_path, save_checkpoints_steps=1, keep_checkpoint_max=2).train(endless_input_fn, steps=5)
    assert saved_steps(tmp_path) == [4, 5]


@both
def test_a_model_that_saves_nothing(est, tmp_path):
    model = estimator_of(est, tmp_path, save_checkpoints_steps=None, save_checkpoints_secs=None)
    assert model.train(input_fn).latest_checkpoint() is None


@both
def test_variables_slots_and_step_go_on_where_they_were(est, tmp_path):
    def learned(folder, *parts):
        model = estimator_of(est, tmp_path / folder)
        for steps in parts:
            # Each training starts the input again: batches of the whole data make both the same.
            model.train(lambda: input_fn().unbatch().batch(4).repeat(), steps=steps)
        return {name: model.get_variable_value(name) for name in model.get_variable_names()}

    at_once, in_parts = learned("one", 6), learned("two", 2, 4)
    assert len(at_once) == 6
    for name, value in at_once.items():
        np.testing.assert_array_equal(in_parts[name], value)


@both
def test_the_same_seed_gives_the_same_model(est, tmp_path):
    weights = [
        estimator_of(est, tmp_path / str(run)).train(input_fn, steps=1).get_variable_value("weights")
        for run in range(2)
    ]
    np.testing.assert_array_equal(weights[0], weights[1])


@both
def test_tensorboard_reads_loss_and_speed(est, tmp_path):
    estimator_of(est, tmp_path, save_summary_steps=2, log_step_count_steps=2).train(endless_input_fn, steps=7)
    found = scalars(tmp_path)
    assert sorted(found) == ["global_step/sec", "loss"]
    assert [step for step, _ in found["loss"]] == [1, 3, 5, 7]
    assert [step for step, _ in found["global_step/sec"]] == [3, 5, 7]


@both
def test_a_program_may_write_its_own_loss(est, tmp_path):
    def model_fn(features, labels, mode):
        spec = model_fn_of(est)(features, labels, mode)
        tf.summary.scalar("loss", spec.loss * 0 + 7)
        return spec

    est.Estimator(model_fn, str(tmp_path)).train(input_fn, steps=1)
    assert scalars(tmp_path) == {"loss": [(1, 7.0)]}


@both
def test_nothing_is_reported_when_nothing_shall_be(est, tmp_path):
    config = {"save_summary_steps": 0, "log_step_count_steps": None}
    estimator_of(est, tmp_path, **config).train(endless_input_fn, steps=3)
    assert scalars(tmp_path) == {}


@both
def test_hooks_of_the_call_and_of_the_spec_run(est, tmp_path):
    hooks = {name: Recorder() for name in ("call", "training", "chief")}
    spec = {"training_hooks": [hooks["training"]], "training_chief_hooks": [hooks["chief"]]}
    estimator_of(est, tmp_path, spec=spec).train(input_fn, hooks=[hooks["call"]])
    for name, hook in hooks.items():
        assert hook.calls == ["begin", "after_run", "after_run", "end"], name


@both
def test_a_hook_may_end_the_training(est, tmp_path):
    model = estimator_of(est, tmp_path).train(endless_input_fn, hooks=[tf.train.StopAtStepHook(last_step=4)])
    assert model.get_variable_value("global_step") == 4


class Listener(tf.train.CheckpointSaverListener):
    def __init__(self):
        self.calls = []

    def begin(self):
        self.calls.append("begin")

    def after_save(self, session, global_step_value):
        self.calls.append(int(global_step_value))

    def end(self, session, global_step_value):
        self.calls.append("end")


@both
def test_listeners_hear_of_each_checkpoint(est, tmp_path):
    listener = Listener()
    model = estimator_of(est, tmp_path, save_checkpoints_steps=2)
    model.train(endless_input_fn, steps=5, saving_listeners=[listener])
    assert listener.calls == ["begin", 0, 2, 4, 5, "end"]


@both
@pytest.mark.parametrize("place", ["call", "training_hooks", "training_chief_hooks"])
def test_a_program_may_save_by_a_hook_of_its_own(est, tmp_path, place):
    listener, told = Listener(), Listener()
    hook = tf.train.CheckpointSaverHook(str(tmp_path), save_steps=3, checkpoint_basename="own", listeners=[told])
    spec = {} if place == "call" else {place: [hook]}
    model = estimator_of(est, tmp_path, spec=spec, save_checkpoints_steps=1)
    hooks = [hook] if place == "call" else None
    model.train(endless_input_fn, hooks, steps=4, saving_listeners=[listener, told])
    assert listener.calls == told.calls == ["begin", 0, 3, 4, "end"]
    assert not list(tmp_path.glob("model.ckpt*"))


@both
def test_listeners_of_nothing_are_refused(est, tmp_path):
    model = estimator_of(est, tmp_path, save_checkpoints_steps=None, save_checkpoints_secs=None)
    with pytest.raises(ValueError, match="CheckpointSaverHook"):
        model.train(input_fn, saving_listeners=[Listener()])


@both
def test_a_program_may_bring_its_own_saver(est, tmp_path):
    def scaffold():
        return tf.train.Scaffold(saver=tf.train.Saver([*tf.trainable_variables(), tf.train.get_global_step()]))

    model = estimator_of(est, tmp_path, spec={"scaffold": scaffold}).train(input_fn)
    assert sorted(model.get_variable_names()) == ["global_step", "weights"]


@both
def test_a_scaffold_initializes(est, tmp_path):
    def scaffold():
        weights = tf.trainable_variables()[0]
        return tf.train.Scaffold(init_fn=lambda _, session: weights.load(np.full([3, 1], 5.0), session))

    model = estimator_of(est, tmp_path, tf.train.GradientDescentOptimizer(0.0), {"scaffold": scaffold})
    assert model.train(input_fn).get_variable_value("weights").tolist() == [[5.0]] * 3


@pytest.mark.parametrize("worse", [3, 1])
def test_a_loss_that_is_no_number_stops_with_its_step(worse, tmp_path):
    def model_fn(features, labels, mode):
        spec = model_fn_of(ours)(features, labels, mode)
        early = tf.train.get_global_step() < worse - 1
        return spec._replace(loss=tf.where(early, spec.loss, np.nan))

    config = ours.RunConfig(str(tmp_path), save_checkpoints_steps=2)
    with pytest.raises(tf.train.NanLossDuringTrainingError, match=f"at step {worse}.*ckpt-{worse - 1}") as caught:
        ours.Estimator(model_fn, config=config).train(endless_input_fn, steps=9)
    assert isinstance(caught.value, RuntimeError)
    assert saved_steps(tmp_path)[-1] == worse - 1


@both
def test_an_error_of_the_input_is_raised(est, tmp_path):
    def broken():
        return input_fn().map(lambda x, y: ({"x": tf.debugging.check_numerics(x["x"] / 0, "the data")}, y))

    with pytest.raises(tf.errors.InvalidArgumentError, match="the data"):
        estimator_of(est, tmp_path).train(broken)


@both
def test_operations_are_placed_by_the_device_function(est, tmp_path):
    hook = Recorder()
    model = estimator_of(est, tmp_path, device_fn=lambda op: "/device:CPU:1" if op.type == "MatMul" else "")
    model.train(input_fn, hooks=[hook], steps=1)
    assert hook.graph.get_operation_by_name("MatMul").device == "/device:CPU:1"
    assert hook.graph.get_operation_by_name("weights").device == ""


def test_training_in_another_thread(tmp_path):
    model = estimator_of(ours, tmp_path)
    thread = threading.Thread(target=model.train, args=(input_fn,))
    thread.start()
    thread.join()
    assert model.get_variable_value("global_step") == 2


def test_the_graph_of_the_caller_stays_as_it_is(tmp_path):
    with tf.Graph().as_default() as graph:
        estimator_of(ours, tmp_path).train(input_fn).evaluate(input_fn)
        assert tf.get_default_graph() is graph
    assert not graph.get_operations()


PROGRAM = """
import sys
import tensorflow as tf2
tf = tf2.compat.v1
if sys.argv[2] == "old": tf.disable_v2_behavior()
from tests.training.estimators.linear_model import estimator_of, input_fn
from tf1hub import estimator as ours
model = estimator_of(ours, sys.argv[1]).train(input_fn)
results = model.evaluate(input_fn)
print(tf.executing_eagerly(), model.get_variable_value("weights").ravel().tolist(), float(results["loss"]))
print([row["sum"].tolist() for row in model.predict(input_fn)])
"""


@pytest.mark.slow
def test_old_and_new_behaviour_of_tensorflow_give_the_same_model(tmp_path):
    old, new = (run_program(PROGRAM, str(tmp_path / kind), kind).split(maxsplit=1) for kind in ("old", "new"))
    assert (old[0], new[0]) == ("False", "True")
    assert old[1] == new[1]


INTERRUPTED = """
import os, signal, sys
import tensorflow as tf
from tests.training.estimators.linear_model import endless_input_fn, estimator_of
from tf1hub import estimator as ours
class Interrupt(tf.compat.v1.train.SessionRunHook):
    def after_run(self, run_context, run_values):
        if run_context.session.run(tf.compat.v1.train.get_global_step()) == 5:
            os.kill(os.getpid(), signal.SIGINT)
model = estimator_of(ours, sys.argv[1], save_checkpoints_steps=2)
try:
    model.train(endless_input_fn, hooks=[Interrupt()])
except KeyboardInterrupt:
    print("interrupted", os.path.basename(model.latest_checkpoint()))
    print(model.train(endless_input_fn, steps=1).get_variable_value("global_step"))
"""


@pytest.mark.slow
def test_control_c_stops_at_once_and_the_last_checkpoint_is_good(tmp_path):
    assert run_program(INTERRUPTED, str(tmp_path)).split() == ["interrupted", "model.ckpt-4", "5"]


def hooks_of_task(task, tmp_path, monkeypatch):
    cluster = {"master": ["localhost:1"], "worker": ["localhost:2", "localhost:3"], "ps": ["localhost:4"]}
    monkeypatch.setenv(
        "TF_CONFIG", json.dumps({"cluster": cluster, "task": dict(zip(["type", "index"], task, strict=True))})
    )
    with tf.Graph().as_default():
        tf.train.create_global_step()
        spec = ours.EstimatorSpec("train", loss=tf.constant(1.0), train_op=tf.no_op())
        hooks = choose_training_hooks(spec, ours.RunConfig(str(tmp_path)), [], [])
    return hooks, {type(hook).__name__ for hook in hooks.everywhere}


@pytest.mark.parametrize(("task", "reports"), [(("master", 0), False), (("worker", 0), True), (("worker", 1), False)])
def test_the_first_worker_reports_when_the_master_evaluates(task, reports, tmp_path, monkeypatch):
    hooks, kinds = hooks_of_task(task, tmp_path, monkeypatch)
    assert (hooks.save_summary_steps, hooks.log_step_count_steps) == (0, None)
    assert ({"SummarySaverHook", "StepCounterHook"} <= kinds) == reports


def test_variables_go_to_the_parameter_servers(tmp_path, monkeypatch):
    cluster = {"chief": ["localhost:1"], "ps": ["localhost:2", "localhost:3"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "chief", "index": 0}}))
    with tf.Graph().as_default(), tf.device(parameter_server_setter(ours.RunConfig(str(tmp_path)))):
        variables = [tf.get_variable(name, []) for name in "ab"]
        assert [one.device for one in variables] == ["/job:ps/task:0", "/job:ps/task:1"]
        assert tf.constant(1).device == "/job:chief/task:0"


def test_a_file_that_stands_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises((tf.errors.OpError, OSError)):
        estimator_of(ours, tmp_path / "file" / "model").train(input_fn)
    assert os.listdir(tmp_path) == ["file"]


def test_datasets_of_python_generators(tmp_path):
    def generated():
        signature = ({"x": tf2.TensorSpec([2, 3])}, tf2.TensorSpec([2, 1]))
        rows = ({"x": np.ones([2, 3], np.float32)}, np.ones([2, 1], np.float32))
        return tf2.data.Dataset.from_generator(lambda: iter([rows] * 3), output_signature=signature)

    assert estimator_of(ours, tmp_path).train(generated).get_variable_value("global_step") == 3
