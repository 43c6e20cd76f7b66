"""Training a model: the graph, the session and the loop."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators import cluster, warm_start
from tf1hub.training.estimators.estimator_spec import EstimatorSpec
from tf1hub.training.estimators.failed_saves import told_clearly
from tf1hub.training.estimators.mode_keys import ModeKeys
from tf1hub.training.estimators.model import Model
from tf1hub.training.estimators.run_config import RunConfig
from tf1hub.training.estimators.termination import Termination
from tf1hub.training.estimators.training_hooks import choose_training_hooks

_v1 = tf.compat.v1


def check_can_train(config: RunConfig) -> None:
    """Checks that this process is one that trains.

    Raises:
      ValueError: TF_CONFIG makes it an evaluator or a parameter server.
    """
    if config.task_type in (cluster.EVALUATOR, cluster.PS):
        raise ValueError(
            f"TF_CONFIG makes this process a task of type {config.task_type!r}, which does not train. Call"
            " train_and_evaluate, which does what each type of task has to do."
        )


def train_model(
    model: Model, input_fn: Callable[..., Any], hooks: Iterable[Any], saving_listeners: Iterable[Any]
) -> Any:
    """Trains until the input ends or a hook stops it.

    Returns:
      The loss of the last step, None when there was no step.
    """
    config = model.config
    with tf.Graph().as_default(), _v1.device(config.device_fn or parameter_server_setter(config)):
        built = model.build(input_fn, ModeKeys.TRAIN)
        if model.warm_start and not _v1.train.latest_checkpoint(config.model_dir):
            warm_start.warm_start(model.warm_start)
        _add_loss_summary(built.spec.loss)
        with Termination() as termination:
            before = [*built.input_hooks, *hooks, termination]
            return _run(built.spec, config, before, saving_listeners)


def parameter_server_setter(config: RunConfig) -> Any:
    """What puts variables on the parameter servers, None without them."""
    if not config.num_ps_replicas:
        return None
    return _v1.train.replica_device_setter(
        ps_tasks=config.num_ps_replicas,
        worker_device=f"/job:{config.task_type}/task:{config.task_id}",
        cluster=config.cluster_spec,
    )


def _add_loss_summary(loss: Any) -> None:
    if not any(summary.op.name == "loss" for summary in _v1.get_collection(_v1.GraphKeys.SUMMARIES)):
        _v1.summary.scalar("loss", loss)
    _v1.add_to_collection(_v1.GraphKeys.LOSSES, loss)


def _add_saver(spec: EstimatorSpec, config: RunConfig) -> None:
    """The saver that keeps as many checkpoints as the configuration says, unless the program brings one."""
    if spec.scaffold.saver or _v1.get_collection(_v1.GraphKeys.SAVERS):
        return
    saver = _v1.train.Saver(
        sharded=True,
        max_to_keep=config.keep_checkpoint_max,
        keep_checkpoint_every_n_hours=config.keep_checkpoint_every_n_hours,
        defer_build=True,
        save_relative_paths=True,
    )
    _v1.add_to_collection(_v1.GraphKeys.SAVERS, saver)


def _run(spec: EstimatorSpec, config: RunConfig, before: list[Any], saving_listeners: Iterable[Any]) -> Any:
    hooks = choose_training_hooks(spec, config, before, saving_listeners)
    _add_saver(spec, config)
    with (
        told_clearly(config),
        _v1.train.MonitoredTrainingSession(
            master=config.master,
            is_chief=config.is_chief,
            checkpoint_dir=config.model_dir,
            scaffold=spec.scaffold,
            hooks=hooks.everywhere,
            chief_only_hooks=hooks.chief,
            save_checkpoint_secs=0,  # the hooks save
            save_summaries_steps=hooks.save_summary_steps,
            config=config.session_config,
            max_wait_secs=config.session_creation_timeout_secs,
            log_step_count_steps=hooks.log_step_count_steps,
            save_graph_def=config.checkpoint_save_graph_def,
        ) as session,
    ):
        return _run_steps(session, spec, config)


def _run_steps(session: Any, spec: EstimatorSpec, config: RunConfig) -> Any:
    loss = None
    # Both here, before the session's own exit: to it the end of the input and a failed save can look the same.
    with contextlib.suppress(tf.errors.OutOfRangeError), told_clearly(config):
        while not session.should_stop():
            _, loss = session.run([spec.train_op, spec.loss])
    if loss is None:
        _v1.logging.warning("Training made no step. Perhaps the input is empty.")
    return loss
