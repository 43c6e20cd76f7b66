"""Writing the values that variables have in a session, as a module's checkpoint."""

from collections.abc import Iterator
from math import prod
from typing import Any

import tensorflow as tf

from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.graph.variables import StoredVariable

# Values are fetched in groups of about this size: one by one would be slow, all at once would double the memory.
_GROUP_BYTES = 128 << 20


def write_variables(prefix: str, stored: list[tuple[StoredVariable, Any]], session: Any) -> None:
    """Fetches the variables from a session and writes them to a new checkpoint. Adds nothing to the graph.

    Raises:
      tf.errors.FailedPreconditionError: a variable is not initialized.
    """
    with BundleWriter(prefix) as writer:
        for group in _groups(stored):
            for (one, variable), value in zip(group, _fetch(session, [v for _, v in group]), strict=True):
                dtype = variable.dtype.base_dtype.as_datatype_enum
                if one.offset is None:
                    writer.add(one.checkpoint_name, value, dtype)
                else:
                    assert one.full_shape is not None
                    writer.add_slice(one.checkpoint_name, one.full_shape, one.offset, value, dtype)


def _groups(stored: list[tuple[StoredVariable, Any]]) -> Iterator[list[tuple[StoredVariable, Any]]]:
    group: list[tuple[StoredVariable, Any]] = []
    size = 0
    for one, variable in sorted(stored, key=lambda pair: (pair[0].checkpoint_name, pair[0].offset or ())):
        group.append((one, variable))
        size += prod(one.shape or ()) * max(1, variable.dtype.base_dtype.size)
        if size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _fetch(session: Any, variables: list[Any]) -> list[Any]:
    try:
        if hasattr(session, "run_step_fn"):  # a MonitoredSession; its own `run` would run the training hooks
            return list(session.run_step_fn(lambda step_context: step_context.session.run(variables)))
        return list(session.run(variables))
    except tf.errors.FailedPreconditionError as error:
        raise tf.errors.FailedPreconditionError(
            error.node_def,
            error.op,
            "The module cannot be exported: a variable has no value in this session. Run its initializer (or"
            f" tf.compat.v1.global_variables_initializer()) or restore a checkpoint first. {error.message}",
        ) from error
