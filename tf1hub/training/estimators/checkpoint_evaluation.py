"""Evaluating each new checkpoint of a training, and exporting what was evaluated."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tf1hub.errors import CheckpointError
from tf1hub.training.estimators import termination
from tf1hub.training.estimators.estimator import Estimator
from tf1hub.training.estimators.run_specs import EvalSpec

_v1 = tf.compat.v1
_EXPORTS = "export"
_PAUSE_SECS = 1  # between two looks for a new checkpoint


class CheckpointEvaluator:
    """Evaluates the latest checkpoint, and no checkpoint twice.

    Args:
      estimator: the one that is trained.
      eval_spec: what to evaluate on, and the exporters.
      max_steps: the global step at which training ends, None when that is not known.

    Attributes:
      metrics: the metrics of the last evaluation, None before the first.
      exports: what the exporters returned after it.
    """

    def __init__(self, estimator: Estimator, eval_spec: EvalSpec, max_steps: int | None):
        self._estimator = estimator
        self._spec = eval_spec
        self._max_steps = max_steps
        self._last: str | None = None
        self.metrics: dict[str, Any] | None = None
        self.exports: list[Any] | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the last checkpoint of the training was evaluated."""
        if self.metrics is None or self._max_steps is None:
            return False
        return bool(self.metrics[_v1.GraphKeys.GLOBAL_STEP] >= self._max_steps)

    def evaluate(self) -> bool:
        """Evaluates the latest checkpoint and calls the exporters, unless there is no new one.

        Returns:
          Whether there was a new one.
        """
        checkpoint = self._estimator.latest_checkpoint()
        if checkpoint is None or checkpoint == self._last:
            return False
        self._last = checkpoint
        spec, metrics = self._spec, None
        with _passed_over_when_removed(checkpoint, ValueError):  # what a saver raises
            metrics = self._estimator.evaluate(spec.input_fn, spec.steps, spec.hooks, checkpoint, spec.name)
        if metrics is not None:
            self.metrics = metrics
            with _passed_over_when_removed(checkpoint, CheckpointError):
                self.exports = self._export(checkpoint)
        return True

    def _export(self, checkpoint: str) -> list[Any]:
        return [
            exporter.export(
                estimator=self._estimator,
                export_path=os.path.join(self._estimator.model_dir, _EXPORTS, exporter.name),
                checkpoint_path=checkpoint,
                eval_result=self.metrics,
                is_the_final_export=self.is_complete,
            )
            for exporter in self._spec.exporters
        ]


@contextmanager
def _passed_over_when_removed(checkpoint: str, error_of_restoring: type[Exception]) -> Iterator[None]:
    """A chief in another process removes old checkpoints, perhaps while they are evaluated."""
    try:
        yield
    except (tf.errors.NotFoundError, tf.errors.DataLossError, error_of_restoring):
        if tf.io.gfile.exists(checkpoint + ".index"):
            raise
        _v1.logging.warning("The checkpoint %s was removed while it was evaluated.", checkpoint)


class EvaluationListener(tf.compat.v1.train.CheckpointSaverListener):  # type: ignore[misc]  # TensorFlow has no types
    """Evaluates within the training, each time that it has saved a checkpoint.

    The checkpoint that a training starts with is not evaluated, the last one always. In between, `throttle_secs` must have
    passed since the last evaluation. After a SIGTERM there is none.
    """

    def __init__(self, evaluator: CheckpointEvaluator, throttle_secs: float):
        self._evaluator = evaluator
        self._throttle_secs = throttle_secs

    def begin(self) -> None:
        self._timer = _v1.train.SecondOrStepTimer(every_secs=self._throttle_secs)
        self._has_started = False

    def after_save(self, session: Any, global_step_value: int) -> None:
        del session
        if not self._has_started:
            self._has_started = True
        elif self._timer.should_trigger_for_step(global_step_value):
            self._evaluate(global_step_value)
        else:
            _v1.logging.info("No evaluation of step %d: throttle_secs have not passed.", global_step_value)

    def end(self, session: Any, global_step_value: int) -> None:
        del session
        if global_step_value != self._timer.last_triggered_step():
            self._evaluate(global_step_value)

    def _evaluate(self, step: int) -> None:
        if termination.is_requested():
            return
        self._timer.update_last_triggered_step(step)
        if not self._evaluator.evaluate():
            raise RuntimeError(
                f"Step {step} was saved, and there is no new checkpoint in the Estimator's model_dir to evaluate. A program's"
                " own CheckpointSaverHook must save there."
            )


def evaluate_continuously(evaluator: CheckpointEvaluator, eval_spec: EvalSpec) -> None:
    """Evaluates the checkpoints that another process saves, until the one at which training ends.

    A training that ends before its `max_steps`, or has none, leaves this waiting for further checkpoints.
    """
    _v1.logging.info("Evaluation starts in %s seconds.", eval_spec.start_delay_secs)
    time.sleep(eval_spec.start_delay_secs)
    while True:
        started = time.monotonic()
        has_evaluated = evaluator.evaluate()
        if evaluator.is_complete:
            return
        rest = eval_spec.throttle_secs - (time.monotonic() - started)
        time.sleep(max(rest, 0 if has_evaluated else _PAUSE_SECS))
