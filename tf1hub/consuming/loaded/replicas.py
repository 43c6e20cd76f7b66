"""The copies of variables that a distribution strategy keeps, one for each replica."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf


def current_replica() -> int | None:
    """The number of the replica whose code is running or being traced; None outside of replicas."""
    context = tf.distribute.get_replica_context()
    if context is None:
        return None
    if context.num_replicas_in_sync == 1:
        return 0
    return int(tf.get_static_value(context.replica_id_in_sync_group))


class Replicas:
    """The copies of the variables that were made in the current strategy's scope.

    Args:
      differing: those variables whose copies differ, since update ops change each on its replica.
    """

    def __init__(self, differing: Iterable[Any]):
        self._strategy = tf.distribute.get_strategy()
        self._differing = list(differing) if self._strategy.num_replicas_in_sync > 1 else []

    def copy(self, variable: Any, replica: int) -> Any:
        """The copy of a variable that a replica has; the variable itself when there is but one."""
        copies = self._strategy.experimental_local_results(variable)
        return copies[replica % len(copies)]

    @contextmanager
    def united(self, training: bool) -> Iterator[None]:
        """Has the first replica's copies stand for all, while something is computed outside of the replicas.

        They begin with the values of the variables, which are averages, and with `training` the others follow them.
        """
        if not self._differing or (tf.distribute.get_strategy() is self._strategy and current_replica() is not None):
            yield
            return
        with self._strategy.scope():
            for variable in self._differing:
                variable.assign(variable.read_value())
        yield
        if training:
            with self._strategy.scope():
                for variable in self._differing:
                    variable.assign(self.copy(variable, 0).read_value())
