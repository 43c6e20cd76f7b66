"""RunConfig: its arguments, and a process's place in a cluster."""

import copy
import json
import pickle
from pathlib import Path

import pytest
import tensorflow as tf

from tests.training.implementations import for_both
from tf1hub.estimator import RunConfig

CLUSTER = {"chief": ["c:1"], "worker": ["w:1", "w:2"], "ps": ["p:1", "p:2"]}
WITH_MASTER = {"master": ["m:1"], "worker": ["w:1", "w:2"], "ps": ["p:1"]}


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)


def place(monkeypatch, cluster, task_type, index):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": task_type, "index": index}}))


@for_both
def test_defaults(estimators):
    config = estimators.RunConfig()
    assert (config.model_dir, config.tf_random_seed, config.session_config, config.device_fn) == (
        None,
        None,
        None,
        None,
    )
    assert (config.save_summary_steps, config.save_checkpoints_steps, config.save_checkpoints_secs) == (100, None, 600)
    assert (config.keep_checkpoint_max, config.keep_checkpoint_every_n_hours) == (5, 10000)
    assert (config.log_step_count_steps, config.protocol, config.experimental_max_worker_delay_secs) == (
        100,
        None,
        None,
    )
    assert (config.session_creation_timeout_secs, config.checkpoint_save_graph_def) == (7200, True)


@for_both
def test_process_alone(estimators):
    config = estimators.RunConfig()
    assert (config.task_type, config.task_id, config.global_id_in_cluster, config.is_chief) == ("worker", 0, 0, True)
    assert (config.master, config.evaluation_master, config.service) == ("", "", None)
    assert (config.num_ps_replicas, config.num_worker_replicas, config.cluster_spec.as_dict()) == (0, 1, {})


PLACES = [
    (CLUSTER, "chief", 0, 0, "grpc://c:1", True, ["/job:ps", "/job:chief"]),
    (CLUSTER, "worker", 0, 1, "grpc://w:1", False, ["/job:ps", "/job:worker/task:0"]),
    (CLUSTER, "worker", "1", 2, "grpc://w:2", False, ["/job:ps", "/job:worker/task:1"]),
    (CLUSTER, "ps", 1, 4, "grpc://p:2", False, ["/job:ps", "/job:worker", "/job:chief", "/job:master"]),
    (WITH_MASTER, "master", 0, 0, "grpc://m:1", True, ["/job:ps", "/job:master"]),
    (WITH_MASTER, "worker", 1, 2, "grpc://w:2", False, ["/job:ps", "/job:worker/task:1"]),
    ({"chief": ["c:1"]}, "chief", 0, 0, "", True, ["/job:ps", "/job:chief"]),
]


@for_both
@pytest.mark.parametrize(("cluster", "task_type", "index", "global_id", "master", "is_chief", "filters"), PLACES)
def test_place_in_a_cluster(estimators, monkeypatch, cluster, task_type, index, global_id, master, is_chief, filters):
    place(monkeypatch, cluster, task_type, index)
    config = estimators.RunConfig()
    assert (config.task_type, config.task_id, config.global_id_in_cluster) == (task_type, int(index), global_id)
    assert (config.master, config.is_chief, config.cluster_spec.as_dict()) == (master, is_chief, cluster)
    assert config.num_ps_replicas == len(cluster.get("ps", ()))
    assert config.num_worker_replicas == len(cluster.get("worker", ())) + 1
    assert list(config.session_config.device_filters) == filters
    assert config.session_config.allow_soft_placement


@for_both
def test_evaluator_is_no_part_of_the_cluster(estimators, monkeypatch):
    place(monkeypatch, CLUSTER, "evaluator", 0)
    config = estimators.RunConfig()
    assert (config.task_type, config.task_id, config.global_id_in_cluster) == ("evaluator", 0, None)
    assert (config.master, config.is_chief, config.num_ps_replicas, config.num_worker_replicas) == ("", False, 0, 0)
    assert (config.cluster_spec.as_dict(), config.session_config) == ({}, None)


@for_both
def test_masters_service_and_model_dir_of_tf_config(estimators, monkeypatch):
    settings = {"session_master": "s", "eval_session_master": "e", "service": {"a": 1}, "model_dir": "/m"}
    monkeypatch.setenv("TF_CONFIG", json.dumps(settings))
    config = estimators.RunConfig(model_dir="/m")
    assert (config.master, config.evaluation_master, config.service, config.model_dir) == ("s", "e", {"a": 1}, "/m")


@for_both
def test_session_config_of_the_program_stays(estimators, monkeypatch):
    place(monkeypatch, CLUSTER, "worker", 0)
    mine = tf.compat.v1.ConfigProto(log_device_placement=True)
    assert estimators.RunConfig(session_config=mine).session_config == mine


BAD_PLACES = [
    {"cluster": CLUSTER, "task": {"type": "worker", "index": 2}},
    {"cluster": CLUSTER, "task": {"type": "worker", "index": -1}},
    {"cluster": CLUSTER, "task": {"type": "painter", "index": 0}},
    {"cluster": CLUSTER, "task": {"type": "worker"}},
    {"cluster": CLUSTER, "task": {"index": 0}},
    {"cluster": CLUSTER},
    {"cluster": {"worker": ["w:1"]}, "task": {"type": "worker", "index": 0}},
    {"cluster": {"chief": ["c:1", "c:2"]}, "task": {"type": "chief", "index": 0}},
    {"cluster": {"chief": ["c:1"], "master": ["m:1"]}, "task": {"type": "master", "index": 0}},
    {"cluster": WITH_MASTER, "task": {"type": "evaluator", "index": 0}},
    {"task": {"type": "ps", "index": 0}},
    {"task": {"type": "worker", "index": 1}},
    {"model_dir": ""},
    {"model_dir": "/other"},
]


@for_both
@pytest.mark.parametrize("settings", BAD_PLACES, ids=str)
def test_tf_config_that_cannot_be(estimators, monkeypatch, settings):
    monkeypatch.setenv("TF_CONFIG", json.dumps(settings))
    with pytest.raises(ValueError):
        estimators.RunConfig(model_dir="/m")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cluster": {"chief": ["c:1"]}, "task": null}'])
def test_tf_config_that_is_no_object_is_shown(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="TF_CONFIG"):
        RunConfig()


@for_both
@pytest.mark.parametrize("settings", [{"cluster": None}, {"cluster": ["c:1"]}, {"service": "s"}], ids=str)
def test_tf_config_of_wrong_types(estimators, monkeypatch, settings):
    monkeypatch.setenv("TF_CONFIG", json.dumps(settings))
    with pytest.raises(TypeError):
        estimators.RunConfig()


BAD_VALUES = [
    {"model_dir": ""},
    {"tf_random_seed": 1.5},
    {"save_summary_steps": -1},
    {"save_checkpoints_steps": -1},
    {"save_checkpoints_secs": -1},
    {"save_checkpoints_steps": 1, "save_checkpoints_secs": 1},
    {"session_config": {}},
    {"keep_checkpoint_max": -1},
    {"keep_checkpoint_every_n_hours": 0},
    {"log_step_count_steps": 0},
    {"device_fn": "/cpu:0"},
    {"device_fn": lambda node: ""},
    {"protocol": "http"},
    {"experimental_max_worker_delay_secs": "a"},
    {"session_creation_timeout_secs": 0},
]


@for_both
@pytest.mark.parametrize("values", BAD_VALUES, ids=lambda values: str(list(values)))
def test_values_that_cannot_be(estimators, values):
    with pytest.raises(ValueError):
        estimators.RunConfig(**values)
    with pytest.raises(ValueError):
        estimators.RunConfig().replace(**values)


@pytest.mark.parametrize("argument", ["train_distribute", "eval_distribute", "experimental_distribute"])
def test_strategies_are_refused_with_what_there_is_instead(argument):
    with pytest.raises(NotImplementedError, match=r"TF_CONFIG of chief, worker and ps"):
        RunConfig(**{argument: tf.distribute.get_strategy()})


@for_both
def test_positions_of_the_arguments(estimators):
    session_config = tf.compat.v1.ConfigProto()
    config = estimators.RunConfig("/m", 7, 1, 2, None, session_config, 3, 4, 5, None, lambda op: "", "grpc")
    assert (config.model_dir, config.tf_random_seed, config.save_summary_steps) == ("/m", 7, 1)
    assert (config.save_checkpoints_steps, config.save_checkpoints_secs) == (2, None)
    assert (config.keep_checkpoint_max, config.keep_checkpoint_every_n_hours, config.log_step_count_steps) == (3, 4, 5)
    assert (config.device_fn(None), config.protocol) == ("", "grpc")


@for_both
def test_model_dir_can_be_a_path(estimators):
    assert estimators.RunConfig(Path("/m")).model_dir == "/m"


INTERVALS = [({}, (None, 600)), ({"save_checkpoints_steps": 3}, (3, None)), ({"save_checkpoints_secs": 3}, (None, 3))]
INTERVALS += [({"save_checkpoints_steps": None}, (None, None)), ({"save_checkpoints_secs": None}, (None, None))]


@for_both
@pytest.mark.parametrize(("given", "expected"), INTERVALS)
def test_interval_between_checkpoints(estimators, given, expected):
    config = estimators.RunConfig(**given)
    assert (config.save_checkpoints_steps, config.save_checkpoints_secs) == expected


@for_both
def test_replaced_steps_and_seconds_replace_each_other(estimators):
    by_steps = estimators.RunConfig().replace(save_checkpoints_steps=4)
    assert (by_steps.save_checkpoints_steps, by_steps.save_checkpoints_secs) == (4, None)
    by_secs = by_steps.replace(save_checkpoints_secs=9)
    assert (by_secs.save_checkpoints_steps, by_secs.save_checkpoints_secs) == (None, 9)
    unchanged = estimators.RunConfig().replace(save_checkpoints_steps=None)
    assert (unchanged.save_checkpoints_steps, unchanged.save_checkpoints_secs) == (None, 600)


@for_both
def test_replace_keeps_the_rest_and_the_original(estimators, monkeypatch):
    place(monkeypatch, CLUSTER, "worker", 1)
    config = estimators.RunConfig("/m", 3)
    monkeypatch.delenv("TF_CONFIG")
    replaced = config.replace(model_dir="/n")
    assert (replaced.model_dir, replaced.tf_random_seed, replaced.task_id) == ("/n", 3, 1)
    assert (config.model_dir, replaced.master) == ("/m", "grpc://w:2")


@for_both
@pytest.mark.parametrize("name", ["task_id", "is_chief", "cluster_spec", "batch_size"])
def test_only_arguments_can_be_replaced(estimators, name):
    with pytest.raises(ValueError, match=f"{name}.*save_summary_steps"):
        estimators.RunConfig().replace(**{name: 1})


@for_both
def test_config_cannot_be_changed(estimators):
    with pytest.raises(AttributeError):
        estimators.RunConfig().model_dir = "/m"


@for_both
def test_config_can_be_copied_and_pickled(estimators):
    config = estimators.RunConfig("/m", 3)
    assert copy.deepcopy(config).tf_random_seed == pickle.loads(pickle.dumps(config)).tf_random_seed == 3
