"""Rows of input become batches, and stay in their order."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tf1hub.cli.applying.calls import DENSE, RAGGED, Call, Input
from tf1hub.cli.applying.columns import Sparse
from tf1hub.cli.applying.json_values import ragged_of


class Row(NamedTuple):
    """A value for each input, as `json_values.parse_value` gives them, and where they are from."""

    values: Mapping[str, Any]
    place: str


@dataclass(frozen=True)
class Batch:
    """What is fed at once: for each input an array, a `Sparse` or a `Ragged`.

    `count` examples are in it, not counting those filled in to complete it; `place` is where the first is from.
    """

    feeds: Mapping[str, Any]
    count: int
    place: str


def batched(rows: Iterable[Row], call: Call, size: int) -> Iterator[Batch]:
    """Rows in batches of at most `size`. Rows of other shapes, or with other settings, begin a batch of their own."""
    pending: list[Row] = []
    for row in rows:
        if pending and (len(pending) == size or not _go_together(pending[-1], row, call)):
            yield _stacked(pending, call)
            pending = []
        pending.append(row)
    if pending:
        yield _stacked(pending, call)


def _go_together(row: Row, other: Row, call: Call) -> bool:
    if call.whole:
        return False
    for key, wanted in call.inputs.items():
        one, another = row.values[key], other.values[key]
        if wanted.batched:
            if _form(one) != _form(another):
                return False
        elif one is not another and not _equal(one, another):
            return False
    return True


def _form(value: Any) -> Any:
    """What must be the same for values to be stacked."""
    if isinstance(value, Sparse):
        return len(value.shape)
    return value.shape if isinstance(value, np.ndarray) else ()


def _equal(one: Any, another: Any) -> bool:
    if isinstance(one, Sparse):
        return all(
            np.array_equal(getattr(one, part), getattr(another, part)) for part in ("indices", "values", "shape")
        )
    return bool(np.array_equal(one, another)) if isinstance(one, np.ndarray) else bool(one == another)


def _stacked(rows: list[Row], call: Call) -> Batch:
    filled = rows + [rows[-1]] * ((call.size or 0) - len(rows))
    feeds = {key: stack([row.values[key] for row in filled], wanted) for key, wanted in call.inputs.items()}
    return Batch(feeds, len(rows), rows[0].place)


def stack(values: list[Any], wanted: Input) -> Any:
    """The values of some rows as they are fed: an input without a batch as it is in the first."""
    if wanted.field.kind == RAGGED:
        return ragged_of(values if wanted.batched else values[0], wanted)
    if not wanted.batched:
        return values[0]
    if wanted.field.kind != DENSE:
        return _stacked_sparse(values, wanted)
    if isinstance(values[0], bytes):
        array = np.empty(len(values), object)
        array[:] = values
        return array
    return np.stack(values)


def _stacked_sparse(values: list[Sparse], wanted: Input) -> Sparse:
    rows = np.repeat(np.arange(len(values)), [len(value.values) for value in values])
    indices = np.concatenate([value.indices for value in values])
    shape = np.max([value.shape for value in values], axis=0)
    return Sparse(
        np.concatenate([rows[:, None], indices], axis=1),
        np.concatenate([value.values for value in values]),
        np.array([len(values), *shape], np.int64),
    )
