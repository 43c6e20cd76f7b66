"""What an `input_fn` returns, as tensors of the default graph: a dataset, features with or without labels."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tf1hub.training.estimators.mode_keys import ModeKeys
from tf1hub.training.estimators.model_functions import call_with_declared


class Inputs(NamedTuple):
    """Features, labels or None, and the hooks that a session needs to run them."""

    features: Any
    labels: Any
    hooks: list[Any]


class _DatasetStart(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]  # TensorFlow has no types
    """Has a dataset begin when a session is there. It is in each worker's own memory, which no checkpoint restores."""

    def __init__(self, iterator: Any):
        self._initializer = iterator.initializer

    def after_create_session(self, session: Any, coord: Any) -> None:
        del coord
        session.run(self._initializer)


def call_input_fn(input_fn: Callable[..., Any], mode: str, params: Any, config: Any) -> Inputs:
    """Builds the input part of a graph on the CPU.

    Args:
      input_fn: returns a `tf.data.Dataset`, or tensors: (features, labels) or features alone. It may take `mode`, `params`
        and `config`.
      mode: a `ModeKeys`; without labels when it is PREDICT.
      params: what the Estimator was given.
      config: the Estimator's `RunConfig`.

    Raises:
      TypeError: `input_fn` is no function.
      ValueError: it returns a tuple that is no pair, or a dataset that was made outside it.
    """
    check_input_fn(input_fn)
    with tf.compat.v1.device("/cpu:0"):
        result = call_with_declared(input_fn, {"mode": mode, "params": params, "config": config})
    hooks = []
    if isinstance(result, tf.data.Dataset):
        iterator = _iterator_over(result, input_fn)
        hooks.append(_DatasetStart(iterator))
        result = iterator.get_next()
    features, labels = _pair(result, input_fn)
    if mode == ModeKeys.PREDICT:
        labels = None
        _warn_of_endless_input()
    return Inputs(features, labels, hooks)


def check_input_fn(input_fn: Any) -> None:
    """Checks that an `input_fn` can be called.

    Raises:
      TypeError: it cannot.
    """
    if not callable(input_fn):
        raise TypeError(f"input_fn is {input_fn!r}; it must be a function that gives a dataset or features and labels.")


def _iterator_over(dataset: Any, input_fn: Any) -> Any:
    try:
        return tf.compat.v1.data.make_initializable_iterator(dataset)
    except ValueError as error:
        raise ValueError(
            f"input_fn {input_fn!r} returned a dataset that cannot be used in the graph of this run: {error} Each run has a"
            " graph of its own, so make the whole dataset inside input_fn."
        ) from error


def _pair(result: Any, input_fn: Any) -> tuple[Any, Any]:
    if not isinstance(result, list | tuple):
        return result, None
    if len(result) != 2:
        raise ValueError(
            f"input_fn {input_fn!r} must return features, or (features, labels); it returned {len(result)} things. Put"
            " several features into a dict."
        )
    return result[0], result[1]


def _warn_of_endless_input() -> None:
    graph = tf.compat.v1.get_default_graph()
    if graph.get_collection(tf.compat.v1.GraphKeys.QUEUE_RUNNERS):
        return
    if not any(op.type.startswith("IteratorGetNext") for op in graph.get_operations()):
        tf.compat.v1.logging.warning(
            "The graph of input_fn has neither a tf.data.Dataset nor a queue: nothing ends the predictions. Stop asking for"
            " more when you have enough."
        )
