"""Arguments that several parts of an Estimator take, checked where a program passes them."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf


def check_positive(**numbers: int | None) -> None:
    """Refuses numbers of steps that are not positive; None is no limit.

    Raises:
      ValueError: it names the argument.
    """
    for name, number in numbers.items():
        if number is not None and number <= 0:
            raise ValueError(f"{name} must be greater than 0, not {number}; None is no limit.")


def checked_hooks(name: str, hooks: Iterable[Any] | None) -> tuple[Any, ...]:
    """The `SessionRunHook`s of an argument; see `checked_all`."""
    return checked_all(name, hooks, tf.compat.v1.train.SessionRunHook)


def checked_listeners(name: str, listeners: Iterable[Any] | None) -> tuple[Any, ...]:
    """The `CheckpointSaverListener`s of an argument; see `checked_all`."""
    return checked_all(name, listeners, tf.compat.v1.train.CheckpointSaverListener)


def checked_all(name: str, things: Iterable[Any] | None, kind: type) -> tuple[Any, ...]:
    """The things of an argument, none when it is None.

    Raises:
      TypeError: one is not of that kind.
    """
    found = tuple(things or ())
    for thing in found:
        if not isinstance(thing, kind):
            raise TypeError(f"{name} must be {kind.__name__}s; {thing!r} is none.")
    return found
