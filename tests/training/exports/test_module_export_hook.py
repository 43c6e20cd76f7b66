"""Exporting a module while a MonitoredTrainingSession trains it."""

import os
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import outputs_of, scaling_spec, spec_of
from tests.training.exports.trained import estimator_of, input_fn, scale_of, trained_scale
from tests.training.implementations import IMPLEMENTATIONS


def steps_in(exports):
    """The global steps at which the modules in a folder were exported: each step adds one to the scale, from 2 on."""
    return [round(scale_of(path)) - 2 for path in sorted(Path(exports).glob("[0-9]*"))]


def train(exports, until, model_dir=None, jump=1, **options):
    """Trains to a global step; each step adds one to the module's scale. Returns the hook."""
    with tf.Graph().as_default():
        module = hub.Module(scaling_spec(), trainable=True)
        hook = hub.ModuleExportHook(module, exports, **options)
        global_step = tf.train.get_or_create_global_step()
        grow = tf.assign_add(module.variables[0], [float(jump)] * 3)
        with tf.control_dependencies([grow]):
            train_op = tf.assign_add(global_step, jump)
        hooks = [hook, tf.train.StopAtStepHook(last_step=until)]
        with tf.train.MonitoredTrainingSession(checkpoint_dir=model_dir, hooks=hooks) as session:
            while not session.should_stop():
                session.run(train_op)
    return hook


def test_the_module_is_exported_every_so_many_steps_and_at_the_end(tmp_path):
    train(tmp_path, until=7, every_steps=3)
    assert steps_in(tmp_path) == [3, 6, 7]
    assert all(hub.verify(path).is_sound for path in tmp_path.iterdir())
    assert all(len(name) == 10 and name.isdigit() for name in os.listdir(tmp_path))


def test_a_last_step_that_is_exported_is_not_exported_twice(tmp_path):
    train(tmp_path, until=6, every_steps=3)
    assert steps_in(tmp_path) == [3, 6]


def test_without_an_interval_it_exports_at_the_end(tmp_path):
    train(tmp_path, until=5)
    assert steps_in(tmp_path) == [5]


def test_it_exports_every_so_many_seconds(tmp_path):
    train(tmp_path, until=3, every_secs=1e-6, exports_to_keep=None)
    assert steps_in(tmp_path) == [1, 2, 3]


def test_steps_may_jump(tmp_path):
    train(tmp_path, until=17, jump=4, every_steps=6)
    assert steps_in(tmp_path) == [8, 16, 20]


def test_a_training_that_goes_on_does_not_export_at_once(tmp_path):
    model_dir, exports = str(tmp_path / "model"), tmp_path / "exports"
    train(exports, until=4, model_dir=model_dir, every_steps=3)
    assert steps_in(exports) == [3, 4]
    train(exports, until=8, model_dir=model_dir, every_steps=3)
    assert steps_in(exports) == [3, 4, 7, 8]


def test_older_exports_are_removed(tmp_path):
    (tmp_path / "1600000000/deep").mkdir(parents=True)
    train(tmp_path, until=5, every_steps=1, exports_to_keep=2)
    assert os.listdir(tmp_path / "1600000000") == ["deep"]
    (tmp_path / "1600000000/deep").rmdir()
    (tmp_path / "1600000000").rmdir()
    assert steps_in(tmp_path) == [4, 5]


def test_a_partitioned_module_is_exported(tmp_path):
    with tf.Graph().as_default():
        module = hub.Module(spec_of("partitioned_columns"), trainable=True)
        outputs = module([0, 6, 3])
        tf.train.create_global_step()
        with tf.train.MonitoredTrainingSession(hooks=[hub.ModuleExportHook(module, tmp_path)]) as session:
            values = session.run(outputs)
    (path,) = tmp_path.iterdir()
    np.testing.assert_array_equal(outputs_of(path, [0, 6, 3]), values)


def test_an_error_in_training_leaves_no_export_of_the_end(tmp_path):
    class Failing(tf.train.SessionRunHook):
        def after_run(self, run_context, run_values):
            raise ValueError("the loss is NaN")

    with tf.Graph().as_default():
        hook = hub.ModuleExportHook(hub.Module(scaling_spec()), tmp_path)
        step = tf.train.create_global_step()
        session = tf.train.MonitoredTrainingSession(hooks=[hook, Failing()])
        with pytest.raises(ValueError, match="NaN"), session:
            session.run(step)
    assert os.listdir(tmp_path) == []


def test_the_current_graph_may_be_another_one(tmp_path):
    with tf.Graph().as_default() as graph:
        hook = hub.ModuleExportHook(hub.Module(scaling_spec()), tmp_path, every_steps=1)
        train_op = tf.assign_add(tf.train.create_global_step(), 1)
        session = tf.train.MonitoredTrainingSession(hooks=[hook])
        nodes = len(graph.get_operations())
    with tf.Graph().as_default():
        session.run(train_op)
        session.close()
    assert len(graph.get_operations()) == nodes
    assert steps_in(tmp_path) == [0]


@pytest.mark.parametrize("library", IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def test_an_estimator_takes_it_as_a_hook_of_the_chief(library, tmp_path):
    def hook(module):
        return hub.ModuleExportHook(module, tmp_path / "exports", every_steps=2)

    estimator = estimator_of(library, tmp_path / "model", hook=hook)
    estimator.train(input_fn, steps=3)
    exported = sorted((tmp_path / "exports").iterdir())
    assert len(exported) == 2
    assert scale_of(exported[1]) == trained_scale(estimator) < scale_of(exported[0])


def free_addresses(count):
    """Addresses of this machine that nobody listens at."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("localhost", 0))
        return [f"localhost:{each.getsockname()[1]}" for each in sockets]


def test_of_several_workers_the_chief_exports(tmp_path):
    cluster = tf.train.ClusterSpec({"worker": free_addresses(2)})
    servers = [tf.train.Server(cluster, job_name="worker", task_index=task) for task in range(2)]
    ended = threading.Barrier(2, timeout=60)

    def work(task):
        with tf.Graph().as_default(), tf.device("/job:worker/task:0"):
            module = hub.Module(scaling_spec(), trainable=True)
            train_op = tf.assign_add(tf.train.create_global_step(), 1)
            hook = hub.ModuleExportHook(module, tmp_path, every_steps=1, exports_to_keep=None)
            session = tf.train.MonitoredTrainingSession(
                servers[task].target, is_chief=task == 0, chief_only_hooks=[hook], log_step_count_steps=None
            )
            with session:
                session.run(train_op)
                ended.wait()

    threads = [threading.Thread(target=work, args=(task,), daemon=True) for task in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert 1 <= len(os.listdir(tmp_path)) <= 2


def test_a_graph_without_global_step_is_refused(tmp_path):
    with tf.Graph().as_default():
        hook = hub.ModuleExportHook(hub.Module(scaling_spec()), tmp_path)
        with pytest.raises(RuntimeError, match="counts global steps, and the graph has none"):
            tf.train.MonitoredSession(hooks=[hook])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every_steps": 1, "every_secs": 1}, "not both"),
        ({"every_steps": 0}, "`every_steps` is 0; it must be greater than 0"),
        ({"every_secs": -1}, "`every_secs` is -1; it must be greater than 0"),
        ({"exports_to_keep": 0}, "`exports_to_keep` is 0; it must be at least 1"),
    ],
)
def test_intervals_that_cannot_be_are_refused(tmp_path, options, message):
    with tf.Graph().as_default():
        module = hub.Module(scaling_spec())
        with pytest.raises(ValueError, match=message):
            hub.ModuleExportHook(module, tmp_path, **options)


def test_only_modules_are_exported(tmp_path):
    with pytest.raises(TypeError, match=r"Only a hub\.Module can be exported; this is ModuleSpec"):
        hub.ModuleExportHook(scaling_spec(), tmp_path, every_steps=1)


def full_disk(monkeypatch, until_step):
    """No export succeeds before a step."""
    original = hub.Module.export

    def full_at_first(self, path, session):
        if session.run(tf.train.get_global_step()) < until_step:
            raise OSError(28, "No space left on device")
        original(self, path, session)

    monkeypatch.setattr(hub.Module, "export", full_at_first)


def test_a_full_disk_ends_the_training(tmp_path, monkeypatch):
    full_disk(monkeypatch, until_step=99)
    with pytest.raises(OSError, match=r"No space left.*stop_on_error=False"):
        train(tmp_path, until=5, every_steps=2)
    assert os.listdir(tmp_path) == []


def test_training_goes_on_by_choice_and_exports_again_once_there_is_room(tmp_path, monkeypatch):
    full_disk(monkeypatch, until_step=3)
    with pytest.warns(UserWarning, match="Training goes on"):
        train(tmp_path, until=6, every_steps=2, stop_on_error=False)
    assert steps_in(tmp_path) == [4, 6]
