"""An Estimator's model as a SavedModel for serving.

<export_dir_base>/1700000000/      the export; the name is when it was made
    saved_model.pb                 the graph for predictions, with the tag "serve" and its signatures
    variables/                     the checkpoint's values of its variables
    assets/                        the files that its tables read
    assets.extra/                  files of the program, for whoever serves the model
"""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tf1hub import files
from tf1hub.errors import MissingAssetError, raised_as_tensorflow
from tf1hub.format.module_directory import SAVED_MODEL, SAVED_MODEL_TEXT, is_module
from tf1hub.training.estimators.mode_keys import ModeKeys
from tf1hub.training.estimators.serving_signatures import serving_signatures
from tf1hub.training.exports.export_folder import ExportFolder
from tf1hub.training.exports.failures import UnwrittenExportError
from tf1hub.training.exports.serving_graph import ServingGraph, restored_serving_graph

_EXTRA = "assets.extra"
_NO_ROOM = "nothing of the export was left behind, and older ones are as they were; make room and export again"


def export_saved_model(
    estimator: Any,
    export_dir_base: str | bytes | os.PathLike[str],
    serving_input_receiver_fn: Callable[[], Any],
    assets_extra: Mapping[str, str] | None = None,
    as_text: bool = False,
    checkpoint_path: str | None = None,
    mode: str = ModeKeys.PREDICT,
) -> bytes:
    """Exports what a `model_fn` builds for predictions, with the values of a checkpoint. It is there whole, or not at all.

    Args:
      estimator: the Estimator.
      export_dir_base: the directory that gets the export as a directory named after the time.
      serving_input_receiver_fn: returns a `ServingInputReceiver`.
      assets_extra: the source paths of files by their path below `assets.extra/`.
      as_text: whether the graph is written as text, to `saved_model.pbtxt`.
      checkpoint_path: the checkpoint; when left out, the Estimator's latest one.
      mode: only PREDICT can be exported.

    Returns:
      The path of the export, as bytes.

    Raises:
      ValueError: there is no checkpoint, or it lacks variables; no `serving_input_receiver_fn`; another mode; a path in
        `assets_extra` that leads out of `assets.extra/`.
      MissingAssetError: a file of `assets_extra` is not there (a `tf.errors.NotFoundError`).
      OSError: the export cannot be written, for instance because the disk is full.
    """
    if serving_input_receiver_fn is None:
        raise ValueError("serving_input_receiver_fn is None; it must return a ServingInputReceiver.")
    if mode != ModeKeys.PREDICT:
        raise ValueError(
            f"The mode of an export must be {ModeKeys.PREDICT!r}, not {mode!r}: models are exported to predict."
        )
    with raised_as_tensorflow():
        extra = _checked_extra(assets_extra or {})
    base = os.fsdecode(export_dir_base)
    folder = ExportFolder(base, None, holds_saved_model)
    with restored_serving_graph(estimator, serving_input_receiver_fn, checkpoint_path) as served:
        signatures = serving_signatures(served.spec.export_outputs, served.receiver)
        main_op = served.spec.scaffold.local_init_op or tf.compat.v1.train.Scaffold.default_local_init_op()

        with _written(folder.path), folder.new_export() as new:
            _write_saved_model(new.staging, served, signatures, main_op, as_text)
            _copy_extra(new.staging, extra)
    # As the program wrote the directory, relative paths stay relative; without what only we can read, `~` and `file://`.
    return os.fsencode(files.join(os.path.expanduser(files.resolve(base)), os.path.basename(new.path)))


def holds_saved_model(directory: str) -> bool:
    """Whether a directory holds a SavedModel that is no TF1 Hub module."""
    return not is_module(directory) and any(
        files.exists(files.join(directory, name)) for name in (SAVED_MODEL, SAVED_MODEL_TEXT)
    )


@contextmanager
def _written(path: str) -> Iterator[None]:
    """Tells that an export could not be written from all else that can be wrong.

    TensorFlow calls a file that outgrows a quota OutOfRangeError, which a training session takes for the end of its input.
    """
    try:
        yield
    except OSError as error:
        raise UnwrittenExportError(error.errno, f"{error.strerror or error}: {_NO_ROOM}", path) from error
    except (tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError) as error:
        kind = errno.ENOSPC if isinstance(error, tf.errors.ResourceExhaustedError) else errno.EFBIG
        raise UnwrittenExportError(kind, f"{os.strerror(kind)}: {_NO_ROOM}", path) from error


def _write_saved_model(
    directory: str, served: ServingGraph, signatures: dict[str, Any], main_op: Any, as_text: bool
) -> None:
    builder = tf.compat.v1.saved_model.Builder(directory)
    builder.add_meta_graph_and_variables(
        served.session,
        [tf.saved_model.SERVING],
        signature_def_map=signatures,
        assets_collection=tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.ASSET_FILEPATHS),
        main_op=main_op,
        strip_default_attrs=True,
        saver=served.saver,
    )
    builder.save(as_text)


def _checked_extra(assets_extra: Mapping[str, str]) -> dict[str, str]:
    """The sources by their path below `assets.extra/`, which all stay in there."""
    checked = {}
    for target, source in assets_extra.items():
        relative = os.path.normpath(target)
        if files.is_absolute(target) or relative in (".", "..") or relative.startswith(".." + os.sep):
            raise ValueError(f"assets_extra has the path {target!r}; it must be a file's path below {_EXTRA}/.")
        path = files.resolve(source)
        if not files.exists(path):
            raise MissingAssetError(f"assets_extra[{target!r}] is {source!r}, and there is no such file.")
        checked[relative] = path
    return checked


def _copy_extra(directory: str, extra: Mapping[str, str]) -> None:
    for relative, source in extra.items():
        target = os.path.join(directory, _EXTRA, relative)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        files.copy(source, target)
