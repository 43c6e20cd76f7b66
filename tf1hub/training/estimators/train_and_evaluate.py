"""`train_and_evaluate`: what a training program calls in each process, whether it is alone or part of a cluster."""

import time
from typing import Any

from tf1hub.training.estimators import cluster
from tf1hub.training.estimators.checkpoint_evaluation import (
    CheckpointEvaluator,
    EvaluationListener,
    evaluate_continuously,
)
from tf1hub.training.estimators.cluster_server import serve_until_terminated, start_server
from tf1hub.training.estimators.estimator import Estimator
from tf1hub.training.estimators.run_config import RunConfig
from tf1hub.training.estimators.run_specs import EvalSpec, TrainSpec

_WORKER_DELAY_SECS = 5
_MAX_WORKER_DELAY_SECS = 60


def train_and_evaluate(
    estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec
) -> tuple[dict[str, Any] | None, list[Any] | None] | None:
    """Trains, evaluates each checkpoint on the way, and exports after each evaluation.

    Alone, a process does all that: after a checkpoint is saved it is evaluated, unless less than `eval_spec.throttle_secs`
    have passed since the last evaluation; the last checkpoint always is.

    In a cluster each process does its part, as the environment variable TF_CONFIG tells it:

    *   the chief trains and saves;
    *   a worker trains; the first one begins after 5 seconds, each further one 5 seconds later, up to 60 or
        `RunConfig(experimental_max_worker_delay_secs=...)`;
    *   a ps (parameter server) holds variables until it is ended by SIGTERM;
    *   an evaluator, at most one, evaluates new checkpoints until the one of `train_spec.max_steps`; without that, or when
        training ends early, it waits on and must be ended by SIGTERM too;
    *   a master, in place of the chief, also evaluates.

    After a SIGTERM no further evaluation begins.

    Args:
      estimator: what to train. In a cluster all processes have the same `model_dir`.
      train_spec: what to train on.
      eval_spec: what to evaluate on. Its exporters write to `<model_dir>/export/<name>`; the export is the final one when the
        checkpoint has reached `train_spec.max_steps`.

    Returns:
      The metrics of the last evaluation and what the exporters returned after it, both None when training had reached
      `max_steps` before; in a cluster nothing.

    Raises:
      TypeError: an argument is something else.
      ValueError: there are several evaluators, or TF_CONFIG makes the process something else.

    >>> from tf1hub import estimator
    >>> def input_fn():
    ...     return tf.data.Dataset.from_tensors(([1.0], [2.0])).repeat(9)
    >>> def model_fn(features, labels, mode):
    ...     w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
    ...     loss = tf.reduce_mean((w * features - labels) ** 2)
    ...     train_op = tf.train.GradientDescentOptimizer(0.5).minimize(loss, tf.train.get_global_step())
    ...     return estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
    >>> train_spec, eval_spec = estimator.TrainSpec(input_fn, max_steps=5), estimator.EvalSpec(input_fn)
    >>> metrics, exports = estimator.train_and_evaluate(estimator.Estimator(model_fn, new_path), train_spec, eval_spec)
    >>> float(metrics["loss"]), int(metrics["global_step"])
    (0.0, 5)
    """
    _check(estimator, train_spec, eval_spec)
    config = estimator.config
    evaluator = CheckpointEvaluator(estimator, eval_spec, train_spec.max_steps)
    listener = EvaluationListener(evaluator, eval_spec.throttle_secs)
    if config.task_type == cluster.EVALUATOR:
        evaluate_continuously(evaluator, eval_spec)
    elif not config.cluster_spec.as_dict():
        _train(estimator, train_spec, listener)
        return evaluator.metrics, evaluator.exports
    elif config.task_type == cluster.PS:
        serve_until_terminated(config)
    else:
        server = start_server(config)
        time.sleep(_start_delay_secs(config))
        _train(estimator, train_spec, *([listener] if config.task_type == cluster.MASTER else []))
        del server
    return None


def _check(estimator: Any, train_spec: Any, eval_spec: Any) -> None:
    wanted = {
        "estimator": (estimator, Estimator),
        "train_spec": (train_spec, TrainSpec),
        "eval_spec": (eval_spec, EvalSpec),
    }
    for argument, (value, kind) in wanted.items():
        if not isinstance(value, kind):
            raise TypeError(f"{argument} is {value!r}; it must be a tf1hub.estimator.{kind.__name__}.")
    config = estimator.config
    if config.task_type == cluster.EVALUATOR and config.task_id > 0:
        raise ValueError(
            f"TF_CONFIG makes this process evaluator {config.task_id}; there can only be one, with index 0."
        )
    if config.task_type not in (cluster.CHIEF, cluster.MASTER, cluster.WORKER, cluster.PS, cluster.EVALUATOR):
        raise ValueError(
            f"TF_CONFIG makes this process a {config.task_type!r}; it can be a chief, worker, ps, evaluator or master."
        )


def _train(estimator: Estimator, spec: TrainSpec, *listeners: Any) -> None:
    estimator.train(
        spec.input_fn,
        hooks=spec.hooks,
        max_steps=spec.max_steps,
        saving_listeners=[*spec.saving_listeners, *listeners],
    )


def _start_delay_secs(config: RunConfig) -> float:
    """Workers come one after another: many at once would all begin with the same values."""
    if config.task_type != cluster.WORKER:
        return 0
    longest = config.experimental_max_worker_delay_secs
    return min((config.task_id + 1) * _WORKER_DELAY_SECS, _MAX_WORKER_DELAY_SECS if longest is None else longest)
