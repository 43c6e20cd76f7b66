"""A process's place in a cluster, as the environment variable TF_CONFIG tells it.

TF_CONFIG is a JSON object, the same in each process but for its task:

    {"cluster": {"chief": ["host:port"], "worker": [...], "ps": [...]}, "task": {"type": "worker", "index": 0}}

Without "cluster" the process is alone. An evaluator is no part of the cluster: it shares only the model's directory. A cluster
may have a "master" in place of the chief, one that also evaluates.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

CHIEF, MASTER, WORKER, PS, EVALUATOR = "chief", "master", "worker", "ps", "evaluator"
_ENVIRONMENT_VARIABLE = "TF_CONFIG"
_DEFAULT_PROTOCOL = "grpc"


@dataclass(frozen=True)
class Place:
    """What a process is in its cluster, and whom it asks to run its steps."""

    cluster_spec: tf.train.ClusterSpec
    task_type: str
    task_id: int
    global_id_in_cluster: int | None
    master: str
    evaluation_master: str
    is_chief: bool
    num_ps_replicas: int
    num_worker_replicas: int


def parse_tf_config() -> dict[str, Any]:
    """The JSON object in TF_CONFIG; an empty one when the variable is not set.

    Raises:
      ValueError: it is something else.
    """
    text = os.environ.get(_ENVIRONMENT_VARIABLE)
    if text is None:
        return {}
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"The environment variable TF_CONFIG holds no JSON ({error}): {text!r}. Mend it or unset it."
        ) from error
    if not isinstance(settings, dict):
        raise ValueError(f'TF_CONFIG is {text!r}; it must be a JSON object with "cluster" and "task".')
    return settings


def find_model_dir(settings: Mapping[str, Any], model_dir: Any) -> Any:
    """The model's directory: that of TF_CONFIG or that given; when both are, they must be the same.

    Raises:
      ValueError: they differ, or one is empty.
    """
    if model_dir is not None and not model_dir:
        raise ValueError("model_dir is empty; it must name a directory.")
    named = settings.get("model_dir")
    if named is None:
        return model_dir
    if not named:
        raise ValueError('"model_dir" in TF_CONFIG is empty; it must name a directory.')
    if model_dir is not None and model_dir != named:
        raise ValueError(f"RunConfig's model_dir is {model_dir!r}, and TF_CONFIG's {named!r}. Give it in one place.")
    return named


def find_service(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """What TF_CONFIG says of the service that the cluster runs on."""
    service: dict[str, Any] | None = settings.get("service")
    if service is not None and not isinstance(service, dict):
        raise TypeError(f'"service" in TF_CONFIG is {service!r}; it must be an object.')
    return service


def find_place(settings: Mapping[str, Any], protocol: str | None) -> Place:
    """This process's place.

    Args:
      settings: what TF_CONFIG holds.
      protocol: how the processes talk; None for "grpc".

    Raises:
      ValueError: the cluster has no chief or several, or has no such task.
      TypeError: it is no cluster at all.
    """
    cluster_spec = tf.train.ClusterSpec(settings.get("cluster", {}))
    task = settings.get("task", {})
    if not isinstance(task, dict):
        raise ValueError(f'"task" in TF_CONFIG is {task!r}; it must be an object with "type" and "index".')
    if not cluster_spec.as_dict():
        return _place_alone(settings, task)
    task_type, task_id = _checked_task(cluster_spec, task)
    if task_type == EVALUATOR:
        master = settings.get("eval_session_master", "")
        return Place(tf.train.ClusterSpec({}), EVALUATOR, task_id, None, "", master, False, 0, 0)
    jobs = cluster_spec.as_dict()
    chief = MASTER if MASTER in jobs else CHIEF
    return Place(
        cluster_spec,
        task_type,
        task_id,
        _global_id(cluster_spec, chief, task_type, task_id),
        settings.get("session_master", _master(cluster_spec, task_type, task_id, protocol)),
        "",
        task_type == chief,
        len(jobs.get(PS, ())),
        len(jobs.get(WORKER, ())) + 1,
    )


def _place_alone(settings: Mapping[str, Any], task: Mapping[str, Any]) -> Place:
    if (task_type := task.get("type") or WORKER) != WORKER:
        raise ValueError(
            f'The task type in TF_CONFIG is {task_type!r}, and there is no "cluster". Give the cluster, or no task.'
        )
    if int(task.get("index") or 0) != 0:
        raise ValueError(
            f'The task index in TF_CONFIG is {task["index"]!r}, and there is no "cluster". Give the cluster, or no task.'
        )
    masters = settings.get("session_master", ""), settings.get("eval_session_master", "")
    return Place(tf.train.ClusterSpec({}), WORKER, 0, 0, *masters, True, 0, 1)


def _checked_task(cluster_spec: tf.train.ClusterSpec, task: Mapping[str, Any]) -> tuple[str, int]:
    jobs = cluster_spec.as_dict()
    task_type = task.get("type")
    if not task_type:
        raise ValueError('TF_CONFIG has a "cluster" and no task type. Give "task": {"type": ..., "index": ...}.')
    if task.get("index") is None:
        raise ValueError('TF_CONFIG has a "cluster" and no task index. Give "task": {"type": ..., "index": ...}.')
    task_id = int(task["index"])
    if task_id < 0:
        raise ValueError(f"The task index in TF_CONFIG is {task_id}; it counts from 0.")
    _check_chief(jobs, task_type)
    if task_type != EVALUATOR and task_type not in jobs:
        raise ValueError(f"The task type in TF_CONFIG is {task_type!r}, and the cluster has only {sorted(jobs)}.")
    if task_type != EVALUATOR and task_id not in cluster_spec.task_indices(task_type):
        raise ValueError(
            f"The task in TF_CONFIG is {task_type!r} {task_id}, and the cluster has {jobs[task_type]} for {task_type!r}."
        )
    return task_type, task_id


def _check_chief(jobs: Mapping[str, Any], task_type: str) -> None:
    chief = MASTER if MASTER in jobs else CHIEF
    if chief not in jobs:
        raise ValueError(f'The cluster in TF_CONFIG has {sorted(jobs)}; it must have one "chief" as well.')
    if len(jobs[chief]) > 1:
        raise ValueError(f'The cluster in TF_CONFIG has {len(jobs[chief])} of "{chief}"; it must have one.')
    if chief == MASTER and CHIEF in jobs:
        raise ValueError('The cluster in TF_CONFIG has a "master" and a "chief". Leave out the master.')
    if chief == MASTER and task_type == EVALUATOR:
        raise ValueError(
            'The cluster in TF_CONFIG has a "master", which evaluates itself. Name it "chief" to have an evaluator.'
        )


def _master(cluster_spec: tf.train.ClusterSpec, task_type: str, task_id: int, protocol: str | None) -> str:
    """The server of this process. A cluster of one needs none."""
    jobs = cluster_spec.as_dict()
    if len(jobs) == 1 and len(jobs[task_type]) == 1:
        return ""
    return f"{protocol or _DEFAULT_PROTOCOL}://{cluster_spec.task_address(task_type, task_id)}"


def _global_id(cluster_spec: tf.train.ClusterSpec, chief: str, task_type: str, task_id: int) -> int:
    """Counts the chief first and the parameter servers last."""
    others = [job for job in sorted(cluster_spec.jobs) if job not in (chief, PS)]
    before = 0
    for job in [chief, *others]:
        if job == task_type:
            return before + task_id
        before += cluster_spec.num_tasks(job)
    return before + task_id
