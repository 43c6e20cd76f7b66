"""A checkpoint that could not be written, as on a full disk: what is told, and what is cleared away."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators.run_config import RunConfig

_SAVING_OPS = {"SaveV2", "MergeV2Checkpoints", "SaveSlices", "Save"}
# Above it TensorFlow tells where the op was made, below it which node it was.
_REASON = re.compile(r"^(.+)\n\t \[\[", re.MULTILINE)
_UNFINISHED = re.compile(r".+-\d+_temp(_\w+)?/?")


@contextmanager
def told_clearly(config: RunConfig) -> Iterator[None]:
    """Within this context a failed save is raised with what is still good and what to do.

    TensorFlow calls a file that grew over a quota OutOfRangeError, which sessions take for the end of the input: training
    would just end. Here it is a ResourceExhaustedError, like a full disk.
    """
    try:
        yield
    except tf.errors.OpError as error:
        model_dir = str(config.model_dir)
        if not _is_of_saving(error, model_dir):
            raise
        if config.is_chief:  # what others find there, the chief is writing
            _remove_unfinished(model_dir)
        kind = type(error) if not isinstance(error, tf.errors.OutOfRangeError) else tf.errors.ResourceExhaustedError
        raise kind(None, None, _message(model_dir, error)) from error


def _is_of_saving(error: Any, model_dir: str) -> bool:
    if isinstance(error.__cause__, tf.errors.OpError):
        return False  # told already, further in
    # Small files are written from Python, where errors come without an op; but so do those of ops in functions.
    if error.op is None:
        return isinstance(error, tf.errors.ResourceExhaustedError) and model_dir in error.message
    return error.op.type in _SAVING_OPS


def _message(model_dir: str, error: Any) -> str:
    told = _REASON.search(error.message)
    reason = told[1] if told else error.message
    good = tf.compat.v1.train.latest_checkpoint(model_dir)
    kept = f"{good} is whole, and the next training goes on from there" if good else "There is no earlier one"
    return f"A checkpoint could not be written to {model_dir}: {reason}. {kept}. Make room on the disk and train again."


def _remove_unfinished(model_dir: str) -> None:
    """Removes the directories that savers write to before they put a checkpoint in its place."""
    for name in tf.io.gfile.listdir(model_dir):
        if _UNFINISHED.fullmatch(name):
            tf.io.gfile.rmtree(os.path.join(model_dir, name))
