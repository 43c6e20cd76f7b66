"""Training in several processes on this machine: asynchronous, with parameter servers."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.training.estimators.cluster_processes import PATIENCE, Cluster, make_module, run_program

pytestmark = pytest.mark.slow
TUNED = "tower/tuned/"
SERVERS = ("ps 0", "ps 1")


def read_variables(prefix):
    reader = tf.train.load_checkpoint(str(prefix))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def only_export(model_dir, exporter):
    """The newest export."""
    return sorted(Path(model_dir, "export", exporter).iterdir())[-1]


def apply_module(path, x):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        y = hub.Module(str(path))(x)
        session.run(tf.compat.v1.global_variables_initializer())
        return session.run(y)


def check_exports(model_dir, max_steps):
    """The last checkpoint is past the last step, and both exporters exported just its values."""
    trained = read_variables(tf.train.latest_checkpoint(model_dir))
    assert trained["global_step"] >= max_steps
    assert not np.array_equal(trained[TUNED + "hidden/w"], np.ones([4, 6]))
    module = only_export(model_dir, "modules") / "tuned"
    exported = read_variables(module / "variables" / "variables")
    assert set(exported) == {"hidden/w", "b"}
    for name, value in exported.items():
        np.testing.assert_array_equal(value, trained[TUNED + name])
    model = read_variables(only_export(model_dir, "model") / "variables" / "variables")
    assert {TUNED + "hidden/w", TUNED + "b", "tower/head"} <= set(model)
    for name, value in model.items():
        np.testing.assert_array_equal(value, trained[name])
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    np.testing.assert_allclose(apply_module(module, x), x @ exported["hidden/w"] + exported["b"], rtol=1e-5)


def test_processes_of_a_cluster_end_with_right_exports(tmp_path):
    trainers = ("chief 0", "worker 0", "worker 1")
    with Cluster(tmp_path, chief=1, worker=2, ps=2) as cluster:
        cluster.start(*SERVERS, *trainers, "evaluator 0", max_steps=100)
        cluster.wait_for_end(*trainers, "evaluator 0")
        assert [cluster.signal(server, signal.SIGTERM) for server in SERVERS] == [0, 0]
    assert all(cluster.steps(trainer) for trainer in trainers)
    assert all(cluster.lines(name, "result") == ["None"] for name in (*trainers, *SERVERS, "evaluator 0"))
    check_exports(cluster.model_dir, 100)


def test_state_of_an_imported_module_lies_on_the_parameter_servers(tmp_path):
    with Cluster(tmp_path, chief=1, ps=2) as cluster:
        cluster.start(*SERVERS, "chief 0", max_steps=3)
        cluster.wait_for_end("chief 0")
    placed = dict(line.split() for line in cluster.lines("chief 0", "variable "))
    assert {name for name in placed if name.startswith(TUNED)} >= {TUNED + "hidden/w/part_0", TUNED + "b"}
    assert set(placed.values()) == {"/job:ps/task:0", "/job:ps/task:1"}
    # It began with the values of the module on the disk, ones, and not with those of the model's initializer.
    first = read_variables(Path(cluster.model_dir, "model.ckpt-0"))
    np.testing.assert_array_equal(first[TUNED + "hidden/w"], np.ones([4, 6]))


def test_worker_can_come_late_be_killed_and_come_back(tmp_path):
    with Cluster(tmp_path, chief=1, worker=2, ps=2) as cluster:
        cluster.start_after_chief("worker 0")
        cluster.wait_for_steps("chief 0", 20)
        cluster.start("worker 1")
        cluster.wait_for_steps("worker 1", 5)
        cluster.signal("worker 1", signal.SIGKILL)
        first_life = cluster.steps("worker 1")
        cluster.wait_for_steps("chief 0", 10)
        cluster.start("worker 1")
        cluster.wait_for_steps("worker 1", 5)
        cluster.stop_early()
        cluster.wait_for_end("chief 0", "worker 0", "worker 1")
    assert first_life[0] >= 20
    assert cluster.steps("worker 1")[len(first_life)] >= first_life[-1] + 10
    check_latest_step(cluster, "chief 0")


def test_killed_chief_and_its_worker_go_on_from_the_last_checkpoint(tmp_path):
    with Cluster(tmp_path, chief=1, worker=1, ps=2) as cluster:
        cluster.start_after_chief("worker 0")
        cluster.wait_for_steps("chief 0", 30)
        cluster.signal("chief 0", signal.SIGKILL)
        saved = latest_step(cluster)
        before = len(cluster.steps("chief 0"))
        cluster.start("chief 0")
        cluster.wait_for_steps("chief 0", 10)
        cluster.wait_for_steps("worker 0", 10)
        cluster.stop_early()
        cluster.wait_for_end("chief 0", "worker 0")
    assert 20 <= saved <= cluster.steps("chief 0")[before]
    check_latest_step(cluster, "chief 0")


def test_killed_parameter_server_comes_back_with_the_last_checkpoint(tmp_path):
    with Cluster(tmp_path, chief=1, worker=1, ps=2) as cluster:
        cluster.start_after_chief("worker 0")
        cluster.wait_for_steps("chief 0", 30)
        cluster.signal("ps 1", signal.SIGKILL)
        cluster.start("ps 1")
        cluster.wait_for_steps("chief 0", 20)
        cluster.wait_for_steps("worker 0", 20)
        cluster.stop_early()
        cluster.wait_for_end("chief 0", "worker 0")
    check_latest_step(cluster, "chief 0")


def latest_step(cluster):
    return int(tf.train.load_variable(tf.train.latest_checkpoint(cluster.model_dir), "global_step"))


def check_latest_step(cluster, name):
    """The last checkpoint is that of the end."""
    assert latest_step(cluster) > cluster.steps(name)[-1]


def test_master_trains_and_evaluates(tmp_path):
    with Cluster(tmp_path, master=1, worker=1, ps=1) as cluster:
        cluster.start("ps 0", "master 0", "worker 0", max_steps=100)
        cluster.wait_for_end("master 0", "worker 0")
    check_exports(cluster.model_dir, 100)


def test_one_process_does_the_same(tmp_path):
    model_dir = str(tmp_path / "model")
    process = run_program(make_module(tmp_path / "module"), model_dir, "100", "0", output=tmp_path / "output")
    assert process.wait(PATIENCE) == 0, (tmp_path / "output.errors").read_text()[-3000:]
    assert os.path.basename(tf.train.latest_checkpoint(model_dir)) == "model.ckpt-100"
    check_exports(model_dir, 100)
