"""How serialized `tf.Example`s of canned Estimators are parsed: `classifier_parse_example_spec` and the regressors'."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf


def classifier_parse_example_spec(
    feature_columns: Iterable[Any],
    label_key: str,
    label_dtype: Any = tf.int64,
    label_default: Any = None,
    weight_column: Any = None,
) -> dict[str, Any]:
    """What `tf.io.parse_example` needs to read features and label of a classifier.

    Args:
      feature_columns: the classifier's feature columns.
      label_key: the label's key in the examples.
      label_dtype: tf.int64 for class ids, tf.string with a `label_vocabulary`.
      label_default: the label of examples without one; None takes that for an error.
      weight_column: the classifier's `weight_column`.

    Returns:
      A dict from keys to `FixedLenFeature` and `VarLenFeature`.

    Raises:
      ValueError: the label is a feature too, or a default of another dtype.
      TypeError: a weight_column of another type.

    >>> from tf1hub.estimator import classifier_parse_example_spec
    >>> column = tf.feature_column.numeric_column("age")
    >>> sorted(classifier_parse_example_spec([column], label_key="bought"))
    ['age', 'bought']
    """
    label = tf.io.FixedLenFeature((1,), label_dtype, label_default)
    return _spec(feature_columns, label_key, label, weight_column)


def regressor_parse_example_spec(
    feature_columns: Iterable[Any],
    label_key: str,
    label_dtype: Any = tf.float32,
    label_default: Any = None,
    label_dimension: int = 1,
    weight_column: Any = None,
) -> dict[str, Any]:
    """What `tf.io.parse_example` needs to read features and label of a regressor.

    Args:
      feature_columns: the regressor's feature columns.
      label_key: the label's key in the examples.
      label_dtype: the label's dtype in the examples.
      label_default: the label of examples without one; None takes that for an error.
      label_dimension: how many numbers a label has.
      weight_column: the regressor's `weight_column`.

    Returns:
      A dict from keys to `FixedLenFeature` and `VarLenFeature`.

    Raises:
      ValueError: the label is a feature too, or a default of another dtype.
      TypeError: a weight_column of another type.
    """
    label = tf.io.FixedLenFeature((label_dimension,), label_dtype, label_default)
    return _spec(feature_columns, label_key, label, weight_column)


def _spec(columns: Iterable[Any], label_key: str, label: Any, weight_column: Any) -> dict[str, Any]:
    spec: dict[str, Any] = tf.compat.v1.feature_column.make_parse_example_spec(columns)
    if label_key in spec:
        raise ValueError(f"The label {label_key!r} is a feature too: {spec[label_key]}. They need keys of their own.")
    spec[label_key] = label
    if weight_column is None:
        return spec
    if isinstance(weight_column, str):
        weight_column = tf.feature_column.numeric_column(weight_column)
    if not hasattr(weight_column, "parse_example_spec"):
        raise TypeError(f"weight_column must be a feature's key or a numeric column, not {weight_column!r}.")
    return {**spec, **weight_column.parse_example_spec}
