"""What every canned Estimator does with its logits: predictions, loss, metrics and the training step."""

import abc
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf1hub.tensorflow_private import DenseColumnV1, DenseColumnV2
from tf1hub.training.estimators.estimator_spec import EstimatorSpec
from tf1hub.training.estimators.mode_keys import ModeKeys

# The op that minimizes a loss and counts the step.
Minimize = Callable[[Any], Any]

SUM = tf.compat.v1.losses.Reduction.SUM
_REDUCTIONS = [each for each in tf.compat.v1.losses.Reduction.all() if each != tf.compat.v1.losses.Reduction.NONE]


class Head(abc.ABC):
    """Turns logits into an `EstimatorSpec`. What is predicted, and how far off it is, is a subclass's.

    Args:
      logits_dimension: how many logits an example has.
      label_dimension: how many numbers the label of an example has.
      weight_column: the key of the feature with an example's weight, or a numeric column; None weighs all alike.
      loss_reduction: one of `tf.compat.v1.losses.Reduction`: how the losses of a batch become one.
    """

    def __init__(self, logits_dimension: int, label_dimension: int, weight_column: Any, loss_reduction: str) -> None:
        if loss_reduction not in _REDUCTIONS:
            raise ValueError(f"loss_reduction is {loss_reduction!r}. It is one of {sorted(set(_REDUCTIONS))}.")
        self.logits_dimension = logits_dimension
        self._label_dimension = label_dimension
        self._weight_column = _numeric_column(weight_column)
        self._loss_reduction = loss_reduction

    @abc.abstractmethod
    def predictions(self, logits: Any) -> dict[str, Any]:
        """What is predicted, by name."""

    @abc.abstractmethod
    def export_outputs(self, predictions: dict[str, Any]) -> dict[str, Any]:
        """What is served, by signature."""

    @abc.abstractmethod
    def targets(self, labels: Any) -> Any:
        """The labels as `losses` takes them."""

    @abc.abstractmethod
    def losses(self, targets: Any, logits: Any) -> Any:
        """The loss of each example, [batch, label_dimension]."""

    @abc.abstractmethod
    def metrics(self, targets: Any, predictions: dict[str, Any], weights: Any) -> dict[str, Any]:
        """Metrics by name, but for the average loss."""

    def estimator_spec(self, features: Any, mode: Any, labels: Any, logits: Any, minimize: Minimize) -> EstimatorSpec:
        """What a model_fn returns for these logits.

        Raises:
          ValueError: labels are missing, or their shape does not fit.
        """
        with tf.compat.v1.name_scope("head"):
            with tf.compat.v1.name_scope("predictions"):
                predictions = self.predictions(logits)
            if mode == ModeKeys.PREDICT:
                return EstimatorSpec(mode, predictions, export_outputs=self.export_outputs(predictions))
            targets = self.targets(_checked_labels(labels, logits, self._label_dimension))
            losses = self.losses(targets, logits)
            weights = self._weights(features)
            loss = tf.compat.v1.losses.compute_weighted_loss(losses, weights, reduction=self._loss_reduction)
            train_op = _with_updates(minimize(loss)) if mode == ModeKeys.TRAIN else None
        if mode == ModeKeys.EVAL:
            with tf.compat.v1.name_scope("metrics"):
                metrics = {"average_loss": tf.compat.v1.metrics.mean(losses, weights, name="average_loss")}
                metrics |= self.metrics(targets, predictions, weights)
            return EstimatorSpec(mode, predictions, loss, eval_metric_ops=metrics)
        self._summarize(loss, losses, weights)
        return EstimatorSpec(mode, predictions, loss, train_op)

    def _weights(self, features: Any) -> Any:
        """The weights of the examples, float32 [batch, 1], or 1."""
        if self._weight_column is None:
            return 1.0
        with tf.compat.v1.name_scope("weights"):
            return tf.compat.v1.feature_column.input_layer(features, [self._weight_column])

    def _summarize(self, loss: Any, losses: Any, weights: Any) -> None:
        """TensorBoard's curves of a training, which have the same names in every model."""
        with tf.compat.v1.name_scope(None):
            tf.compat.v1.summary.scalar("loss", loss)
            if self._loss_reduction == SUM:
                total = tf.reduce_sum(weights * tf.ones_like(losses))
                tf.compat.v1.summary.scalar("average_loss", loss / total)


def check_features(features: Any) -> None:
    """Raises a ValueError for features that feature columns cannot take."""
    if not isinstance(features, dict):
        raise ValueError(f"The input_fn's features must be a dict of tensors by name, not {features!r}.")


def _numeric_column(weight_column: Any) -> Any:
    if weight_column is None or isinstance(weight_column, DenseColumnV1 | DenseColumnV2):
        return weight_column
    if not isinstance(weight_column, str):
        raise TypeError(f"weight_column must be a feature's key or a numeric column, not {weight_column!r}.")
    return tf.feature_column.numeric_column(weight_column, shape=(1,))


def _checked_labels(labels: Any, logits: Any, dimension: int) -> Any:
    """Labels as a dense tensor [batch, dimension]."""
    if labels is None:
        raise ValueError("There are no labels. To train or evaluate, the input_fn returns (features, labels).")
    if isinstance(labels, dict | tf.SparseTensor):
        kind = TypeError if isinstance(labels, dict) else ValueError
        raise kind(f"Labels must be one dense tensor of shape [batch, {dimension}], not {labels!r}.")
    labels = tf.convert_to_tensor(labels)
    if labels.shape.rank is not None and labels.shape.rank == logits.shape.rank - 1:
        labels = tf.expand_dims(labels, -1)
    found = labels.shape[-1] if labels.shape.rank else None
    if found not in (None, dimension):
        raise ValueError(
            f"Each example's label should be {dimension} number(s), but is {found}: labels have the shape {labels.shape}. A"
            " classifier takes class ids, not one-hot vectors; a regressor's label_dimension says how many numbers it takes."
        )
    expected = tf.concat([tf.shape(logits)[:-1], [dimension]], 0)
    message = f"Labels must have the shape [batch, {dimension}]"
    with tf.control_dependencies([tf.compat.v1.assert_equal(tf.shape(labels), expected, message=message)]):
        return tf.identity(labels, name="labels")


def _with_updates(train_op: Any) -> Any:
    """The training step with the update ops of batch normalization and of modules."""
    updates = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.UPDATE_OPS)
    return tf.group(train_op, *updates) if updates else train_op
