"""Hooks that end a training early, when evaluations say so.

The chief asks now and then whether to stop. Then it sets a variable of the model, which the workers of its cluster look at in
each step.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators.estimator import Estimator
from tf1hub.training.estimators.evaluation_results import read_evaluation_results

_v1 = tf.compat.v1


def make_early_stopping_hook(
    estimator: Estimator,
    should_stop_fn: Callable[[], bool],
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> Any:
    """A hook that ends training when `should_stop_fn` says so. Give it to `TrainSpec(hooks=...)` in each process.

    Args:
      estimator: the one that is trained.
      should_stop_fn: a function without arguments; true to stop.
      run_every_secs: it is called every so many seconds, None with `run_every_steps`.
      run_every_steps: it is called every so many steps.

    Raises:
      TypeError: the estimator is none, or the function cannot be called.
      ValueError: both intervals are given, or none.

    >>> from tf1hub import estimator
    >>> def model_fn(features, labels, mode):
    ...     raise NotImplementedError
    >>> trained = estimator.Estimator(model_fn, new_path)
    >>> hook = estimator.experimental.make_early_stopping_hook(trained, lambda: False, run_every_secs=30)
    """
    if not isinstance(estimator, Estimator):
        raise TypeError(f"estimator is {estimator!r}; it must be a tf1hub.estimator.Estimator.")
    if not callable(should_stop_fn):
        raise TypeError(f"should_stop_fn is {should_stop_fn!r}; it must be a function without arguments.")
    if run_every_secs is not None and run_every_steps is not None:
        raise ValueError(
            f"run_every_secs={run_every_secs} and run_every_steps={run_every_steps} are both given; give one."
        )
    if estimator.config.is_chief:
        return _StopOnDecision(should_stop_fn, run_every_secs, run_every_steps)
    return _StopWithChief()


def stop_if_higher_hook(
    estimator: Estimator,
    metric_name: str,
    threshold: float,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> Any:
    """A hook that ends training when a metric is above a threshold.

    Args:
      estimator: the one that is trained.
      metric_name: the name of a metric of its evaluations.
      threshold: the value to exceed.
      eval_dir: where evaluations write their summaries, None for `estimator.eval_dir()`.
      min_steps: evaluations before this global step do not count.
      run_every_secs: how often to look, in seconds; None with `run_every_steps`.
      run_every_steps: how often to look, in steps.
    """

    def is_crossed(value: float) -> bool:
        return value > threshold

    decision = _Crossing(eval_dir or estimator.eval_dir(), metric_name, min_steps, is_crossed)
    return make_early_stopping_hook(estimator, decision, run_every_secs, run_every_steps)


def stop_if_lower_hook(
    estimator: Estimator,
    metric_name: str,
    threshold: float,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> Any:
    """A hook that ends training when a metric is below a threshold. The arguments are those of `stop_if_higher_hook`."""

    def is_crossed(value: float) -> bool:
        return value < threshold

    decision = _Crossing(eval_dir or estimator.eval_dir(), metric_name, min_steps, is_crossed)
    return make_early_stopping_hook(estimator, decision, run_every_secs, run_every_steps)


def stop_if_no_increase_hook(
    estimator: Estimator,
    metric_name: str,
    max_steps_without_increase: int,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> Any:
    """A hook that ends training when a metric has not risen for `max_steps_without_increase` global steps.

    The other arguments are those of `stop_if_higher_hook`.
    """

    def is_better(value: float, best: float) -> bool:
        return value > best

    directory = eval_dir or estimator.eval_dir()
    decision = _Standstill(directory, metric_name, min_steps, max_steps_without_increase, is_better)
    return make_early_stopping_hook(estimator, decision, run_every_secs, run_every_steps)


def stop_if_no_decrease_hook(
    estimator: Estimator,
    metric_name: str,
    max_steps_without_decrease: int,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> Any:
    """A hook that ends training when a metric has not fallen for `max_steps_without_decrease` global steps.

    The other arguments are those of `stop_if_higher_hook`.
    """

    def is_better(value: float, best: float) -> bool:
        return value < best

    directory = eval_dir or estimator.eval_dir()
    decision = _Standstill(directory, metric_name, min_steps, max_steps_without_decrease, is_better)
    return make_early_stopping_hook(estimator, decision, run_every_secs, run_every_steps)


class _Crossing:
    """Whether a metric was ever on the far side of a threshold."""

    def __init__(self, eval_dir: str, metric_name: str, min_steps: int, is_crossed: Callable[[float], bool]):
        self._source = eval_dir, metric_name, min_steps
        self._is_crossed = is_crossed

    def __call__(self) -> bool:
        return any(self._is_crossed(value) for _, value in _read_values(*self._source))


class _Standstill:
    """Whether a metric was once without a better value for too many steps."""

    def __init__(
        self, eval_dir: str, metric_name: str, min_steps: int, patience: int, is_better: Callable[[float, float], bool]
    ):
        self._source = eval_dir, metric_name, min_steps
        self._patience = patience
        self._is_better = is_better

    def __call__(self) -> bool:
        best: tuple[int, float] | None = None
        for step, value in _read_values(*self._source):
            if best is None or self._is_better(value, best[1]):
                best = step, value
            if step - best[0] >= self._patience:
                return True
        return False


def _read_values(eval_dir: str, metric_name: str, min_steps: int) -> list[tuple[int, float]]:
    """The values of a metric, each with its global step, in their order."""
    values = []
    for step, metrics in read_evaluation_results(eval_dir).items():
        if step < min_steps:
            continue
        if metric_name not in metrics:
            raise KeyError(
                f"the evaluation of step {step} in {eval_dir!r} has no metric {metric_name!r}: {sorted(metrics)}"
            )
        values.append((step, metrics[metric_name]))
    return values


def _stop_variable() -> Any:
    """The variable by which the chief tells the workers to stop. It has the name that it had in tf.estimator."""
    with _v1.variable_scope("signal_early_stopping", reuse=_v1.AUTO_REUSE):
        return _v1.get_variable(
            "STOP",
            [],
            tf.bool,
            _v1.constant_initializer(False),
            trainable=False,
            collections=[_v1.GraphKeys.GLOBAL_VARIABLES],
        )


class _StopOnDecision(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]  # TensorFlow has no types
    """The chief's: asks, and tells all."""

    def __init__(
        self, should_stop_fn: Callable[[], bool], run_every_secs: float | None, run_every_steps: int | None
    ) -> None:
        self._should_stop = should_stop_fn
        self._timer = _v1.train.SecondOrStepTimer(every_secs=run_every_secs, every_steps=run_every_steps)

    def begin(self) -> None:
        self._timer.reset()
        self._global_step = _v1.train.get_global_step()
        self._stop = _stop_variable().assign(True)

    def before_run(self, run_context: Any) -> Any:
        del run_context
        return _v1.train.SessionRunArgs(self._global_step)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        step = run_values.results
        if not self._timer.should_trigger_for_step(step):
            return
        self._timer.update_last_triggered_step(step)
        if self._should_stop():
            _v1.logging.info("Early stopping at step %d.", step)
            run_context.session.run(self._stop)
            run_context.request_stop()


class _StopWithChief(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
    """A worker's: stops when the chief has said so."""

    def begin(self) -> None:
        self._stop = _stop_variable()

    def before_run(self, run_context: Any) -> Any:
        del run_context
        return _v1.train.SessionRunArgs(self._stop)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if run_values.results:
            _v1.logging.info("Early stopping: the chief has ended the training.")
            run_context.request_stop()
