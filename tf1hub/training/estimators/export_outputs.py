"""What a model serves: the kinds of outputs that a `model_fn` offers, and the signatures that they become.

TensorFlow Serving's `classify` and `regress` calls send serialized `tf.Example` messages; their signatures therefore take one
string tensor, under a fixed name. A `predict` signature takes whatever the serving inputs are, under their own names.
"""

import abc
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

DEFAULT_KEY = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
_EVAL_METHOD = "tensorflow/supervised/eval"


class ExportOutput(abc.ABC):
    """One thing that a model serves."""

    @abc.abstractmethod
    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        """The `SignatureDef` that gives these outputs for the inputs `receiver_tensors`, tensors by name."""


class PredictOutput(ExportOutput):
    """Tensors of any kind, by name.

    Args:
      outputs: a tensor, which is named "output", or a dict of tensors by name. A name may be a tuple of strings, which
        are joined with "/".

    Raises:
      ValueError: a name is no string, or a value is no tensor.

    >>> from tf1hub.estimator import export
    >>> with tf.Graph().as_default():
    ...     sorted(export.PredictOutput({"mean": tf.constant(1.0), "spread": tf.constant(2.0)}).outputs)
    ['mean', 'spread']
    """

    def __init__(self, outputs: Any) -> None:
        self._outputs = _checked(outputs, "output", "Prediction")

    @property
    def outputs(self) -> dict[str, Any]:
        """The tensors by name."""
        return self._outputs

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        """The `predict` signature: all inputs, under their own names."""
        return tf.compat.v1.saved_model.predict_signature_def(dict(receiver_tensors), self.outputs)


class ClassificationOutput(ExportOutput):
    """Scores of classes, their labels, or both.

    Args:
      scores: a float tensor [batch, classes], or None.
      classes: a string tensor [batch, classes], or None.

    Raises:
      ValueError: both are None, or one is no tensor of its dtype.
    """

    def __init__(self, scores: Any = None, classes: Any = None) -> None:
        if scores is None and classes is None:
            raise ValueError("A ClassificationOutput needs `scores`, `classes` or both; neither was given.")
        if scores is not None and not (isinstance(scores, tf.Tensor) and scores.dtype.is_floating):
            raise ValueError(f"`scores` of a ClassificationOutput must be a float tensor, not {scores!r}.")
        if classes is not None and not (isinstance(classes, tf.Tensor) and classes.dtype == tf.string):
            raise ValueError(f"`classes` of a ClassificationOutput must be a string tensor, not {classes!r}.")
        self._scores = scores
        self._classes = classes

    @property
    def scores(self) -> Any:
        """The scores, or None."""
        return self._scores

    @property
    def classes(self) -> Any:
        """The labels, or None."""
        return self._classes

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        """The `classify` signature.

        Raises:
          ValueError: `receiver_tensors` is not one string tensor.
        """
        examples = _examples(receiver_tensors, "Classification")
        return tf.compat.v1.saved_model.classification_signature_def(examples, self.classes, self.scores)


class RegressionOutput(ExportOutput):
    """A number for each example.

    Args:
      value: a float tensor [batch, ...].

    Raises:
      ValueError: it is no float tensor.
    """

    def __init__(self, value: Any) -> None:
        if not (isinstance(value, tf.Tensor) and value.dtype.is_floating):
            raise ValueError(f"`value` of a RegressionOutput must be a float tensor, not {value!r}.")
        self._value = value

    @property
    def value(self) -> Any:
        """The numbers."""
        return self._value

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        """The `regress` signature.

        Raises:
          ValueError: `receiver_tensors` is not one string tensor.
        """
        return tf.compat.v1.saved_model.regression_signature_def(_examples(receiver_tensors, "Regression"), self.value)


class EvalOutput(ExportOutput):
    """What an exported evaluation gives: the loss, the predictions and the metrics.

    Args:
      loss: a tensor, or a dict of tensors by name.
      predictions: a tensor, a dict of tensors by name, or None.
      metrics: a dict of pairs (value tensor, update tensor or operation) by name, or None.

    Raises:
      ValueError: a name is no string, or a value is no tensor.
    """

    def __init__(self, loss: Any = None, predictions: Any = None, metrics: Any = None) -> None:
        self._loss = None if loss is None else _prefixed(loss, "loss")
        self._predictions = None if predictions is None else _prefixed(predictions, "predictions")
        self._metrics = None if metrics is None else _metric_tensors(metrics)

    @property
    def loss(self) -> dict[str, Any] | None:
        """The loss tensors by their names in the signature, or None."""
        return self._loss

    @property
    def predictions(self) -> dict[str, Any] | None:
        """The prediction tensors by their names in the signature, or None."""
        return self._predictions

    @property
    def metrics(self) -> dict[str, Any] | None:
        """The metrics' value and update tensors by their names in the signature, or None."""
        return self._metrics

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        """The evaluation signature: all inputs, under their own names."""
        outputs = {**(self.loss or {}), **(self.predictions or {}), **(self.metrics or {})}
        infos = [
            {name: tf.compat.v1.saved_model.build_tensor_info(tensor) for name, tensor in tensors.items()}
            for tensors in (receiver_tensors, outputs)
        ]
        return tf.compat.v1.saved_model.build_signature_def(*infos, _EVAL_METHOD)


def served_outputs(export_outputs: Any, predictions: Any) -> dict[Any, ExportOutput]:
    """What a model serves by signature name, one of which is the default.

    Args:
      export_outputs: `ExportOutput`s by signature name, or None: then the predictions are all that is served.
      predictions: a tensor or a dict of tensors by name.

    Raises:
      TypeError: `export_outputs` is no dict of `ExportOutput`s.
      ValueError: it has several entries, and none is named "serving_default"; or the predictions cannot be served.
    """
    if export_outputs is None:
        return {DEFAULT_KEY: PredictOutput(predictions)}
    if not isinstance(export_outputs, dict):
        raise TypeError(f"export_outputs must be a dict of ExportOutputs by signature name, not {export_outputs!r}.")
    for name, output in export_outputs.items():
        if not isinstance(output, ExportOutput):
            raise TypeError(
                f"export_outputs[{name!r}] must be an ExportOutput such as estimator.export.PredictOutput, not {output!r}."
            )
    if len(export_outputs) == 1:
        [only] = export_outputs.values()
        return {**export_outputs, DEFAULT_KEY: only}
    if export_outputs and DEFAULT_KEY not in export_outputs:
        raise ValueError(
            f"export_outputs has {len(export_outputs)} entries ({', '.join(map(str, export_outputs))}), and none of them is"
            f" the default. Name the one that is served by default {DEFAULT_KEY!r}"
            " (tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY)."
        )
    return dict(export_outputs)


def _examples(receiver_tensors: Mapping[str, Any], kind: str) -> Any:
    """The one string tensor that a classify or regress call sends its examples to."""
    tensors = list(receiver_tensors.values())
    if len(tensors) != 1 or tensors[0].dtype != tf.string:
        found = ", ".join(f"{name}: {tensor.dtype.name}" for name, tensor in receiver_tensors.items())
        raise ValueError(
            f"{kind} signatures take one string tensor of serialized tf.Examples; the serving inputs are {found}. Let the"
            " serving_input_receiver_fn receive one string placeholder, or serve a PredictOutput."
        )
    return tensors[0]


def _checked(tensors: Any, single_name: str, what: str) -> dict[str, Any]:
    """Tensors by name, names joined."""
    if not isinstance(tensors, dict):
        tensors = {single_name: tensors}
    checked = {}
    for key, tensor in tensors.items():
        name = "/".join(key) if isinstance(key, tuple) else key
        if not isinstance(name, str):
            raise ValueError(f"{what} output names must be strings; this is {name!r}.")
        if not isinstance(tensor, tf.Tensor):
            raise ValueError(f"{what} output {name!r} must be a dense tensor, not {tensor!r}.")
        checked[name] = tensor
    return checked


def _prefixed(tensors: Any, prefix: str) -> dict[str, Any]:
    """Tensors by their names in an evaluation's signature: all of them begin with the prefix."""
    checked = _checked(tensors, prefix, prefix.capitalize())
    return {name if name.startswith(prefix) else f"{prefix}/{name}": tensor for name, tensor in checked.items()}


def _metric_tensors(metrics: Mapping[Any, Any]) -> dict[str, Any]:
    """Each metric's value and update; an update that is an operation is run by reading an empty tensor."""
    tensors = {}
    for key, (value, update) in metrics.items():
        if isinstance(update, tf.Operation):
            with tf.control_dependencies([update]):
                update = tf.constant([], name="metric_op_wrapper")
        name = "/".join(key) if isinstance(key, tuple) else key
        tensors[f"{name}/value"] = value
        tensors[f"{name}/update_op"] = update
    return _prefixed(tensors, "metrics")
