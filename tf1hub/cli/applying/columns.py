"""Values for many examples: what is fed as an input, and what comes out, one value for each row.

A column is a NumPy array whose first dimension is the rows, or the parts of a sparse or ragged tensor.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tf1hub.cli.applying.calls import RAGGED, SPARSE, Call, Field
from tf1hub.errors import InputError


@dataclass(frozen=True)
class Sparse:
    """A sparse tensor: where its values lie, int64 [count, rank]; the values; its shape."""

    indices: np.ndarray
    values: np.ndarray
    shape: np.ndarray


@dataclass(frozen=True)
class Ragged:
    """A ragged tensor: all its values, and for each ragged dimension, from the outside in, where its lists begin and end."""

    flat: np.ndarray
    splits: list[np.ndarray]


@dataclass(frozen=True)
class SparseRows:
    """A sparse tensor for each row, and the type of their values."""

    rows: list[Sparse]
    dtype: np.dtype[Any]


Column = np.ndarray | Ragged | SparseRows


def columns_of(results: dict[str, Any], call: Call, count: int) -> dict[str, Column]:
    """What a signature gave for a batch, as `count` rows of each output.

    An output that has one value for the whole batch has it in every row. What was filled in to complete a batch is left out.

    Raises:
      InputError: an output has neither a value for each example nor one for all.
    """
    return {key: _column(results[key], field, call, count) for key, field in call.outputs.items()}


def _column(value: Any, field: Field, call: Call, count: int) -> Column:
    if field.kind == SPARSE:
        sparse = Sparse(value.indices, _plain_type(value.values), value.dense_shape)
        rows = [sparse] if call.whole else _rows_of_sparse(sparse, field, call, count)
        return SparseRows(rows, sparse.values.dtype)
    if field.kind == RAGGED:
        ragged = Ragged(_plain_type(value.flat_values), list(value.nested_row_splits))
        if call.whole:
            return Ragged(ragged.flat, [np.array([0, len(ragged.splits[0]) - 1]), *ragged.splits])
        _check_rows(len(ragged.splits[0]) - 1, field, call, count)
        return _first_rows(ragged, count)
    array = _plain_type(np.asarray(value))
    if call.whole:
        return array[None]
    if _is_shared(array, field, call):
        return np.broadcast_to(array, (count, *array.shape))
    _check_rows(len(array), field, call, count)
    return array[:count]


def _is_shared(array: np.ndarray, field: Field, call: Call) -> bool:
    """Whether an output has one value for all examples: a number, or a shape that does not go with the batch's."""
    if array.ndim == 0:
        return True
    return bool(field.shape) and field.shape is not None and field.shape[0] not in (None, call.size)


def _check_rows(found: int, field: Field, call: Call, count: int) -> None:
    fed = call.size or count
    if found != fed:
        raise InputError(
            f"The output {field.key!r} has {found} rows for {fed} examples, so they cannot be told apart. Leave it out by"
            " naming the wanted ones with --output, or pass --whole, and rows with all that the signature takes at once."
        )


def _plain_type(array: np.ndarray) -> np.ndarray:
    """An array as NumPy's own types have it: small floats such as bfloat16 as float32, quantized integers as integers."""
    if array.dtype.names:  # quantized: TensorFlow gives records of one number
        array = array[array.dtype.names[0]]
    if array.dtype.kind == "V":  # one of ml_dtypes
        return array.astype(np.int8 if "int" in array.dtype.name else np.float32)
    return array


def _first_rows(ragged: Ragged, count: int) -> Ragged:
    splits, end = [], count
    for part in ragged.splits:
        splits.append(part[: end + 1])
        end = int(part[end])
    return Ragged(ragged.flat[:end], splits)


def _rows_of_sparse(sparse: Sparse, field: Field, call: Call, count: int) -> list[Sparse]:
    _check_rows(int(sparse.shape[0]) if len(sparse.shape) else 0, field, call, count)
    order = np.argsort(sparse.indices[:, 0], kind="stable")  # nothing says that a module gives them in order
    indices, values = sparse.indices[order], sparse.values[order]
    ends = np.searchsorted(indices[:, 0], np.arange(count + 1))
    return [
        Sparse(indices[start:end, 1:], values[start:end], sparse.shape[1:]) for start, end in itertools.pairwise(ends)
    ]


def lists(column: Column, plain: Callable[[np.ndarray], list[Any]]) -> list[Any]:
    """A column's rows as nested lists; `plain` makes lists of its arrays."""
    if isinstance(column, Ragged):
        rows = plain(column.flat)
        for splits in reversed(column.splits):
            ends = splits.tolist()
            rows = [rows[start:end] for start, end in itertools.pairwise(ends)]
        return rows
    if isinstance(column, SparseRows):
        return [
            {"indices": row.indices.tolist(), "values": plain(row.values), "shape": row.shape.tolist()}
            for row in column.rows
        ]
    return plain(column)
