"""An evaluation's results as TensorBoard shows them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

_v1 = tf.compat.v1


def write_evaluation(directory: str, results: Mapping[str, Any], global_step: int, checkpoint_path: str | None) -> None:
    """Appends results to the event file in a directory.

    Args:
      directory: where the event file lies; it is made when it is not there.
      results: metrics by name: scalars, arrays, or serialized summaries such as images.
      global_step: the step that the results are of.
      checkpoint_path: the checkpoint that was evaluated, which is written as text.
    """
    summary = _v1.Summary()
    for name, value in results.items():
        if value is not None and name != _v1.GraphKeys.GLOBAL_STEP:
            _add_value(summary, name, value)
    writer = _v1.summary.FileWriterCache.get(directory)
    writer.add_summary(summary, global_step)
    if checkpoint_path:
        writer.add_summary(_text("checkpoint_path", checkpoint_path), global_step)
    writer.flush()


def _add_value(summary: Any, name: str, value: Any) -> None:
    if isinstance(value, bytes):
        _add_parts(summary, name, value)
    elif isinstance(value, np.ndarray) and value.ndim:
        summary.value.add(tag=name, node_name=name, tensor=tf.make_tensor_proto(value))
    elif isinstance(value, int | float | np.number | np.bool_ | np.ndarray) and np.isrealobj(value):
        summary.value.add(tag=name, simple_value=float(value))
    else:
        _v1.logging.warning("The metric %s is %r, which no summary can hold: it is left out of them.", name, value)


def _add_parts(summary: Any, name: str, serialized: bytes) -> None:
    """Adds the values of a serialized summary, as the ops of tf.summary give it."""
    try:
        parts = _v1.Summary.FromString(serialized)
    except DecodeError:
        _v1.logging.warning("The metric %s is a string that is no serialized summary: it is left out of them.", name)
        return
    for number, part in enumerate(parts.value):
        part.tag = f"{name}/{number}"
    summary.value.extend(parts.value)


def _text(tag: str, text: str) -> Any:
    metadata = _v1.SummaryMetadata(plugin_data=_v1.SummaryMetadata.PluginData(plugin_name="text"))
    value = _v1.Summary.Value(tag=tag, metadata=metadata, tensor=tf.make_tensor_proto(text, dtype=tf.string))
    return _v1.Summary(value=[value])
