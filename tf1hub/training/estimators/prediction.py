"""Predicting with a model, example by example."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tf1hub.training.estimators import warm_start
from tf1hub.training.estimators.mode_keys import ModeKeys
from tf1hub.training.estimators.model import Model

_v1 = tf.compat.v1


def iter_predicted_batches(
    model: Model,
    input_fn: Callable[..., Any],
    keys: Any,
    hooks: Iterable[Any],
    checkpoint_path: str | None,
) -> Iterator[Any]:
    """Yields the predictions for batch after batch, until the input ends or a hook stops it.

    Between two batches the caller runs, so the graph is the default one only while a batch is made.
    """
    graph = tf.Graph()
    with contextlib.ExitStack() as stack:
        with graph.as_default():
            built = model.build(input_fn, ModeKeys.PREDICT)
            if model.warm_start and not checkpoint_path:
                warm_start.warm_start(model.warm_start)
            predictions = _chosen(built.spec.predictions, keys)
            session_creator = _v1.train.ChiefSessionCreator(
                scaffold=built.spec.scaffold,
                checkpoint_filename_with_path=checkpoint_path,
                master=model.config.master,
                config=model.config.session_config,
            )
            all_hooks = [*built.input_hooks, *hooks, *built.spec.prediction_hooks]
            session = _v1.train.MonitoredSession(session_creator, all_hooks)

        def close(*raised: Any) -> bool | None:
            with graph.as_default():  # for the hooks' ends
                ended: bool | None = session.__exit__(*raised)
            return ended

        stack.push(close)
        while not session.should_stop():
            with graph.as_default():
                batch = session.run(predictions)
            yield batch


def iter_examples(batch: Any) -> Iterator[Any]:
    """Yields the predictions of a batch example by example.

    Raises:
      ValueError: of several tensors one has another number of examples.
    """
    if not isinstance(batch, dict):
        yield from batch
        return
    sizes = {key: np.shape(value)[:1] for key, value in batch.items()}
    if () in sizes.values() or len(set(sizes.values())) > 1:
        raise ValueError(
            f"The predictions of a batch must all have one entry for each example; they have {sizes}. Choose those that do"
            " with predict_keys, or take whole batches with yield_single_examples=False."
        )
    for number in range(next(iter(sizes.values()))[0]):
        yield {key: value[number] for key, value in batch.items()}


def _chosen(predictions: Any, keys: Any) -> Any:
    if not keys:
        return predictions
    if not isinstance(predictions, dict):
        raise ValueError(f"predict_keys is {keys!r}, and the model's predictions are one tensor without a key.")
    chosen = {key: value for key, value in predictions.items() if key in keys}
    if not chosen:
        raise ValueError(f"predict_keys is {keys!r}, and the model's predictions are {sorted(predictions)}.")
    return chosen
