"""`TrainSpec` and `EvalSpec`: what `train_and_evaluate` trains on, evaluates and exports."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tf1hub.training.estimators.checked_arguments import (
    check_positive,
    checked_all,
    checked_hooks,
    checked_listeners,
)
from tf1hub.training.estimators.input_functions import check_input_fn
from tf1hub.training.exports.exporter import Exporter


class _TrainFields(NamedTuple):
    input_fn: Callable[..., Any]
    max_steps: int | None
    hooks: tuple[Any, ...]
    saving_listeners: tuple[Any, ...]


class TrainSpec(_TrainFields):
    """What to train on, and how long.

    Args:
      input_fn: a function that gives a dataset, or features and labels.
      max_steps: the global step at which training ends; None trains until the input ends.
      hooks: `SessionRunHook`s of the training.
      saving_listeners: `CheckpointSaverListener`s, called before and after each checkpoint.

    Raises:
      ValueError: `max_steps` is not positive.
      TypeError: a hook, a listener or the input function is something else.

    >>> from tf1hub.estimator import TrainSpec
    >>> TrainSpec(lambda: tf.data.Dataset.range(8), max_steps=4).max_steps
    4
    """

    __slots__ = ()

    def __new__(
        cls,
        input_fn: Callable[..., Any],
        max_steps: int | None = None,
        hooks: Iterable[Any] | None = None,
        saving_listeners: Iterable[Any] | None = None,
    ) -> "TrainSpec":
        check_input_fn(input_fn)
        check_positive(max_steps=max_steps)
        return super().__new__(
            cls,
            input_fn,
            max_steps,
            checked_hooks("hooks", hooks),
            checked_listeners("saving_listeners", saving_listeners),
        )


class _EvalFields(NamedTuple):
    input_fn: Callable[..., Any]
    steps: int | None
    name: str | None
    hooks: tuple[Any, ...]
    exporters: tuple[Exporter, ...]
    start_delay_secs: float
    throttle_secs: float


class EvalSpec(_EvalFields):
    """What to evaluate on, how often, and what to export after it.

    Args:
      input_fn: a function that gives a dataset, or features and labels.
      steps: so many batches are evaluated; None goes on until the input ends.
      name: set apart the summaries of several evaluations: they go to `eval_<name>` in the directory of the model.
      hooks: `SessionRunHook`s of the evaluation.
      exporters: one `Exporter` or several, each of a name of its own.
      start_delay_secs: an evaluator of a cluster starts after so many seconds.
      throttle_secs: the next evaluation starts no earlier than so many seconds after the last one.

    Raises:
      ValueError: `steps` or a time that cannot be, or exporters' names that are not unique.
      TypeError: a hook, an exporter, the name or the input function is something else.

    >>> from tf1hub.estimator import EvalSpec
    >>> EvalSpec(lambda: tf.data.Dataset.range(8), steps=None).throttle_secs
    600
    """

    __slots__ = ()

    def __new__(
        cls,
        input_fn: Callable[..., Any],
        steps: int | None = 100,
        name: str | None = None,
        hooks: Iterable[Any] | None = None,
        exporters: Exporter | Iterable[Exporter] | None = None,
        start_delay_secs: float = 120,
        throttle_secs: float = 600,
    ) -> "EvalSpec":
        check_input_fn(input_fn)
        check_positive(steps=steps)
        if name is not None and not isinstance(name, str):
            raise TypeError(f"EvalSpec's name is {name!r}; it must be a string or None.")
        for argument, value in (("start_delay_secs", start_delay_secs), ("throttle_secs", throttle_secs)):
            if value < 0:
                raise ValueError(f"EvalSpec's {argument} is {value}; it must be >= 0.")
        checked = _checked_exporters(exporters)
        return super().__new__(
            cls, input_fn, steps, name, checked_hooks("hooks", hooks), checked, start_delay_secs, throttle_secs
        )


def _checked_exporters(exporters: Exporter | Iterable[Exporter] | None) -> tuple[Exporter, ...]:
    if isinstance(exporters, Exporter):
        exporters = [exporters]
    try:
        checked = checked_all("exporters", exporters, Exporter)
    except TypeError as error:
        raise TypeError(f"EvalSpec's exporters are {exporters!r}; give an Exporter, several or None.") from error
    names = [exporter.name for exporter in checked]
    for name in names:
        if not name or not isinstance(name, str):
            raise ValueError(f"An exporter has the name {name!r}; it must be a string that is not empty. All: {names}.")
    if len(set(names)) < len(names):
        raise ValueError(f"The exporters have the names {names}; each needs a name of its own.")
    return checked
