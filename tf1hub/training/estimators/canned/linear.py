"""`LinearClassifier` and `LinearRegressor`: a weighted sum of feature columns."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators.canned import head as heads
from tf1hub.training.estimators.canned.column_lists import checked_columns
from tf1hub.training.estimators.canned.head import Head
from tf1hub.training.estimators.canned.linear_layer import LinearLayer, linear_partitioner
from tf1hub.training.estimators.canned.multi_class_head import classifier_head
from tf1hub.training.estimators.canned.optimizers import optimizer_from
from tf1hub.training.estimators.canned.regression_head import RegressionHead
from tf1hub.training.estimators.estimator import Estimator
from tf1hub.training.estimators.estimator_spec import EstimatorSpec

_HIGHEST_LEARNING_RATE = 0.2


class LinearClassifier(Estimator):
    """A linear classifier.

    Args:
      feature_columns: feature columns, dense or categorical.
      model_dir: the directory of checkpoints and summaries.
      n_classes: how many classes there are.
      weight_column: the key of the feature with an example's weight, or a numeric column; None weighs all alike.
      label_vocabulary: the strings that labels are, one for each class; None when labels are integers from 0 on.
      optimizer: a `tf.compat.v1.train.Optimizer`, a function that makes one, or its name: "Adagrad", "Adam", "Ftrl",
        "RMSProp", "SGD", with a learning rate of 0.2, or of 1 / sqrt(number of columns) if that is less.
      config: a `RunConfig`.
      partitioner: how weights are divided; by default among parameter servers, in parts of 64 MiB or more.
      warm_start_from: a checkpoint, a model directory, or `WarmStartSettings`.
      loss_reduction: one of `tf.compat.v1.losses.Reduction`: how the losses of a batch become one.
      sparse_combiner: "sum", "mean" or "sqrtn": how the weights of a categorical column's values become one.

    Raises:
      ValueError: no feature columns; n_classes, loss_reduction or an optimizer's name that cannot be.
      TypeError: a weight_column or label_vocabulary of another type.

    >>> from tf1hub.estimator import LinearClassifier
    >>> column = tf.feature_column.categorical_column_with_hash_bucket("word", 100)
    >>> classifier = LinearClassifier([column], n_classes=3)
    """

    def __init__(
        self,
        feature_columns: Iterable[Any],
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        partitioner: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = heads.SUM,
        sparse_combiner: str = "sum",
    ) -> None:
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        layer = LinearLayer(checked_columns(feature_columns), sparse_combiner)
        super().__init__(
            _model_fn(head, layer, optimizer, partitioner), model_dir, config, warm_start_from=warm_start_from
        )


class LinearRegressor(Estimator):
    """A linear regressor. Labels are float numbers; the loss is the squared difference.

    Args:
      label_dimension: how many numbers the label of an example has.
      feature_columns, model_dir, weight_column, optimizer, config, partitioner, warm_start_from, loss_reduction,
        sparse_combiner: as for `LinearClassifier`.

    Raises:
      ValueError: no feature columns; label_dimension, loss_reduction or an optimizer's name that cannot be.
      TypeError: a weight_column of another type.

    >>> from tf1hub.estimator import LinearRegressor
    >>> regressor = LinearRegressor([tf.feature_column.numeric_column("age")])
    """

    def __init__(
        self,
        feature_columns: Iterable[Any],
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        partitioner: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = heads.SUM,
        sparse_combiner: str = "sum",
    ) -> None:
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        layer = LinearLayer(checked_columns(feature_columns), sparse_combiner)
        super().__init__(
            _model_fn(head, layer, optimizer, partitioner), model_dir, config, warm_start_from=warm_start_from
        )


def _model_fn(head: Head, layer: LinearLayer, optimizer: Any, partitioner: Any) -> Callable[..., EstimatorSpec]:
    def model_fn(features: Any, labels: Any, mode: Any, config: Any) -> EstimatorSpec:
        heads.check_features(features)
        trained_by = optimizer_from(optimizer, layer.learning_rate(_HIGHEST_LEARNING_RATE))
        divided = linear_partitioner(partitioner, config.num_ps_replicas)
        with tf.compat.v1.variable_scope("linear", partitioner=divided):
            logits = layer.logits(features, head.logits_dimension)

            def minimize(loss: Any) -> Any:
                return trained_by.minimize(loss, global_step=tf.compat.v1.train.get_global_step())

            return head.estimator_spec(features, mode, labels, logits, minimize)

    return model_fn
