"""A hook that ends the training of a worker when the last checkpoint is there."""

import time
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators.estimator import Estimator, trained_steps

_v1 = tf.compat.v1


def make_stop_at_checkpoint_step_hook(
    estimator: Estimator, last_step: int, wait_after_file_check_secs: float = 30
) -> Any:
    """A hook that ends training at a global step, in a worker when the chief has saved the checkpoint of that step.

    Args:
      estimator: the one that is trained.
      last_step: the global step.
      wait_after_file_check_secs: a worker looks for the checkpoint every so many seconds.

    >>> from tf1hub import estimator
    >>> def model_fn(features, labels, mode):
    ...     raise NotImplementedError
    >>> hook = estimator.experimental.make_stop_at_checkpoint_step_hook(estimator.Estimator(model_fn, new_path), 1000)
    """
    if estimator.config.is_chief:
        return _v1.train.StopAtStepHook(last_step=last_step)
    return _StopAtCheckpointStep(estimator.model_dir, last_step, wait_after_file_check_secs)


class _StopAtCheckpointStep(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]  # TensorFlow has no types
    """A worker's: trains no further than the last step, and stays until its checkpoint is on the disk."""

    def __init__(self, model_dir: str, last_step: int, wait_secs: float):
        self._model_dir = model_dir
        self._last_step = last_step
        self._wait_secs = wait_secs

    def begin(self) -> None:
        self._global_step = _v1.train.get_global_step()

    def before_run(self, run_context: Any) -> Any:
        del run_context
        return _v1.train.SessionRunArgs(self._global_step)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        # The value is that of before the step.
        if run_values.results + 1 < self._last_step:
            return
        if trained_steps(self._model_dir) >= self._last_step:
            run_context.request_stop()
        else:
            _v1.logging.info("Waiting for the chief to save a checkpoint of step %d.", self._last_step)
            time.sleep(self._wait_secs)
