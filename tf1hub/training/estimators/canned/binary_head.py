"""Two classes, one logit: how likely the second class is."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators.canned.class_names import ClassNames
from tf1hub.training.estimators.canned.head import Head
from tf1hub.training.estimators.export_outputs import ClassificationOutput, PredictOutput, RegressionOutput


class BinaryHead(Head):
    """Labels are 0 and 1, or two strings. A label in between says how likely the second class is."""

    def __init__(self, weight_column: Any, vocabulary: Sequence[str] | None, loss_reduction: str) -> None:
        super().__init__(1, 1, weight_column, loss_reduction)
        self._classes = ClassNames(2, vocabulary)

    def predictions(self, logits: Any) -> dict[str, Any]:
        logistic = tf.sigmoid(logits, name="logistic")
        both = tf.concat([tf.zeros_like(logits), logits], -1, name="two_class_logits")
        probabilities = tf.nn.softmax(both, name="probabilities")
        ids = tf.expand_dims(tf.argmax(both, -1, name="class_ids"), -1)
        return {
            "logits": logits,
            "logistic": logistic,
            "probabilities": probabilities,
            "class_ids": ids,
            "classes": self._classes.names_of(ids),
            "all_class_ids": self._classes.all_ids(logits),
            "all_classes": self._classes.all_names(logits),
        }

    def export_outputs(self, predictions: dict[str, Any]) -> dict[str, Any]:
        names = self._classes.all_names(predictions["probabilities"])
        classification = ClassificationOutput(scores=predictions["probabilities"], classes=names)
        return {
            tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: classification,
            "classification": classification,
            "regression": RegressionOutput(value=predictions["logistic"]),
            "predict": PredictOutput(predictions),
        }

    def targets(self, labels: Any) -> Any:
        return self._classes.checked_range(tf.cast(self._classes.ids_of(labels), tf.float32))

    def losses(self, targets: Any, logits: Any) -> Any:
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)

    def metrics(self, targets: Any, predictions: dict[str, Any], weights: Any) -> dict[str, Any]:
        metrics = tf.compat.v1.metrics
        ids, logistic = predictions["class_ids"], predictions["logistic"]
        label_mean = metrics.mean(targets, weights, name="label/mean")
        # What the more frequent class would give, were it predicted for all.
        baseline = tuple(tf.maximum(mean, 1 - mean) for mean in label_mean)
        return {
            "accuracy": metrics.accuracy(targets, ids, weights, name="accuracy"),
            "precision": metrics.precision(targets, ids, weights, name="precision"),
            "recall": metrics.recall(targets, ids, weights, name="recall"),
            "prediction/mean": metrics.mean(logistic, weights, name="prediction/mean"),
            "label/mean": label_mean,
            "accuracy_baseline": baseline,
            "auc": metrics.auc(targets, logistic, weights, name="auc"),
            "auc_precision_recall": metrics.auc(targets, logistic, weights, curve="PR", name="auc_precision_recall"),
        }
