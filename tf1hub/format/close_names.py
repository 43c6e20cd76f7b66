"""Names that are close to one that is not there, for messages.

Comparing names takes up to a millisecond for each, and a file may hold any number, of any length: only those that begin
and end most alike are compared, and names that nobody would have mistyped are not.
"""

import difflib
from collections.abc import Iterable
from itertools import islice

# Messages about very many names suggest close ones for the first of them.
MOST_HINTS = 20
_MOST_LOOKED_AT = 10_000
_MOST_COMPARED = 30
_LONGEST = 300


def find_close_names(name: str, known: Iterable[str]) -> list[str]:
    """At most three of the known names, the closest first.

    >>> find_close_names("dense/kernal", ["dense/kernel", "moving_mean", "conv/kernel"])
    ['dense/kernel', 'conv/kernel']
    """
    if len(name) > _LONGEST:
        return []
    candidates = [each for each in islice(known, _MOST_LOOKED_AT) if len(each) <= _LONGEST]
    candidates.sort(key=lambda each: _alike(name, each), reverse=True)
    return difflib.get_close_matches(name, candidates[:_MOST_COMPARED], n=3)


def _alike(one: str, other: str) -> int:
    """How many characters both begin with, and end with."""
    return _shared(one, other) + _shared(one[::-1], other[::-1])


def _shared(one: str, other: str) -> int:
    return next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
