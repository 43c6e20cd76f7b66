"""Three classes or more, a logit for each."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators.canned.binary_head import BinaryHead
from tf1hub.training.estimators.canned.class_names import ClassNames
from tf1hub.training.estimators.canned.head import Head
from tf1hub.training.estimators.export_outputs import ClassificationOutput, PredictOutput


class MultiClassHead(Head):
    """Labels are 0 to n_classes - 1, or the strings of a vocabulary."""

    def __init__(
        self, n_classes: int, weight_column: Any, vocabulary: Sequence[str] | None, loss_reduction: str
    ) -> None:
        super().__init__(n_classes, 1, weight_column, loss_reduction)
        self._classes = ClassNames(n_classes, vocabulary)

    def predictions(self, logits: Any) -> dict[str, Any]:
        all_ids, all_names = self._classes.all_ids(logits), self._classes.all_names(logits)
        ids = tf.expand_dims(tf.argmax(logits, -1, name="class_ids"), -1)
        return {
            "logits": logits,
            "probabilities": tf.nn.softmax(logits, name="probabilities"),
            "class_ids": ids,
            "classes": self._classes.names_of(ids),
            "all_class_ids": all_ids,
            "all_classes": all_names,
        }

    def export_outputs(self, predictions: dict[str, Any]) -> dict[str, Any]:
        names = self._classes.all_names(predictions["probabilities"])
        classification = ClassificationOutput(scores=predictions["probabilities"], classes=names)
        return {
            tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: classification,
            "classification": classification,
            "predict": PredictOutput(predictions),
        }

    def targets(self, labels: Any) -> Any:
        self._classes.check_labels(labels)
        return self._classes.checked_range(self._classes.ids_of(labels))

    def losses(self, targets: Any, logits: Any) -> Any:
        none = tf.compat.v1.losses.Reduction.NONE
        losses = tf.compat.v1.losses.sparse_softmax_cross_entropy(targets, logits, reduction=none)
        return tf.expand_dims(losses, -1)

    def metrics(self, targets: Any, predictions: dict[str, Any], weights: Any) -> dict[str, Any]:
        accuracy = tf.compat.v1.metrics.accuracy(targets, predictions["class_ids"], weights, name="accuracy")
        return {"accuracy": accuracy}


def classifier_head(
    n_classes: int, weight_column: Any, vocabulary: Sequence[str] | None, loss_reduction: str
) -> BinaryHead | MultiClassHead:
    """The head for so many classes."""
    if n_classes == 2:
        return BinaryHead(weight_column, vocabulary, loss_reduction)
    if not isinstance(n_classes, int) or n_classes < 2:
        raise ValueError(f"n_classes is {n_classes!r}. It must be 2 or more.")
    return MultiClassHead(n_classes, weight_column, vocabulary, loss_reduction)
