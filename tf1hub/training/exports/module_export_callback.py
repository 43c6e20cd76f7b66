"""Exporting a module while Keras trains it."""

import os
import re
import warnings
from typing import Any

from tf1hub.consuming.loaded.loaded_module import LoadedModule
from tf1hub.format.module_directory import is_module
from tf1hub.training.exports.best_result import BestResult, as_number
from tf1hub.training.exports.export_folder import ExportFolder
from tf1hub.training.exports.failures import write_or_report
from tf1hub.training.exports.keras_callback import KerasCallback
from tf1hub.training.exports.regularization_warning import RegularizationWarning, regularization_by_keras

# What tells in the names of Keras's metrics which results are better.
_LARGER = ("acc", "auc", "io_u", "iou", "precision", "recall", "score", "similarity")
_SMALLER = ("crossentropy", "divergence", "error", "hinge", "loss", "mae", "mape", "mse", "msle")


class ModuleExportCallback(KerasCallback):
    """Exports a module after each epoch of `model.fit`, or after those with the best result so far.

    It writes `<export_path>/<seconds since 1970>`, which is the module's directory: there whole or not at all. It works with
    Keras 3, tf_keras and the Keras of TensorFlow 2.15.

    The best result is kept in `best_result.json` beside the exports, so that a training that is run again goes on from it.
    A result that is not a number is never better.

    Args:
      layer_or_module: a `hub.KerasLayer` of the model, or what `hub.load` gives.
      export_path: the folder of the exports.
      save_best_only: whether only the epochs are exported whose result is better than all before.
      monitor: the name of that result in Keras's logs, such as "val_loss" or "val_accuracy". An epoch without it is not
        exported, with a warning that names the results that are there.
      mode: "min" if a smaller result is better, "max" if a larger one is, "auto" to tell by the name.
      exports_to_keep: how many exports are kept, the newest ones; None keeps all.
      stop_on_error: whether an export that cannot be written, for instance on a full disk, ends the training. With False
        it is a warning.

    Raises:
      TypeError: `layer_or_module` is neither.
      ValueError: `exports_to_keep` is less than one, `mode` is none of the three, or `monitor` does not tell by its name
        what is better.

    >>> module = hub.load(path)
    >>> callback = hub.ModuleExportCallback(module, new_path, save_best_only=True, monitor="val_accuracy")
    """

    def __init__(
        self,
        layer_or_module: Any,
        export_path: str | os.PathLike[str],
        save_best_only: bool = False,
        monitor: str = "val_loss",
        mode: str = "auto",
        exports_to_keep: int | None = 5,
        stop_on_error: bool = True,
    ):
        self._trained = layer_or_module
        self._module = _loaded_module(layer_or_module)
        self._folder = ExportFolder(export_path, exports_to_keep, is_module)
        self._monitor = monitor
        self._stop_on_error = stop_on_error
        self._warning = RegularizationWarning()
        self._model: Any = None
        self._best: BestResult | None = None
        if save_best_only:
            self._best = BestResult(self._folder.path, monitor, _larger_is_better(monitor, mode))

    def set_model(self, model: Any) -> None:
        """Takes the model that runs, for its optimizer."""
        self._model = model

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Exports the module, unless only the best epochs are exported and this is none."""
        if self._best is None:
            self._export()
        elif self._monitor not in (logs or {}):
            warnings.warn(
                f"Epoch {epoch + 1} has no result {self._monitor!r} to tell the best export by, so it is not exported. It"
                f" has: {', '.join(sorted(logs or {})) or 'none'}. Pass one of them to ModuleExportCallback as `monitor`;"
                " those with 'val_' need `validation_data` in fit().",
                stacklevel=2,
            )
        else:
            self._export_if_best(self._best, as_number(self._monitor, logs[self._monitor]))

    def _export_if_best(self, best: BestResult, value: float) -> None:
        if best.is_beaten_by(value) and self._export():
            write_or_report(best.path, self._stop_on_error, lambda: best.write(value))

    def _export(self) -> str | None:
        def write() -> str:
            with self._folder.new_export() as new:
                new.staging = os.path.join(new.staging, "module")
                self._module.export(new.staging)
            return new.path

        path = write_or_report(self._folder.path, self._stop_on_error, write)
        if self._trained.trainable:
            self._warning.give(lambda: regularization_by_keras(self._model.optimizer, self._module))
        return path


def _loaded_module(layer_or_module: Any) -> LoadedModule:
    module = getattr(layer_or_module, "resolved_object", layer_or_module)
    if not isinstance(module, LoadedModule):
        raise TypeError(
            "Only a hub.KerasLayer of a TF1 Hub module, or what hub.load gives for one, can be exported; this is"
            f" {type(layer_or_module).__name__}. Of a model, pass the layer that holds the module."
        )
    return module


def _larger_is_better(monitor: str, mode: str) -> bool:
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"`mode` is {mode!r}; it must be 'min', 'max' or 'auto'.")
    if mode != "auto":
        return mode == "max"
    found = re.findall("|".join(_LARGER + _SMALLER), monitor.lower())
    if found:
        return found[-1] in _LARGER  # what comes before may be the name of an output
    raise ValueError(
        f"The name of the result {monitor!r} does not tell whether a larger one is better. Pass mode='max' if it is, and"
        " mode='min' if a smaller one is."
    )
