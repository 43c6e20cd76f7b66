"""Floating-point values between a layer and what it applies: each computes in dtypes of its own."""

from typing import Any

import tensorflow as tf


def cast_floats(values: Any, dtype: Any) -> Any:
    """A nest of values, its floating-point tensors (dense, sparse, ragged) cast, all else as it is.

    Args:
      values: tensors, nested in dicts, lists and tuples.
      dtype: what to cast to. When it is not a floating-point dtype, or None, nothing is cast.
    """
    wanted = None if dtype is None else tf.as_dtype(dtype)
    if wanted is None or not wanted.is_floating:
        return values
    return tf.nest.map_structure(lambda value: tf.cast(value, wanted) if _is_other(value, wanted) else value, values)


def _is_other(value: Any, wanted: Any) -> bool:
    if not isinstance(value, tf.Tensor | tf.Variable | tf.SparseTensor | tf.RaggedTensor):
        return False
    return bool(value.dtype.is_floating) and value.dtype != wanted
