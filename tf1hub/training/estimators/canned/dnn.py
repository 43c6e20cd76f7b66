"""`DNNClassifier` and `DNNRegressor`: fully connected layers on feature columns."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators.canned import head as heads
from tf1hub.training.estimators.canned.column_lists import checked_columns
from tf1hub.training.estimators.canned.head import Head
from tf1hub.training.estimators.canned.hidden_layers import HiddenLayers
from tf1hub.training.estimators.canned.multi_class_head import classifier_head
from tf1hub.training.estimators.canned.optimizers import optimizer_from
from tf1hub.training.estimators.canned.regression_head import RegressionHead
from tf1hub.training.estimators.estimator import Estimator
from tf1hub.training.estimators.estimator_spec import EstimatorSpec

_LEARNING_RATE = 0.05


class DNNClassifier(Estimator):
    """A classifier of fully connected layers.

    Args:
      hidden_units: how many units each hidden layer has, from the input on.
      feature_columns: dense feature columns, such as `tf.feature_column.numeric_column` or `hub.text_embedding_column`.
      model_dir: the directory of checkpoints and summaries.
      n_classes: how many classes there are.
      weight_column: the key of the feature with an example's weight, or a numeric column; None weighs all alike.
      label_vocabulary: the strings that labels are, one for each class; None when labels are integers from 0 on.
      optimizer: a `tf.compat.v1.train.Optimizer`, a function that makes one, or its name: "Adagrad", "Adam", "Ftrl",
        "RMSProp", "SGD", with a learning rate of 0.05.
      activation_fn: what comes after each hidden layer; None is nothing.
      dropout: which part of a layer's outputs is dropped while training, 0 to 1.
      input_layer_partitioner: how variables of feature columns are divided; by default among parameter servers, in parts of
        64 MiB or more.
      config: a `RunConfig`.
      warm_start_from: a checkpoint, a model directory, or `WarmStartSettings`.
      loss_reduction: one of `tf.compat.v1.losses.Reduction`: how the losses of a batch become one.
      batch_norm: whether each hidden layer is normalized over the batch. Needs tf-keras.

    Raises:
      ValueError: n_classes, loss_reduction or an optimizer's name that cannot be.
      TypeError: a weight_column or label_vocabulary of another type.

    >>> from tf1hub.estimator import DNNClassifier
    >>> column = hub.text_embedding_column("review", path)
    >>> classifier = DNNClassifier([16], [column], optimizer=tf.train.AdagradOptimizer(0.003))
    """

    def __init__(
        self,
        hidden_units: Sequence[int],
        feature_columns: Iterable[Any],
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: Any = "Adagrad",
        activation_fn: Callable[[Any], Any] | None = tf.nn.relu,
        dropout: float | None = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = heads.SUM,
        batch_norm: bool = False,
    ) -> None:
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        layers = HiddenLayers(
            hidden_units, checked_columns(feature_columns), activation_fn, dropout, batch_norm, input_layer_partitioner
        )
        super().__init__(_model_fn(head, layers, optimizer), model_dir, config, warm_start_from=warm_start_from)


class DNNRegressor(Estimator):
    """A regressor of fully connected layers. Labels are float numbers; the loss is the squared difference.

    Args:
      label_dimension: how many numbers the label of an example has.
      hidden_units, feature_columns, model_dir, weight_column, optimizer, activation_fn, dropout, input_layer_partitioner,
        config, warm_start_from, loss_reduction, batch_norm: as for `DNNClassifier`.

    Raises:
      ValueError: label_dimension, loss_reduction or an optimizer's name that cannot be.
      TypeError: a weight_column of another type.

    >>> from tf1hub.estimator import DNNRegressor
    >>> regressor = DNNRegressor([16], [tf.feature_column.numeric_column("age")], label_dimension=2)
    """

    def __init__(
        self,
        hidden_units: Sequence[int],
        feature_columns: Iterable[Any],
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Callable[[Any], Any] | None = tf.nn.relu,
        dropout: float | None = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = heads.SUM,
        batch_norm: bool = False,
    ) -> None:
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        layers = HiddenLayers(
            hidden_units, checked_columns(feature_columns), activation_fn, dropout, batch_norm, input_layer_partitioner
        )
        super().__init__(_model_fn(head, layers, optimizer), model_dir, config, warm_start_from=warm_start_from)


def _model_fn(head: Head, layers: HiddenLayers, optimizer: Any) -> Callable[..., EstimatorSpec]:
    def model_fn(features: Any, labels: Any, mode: Any, config: Any) -> EstimatorSpec:
        heads.check_features(features)
        trained_by = optimizer_from(optimizer, _LEARNING_RATE)
        partitioner = tf.compat.v1.min_max_variable_partitioner(max_partitions=config.num_ps_replicas)
        with tf.compat.v1.variable_scope("dnn", partitioner=partitioner):
            logits = layers.logits(features, mode, head.logits_dimension, config.num_ps_replicas)

            def minimize(loss: Any) -> Any:
                return trained_by.minimize(loss, global_step=tf.compat.v1.train.get_global_step())

            return head.estimator_spec(features, mode, labels, logits, minimize)

    return model_fn
