"""Results as tables: `.npz`, an array for each output, and `.parquet`, a column for each.

Both are written while the module runs. A Parquet file is a row group for every few megabytes. The header of an array tells
how many rows there are, so those of an `.npz` wait in temporary files, without names, on the disk of the result.
"""

import os
import shutil
import tempfile
import zipfile
from array import array as number_list
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO

import click
import numpy as np

from tf1hub.cli.applying.calls import DENSE, RAGGED, SPARSE, Call, Field
from tf1hub.cli.applying.columns import Column, Ragged, SparseRows, lists
from tf1hub.cli.applying.extras import import_extra
from tf1hub.errors import InputError
from tf1hub.format.dtypes import numpy_dtype

_ROW_GROUP = 8_000_000  # bytes
_PIECE = 1 << 20
Write = Callable[[Mapping[str, Column]], None]


@dataclass
class _Spool:
    """The rows of an output so far: their bytes, and the lengths of those that are strings."""

    file: IO[bytes]
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    rows: int = 0
    lengths: "number_list[int]" = field(default_factory=lambda: number_list("Q"))


@contextmanager
def write_npz(target: BinaryIO, call: Call) -> Iterator[Write]:
    """A function that adds a batch's columns to an `.npz` file, which is written when the context ends.

    Raises:
      click.UsageError: an output is sparse or ragged.
    """
    for key, output in call.outputs.items():
        if output.kind != DENSE:
            raise click.UsageError(
                f"The output {key!r} is {output.kind}, which .npz cannot hold; use .jsonl or .parquet."
            )
    spools: dict[str, _Spool] = {}
    folder = os.path.dirname(target.name)
    with ExitStack() as files:

        def write(columns: Mapping[str, Column]) -> None:
            for key, column in columns.items():
                assert isinstance(column, np.ndarray)
                if key not in spools:
                    file = files.enter_context(tempfile.TemporaryFile(dir=folder))
                    spools[key] = _Spool(file, column.dtype, column.shape[1:])
                _add(spools[key], column, key)

        yield write
        for key, output in call.outputs.items():
            if key not in spools:
                file = files.enter_context(tempfile.TemporaryFile(dir=folder))
                spools[key] = _Spool(file, _result_dtype(output), tuple(size or 0 for size in (output.shape or ())[1:]))
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for key, spool in spools.items():
                with archive.open(f"{key}.npy", "w", force_zip64=True) as member:
                    _copy(spool, member)


def _result_dtype(output: Field) -> np.dtype[Any]:
    dtype = numpy_dtype(output.dtype)
    return dtype if dtype.kind != "V" else np.dtype(np.int8 if "int" in dtype.name else np.float32)


def _add(spool: _Spool, column: np.ndarray, key: str) -> None:
    if column.shape[1:] != spool.shape:
        raise InputError(
            f"The output {key!r} has rows of shape {list(spool.shape)} and then {list(column.shape[1:])}, which one array"
            " cannot hold. Write .jsonl or .parquet."
        )
    spool.rows += len(column)
    if spool.dtype != object:
        spool.file.write(np.ascontiguousarray(column).data if column.size else b"")
        return
    for item in column.reshape(-1).tolist():
        if item.endswith(b"\0"):
            raise InputError(
                f"The output {key!r} has a string that ends in a zero byte, which NumPy cuts off. Write .jsonl."
            )
        spool.lengths.append(len(item))
        spool.file.write(item)


def _copy(spool: _Spool, member: IO[bytes]) -> None:
    width = max(spool.lengths, default=0) or 1
    dtype = spool.dtype if spool.dtype != object else np.dtype(f"S{width}")
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (spool.rows, *spool.shape)}
    np.lib.format.write_array_header_2_0(member, header)
    spool.file.seek(0)
    if spool.dtype != object:
        shutil.copyfileobj(spool.file, member, _PIECE)
        return
    for length in spool.lengths:
        member.write(spool.file.read(length).ljust(width, b"\0"))


@contextmanager
def write_parquet(target: BinaryIO, call: Call) -> Iterator[Write]:
    """A function that adds a batch's columns to a Parquet file."""
    arrow = import_extra("pyarrow", "parquet", "Writing Parquet")
    parquet = import_extra("pyarrow.parquet", "parquet", "Writing Parquet")
    writer: Any = None
    pending: list[Any] = []
    pending_bytes = 0

    def flush() -> None:
        nonlocal pending_bytes
        if pending:
            writer.write_table(arrow.Table.from_batches(pending))
        pending.clear()
        pending_bytes = 0

    def write(columns: Mapping[str, Column]) -> None:
        nonlocal writer, pending_bytes
        made = {key: _arrow_array(arrow, column) for key, column in columns.items()}
        batch = arrow.RecordBatch.from_arrays(list(made.values()), names=list(made))
        if writer is None:
            writer = parquet.ParquetWriter(target, batch.schema)
        elif batch.schema != writer.schema:
            raise InputError(
                "An output changes its number of dimensions, which a Parquet column cannot. Write .jsonl.\n"
                f"First:\n{writer.schema}\nthen:\n{batch.schema}"
            )
        pending.append(batch)
        pending_bytes += batch.nbytes
        if pending_bytes >= _ROW_GROUP:
            flush()

    try:
        yield write
        if writer is None:
            write({key: _no_rows(output) for key, output in call.outputs.items()})
        flush()
    finally:
        if writer is not None:
            writer.close()


def _no_rows(output: Field) -> Column:
    """A column without rows, of the type that the output would have."""
    shape = tuple(size or 0 for size in (output.shape or (0,))[1 + output.ragged_rank :])
    if output.kind == SPARSE:
        return SparseRows([], _result_dtype(output))
    empty = np.zeros((0, *shape), _result_dtype(output))
    return Ragged(empty, [np.zeros(1, np.int64)] * output.ragged_rank) if output.kind == RAGGED else empty


def _arrow_array(arrow: Any, column: Column) -> Any:
    """A column as Arrow has it: each dimension of a row is a list."""
    if isinstance(column, Ragged):
        made = _arrow_array(arrow, column.flat)
        for splits in reversed(column.splits):
            made = arrow.ListArray.from_arrays(arrow.array(splits, arrow.int32()), made)
        return made
    if isinstance(column, SparseRows):
        integers = arrow.list_(arrow.int64())
        values = arrow.list_(_arrow_leaf(arrow, np.zeros(0, column.dtype)).type)
        struct = [("indices", arrow.list_(integers)), ("values", values), ("shape", integers)]
        return arrow.array(lists(column, lambda array: _arrow_leaf(arrow, array).to_pylist()), arrow.struct(struct))
    if column.dtype.kind == "c":
        column = np.stack([column.real, column.imag], axis=-1)
    made = _arrow_leaf(arrow, column)
    for place in range(column.ndim - 1, 0, -1):
        lists_of = int(np.prod(column.shape[:place], dtype=np.int64))
        ends = np.arange(lists_of + 1, dtype=np.int32) * column.shape[place]
        made = arrow.ListArray.from_arrays(arrow.array(ends, arrow.int32()), made)
    return made


def _arrow_leaf(arrow: Any, array: np.ndarray) -> Any:
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype == object:
        return arrow.array(flat.tolist(), arrow.binary())
    return arrow.array(flat.astype(np.float32) if flat.dtype == np.float16 else flat)
