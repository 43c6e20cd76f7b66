"""Lookup tables that are filled from text files, and what is in these files."""

import io
import os
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from tf1hub import files
from tf1hub.checks.linting.dataflow.expansion import FlowNode
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.graph.constants import first_values

FROM_TEXT = ("InitializeTableFromTextFile", "InitializeTableFromTextFileV2")
# What the columns are called by which keys and values are taken from a line; others are counted from 0.
_WHOLE_LINE, _LINE_NUMBER = -2, -1
_TAB = b"\t"


@dataclass(frozen=True)
class TextTable:
    """A table that is filled from a file.

    Attributes:
      initializer: the node that fills it.
      table: the node of the table.
      path: the file.
      key_column, value_column: where keys and values are in a line: -2 is the whole line, -1 its number.
      lines: how many lines it reads; None for all.
      delimiter: what is between columns.
      skipped: how many lines it leaves out at the beginning.
    """

    initializer: str
    table: str
    path: str
    key_column: int
    value_column: int
    lines: int | None
    delimiter: bytes
    skipped: int

    @property
    def numbers_lines(self) -> bool:
        """Whether the values are the numbers of the lines, counted from 0."""
        return self.value_column == _LINE_NUMBER


@dataclass(frozen=True)
class TextContents:
    """What a table finds in its file.

    Attributes:
      lines: how many there are, whether the table reads them or not.
      blank: the numbers of the empty lines that it reads, from 1.
      duplicates: keys that stand in several lines with different values: the key, and the lines' numbers from 1.
    """

    lines: int
    blank: tuple[int, ...]
    duplicates: tuple[tuple[str, tuple[int, ...]], ...]


def text_tables(variant: Variant) -> list[TextTable]:
    """The tables of a graph that are filled from files whose paths are constants."""
    found = (_text_table(variant, node) for node in variant.flow.of_ops(FROM_TEXT))
    return [table for table in found if table is not None]


def _text_table(variant: Variant, node: FlowNode) -> TextTable | None:
    if len(node.inputs) < 2:
        return None
    source = variant.flow.nodes.get(variant.flow.origin(node.inputs[1])[0])
    values = first_values(source.attr("value").tensor, 1) if source is not None and source.op == "Const" else None
    if not values or not isinstance(values[0], bytes) or node.definition is None:
        return None
    lines = node.attr("vocab_size").i if "vocab_size" in node.definition.attr else -1
    return TextTable(
        node.name,
        variant.flow.origin(node.inputs[0])[0],
        os.fsdecode(values[0]),
        node.attr("key_index").i,
        node.attr("value_index").i,
        lines if lines >= 0 else None,
        node.attr("delimiter").s or _TAB,
        max(node.attr("offset").i, 0),
    )


def read_contents(table: TextTable) -> TextContents | None:
    """What a table finds in its file; None when the file cannot be read, which `hub.verify` speaks of."""
    try:
        with _opened(table.path) as file:
            return _contents(table, file)
    except OSError:
        return None


def _opened(path: str) -> BinaryIO:
    return io.BytesIO(files.read_bytes(path)) if files.is_remote(path) else files.open_local(path)


def _contents(table: TextTable, file: BinaryIO) -> TextContents:
    """Goes through a file of a million tokens with a few bytes for each, and once more when some may be the same."""
    count, blank, hashes = 0, [], array("q")
    for number, line in _iter_lines(table, file):
        count += 1
        if not _reads(table, number):
            continue
        if not line:
            blank.append(number)
        elif isinstance(key := _part(table, line, number, table.key_column), bytes):
            hashes.append(hash(key))
    hashes_twice = {one for one, other in pairwise(sorted(hashes)) if one == other}
    file.seek(0)
    return TextContents(count, tuple(blank), _duplicates(table, file, hashes_twice) if hashes_twice else ())


def _duplicates(table: TextTable, file: BinaryIO, hashes: set[int]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The keys with one of the hashes that have different values, and their lines."""
    first_seen: dict[bytes, tuple[int, bytes | int]] = {}
    repeated: dict[bytes, list[int]] = {}
    for number, line in _iter_lines(table, file):
        key, value = _part(table, line, number, table.key_column), _part(table, line, number, table.value_column)
        if line and _reads(table, number) and isinstance(key, bytes) and hash(key) in hashes and value is not None:
            first, known = first_seen.setdefault(key, (number, value))
            if known != value:
                repeated.setdefault(key, [first]).append(number)
    return tuple((key.decode(errors="replace"), tuple(numbers)) for key, numbers in repeated.items())


def _reads(table: TextTable, number: int) -> bool:
    """Whether the table reads the line of a number from 1."""
    return table.lines is None or number - table.skipped <= table.lines


def _iter_lines(table: TextTable, file: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that come into question, with their numbers from 1. TensorFlow leaves out every carriage return."""
    for number, line in enumerate(file, 1):
        if number > table.skipped:
            yield number, line.removesuffix(b"\n").replace(b"\r", b"")


def _part(table: TextTable, line: bytes, number: int, column: int) -> bytes | int | None:
    """The key or value of a line: its number, all of it, or a column; None when it has no such column."""
    if column == _LINE_NUMBER:
        return number
    if column == _WHOLE_LINE:
        return line
    columns = line.split(table.delimiter)
    return columns[column] if 0 <= column < len(columns) else None
