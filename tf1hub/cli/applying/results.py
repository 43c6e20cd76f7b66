"""Results go to standard output or to a file, which is there whole or not at all."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from tf1hub.cli.applying.calls import Call
from tf1hub.cli.applying.columns import Column
from tf1hub.cli.applying.json_values import plain_rows
from tf1hub.cli.applying.result_tables import Write, write_npz, write_parquet
from tf1hub.converting.new_file import new_file

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def open_results(path: str | None, call: Call) -> AbstractContextManager[Write]:
    """A context with a function that writes the columns of a batch: to a file by its suffix, or to standard output.

    Raises:
      click.UsageError: no such format, or one that cannot hold the outputs.
    """
    if path is None:
        if sys.stdout is None:
            raise click.UsageError("Standard output is closed; give --output-file.")
        return _json_lines(sys.stdout.buffer)
    suffix = Path(path).suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        return _completed(path, _json_lines)
    if suffix == ".npz":
        return _completed(path, lambda target: write_npz(target, call))
    if suffix == ".parquet":
        return _completed(path, lambda target: write_parquet(target, call))
    raise click.UsageError(f"{path!r} does not tell a format of results: end it in .jsonl, .npz or .parquet.")


@contextmanager
def _json_lines(stream: BinaryIO) -> Iterator[Write]:
    def write(columns: Mapping[str, Column]) -> None:
        rows = zip(*(plain_rows(column) for column in columns.values()), strict=True)
        lines = [_encode(dict(zip(columns, row, strict=True))) for row in rows]
        stream.write("".join(line + "\n" for line in lines).encode())
        stream.flush()

    yield write


@contextmanager
def _completed(path: str, writer: Callable[[BinaryIO], AbstractContextManager[Write]]) -> Iterator[Write]:
    with new_file(os.path.realpath(path), overwrite=True) as target, writer(target) as write:
        yield write
