"""Results go to standard output or to a file, which is there whole or not at all."""

import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO

import click

from tf1hub.cli.applying.calls import Call
from tf1hub.cli.applying.columns import Column
from tf1hub.cli.applying.json_values import plain_rows
from tf1hub.cli.applying.result_tables import Write, write_npz, write_parquet
from tf1hub.converting.new_file import name_unwritable

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def open_results(path: str | None, call: Call) -> AbstractContextManager[Write]:
    """A context with a function that writes the columns of a batch: to a file by its suffix, or to standard output.

    Raises:
      click.UsageError: no such format, or one that cannot hold the outputs.
    """
    if path is None:
        return _json_lines(sys.stdout.buffer)
    suffix = Path(path).suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        return _json_file(path)
    if suffix == ".npz":
        return _completed(path, lambda part: write_npz(part, call))
    if suffix == ".parquet":
        return _completed(path, lambda part: write_parquet(part, call))
    raise click.UsageError(f"{path!r} does not tell a format of results: end it in .jsonl, .npz or .parquet.")


@contextmanager
def _json_lines(stream: IO[bytes]) -> Iterator[Write]:
    def write(columns: Mapping[str, Column]) -> None:
        rows = zip(*(plain_rows(column) for column in columns.values()), strict=True)
        lines = [_encode(dict(zip(columns, row, strict=True))) for row in rows]
        stream.write("".join(line + "\n" for line in lines).encode())
        stream.flush()

    yield write


@contextmanager
def _json_file(path: str) -> Iterator[Write]:
    with whole_file(path) as part, open(part, "wb") as stream, _json_lines(stream) as write:
        yield write


@contextmanager
def _completed(path: str, writer: Callable[[str], AbstractContextManager[Write]]) -> Iterator[Write]:
    with whole_file(path) as part, writer(part) as write:
        yield write


@contextmanager
def whole_file(path: str) -> Iterator[str]:
    """A path to write to; the file takes the place of `path` when the context ends without an error."""
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise click.UsageError(f"{path!r} is a directory; give the name of a file in it.")
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise click.UsageError(
            f"There is no folder {folder!r} to write {os.path.basename(target)!r} to. Make it first."
        )
    part = os.path.join(folder, f".{os.path.basename(target)[:80]}.{uuid.uuid4().hex[:8]}.part")
    try:
        with open(part, "xb"):  # before anything is run: the folder may not be ours
            pass
        yield part
        os.replace(part, target)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(part)
        name_unwritable(error, part, path)
        raise
