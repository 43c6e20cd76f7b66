"""More metrics for the evaluations of an Estimator that exists, such as a canned one."""

from collections.abc import Callable
from typing import Any

from tf1hub.training.estimators.estimator import Estimator
from tf1hub.training.estimators.estimator_spec import EstimatorSpec
from tf1hub.training.estimators.mode_keys import ModeKeys
from tf1hub.training.estimators.model_functions import call_with_declared, declared_arguments

_OFFERED = ("features", "labels", "predictions", "config")


def add_metrics(estimator: Any, metric_fn: Callable[..., dict[str, Any]]) -> Estimator:
    """An Estimator like a given one, in the same directory, that evaluates more metrics.

    Args:
      estimator: an Estimator.
      metric_fn: returns metrics by name, as for `EstimatorSpec(eval_metric_ops=...)`; one of the same name takes the place
        of the Estimator's. It takes what it needs of `features`, `labels`, `predictions` and `config`.

    Returns:
      The new Estimator.

    Raises:
      ValueError: `metric_fn` has other arguments.

    >>> from tf1hub import estimator
    >>> def metric_fn(predictions):
    ...     return {"mean": tf.compat.v1.metrics.mean(predictions["y"])}
    >>> def model_fn(features, mode):
    ...     y = features * tf.compat.v1.get_variable("w", [], initializer=tf.compat.v1.ones_initializer())
    ...     return estimator.EstimatorSpec(mode, {"y": y}, tf.reduce_sum(y))
    >>> model = estimator.add_metrics(estimator.Estimator(model_fn, new_path), metric_fn)
    >>> float(model.evaluate(lambda: tf.data.Dataset.from_tensors([2.0, 4.0]))["mean"])
    3.0
    """
    unknown = [name for name in declared_arguments(metric_fn) if name not in _OFFERED]
    if unknown:
        raise ValueError(f"metric_fn {metric_fn!r} has the arguments {unknown}; it can have {', '.join(_OFFERED)}.")

    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        spec: EstimatorSpec = estimator.model_fn(features, labels, mode, config)
        if mode != ModeKeys.EVAL:
            return spec
        offered = dict(zip(_OFFERED, (features, labels, spec.predictions, config), strict=True))
        return spec._replace(eval_metric_ops={**spec.eval_metric_ops, **call_with_declared(metric_fn, offered)})

    return Estimator(model_fn, estimator.model_dir, estimator.config, warm_start_from=estimator.warm_start_from)
