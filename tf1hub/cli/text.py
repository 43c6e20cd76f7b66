"""Plain text for terminals and pipes: columns, and numbers for people."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click


def print_json(value: Any) -> None:
    """Prints a value of plain data as JSON, for machines."""
    # A file's name may be no text; its bytes become JSON's own escapes.
    click.echo(json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode())


def columns(rows: Iterable[Sequence[object]], right: Iterable[int] = (), indent: int = 2) -> str:
    """Rows of cells as text in columns; those numbered in `right` are aligned to the right.

    >>> print(columns([("kernel", 128), ("bias", 4)], right=[1]))
      kernel  128
      bias      4
    """
    cells = [[str(cell) for cell in row] for row in rows]
    if not cells:
        return ""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    to_right = set(right)
    lines = []
    for row in cells:
        padded = [
            cell.rjust(width) if at in to_right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append((" " * indent + "  ".join(padded)).rstrip())
    return "\n".join(lines)


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


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number of things.

    >>> count(1, "variable"), count(4606, "node"), count(2, "entry", "entries")
    ('1 variable', '4,606 nodes', '2 entries')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def readable(text: str) -> str:
    """A name from a file, safe to print: what would steer a terminal, or break the line, is escaped.

    >>> readable("a\\x1b[31m"), readable("dense/kernel")
    ('a\\\\x1b[31m', 'dense/kernel')
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
