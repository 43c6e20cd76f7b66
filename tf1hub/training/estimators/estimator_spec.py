"""What a `model_fn` returns: the tensors and operations of its graph that training, evaluation and prediction run."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import tensorflow as tf

from tf1hub.training.estimators.checked_arguments import checked_hooks
from tf1hub.training.estimators.export_outputs import served_outputs
from tf1hub.training.estimators.mode_keys import ModeKeys


class _Fields(NamedTuple):
    mode: Any
    predictions: Any
    loss: Any
    train_op: Any
    eval_metric_ops: dict[Any, Any]
    export_outputs: Any
    training_chief_hooks: tuple[Any, ...]
    training_hooks: tuple[Any, ...]
    scaffold: Any
    evaluation_hooks: tuple[Any, ...]
    prediction_hooks: tuple[Any, ...]


class EstimatorSpec(_Fields):
    """What a `model_fn` returns. It cannot be changed; `spec._replace(loss=...)` gives another one.

    Args:
      mode: a `ModeKeys`; it says which of the following are needed.
      predictions: a tensor, or a dict of tensors by name; needed to predict.
      loss: a tensor with one value; needed to train and to evaluate.
      train_op: the operation or tensor that trains one step; needed to train.
      eval_metric_ops: a dict of metrics by name: pairs (value tensor, update operation or tensor), or `tf_keras` metrics
        whose `update_state` was called.
      export_outputs: a dict of `ExportOutput`s by signature name; by default the predictions are what is served. Of
        several, one is named "serving_default".
      training_chief_hooks: `SessionRunHook`s for training on the chief.
      training_hooks: `SessionRunHook`s for training on every worker.
      scaffold: a `tf.compat.v1.train.Scaffold` with the initialization and the saver.
      evaluation_hooks: `SessionRunHook`s for evaluation.
      prediction_hooks: `SessionRunHook`s for prediction.

    Raises:
      ValueError: the mode needs something that is None, the loss is no scalar, a tensor is of another graph, or none of
        several `export_outputs` is the default.
      TypeError: something is of another type than said above.

    >>> from tf1hub.estimator import EstimatorSpec, ModeKeys
    >>> with tf.Graph().as_default():
    ...     spec = EstimatorSpec(ModeKeys.PREDICT, predictions={"y": tf.constant([2.0])})
    ...     list(spec.export_outputs)
    ['serving_default']
    """

    __slots__ = ()

    def __new__(
        cls,
        mode: Any,
        predictions: Any = None,
        loss: Any = None,
        train_op: Any = None,
        eval_metric_ops: Any = None,
        export_outputs: Any = None,
        training_chief_hooks: Iterable[Any] | None = None,
        training_hooks: Iterable[Any] | None = None,
        scaffold: Any = None,
        evaluation_hooks: Iterable[Any] | None = None,
        prediction_hooks: Iterable[Any] | None = None,
    ) -> "EstimatorSpec":
        checked_op = _train_op(train_op, mode)
        checked_loss = _loss(loss, mode)
        checked_predictions = _predictions(predictions, mode)
        if mode == ModeKeys.PREDICT:
            export_outputs = served_outputs(export_outputs, checked_predictions)
        if not isinstance(scaffold, tf.compat.v1.train.Scaffold | None):
            raise TypeError(f"scaffold must be a tf.compat.v1.train.Scaffold, not {scaffold!r}.")
        return super().__new__(
            cls,
            mode=mode,
            predictions=checked_predictions,
            loss=checked_loss,
            train_op=checked_op,
            eval_metric_ops=_metrics(eval_metric_ops),
            export_outputs=export_outputs,
            training_chief_hooks=checked_hooks("training_chief_hooks", training_chief_hooks),
            training_hooks=checked_hooks("training_hooks", training_hooks),
            scaffold=scaffold or tf.compat.v1.train.Scaffold(),
            evaluation_hooks=checked_hooks("evaluation_hooks", evaluation_hooks),
            prediction_hooks=checked_hooks("prediction_hooks", prediction_hooks),
        )

    def _replace(self, **changes: Any) -> "EstimatorSpec":
        """The spec with other fields; they are checked again. The mode stays."""
        if changes.get("mode", self.mode) != self.mode:
            raise ValueError(f"The mode of an EstimatorSpec stays: it is {self.mode!r}, not {changes['mode']!r}.")
        return EstimatorSpec(**{**self._asdict(), **changes})


def _train_op(train_op: Any, mode: Any) -> Any:
    if train_op is None:
        if mode == ModeKeys.TRAIN:
            raise ValueError(
                "train_op is missing: in mode 'train' the model_fn returns EstimatorSpec(..., train_op=...)."
            )
        return None
    if isinstance(train_op, tf.Variable):
        train_op = train_op.op
    if not isinstance(train_op, tf.Operation | tf.Tensor):
        raise TypeError(f"train_op must be an operation or a tensor, not {train_op!r}.")
    _check_graph(train_op, "train_op")
    return train_op


def _loss(loss: Any, mode: Any) -> Any:
    if loss is None:
        if mode in (ModeKeys.TRAIN, ModeKeys.EVAL):
            raise ValueError(f"loss is missing: in mode {mode!r} the model_fn returns EstimatorSpec(..., loss=...).")
        return None
    _check_tensor(loss, "loss")
    if loss.shape.num_elements() not in (None, 1):
        raise ValueError(f"loss must be a scalar, not a tensor of shape {loss.shape}: {loss!r}.")
    if not loss.shape.is_compatible_with([]):
        return tf.reshape(loss, [])
    return loss


def _predictions(predictions: Any, mode: Any) -> Any:
    if predictions is None:
        if mode == ModeKeys.PREDICT:
            raise ValueError(
                "predictions are missing: in mode 'infer' the model_fn returns EstimatorSpec(..., predictions=...)."
            )
        return {}
    if isinstance(predictions, dict):
        for name, tensor in predictions.items():
            _check_tensor(tensor, f"predictions[{name!r}]")
    else:
        _check_tensor(predictions, "predictions")
    return predictions


def _metrics(metrics: Any) -> dict[Any, Any]:
    if metrics is None:
        return {}
    if not isinstance(metrics, dict):
        raise TypeError(f"eval_metric_ops must be a dict of metrics by name, not {metrics!r}.")
    return {name: _metric(metric, f"eval_metric_ops[{name!r}]") for name, metric in metrics.items()}


def _metric(metric: Any, what: str) -> tuple[Any, Any]:
    """The pair of the metric's value and its update."""
    if hasattr(metric, "update_state") and hasattr(metric, "updates"):
        metric = _keras_metric_pair(metric, what)
    if not isinstance(metric, tuple) or len(metric) != 2:
        raise TypeError(f"{what} must be a pair (value tensor, update operation), not {metric!r}.")
    for part in tf.nest.flatten(metric):
        if not isinstance(part, tf.Operation | tf.Tensor | tf.Variable):
            raise TypeError(f"{what} must be a pair of tensors or operations; {part!r} is none.")
        _check_graph(part, what)
    return metric


def _keras_metric_pair(metric: Any, what: str) -> tuple[Any, Any]:
    if not metric.updates:
        raise ValueError(f"{what} was never updated: call update_state(...) of the metric {metric.name!r} first.")
    # An evaluation starts metrics anew by initializing the local variables.
    for collection in (tf.compat.v1.GraphKeys.LOCAL_VARIABLES, tf.compat.v1.GraphKeys.METRIC_VARIABLES):
        for variable in metric.variables:
            if not any(variable is other for other in tf.compat.v1.get_collection(collection)):
                tf.compat.v1.add_to_collection(collection, variable)
    return metric.result(), metric.updates[0]


def _check_tensor(tensor: Any, what: str) -> None:
    if not isinstance(tensor, tf.Tensor | tf.Variable):
        raise TypeError(f"{what} must be a dense tensor, not {tensor!r}.")
    _check_graph(tensor, what)


def _check_graph(element: Any, what: str) -> None:
    if element.graph is not tf.compat.v1.get_default_graph():
        raise ValueError(
            f"{what} is {element.name!r}, which is of another graph than the one that model_fn is called in. Create all"
            " tensors inside model_fn or input_fn, in the default graph of that moment."
        )
