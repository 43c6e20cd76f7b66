"""Names and numbers as the messages of all checks show them."""

_LONGEST_NAME = 200


def shortened(name: str) -> str:
    """A name as a message shows it: not all of a very long one, since a file can hold one as long as itself."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def quoted(name: str) -> str:
    """The same in quotes, and with what cannot be printed escaped.

    >>> quoted("dense/kernel"), len(quoted("a" * 100_000))
    ("'dense/kernel'", 202)
    """
    return repr(shortened(name))


def form(count: int, one: str, many: str) -> str:
    """The form of a word that goes with a number.

    >>> form(1, "is", "are"), form(2, "is", "are")
    ('is', 'are')
    """
    return one if count == 1 else many


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun; `many` is its plural when that is not one with an s.

    >>> counted(1, "node"), counted(4606, "node"), counted(2, "loss", "losses")
    ('1 node', '4,606 nodes', '2 losses')
    """
    return f"{count:,} {form(count, one, many or one + 's')}"
