"""`DNNLinearCombinedClassifier` and `DNNLinearCombinedRegressor`: the sum of a DNN's and a linear model's logits."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from tf1hub.training.estimators.canned import head as heads
from tf1hub.training.estimators.canned.activation_summaries import summarize_activations
from tf1hub.training.estimators.canned.column_lists import checked_columns
from tf1hub.training.estimators.canned.head import Head
from tf1hub.training.estimators.canned.hidden_layers import HiddenLayers
from tf1hub.training.estimators.canned.linear_layer import LinearLayer, linear_partitioner
from tf1hub.training.estimators.canned.multi_class_head import classifier_head
from tf1hub.training.estimators.canned.optimizers import optimizer_from
from tf1hub.training.estimators.canned.regression_head import RegressionHead
from tf1hub.training.estimators.estimator import Estimator
from tf1hub.training.estimators.estimator_spec import EstimatorSpec

_DNN_LEARNING_RATE = 0.001
_HIGHEST_LINEAR_LEARNING_RATE = 0.005


class DNNLinearCombinedClassifier(Estimator):
    """A classifier of fully connected layers and of a linear model, trained together, each with its optimizer.

    Args:
      model_dir: the directory of checkpoints and summaries.
      linear_feature_columns: feature columns of the linear model.
      linear_optimizer: its optimizer; by name, with a learning rate of 0.005 at most.
      dnn_feature_columns: dense feature columns of the layers.
      dnn_optimizer: their optimizer; by name, with a learning rate of 0.001.
      dnn_hidden_units: how many units each hidden layer has.
      dnn_activation_fn, dnn_dropout, n_classes, weight_column, label_vocabulary, input_layer_partitioner, config,
        warm_start_from, loss_reduction, batch_norm: as for `DNNClassifier`.
      linear_sparse_combiner: as `sparse_combiner` of `LinearClassifier`.

    Raises:
      ValueError: no columns at all, or columns of the layers without hidden units; as for the other two.
      TypeError: a weight_column or label_vocabulary of another type.
    """

    def __init__(
        self,
        model_dir: Any = None,
        linear_feature_columns: Iterable[Any] | None = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Iterable[Any] | None = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Callable[[Any], Any] | None = tf.nn.relu,
        dnn_dropout: float | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = heads.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ) -> None:
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        linear = LinearLayer(checked_columns(linear_feature_columns or ()), linear_sparse_combiner)
        dnn = HiddenLayers(
            dnn_hidden_units or (),
            checked_columns(dnn_feature_columns or ()),
            dnn_activation_fn,
            dnn_dropout,
            batch_norm,
            input_layer_partitioner,
        )
        model_fn = _model_fn(head, linear, linear_optimizer, dnn, dnn_optimizer)
        super().__init__(model_fn, model_dir, config, warm_start_from=warm_start_from)


class DNNLinearCombinedRegressor(Estimator):
    """A regressor of fully connected layers and of a linear model, trained together, each with its optimizer.

    Args:
      label_dimension: how many numbers the label of an example has.
      All others: as for `DNNLinearCombinedClassifier`.

    Raises:
      ValueError: no columns at all, or columns of the layers without hidden units; as for the other two.
      TypeError: a weight_column of another type.
    """

    def __init__(
        self,
        model_dir: Any = None,
        linear_feature_columns: Iterable[Any] | None = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Iterable[Any] | None = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Callable[[Any], Any] | None = tf.nn.relu,
        dnn_dropout: float | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = heads.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ) -> None:
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        linear = LinearLayer(checked_columns(linear_feature_columns or ()), linear_sparse_combiner)
        dnn = HiddenLayers(
            dnn_hidden_units or (),
            checked_columns(dnn_feature_columns or ()),
            dnn_activation_fn,
            dnn_dropout,
            batch_norm,
            input_layer_partitioner,
        )
        model_fn = _model_fn(head, linear, linear_optimizer, dnn, dnn_optimizer)
        super().__init__(model_fn, model_dir, config, warm_start_from=warm_start_from)


def _model_fn(
    head: Head, linear: LinearLayer, linear_optimizer: Any, dnn: HiddenLayers, dnn_optimizer: Any
) -> Callable[..., EstimatorSpec]:
    _check_columns(linear, dnn)

    def model_fn(features: Any, labels: Any, mode: Any, config: Any) -> EstimatorSpec:
        heads.check_features(features)
        logits, optimizers = [], {}
        if dnn.feature_columns:
            optimizers["dnn"] = optimizer_from(dnn_optimizer, _DNN_LEARNING_RATE)
            partitioner = tf.compat.v1.min_max_variable_partitioner(max_partitions=config.num_ps_replicas)
            with tf.compat.v1.variable_scope("dnn", partitioner=partitioner):
                logits.append(dnn.logits(features, mode, head.logits_dimension, config.num_ps_replicas))
        if linear.feature_columns:
            optimizers["linear"] = optimizer_from(linear_optimizer, linear.learning_rate(_HIGHEST_LINEAR_LEARNING_RATE))
            partitioner = linear_partitioner(dnn.input_layer_partitioner, config.num_ps_replicas)
            with tf.compat.v1.variable_scope("linear", partitioner=partitioner) as scope:
                logits.append(linear.logits(features, head.logits_dimension))
                summarize_activations(scope.name, logits[-1])
        return head.estimator_spec(features, mode, labels, sum(logits[1:], logits[0]), _minimizer(optimizers))

    return model_fn


def _check_columns(linear: LinearLayer, dnn: HiddenLayers) -> None:
    if not linear.feature_columns and not dnn.feature_columns:
        raise ValueError("There are no feature columns. Give linear_feature_columns, dnn_feature_columns or both.")
    if dnn.feature_columns and not dnn.units:
        raise ValueError(
            "There are dnn_feature_columns but no dnn_hidden_units. Say how many units each hidden layer has."
        )


def _minimizer(optimizers: dict[str, Any]) -> Callable[[Any], Any]:
    """Each optimizer trains the variables of its scope; the step is counted once."""

    def minimize(loss: Any) -> Any:
        trained = [
            optimizer.minimize(
                loss, var_list=tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES, scope=scope)
            )
            for scope, optimizer in optimizers.items()
        ]
        with tf.control_dependencies(trained):
            step = tf.compat.v1.train.get_global_step()
            return tf.compat.v1.assign_add(step, 1).op

    return minimize
