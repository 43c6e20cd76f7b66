"""Which ops the oldest and the newest supported TensorFlow have, without asking them.

`op_names_<version>.txt` is made by scripts/write_op_tables.py:

    tensorflow 2.15          the TensorFlow that it was made with
    graph_version 1645       the version of graphs that this TensorFlow writes, and the newest that it must be able to read

    Abort                    an op in each line, sorted
"""

import functools
from pathlib import Path
from typing import NamedTuple

_OLDEST, _NEWEST = "2.15", "2.21"


class OpTable(NamedTuple):
    """What one TensorFlow has."""

    tensorflow: str
    graph_version: int
    ops: frozenset[str]


@functools.cache
def op_tables() -> tuple[OpTable, ...]:
    """The tables of the oldest and of the newest supported TensorFlow."""
    return tuple(_read(version) for version in (_OLDEST, _NEWEST))


def _read(version: str) -> OpTable:
    text = Path(__file__).with_name(f"op_names_{version}.txt").read_text(encoding="ascii")
    head, _, names = text.partition("\n\n")
    fields = dict(line.split() for line in head.splitlines())
    return OpTable(fields["tensorflow"], int(fields["graph_version"]), frozenset(names.split()))
