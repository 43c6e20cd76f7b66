"""Exporters of the modules that a `model_fn` registers, for `EvalSpec(exporters=...)`."""

import os
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tf1hub import files
from tf1hub.format.module_directory import is_module
from tf1hub.training.exports.best_result import BestResult, as_number
from tf1hub.training.exports.export_folder import ExportFolder, check_exports_to_keep
from tf1hub.training.exports.exporter import Exporter
from tf1hub.training.exports.failures import write_or_report
from tf1hub.training.exports.registered_modules import registered_modules
from tf1hub.training.exports.regularization_warning import RegularizationWarning, regularization_beside
from tf1hub.training.exports.serving_graph import restored_serving_graph


def _exporter_class() -> type:
    """Ours; with TensorFlow 2.15 it is a `tf.estimator.Exporter` too, since the EvalSpec there takes no others."""
    theirs = getattr(getattr(tf.compat.v1, "estimator", None), "Exporter", Exporter)
    return Exporter if theirs is Exporter else type("Exporter", (Exporter, theirs), {})


if TYPE_CHECKING:
    _Exporter = Exporter
else:
    _Exporter = _exporter_class()


class _ModuleExporter(_Exporter):
    """What the exporters have in common: all but when they export."""

    def __init__(
        self, name: str, serving_input_fn: Callable[[], Any], exports_to_keep: int | None, stop_on_error: bool
    ):
        check_exports_to_keep(exports_to_keep)
        self._name = name
        self._serving_input_fn = serving_input_fn
        self._exports_to_keep = exports_to_keep
        self._stop_on_error = stop_on_error
        self._warning = RegularizationWarning()

    @property
    def name(self) -> str:
        """The name of the folder that it exports to, below `export/` in the directory of the model."""
        return self._name

    def _export_modules(self, estimator: Any, export_path: str, checkpoint_path: str | None) -> str | None:
        with restored_serving_graph(estimator, self._serving_input_fn, checkpoint_path) as served:
            modules = registered_modules()
            if not modules:
                warnings.warn(
                    f"{type(self).__name__} {self._name!r} exported nothing: the model_fn registers no module when it is"
                    " called to predict. Call hub.register_module_for_export(module, export_name) there.",
                    stacklevel=3,
                )
                return None
            folder = ExportFolder(export_path, self._exports_to_keep, holds_modules)

            def write() -> str:
                with folder.new_export() as new:
                    for export_name, module in modules:
                        module.export(os.path.join(new.staging, export_name), served.session)
                return new.path

            path = write_or_report(folder.path, self._stop_on_error, write)
            # What was built to predict has no optimizer; the training's graph lies beside the checkpoint.
            names = [variable.op.name for _, module in modules for variable in module.variables]
            self._warning.give(lambda: regularization_beside(served.checkpoint, names))
            return path


class LatestModuleExporter(_ModuleExporter):
    """Exports the registered modules after each evaluation.

    It writes `<export_path>/<seconds since 1970>/<export_name>/` for each module that the `model_fn` registers with
    `hub.register_module_for_export`. Such a directory is there whole or not at all; the older ones are removed. It works with
    `tf1hub.estimator` and with `tf.estimator`, and can be subclassed.

    Args:
      name: the name of the folder of its exports, below `export/` in the directory of the model.
      serving_input_fn: returns a ServingInputReceiver, with which the `model_fn` is called to predict. Nothing is predicted,
        so its data does not matter.
      exports_to_keep: how many exports are kept, the newest ones; None keeps all.
      stop_on_error: whether an export that cannot be written, for instance on a full disk, ends the training. With False
        it is a warning.

    Raises:
      ValueError: `exports_to_keep` is less than one.
    """

    def __init__(
        self,
        name: str,
        serving_input_fn: Callable[[], Any],
        exports_to_keep: int | None = 5,
        stop_on_error: bool = True,
    ):
        super().__init__(name, serving_input_fn, exports_to_keep, stop_on_error)

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str | None = None,
        eval_result: dict[str, Any] | None = None,
        is_the_final_export: bool | None = None,
    ) -> str | None:
        """Exports the registered modules with the values of a checkpoint.

        Args:
          estimator: the Estimator whose `model_fn` registers modules.
          export_path: the directory to make the export in.
          checkpoint_path: the checkpoint; when left out, the Estimator's latest one.
          eval_result: not used.
          is_the_final_export: not used.

        Returns:
          The directory of the export. None, with a warning, when no module is registered, or when it could not be written
          and `stop_on_error` is False.

        Raises:
          MissingCheckpointError: there is no checkpoint (a `ValueError`, also a `tf.errors.NotFoundError`).
          CheckpointError: the checkpoint lacks variables; the message names them (a `ValueError`).
          OSError: the export could not be written. Nothing of it is there, and older exports are as they were.
        """
        return self._export_modules(estimator, export_path, checkpoint_path)


class BestModuleExporter(_ModuleExporter):
    """Exports the registered modules when an evaluation has the best result so far.

    The best result is kept in `best_result.json` beside the exports, so that a training that is run again goes on from it.
    A result that is not a number is never better. Otherwise as `LatestModuleExporter`.

    Args:
      name: the name of the folder of its exports, below `export/` in the directory of the model.
      serving_input_fn: returns a ServingInputReceiver, with which the `model_fn` is called to predict.
      metric: the name of the metric that is compared.
      larger_is_better: whether a larger value is a better one, as for an accuracy.
      exports_to_keep: how many exports are kept, the newest ones, which are the best ones; None keeps all.
      stop_on_error: whether an export that cannot be written ends the training. With False it is a warning.

    Raises:
      ValueError: `exports_to_keep` is less than one.
    """

    def __init__(
        self,
        name: str,
        serving_input_fn: Callable[[], Any],
        metric: str = "loss",
        larger_is_better: bool = False,
        exports_to_keep: int | None = 5,
        stop_on_error: bool = True,
    ):
        super().__init__(name, serving_input_fn, exports_to_keep, stop_on_error)
        self._metric = metric
        self._larger_is_better = larger_is_better

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str | None = None,
        eval_result: dict[str, Any] | None = None,
        is_the_final_export: bool | None = None,
    ) -> str | None:
        """Exports the registered modules if `eval_result` is better than all before; see `LatestModuleExporter.export`.

        Args:
          estimator: the Estimator whose `model_fn` registers modules.
          export_path: the directory to make the export in.
          checkpoint_path: the checkpoint; when left out, the Estimator's latest one.
          eval_result: the metrics of the evaluation of that checkpoint, by name.
          is_the_final_export: not used.

        Returns:
          The directory of the export; None when there is none.

        Raises:
          ValueError: `eval_result` lacks the metric, or it is not one number.
        """
        if self._metric not in (eval_result or {}):
            raise ValueError(
                f"The evaluation has no metric {self._metric!r} to tell the best export by. It has:"
                f" {', '.join(sorted(eval_result or {})) or 'none'}. Pass the name of one to {type(self).__name__}."
            )
        assert eval_result is not None
        best = BestResult(files.absolute(files.resolve(export_path)), self._metric, self._larger_is_better)
        value = as_number(self._metric, eval_result[self._metric])
        if not best.is_beaten_by(value):
            return None
        path = self._export_modules(estimator, export_path, checkpoint_path)
        if path is not None:
            write_or_report(best.path, self._stop_on_error, lambda: best.write(value))
        return path


class FinalModuleExporter(_ModuleExporter):
    """Exports the registered modules once, when training has ended. Otherwise as `LatestModuleExporter`.

    Args:
      name: the name of the folder of its exports, below `export/` in the directory of the model.
      serving_input_fn: returns a ServingInputReceiver, with which the `model_fn` is called to predict.
      stop_on_error: whether an export that cannot be written is an error. With False it is a warning.
    """

    def __init__(self, name: str, serving_input_fn: Callable[[], Any], stop_on_error: bool = True):
        super().__init__(name, serving_input_fn, None, stop_on_error)

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str | None = None,
        eval_result: dict[str, Any] | None = None,
        is_the_final_export: bool | None = None,
    ) -> str | None:
        """Exports the registered modules if `is_the_final_export`; see `LatestModuleExporter.export`.

        Returns:
          The directory of the export; None when there is none.
        """
        return self._export_modules(estimator, export_path, checkpoint_path) if is_the_final_export else None


def holds_modules(directory: str) -> bool:
    """Whether a directory is an export of registered modules: each directory in it is a module, or leads to one."""
    walk = files.remote_files().walk if files.is_remote(directory) else os.walk
    _, folders, _ = next(iter(walk(directory)), ("", [], []))
    leads = [any(is_module(below) for below, _, _ in walk(files.join(directory, folder))) for folder in folders]
    return bool(leads) and all(leads) and not is_module(directory)
