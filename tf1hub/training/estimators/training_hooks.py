"""The hooks that a training runs with: the program's, and those that save, report and watch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf1hub import tensorflow_private
from tf1hub.training.estimators import cluster
from tf1hub.training.estimators.estimator_spec import EstimatorSpec
from tf1hub.training.estimators.run_config import RunConfig

_train = tf.compat.v1.train


class NanLossAtStepError(tf.compat.v1.train.NanLossDuringTrainingError):  # type: ignore[misc]  # TensorFlow has no types
    """A training whose loss became NaN; it says at which step."""

    def __str__(self) -> str:
        return str(self.args[0])


class NanLossHook(tf.compat.v1.train.NanTensorHook):  # type: ignore[misc]
    """Stops a training whose loss is NaN, and says at which step it was."""

    def __init__(self, loss: Any, model_dir: str):
        super().__init__(loss)
        self._model_dir = model_dir

    def begin(self) -> None:
        self._global_step = _train.get_global_step()

    def after_run(self, run_context: Any, run_values: Any) -> None:
        try:
            super().after_run(run_context, run_values)
        except _train.NanLossDuringTrainingError:
            step = int(run_context.session.run(self._global_step))
            raise NanLossAtStepError(
                f"NaN loss during training, at step {step}. The model is useless from here on; the last checkpoint before it"
                f" is {_train.latest_checkpoint(self._model_dir)}. Lower the learning rate, clip the gradients, or look at the"
                " data of this step."
            ) from None


@dataclass(frozen=True)
class TrainingHooks:
    """Hooks for every worker, for the chief alone, and how often `MonitoredTrainingSession` itself reports."""

    everywhere: list[Any]
    chief: list[Any]
    save_summary_steps: int | None
    log_step_count_steps: int | None


def choose_training_hooks(
    spec: EstimatorSpec, config: RunConfig, before: Sequence[Any], saving_listeners: Iterable[Any]
) -> TrainingHooks:
    """Puts together the hooks of a training, those given in `before` first.

    Raises:
      ValueError: there are saving listeners and nothing saves.
    """
    everywhere = [*before, NanLossHook(spec.loss, config.model_dir)]
    if config.log_step_count_steps is not None:
        shown = {"loss": spec.loss, "step": _train.get_global_step()}
        everywhere.append(_train.LoggingTensorHook(shown, every_n_iter=config.log_step_count_steps))
    everywhere += spec.training_hooks
    chief = [*_saver_hooks(spec, config, [*everywhere, *spec.training_chief_hooks], saving_listeners)]
    chief += spec.training_chief_hooks
    if not _master_evaluates(config):
        return TrainingHooks(everywhere, chief, config.save_summary_steps, config.log_step_count_steps)
    # The master is busy evaluating now and then, so the first worker reports in its place.
    if config.task_type == cluster.WORKER and config.task_id == 0:
        everywhere += _reporting_hooks(spec, config)
    return TrainingHooks(everywhere, chief, 0, None)


def _saver_hooks(
    spec: EstimatorSpec, config: RunConfig, others: list[Any], saving_listeners: Iterable[Any]
) -> list[Any]:
    """The hook that saves, unless the program brings its own; the listeners are told by the one there is."""
    listeners = list(saving_listeners)
    own = [hook for hook in others if isinstance(hook, _train.CheckpointSaverHook)]
    if own:
        tensorflow_private.add_saving_listeners(own[0], listeners)
        return []
    if config.save_checkpoints_secs or config.save_checkpoints_steps:
        hook = _train.CheckpointSaverHook(
            config.model_dir,
            save_secs=config.save_checkpoints_secs,
            save_steps=config.save_checkpoints_steps,
            scaffold=spec.scaffold,
            listeners=listeners,
            save_graph_def=config.checkpoint_save_graph_def,
        )
        return [hook]
    if listeners:
        raise ValueError(
            "There are saving_listeners, and nothing saves a checkpoint. Give RunConfig save_checkpoints_steps or"
            " save_checkpoints_secs, or train with a CheckpointSaverHook."
        )
    return []


def _master_evaluates(config: RunConfig) -> bool:
    jobs = config.cluster_spec.jobs
    return cluster.MASTER in jobs and cluster.WORKER in jobs


def _reporting_hooks(spec: EstimatorSpec, config: RunConfig) -> list[Any]:
    hooks = []
    if config.save_summary_steps:
        hooks.append(
            _train.SummarySaverHook(
                save_steps=config.save_summary_steps, output_dir=config.model_dir, scaffold=spec.scaffold
            )
        )
    if config.log_step_count_steps:
        hooks.append(_train.StepCounterHook(every_n_steps=config.log_step_count_steps, output_dir=config.model_dir))
    return hooks
