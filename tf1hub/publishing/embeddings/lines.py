"""Lines of an embedding file become tokens and vectors.

    TOKEN SP VALUE SP VALUE ... NL      as many values as the file has dimensions

The token is all that stands before the values: it may hold spaces, quotes, or bytes that are no text, and may be empty.
Runs of spaces count as one. Spaces at a line's end, or round a token, do not count. Lines of nothing else are skipped.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np

from tf1hub.publishing.embeddings.numbers import (
    PADDING,
    Integers,
    Vectors,
    is_number,
    nonfinite_problem,
    parse_decimals,
)
from tf1hub.publishing.embeddings.vocabulary import token_problem

_SPACE, _POINT, _NEWLINE = b" .\n"
_SHOWN = 40


class _BadLineError(ValueError):
    """What is wrong with a line."""


@dataclass(frozen=True)
class ParsedLines:
    """What a block of lines holds.

    Attributes:
      lines: how many lines the block has, empty ones too.
      tokens: one for each line that is not empty, up to the first bad line.
      vectors: float32 [len(tokens), dimension].
      bad_line: the number of the first bad line in the block, from 0; None when all are good.
      problem: what is wrong with it.
    """

    lines: int
    tokens: list[bytes]
    vectors: Vectors
    bad_line: int | None = None
    problem: str = ""


@dataclass(frozen=True)
class _Marks:
    """Where a block's separators and points lie.

    Attributes:
      block: the lines, with the padding before them.
      places: those of all separators and points.
      separators: which of the places are separators.
      line_ends: which of the separators end a line.
    """

    block: bytes
    places: Integers
    separators: Integers
    line_ends: Integers


@dataclass
class _Table:
    """The lines of a block while they are parsed: tokens and vectors by the number of their line."""

    dimension: int
    tokens: dict[int, bytes] = field(default_factory=dict)
    irregular: dict[int, list[float]] = field(default_factory=dict)
    bad_line: int | None = None
    problem: str = ""

    def complain(self, line: int, problem: str) -> None:
        """Keeps what is wrong with the first bad line."""
        if self.bad_line is None or line < self.bad_line:
            self.bad_line, self.problem = line, problem


def parse_lines(block: bytes, dimension: int, allow_nonfinite: bool = False) -> ParsedLines:
    """Parses whole lines, up to the first bad one.

    >>> parse_lines(b"the 0.5 -1.5\\nnew york 1 2\\n", 2).tokens
    [b'the', b'new york']
    """
    marks = _find_marks(block)
    line_ends = marks.places[marks.separators[marks.line_ends]].tolist()
    line_starts = [len(PADDING), *(end + 1 for end in line_ends[:-1])]
    table = _Table(dimension)
    regular, fields = _regular_lines(marks, dimension)
    vectors = _parse_values(table, marks, regular, fields)
    for line, token_end in zip(regular.tolist(), marks.places[fields[:, 0]].tolist(), strict=True):
        table.tokens[line] = marks.block[line_starts[line] : token_end]
    if len(regular) < len(line_ends):
        for line in np.setdiff1d(np.arange(len(line_ends)), regular).tolist():
            _parse_line(table, line, marks.block[line_starts[line] : line_ends[line]])
        vectors = _with_irregular(table, regular, vectors)
    lines = sorted(table.tokens)
    if b"\r" in marks.block:
        _check_tokens(table)
    if not allow_nonfinite:
        _check_finite(table, lines, vectors)
    if table.bad_line is not None:
        lines = lines[: bisect_left(lines, table.bad_line)]
    tokens = [table.tokens[line] for line in lines]
    return ParsedLines(len(line_ends), tokens, vectors[: len(lines)], table.bad_line, table.problem)


def _with_irregular(table: _Table, regular: Integers, vectors: Vectors) -> Vectors:
    """All lines' vectors, in order."""
    every = np.empty((len(table.tokens), table.dimension), np.float32)
    rows = {line: row for row, line in enumerate(sorted(table.tokens))}
    every[[rows[line] for line in regular.tolist()]] = vectors
    with np.errstate(over="ignore"):
        for line, values in table.irregular.items():
            every[rows[line]] = values
    return every


def _find_marks(block: bytes) -> _Marks:
    # What all lines of some files end in, so that they are regular all the same.
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    if b" \n" in block:
        block = block.replace(b" \n", b"\n")
    block = PADDING + block
    text = np.frombuffer(block, np.uint8)
    is_mark = text == _SPACE
    is_mark |= text == _POINT
    is_mark |= text == _NEWLINE
    is_mark[: len(PADDING)] = False
    places = np.flatnonzero(is_mark)
    separators = np.flatnonzero(text[places] != _POINT)
    line_ends = np.flatnonzero(text[places[separators]] == _NEWLINE)
    return _Marks(block, places, separators, line_ends)


def _regular_lines(marks: _Marks, dimension: int) -> tuple[Integers, Integers]:
    """The lines with a space before each value and no other one, and the separators round their values [lines, dim + 1]."""
    regular = np.flatnonzero(np.diff(marks.line_ends, prepend=-1) == dimension + 1)
    if len(regular) == len(marks.line_ends):
        fields = marks.separators.reshape(-1, dimension + 1)
    else:
        fields = marks.separators[marks.line_ends[regular][:, None] + np.arange(-dimension, 1)]
    has_values = (np.diff(marks.places[fields], axis=1) > 1).all(axis=1)
    return (regular, fields) if has_values.all() else (regular[has_values], fields[has_values])


def _parse_values(table: _Table, marks: _Marks, regular: Integers, fields: Integers) -> Vectors:
    """The vectors of the regular lines."""
    before, after = fields[:, :-1].ravel(), fields[:, 1:].ravel()
    start, end = marks.places[before] + 1, marks.places[after]
    # With a point, the mark after a separator is that point; without, it is the number's end. A second point is no digit.
    has_point = after - before == 2
    values, left_over = parse_decimals(marks.block, start, marks.places[before + 1], end, has_point)
    for at in np.flatnonzero(left_over).tolist():
        try:
            values[at] = _parse_float(marks.block[start[at] : end[at]])
        except _BadLineError as error:
            table.complain(int(regular[at // table.dimension]), str(error))
            break
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large becomes inf, and is refused as that
        return values.reshape(-1, table.dimension).astype(np.float32)


def _parse_line(table: _Table, line: int, text: bytes) -> None:
    """Puts a line that is not regular into the table."""
    dimension = table.dimension
    parts = re.sub(rb" +", b" ", text.rstrip(b" \r")).rsplit(b" ", dimension)
    if parts == [b""]:
        return
    token = parts[0].lstrip(b" ")
    try:
        if len(parts) <= dimension:
            raise _BadLineError(f"it has {len(parts) - 1} of the {dimension} values that the others have{_hint(text)}")
        if is_number(token.rpartition(b" ")[2]) and b" " in token:
            raise _BadLineError(f"it has more than the {dimension} values that the others have{_hint(text)}")
        table.irregular[line] = [_parse_float(value) for value in parts[1:]]
        table.tokens[line] = token
    except _BadLineError as error:
        table.complain(line, str(error))


def _parse_float(value: bytes) -> float:
    try:
        return float(value.decode())
    except ValueError:
        raise _BadLineError(f"{_shown(value)} is no number{_hint(value)}") from None


def _hint(text: bytes) -> str:
    return "; there are tabs in it, change them to spaces (tr '\\t' ' ')" if b"\t" in text else ""


def _shown(text: bytes) -> str:
    shown = text[:_SHOWN].decode(errors="backslashreplace")
    return repr(shown) + ("..." if len(text) > _SHOWN else "")


def _check_tokens(table: _Table) -> None:
    for line, token in table.tokens.items():
        if problem := token_problem(token):
            table.complain(line, problem)


def _check_finite(table: _Table, lines: list[int], vectors: Vectors) -> None:
    if problem := nonfinite_problem(vectors):
        row, text = problem
        table.complain(lines[row], text)
