"""Plain text for terminals and pipes: columns, and numbers for people."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import click

# One very long name shall not push the columns of all other rows out of sight.
_WIDEST = 100


def print_json(value: Any) -> None:
    """Prints a value of plain data as JSON, for machines."""
    # A file's name may be no text; its bytes become JSON's own escapes, as do letters that the output cannot take.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    text = json.dumps(value, indent=2, ensure_ascii=not encoding.lower().startswith("utf"))
    click.echo(text.encode("utf-8", "backslashreplace").decode())


def columns(rows: Iterable[Sequence[object]], right: Iterable[int] = (), indent: int = 2) -> str:
    """Rows of cells as text in columns; those numbered in `right` are aligned to the right.

    >>> print(columns([("kernel", 128), ("bias", 4)], right=[1]))
      kernel  128
      bias      4
    """
    cells = [[str(cell) for cell in row] for row in rows]
    if not cells:
        return ""
    widths = [min(max(map(_width, column)), _WIDEST) for column in zip(*cells, strict=True)]
    to_right = set(right)
    lines = []
    for row in cells:
        padded = []
        for at, (cell, width) in enumerate(zip(row, widths, strict=True)):
            padding = " " * (width - _width(cell))
            padded.append(padding + cell if at in to_right else cell + padding)
        lines.append((" " * indent + "  ".join(padded)).rstrip())
    return "\n".join(lines)


def _width(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese letters take two, accents that combine none.

    >>> _width("kernel"), _width("日本")
    (6, 4)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def human_size(size: int) -> str:
    """A number of bytes in the unit that suits it.

    >>> human_size(0), human_size(999), human_size(19_200_000), human_size(1 << 40)
    ('0 B', '999 B', '19.2 MB', '1.1 TB')
    """
    if size < 1000:
        return f"{size} B"
    units = ["kB", "MB", "GB", "TB"]
    value = size / 1000
    while value >= 999.95 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.1f} {units[0]}"


def readable(text: str) -> str:
    """A name from a file, safe to print: what would steer a terminal, or break the line, is escaped.

    >>> readable("a\\x1b[31m"), readable("dense/kernel")
    ('a\\\\x1b[31m', 'dense/kernel')
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
