"""Numbers to predict, a logit for each."""

from typing import Any

import tensorflow as tf

from tf1hub.training.estimators.canned.head import Head
from tf1hub.training.estimators.export_outputs import PredictOutput, RegressionOutput


class RegressionHead(Head):
    """Labels are `label_dimension` numbers; the loss is the squared difference."""

    def __init__(self, label_dimension: int, weight_column: Any, loss_reduction: str) -> None:
        if label_dimension < 1:
            raise ValueError(f"label_dimension is {label_dimension!r}. It must be 1 or more.")
        super().__init__(label_dimension, label_dimension, weight_column, loss_reduction)

    def predictions(self, logits: Any) -> dict[str, Any]:
        return {"predictions": logits}

    def export_outputs(self, predictions: dict[str, Any]) -> dict[str, Any]:
        regression = RegressionOutput(value=predictions["predictions"])
        return {
            tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: regression,
            "regression": regression,
            "predict": PredictOutput(predictions),
        }

    def targets(self, labels: Any) -> Any:
        return tf.cast(labels, tf.float32)

    def losses(self, targets: Any, logits: Any) -> Any:
        none = tf.compat.v1.losses.Reduction.NONE
        return tf.compat.v1.losses.mean_squared_error(targets, logits, reduction=none)

    def metrics(self, targets: Any, predictions: dict[str, Any], weights: Any) -> dict[str, Any]:
        mean = tf.compat.v1.metrics.mean
        return {
            "prediction/mean": mean(predictions["predictions"], weights, name="prediction/mean"),
            "label/mean": mean(targets, weights, name="label/mean"),
        }
