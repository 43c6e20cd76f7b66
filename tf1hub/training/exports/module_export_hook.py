"""Exporting a module while a MonitoredTrainingSession trains it."""

import os
from typing import Any

import tensorflow as tf

from tf1hub.consuming.module import Module
from tf1hub.format.module_directory import is_module
from tf1hub.training.exports.export_folder import ExportFolder
from tf1hub.training.exports.failures import write_or_report
from tf1hub.training.exports.regularization_warning import RegularizationWarning, regularization_in_graph


class ModuleExportHook(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
    """Exports a module every so often while it is trained, and when training ends.

    It writes `<export_path>/<seconds since 1970>`, which is the module's directory: there whole or not at all. It adds nothing
    to the graph. A training that is resumed exports first when as much has been trained again. It does not export at the end
    when training ends with an error; the latest checkpoint can be exported then with `hub.export_from_checkpoint`.

    Of several workers one is enough to export: pass the hook as `chief_only_hooks` of MonitoredTrainingSession, or as
    `training_chief_hooks` of an EstimatorSpec.

    Args:
      module: a module of the session's graph.
      export_path: the folder of the exports.
      every_steps: how many global steps lie between two exports, at least: one run may take several steps.
      every_secs: how many seconds lie between two exports. Without either it exports at the end only.
      exports_to_keep: how many exports are kept, the newest ones; None keeps all.
      stop_on_error: whether an export that cannot be written, for instance on a full disk, ends the training. With False
        it is a warning.

    Raises:
      ValueError: both `every_steps` and `every_secs` are given, or a number is not positive.
      TypeError: `module` is no `hub.Module`.

    >>> with tf.Graph().as_default():
    ...     module = hub.Module(path, trainable=True)
    ...     hook = hub.ModuleExportHook(module, new_path, every_steps=1000)
    """

    def __init__(
        self,
        module: Module,
        export_path: str | os.PathLike[str],
        every_steps: int | None = None,
        every_secs: float | None = None,
        exports_to_keep: int | None = 5,
        stop_on_error: bool = True,
    ):
        if not isinstance(module, Module):
            raise TypeError(f"Only a hub.Module can be exported; this is {type(module).__name__}.")
        if every_steps is not None and every_secs is not None:
            raise ValueError("Pass `every_steps` or `every_secs`, not both.")
        for name, value in (("every_steps", every_steps), ("every_secs", every_secs)):
            if value is not None and value <= 0:
                raise ValueError(
                    f"`{name}` is {value}; it must be greater than 0. Leave it out to export at the end only."
                )
        self._module = module
        self._folder = ExportFolder(export_path, exports_to_keep, is_module)
        self._stop_on_error = stop_on_error
        self._warning = RegularizationWarning()
        self._timer: Any = None
        if every_steps is not None or every_secs is not None:
            self._timer = tf.compat.v1.train.SecondOrStepTimer(every_steps=every_steps, every_secs=every_secs)
        self._global_step: Any = None
        self._seen_step = 0
        self._steps_per_run = 1
        self._exported_step: int | None = None

    def begin(self) -> None:
        """Finds the global step of the graph."""
        self._global_step = tf.compat.v1.train.get_global_step()
        if self._global_step is None:
            raise RuntimeError(
                "hub.ModuleExportHook counts global steps, and the graph has none. Call"
                " tf.compat.v1.train.get_or_create_global_step(), and pass it to the optimizer's minimize()."
            )

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Counts from the step at which the training begins, or goes on."""
        self._seen_step = int(session.run(self._global_step))
        if self._timer is not None:
            self._timer.update_last_triggered_step(self._seen_step)

    def before_run(self, run_context: Any) -> Any:
        """Asks for the global step with each run."""
        return tf.compat.v1.train.SessionRunArgs(self._global_step) if self._timer is not None else None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Exports when it is time."""
        if self._timer is None:
            return
        # The step that was fetched may be the one of before the run, which has then gone as far as one run goes.
        seen = int(run_values.results)
        self._steps_per_run = max(self._steps_per_run, seen - self._seen_step)
        self._seen_step = seen
        if self._timer.should_trigger_for_step(seen + self._steps_per_run):
            step = int(run_context.session.run(self._global_step))
            if self._timer.should_trigger_for_step(step):
                self._timer.update_last_triggered_step(step)
                self._export(run_context.session, step)

    def end(self, session: Any) -> None:
        """Exports what the training has ended with, unless that was done."""
        step = int(session.run(self._global_step))
        if step != self._exported_step:
            self._export(session, step)

    def _export(self, session: Any, step: int) -> None:
        def write() -> int:
            # Hooks may be called while another graph is current.
            with session.graph.as_default(), self._folder.new_export() as new:
                new.staging = os.path.join(new.staging, "module")
                self._module.export(new.staging, session)
            return step

        self._exported_step = write_or_report(self._folder.path, self._stop_on_error, write)
        self._warning.give(lambda: regularization_in_graph(session.graph, self._module.variables))
