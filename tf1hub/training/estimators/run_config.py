"""`RunConfig`: where an Estimator keeps its model, how often it saves and reports, and its place in a cluster."""

import copy
import dataclasses
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators import cluster
from tf1hub.training.estimators.cluster import Place

_NOT_GIVEN: Any = object()
_DEFAULT_SAVE_CHECKPOINTS_SECS = 600
_STEPS, _SECS = "save_checkpoints_steps", "save_checkpoints_secs"
_PROTOCOLS = (None, "grpc", "grpc+verbs")
_NOT_NEGATIVE = ("save_summary_steps", _STEPS, _SECS, "keep_checkpoint_max")
_POSITIVE = ("keep_checkpoint_every_n_hours", "log_step_count_steps", "session_creation_timeout_secs")
_STRATEGIES = ("train_distribute", "eval_distribute", "experimental_distribute")


@dataclass(frozen=True, eq=False, repr=False)
class RunConfig:
    """How an Estimator runs. It cannot be changed; `replace` gives a changed one.

    The place in a cluster comes from the environment variable TF_CONFIG.

    Args:
      model_dir: where checkpoints and summaries go, a path.
      tf_random_seed: the seed of the graphs; None draws other values in each run.
      save_summary_steps: summaries are written every so many steps; None or 0 writes none.
      save_checkpoints_steps: a checkpoint is written every so many steps. Not together with `save_checkpoints_secs`.
      save_checkpoints_secs: a checkpoint is written every so many seconds; 600 when neither is given. With None for both there
        are no checkpoints.
      session_config: a `ConfigProto` for the sessions.
      keep_checkpoint_max: so many checkpoints are kept; None or 0 keeps all.
      keep_checkpoint_every_n_hours: one checkpoint of every so many hours is kept besides.
      log_step_count_steps: steps per second are logged every so many steps; None logs none.
      train_distribute: must be None. Several processes train together as TF_CONFIG tells them.
      device_fn: a function of a `tf.Operation`, its argument named `op`, to the device that it should be placed on. None
        places variables on the parameter servers when there are some.
      protocol: how the processes of a cluster talk: "grpc" (also None) or "grpc+verbs".
      eval_distribute: must be None.
      experimental_distribute: must be None.
      experimental_max_worker_delay_secs: workers of a cluster start one after another; this is the longest delay, in seconds.
      session_creation_timeout_secs: a worker waits for the chief for so many seconds.
      checkpoint_save_graph_def: whether checkpoints come with their graph.

    Raises:
      ValueError: a value that cannot be, or a TF_CONFIG that cannot be.
      NotImplementedError: a distribution strategy.

    >>> from tf1hub.estimator import RunConfig
    >>> config = RunConfig(new_path, save_checkpoints_steps=100)
    >>> config.replace(keep_checkpoint_max=2).save_checkpoints_steps
    100
    """

    model_dir: Any = None
    tf_random_seed: int | None = None
    save_summary_steps: int | None = 100
    save_checkpoints_steps: int | None = _NOT_GIVEN
    save_checkpoints_secs: float | None = _NOT_GIVEN
    session_config: tf.compat.v1.ConfigProto | None = None
    keep_checkpoint_max: int | None = 5
    keep_checkpoint_every_n_hours: float | None = 10000
    log_step_count_steps: int | None = 100
    train_distribute: None = None
    device_fn: Callable[..., Any] | None = None
    protocol: str | None = None
    eval_distribute: None = None
    experimental_distribute: None = None
    experimental_max_worker_delay_secs: int | None = None
    session_creation_timeout_secs: float | None = 7200
    checkpoint_save_graph_def: bool = True
    service: dict[str, Any] | None = field(init=False)
    _place: Place = field(init=False)

    def __post_init__(self) -> None:
        if self.model_dir is not None and isinstance(self.model_dir, os.PathLike):
            self._set("model_dir", os.fspath(self.model_dir))
        if self.save_checkpoints_steps is _NOT_GIVEN:
            self._set(_STEPS, None)
            if self.save_checkpoints_secs is _NOT_GIVEN:
                self._set(_SECS, _DEFAULT_SAVE_CHECKPOINTS_SECS)
        elif self.save_checkpoints_secs is _NOT_GIVEN:
            self._set(_SECS, None)
        self._check()
        settings = cluster.parse_tf_config()
        self._set("model_dir", cluster.find_model_dir(settings, self.model_dir))
        self._set("service", cluster.find_service(settings))
        self._set("_place", cluster.find_place(settings, self.protocol))
        if self.session_config is None and self.cluster_spec.as_dict():
            self._set("session_config", default_session_config(_device_filters(self._place)))

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check(self) -> None:
        for name in _STRATEGIES:
            if getattr(self, name) is not None:
                raise NotImplementedError(
                    f"RunConfig's {name} is {getattr(self, name)!r}: there are no distribution strategies here. Leave it None;"
                    " to train in several processes, start them with a TF_CONFIG of chief, worker and ps (parameter servers)."
                )
        if self.model_dir is not None and not self.model_dir:
            raise ValueError("model_dir is empty; it must name a directory.")
        if self.save_checkpoints_steps is not None and self.save_checkpoints_secs is not None:
            raise ValueError(f"{_STEPS} and {_SECS} are both given. Give one.")
        for name in _NOT_NEGATIVE:
            if (value := getattr(self, name)) is not None and not value >= 0:
                raise ValueError(f"{name} is {value!r}; it must be >= 0.")
        for name in _POSITIVE:
            if (value := getattr(self, name)) is not None and not value > 0:
                raise ValueError(f"{name} is {value!r}; it must be > 0.")
        for name in ("tf_random_seed", "experimental_max_worker_delay_secs"):
            if (value := getattr(self, name)) is not None and not isinstance(value, int):
                raise ValueError(f"{name} is {value!r}; it must be an integer.")
        if self.session_config is not None and not isinstance(self.session_config, tf.compat.v1.ConfigProto):
            raise ValueError(f"session_config is {self.session_config!r}; it must be a tf.compat.v1.ConfigProto.")
        if self.device_fn is not None and _argument_names(self.device_fn) != ["op"]:
            raise ValueError(f'device_fn is {self.device_fn!r}; it must be a function of one argument, "op".')
        if self.protocol not in _PROTOCOLS:
            raise ValueError(f"protocol is {self.protocol!r}; it must be 'grpc' or 'grpc+verbs'.")

    @property
    def cluster_spec(self) -> tf.train.ClusterSpec:
        """The cluster of TF_CONFIG, empty when there is none and for an evaluator."""
        return self._place.cluster_spec

    @property
    def task_type(self) -> str:
        """What this process is in the cluster: "chief", "worker", "ps", "evaluator" or "master"; alone it is a "worker"."""
        return self._place.task_type

    @property
    def task_id(self) -> int:
        """Which one of its type this process is, from 0."""
        return self._place.task_id

    @property
    def global_id_in_cluster(self) -> int | None:
        """Which one of all this process is: the chief is 0, parameter servers come last. None for an evaluator."""
        return self._place.global_id_in_cluster

    @property
    def master(self) -> str:
        """The server that runs this process's training steps; "" is the process itself."""
        return self._place.master

    @property
    def evaluation_master(self) -> str:
        """The server that runs evaluations."""
        return self._place.evaluation_master

    @property
    def is_chief(self) -> bool:
        """Whether this process initializes variables and writes checkpoints."""
        return self._place.is_chief

    @property
    def num_ps_replicas(self) -> int:
        """How many parameter servers there are."""
        return self._place.num_ps_replicas

    @property
    def num_worker_replicas(self) -> int:
        """How many processes train, the chief among them."""
        return self._place.num_worker_replicas

    def replace(self, **kwargs: Any) -> "RunConfig":
        """A copy with other values for some of the arguments. Steps and seconds between checkpoints replace each other.

        Raises:
          ValueError: what is given is no argument of `RunConfig`, or cannot have that value.

        >>> from tf1hub.estimator import RunConfig
        >>> RunConfig(save_checkpoints_steps=5).replace(save_checkpoints_secs=9).save_checkpoints_secs
        9
        """
        allowed = [one.name for one in dataclasses.fields(self) if one.init]
        for name in kwargs:
            if name not in allowed:
                raise ValueError(f"RunConfig has no argument {name!r} to replace. It has {allowed}.")
        for given, other in ((_STEPS, _SECS), (_SECS, _STEPS)):
            if kwargs.get(given) is not None:
                kwargs.setdefault(other, None)
        new = copy.deepcopy(self)
        for name, value in kwargs.items():
            new._set(name, value)
        new._check()
        return new


def default_session_config(device_filters: tuple[str, ...] = ()) -> tf.compat.v1.ConfigProto:
    """What sessions run with when a program says nothing: an operation without a kernel for its device runs on another.

    With `device_filters` the session waits only for the processes that they name: a worker which is down stops no other.
    """
    config = tf.compat.v1.ConfigProto(allow_soft_placement=True, device_filters=list(device_filters))
    rewriting = config.graph_options.rewrite_options
    rewriting.meta_optimizer_iterations = type(rewriting).ONE
    return config


def _device_filters(place: Place) -> tuple[str, ...]:
    if place.task_type == cluster.PS:
        return ("/job:ps", "/job:worker", "/job:chief", "/job:master")
    if place.task_type == cluster.WORKER:
        return ("/job:ps", f"/job:worker/task:{place.task_id}")
    if place.task_type in (cluster.CHIEF, cluster.MASTER):
        return ("/job:ps", f"/job:{place.task_type}")
    return ()


def _argument_names(function: Any) -> list[str] | None:
    if not callable(function):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [one.name for one in inspect.signature(function).parameters.values() if one.kind in kinds]
