"""Evaluating a model: the mean of its loss and its metrics over an input."""

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators import warm_start
from tf1hub.training.estimators.estimator_spec import EstimatorSpec
from tf1hub.training.estimators.evaluation_summaries import write_evaluation
from tf1hub.training.estimators.mode_keys import ModeKeys
from tf1hub.training.estimators.model import Model

_v1 = tf.compat.v1
_LOSS, _GLOBAL_STEP = "loss", _v1.GraphKeys.GLOBAL_STEP


class StopAfterBatches(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]  # TensorFlow has no types
    """Ends an evaluation after so many batches."""

    def __init__(self, batches: int):
        self._left = batches

    def after_run(self, run_context: Any, run_values: Any) -> None:
        del run_values
        self._left -= 1
        if self._left == 0:
            run_context.request_stop()


def evaluate_model(
    model: Model,
    input_fn: Callable[..., Any],
    hooks: Iterable[Any],
    checkpoint_path: str | None,
    summary_dir: str,
) -> dict[str, Any]:
    """Evaluates until the input ends or a hook stops it, and writes the results as summaries.

    Returns:
      The metrics by name, with "loss" and "global_step".
    """
    with tf.Graph().as_default():
        built = model.build(input_fn, ModeKeys.EVAL)
        metrics = _with_mean_loss(built.spec)
        values = {name: value for name, (value, _) in metrics.items()}
        update = tf.group(*(update for _, update in metrics.values()))
        if model.warm_start and not checkpoint_path:
            warm_start.warm_start(model.warm_start)
        values[_GLOBAL_STEP] = _v1.train.get_global_step()
        all_hooks = [*built.input_hooks, *hooks, *built.spec.evaluation_hooks]
        session_creator = _v1.train.ChiefSessionCreator(
            scaffold=_with_local_variables(built.spec.scaffold),
            checkpoint_filename_with_path=checkpoint_path,
            master=model.config.evaluation_master,
            config=model.config.session_config,
        )
        results = _run(session_creator, all_hooks, update, values)
        _log(results)
        # Within the graph: the writer of event files refuses to be made where TensorFlow is eager.
        write_evaluation(summary_dir, results, int(results[_GLOBAL_STEP]), checkpoint_path)
    return results


def _log(results: dict[str, Any]) -> None:
    """Logs the results in the words of tf.estimator, by which tuning services find metrics. Summaries' bytes are left out."""
    shown = ", ".join(f"{name} = {value!s}" for name, value in sorted(results.items()) if not isinstance(value, bytes))
    _v1.logging.info("Saving dict for global step %d: %s", results[_GLOBAL_STEP], shown)


def _with_mean_loss(spec: EstimatorSpec) -> dict[str, Any]:
    """The metrics in the order of their names."""
    for name in (_LOSS, _GLOBAL_STEP):
        if name in spec.eval_metric_ops:
            raise ValueError(f"eval_metric_ops has a metric {name!r}; an Estimator adds one of that name. Rename it.")
    metrics = {**spec.eval_metric_ops, _LOSS: _v1.metrics.mean(spec.loss)}
    return dict(sorted(metrics.items()))


def _with_local_variables(scaffold: Any) -> Any:
    """A program's own initialization knows nothing of the variables of metrics that came after it."""
    if not scaffold.local_init_op:
        return scaffold
    both = tf.group(scaffold.local_init_op, _v1.train.Scaffold.default_local_init_op())
    return _v1.train.Scaffold(local_init_op=both, copy_from_scaffold=scaffold)


def _run(session_creator: Any, hooks: list[Any], update: Any, values: dict[str, Any]) -> dict[str, Any]:
    last = _v1.train.FinalOpsHook(values)
    with _v1.train.MonitoredSession(session_creator, [*hooks, last]) as session:
        while not session.should_stop():
            session.run(update)
    results: dict[str, Any] = last.final_ops_values
    return results
