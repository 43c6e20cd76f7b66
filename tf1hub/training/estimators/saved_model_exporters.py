"""Exporters of whole models as SavedModels, for `EvalSpec(exporters=...)`: the latest, the best, the final one."""

import inspect
import numbers
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from tf1hub import files
from tf1hub.training.estimators.evaluation_results import iter_evaluations
from tf1hub.training.estimators.saved_model_export import holds_saved_model
from tf1hub.training.exports.export_folder import ExportFolder, check_exports_to_keep
from tf1hub.training.exports.exporter import Exporter
from tf1hub.training.exports.failures import UnwrittenExportError

_Result = Mapping[str, Any]
_COMPARED = ("best_eval_result", "current_eval_result")
_STEP = tf.compat.v1.GraphKeys.GLOBAL_STEP


class _SavedModelExporter(Exporter):
    """What the exporters have in common: all but when they export."""

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Callable[[], Any] | None,
        assets_extra: Mapping[str, str] | None,
        as_text: bool,
        exports_to_keep: int | None,
        stop_on_error: bool,
    ):
        check_exports_to_keep(exports_to_keep)
        self._name = name
        self._serving_input_receiver_fn = serving_input_receiver_fn
        self._assets_extra = assets_extra
        self._as_text = as_text
        self._exports_to_keep = exports_to_keep
        self._stop_on_error = stop_on_error

    @property
    def name(self) -> str:
        """The name of the folder that it exports to, below `export/` in the directory of the model."""
        return self._name

    def _export_model(self, estimator: Any, export_path: str, checkpoint_path: str | None) -> Any:
        try:
            path = estimator.export_saved_model(
                export_path,
                self._serving_input_receiver_fn,
                assets_extra=self._assets_extra,
                as_text=self._as_text,
                checkpoint_path=checkpoint_path,
            )
        except UnwrittenExportError as error:
            if self._stop_on_error:
                raise
            warnings.warn(f"{error}. Training goes on, since stop_on_error is False.", stacklevel=3)
            return None
        ExportFolder(export_path, self._exports_to_keep, holds_saved_model).remove_older()
        return path


class LatestExporter(_SavedModelExporter):
    """Exports the model after each evaluation, and removes the older exports.

    Args:
      name: the name of the folder of its exports, below `export/` in the directory of the model.
      serving_input_receiver_fn: returns a `ServingInputReceiver`.
      assets_extra: the source paths of files by their path below `assets.extra/` in the export.
      as_text: whether the SavedModel is written as text.
      exports_to_keep: how many exports are kept, the newest ones; None keeps all.
      stop_on_error: whether an export that cannot be written, for instance on a full disk, ends the training. With False
        it is a warning. tf.estimator has no such choice.

    Raises:
      ValueError: `exports_to_keep` is less than one.

    >>> from tf1hub import estimator
    >>> receiver_fn = estimator.export.build_raw_serving_input_receiver_fn({"x": tf.zeros([1])})
    >>> estimator.LatestExporter("latest", receiver_fn, exports_to_keep=3).name
    'latest'
    """

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Callable[[], Any],
        assets_extra: Mapping[str, str] | None = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
        stop_on_error: bool = True,
    ):
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep, stop_on_error)

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str | None,
        eval_result: dict[str, Any] | None,
        is_the_final_export: bool | None,
    ) -> Any:
        """Exports the model; see `Estimator.export_saved_model` for what it returns and raises."""
        return self._export_model(estimator, export_path, checkpoint_path)


class FinalExporter(_SavedModelExporter):
    """Exports the model once, when training has ended.

    Args:
      name: the name of the folder of its export, below `export/` in the directory of the model.
      serving_input_receiver_fn: returns a `ServingInputReceiver`.
      assets_extra: the source paths of files by their path below `assets.extra/` in the export.
      as_text: whether the SavedModel is written as text.
      stop_on_error: whether an export that cannot be written is an error. With False it is a warning.
    """

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Callable[[], Any],
        assets_extra: Mapping[str, str] | None = None,
        as_text: bool = False,
        stop_on_error: bool = True,
    ):
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, None, stop_on_error)

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str | None,
        eval_result: dict[str, Any] | None,
        is_the_final_export: bool | None,
    ) -> Any:
        """Exports the model if `is_the_final_export`; otherwise returns None."""
        return self._export_model(estimator, export_path, checkpoint_path) if is_the_final_export else None


def _loss_is_smaller(best_eval_result: _Result, current_eval_result: _Result) -> bool:
    for result in (best_eval_result, current_eval_result):
        if "loss" not in (result or {}):
            raise ValueError(
                f"The evaluation has no 'loss' to tell the best export by; it has {sorted(result or {})}. Give BestExporter"
                " a compare_fn."
            )
    return bool(current_eval_result["loss"] < best_eval_result["loss"])


class BestExporter(_SavedModelExporter):
    """Exports the model when an evaluation has the best result so far.

    When training is run again, the best result so far is read from the summaries of the evaluations before.

    Args:
      name: the name of the folder of its exports, below `export/` in the directory of the model.
      serving_input_receiver_fn: returns a `ServingInputReceiver`.
      event_file_pattern: the files with the summaries of the evaluations, below the directory of the model; with None
        nothing is read, and the first evaluation of each run counts as the best.
      compare_fn: a function of `best_eval_result` and `current_eval_result`, metrics by name, that says whether the current
        result is better. By default it is when its loss is smaller.
      assets_extra: the source paths of files by their path below `assets.extra/` in the export.
      as_text: whether the SavedModel is written as text.
      exports_to_keep: how many exports are kept, the newest ones, which are the best ones; None keeps all.
      stop_on_error: whether an export that cannot be written ends the training. With False it is a warning.

    Raises:
      ValueError: `compare_fn` takes other arguments, or `exports_to_keep` is less than one.

    >>> from tf1hub import estimator
    >>> def is_more_accurate(best_eval_result, current_eval_result):
    ...     return current_eval_result["accuracy"] > best_eval_result["accuracy"]
    >>> receiver_fn = estimator.export.build_raw_serving_input_receiver_fn({"x": tf.zeros([1])})
    >>> estimator.BestExporter(serving_input_receiver_fn=receiver_fn, compare_fn=is_more_accurate).name
    'best_exporter'
    """

    def __init__(
        self,
        name: str = "best_exporter",
        serving_input_receiver_fn: Callable[[], Any] | None = None,
        event_file_pattern: str | None = "eval/*.tfevents.*",
        compare_fn: Callable[..., bool] = _loss_is_smaller,
        assets_extra: Mapping[str, str] | None = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
        stop_on_error: bool = True,
    ):
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep, stop_on_error)
        _check_compare_fn(compare_fn)
        self._event_file_pattern = event_file_pattern
        self._compare_fn = compare_fn
        self._best: _Result | None = None
        self._model_dir: str | None = None

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str | None,
        eval_result: dict[str, Any] | None,
        is_the_final_export: bool | None,
    ) -> Any:
        """Exports the model if `eval_result` is better than all before; otherwise returns None."""
        result = eval_result or {}
        if self._model_dir != estimator.model_dir:
            self._model_dir = estimator.model_dir
            self._best = self._read_best(export_path, result)
        if self._best is not None and not self._is_better(self._best, result):
            return None
        path = self._export_model(estimator, export_path, checkpoint_path)
        if path is not None:
            self._best = result
        return path

    def _is_better(self, best: _Result, current: _Result) -> bool:
        return self._compare_fn(best_eval_result=best, current_eval_result=current)

    def _read_best(self, export_path: str, current: _Result) -> _Result | None:
        """The best evaluation before the current one; None when nothing was exported yet."""
        if not self._event_file_pattern or not ExportFolder(export_path, None, holds_saved_model).exports():
            return None
        best: _Result | None = None
        for result in _iter_results(files.join(str(self._model_dir), self._event_file_pattern), current):
            if best is None or self._is_better(best, result):
                best = result
        return best


def _iter_results(event_files: str, current: _Result) -> Iterator[_Result]:
    """The evaluations in event files that have the current one's metrics, without the current one itself."""
    wanted = {name for name, value in current.items() if isinstance(value, numbers.Number) and name != _STEP}
    for step, metrics in iter_evaluations(event_files):
        if wanted <= metrics.keys() and step != current.get(_STEP):
            yield metrics


def _check_compare_fn(compare_fn: Any) -> None:
    if not callable(compare_fn):
        raise ValueError(f"compare_fn must be a function of {' and '.join(_COMPARED)}, not {compare_fn!r}.")
    signature = inspect.signature(compare_fn)
    try:
        given = signature.bind(**dict.fromkeys(_COMPARED)).arguments
    except TypeError:
        given = {}
    if set(given) != set(_COMPARED):
        raise ValueError(
            f"compare_fn {compare_fn!r} must have the arguments {' and '.join(_COMPARED)}, and need no others; it has"
            f" {list(signature.parameters)}."
        )
