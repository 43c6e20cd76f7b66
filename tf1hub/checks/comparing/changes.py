"""What a difference between two modules is told as: a name, and a short text of what each of the two has there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Change:
    """One thing that differs.

    Attributes:
      name: what it is called.
      a: what it is in A, in short; None when A has no such thing.
      b: the same of B.
      parts: what differs in it, when both have it and it is made of parts.
    """

    name: str
    a: str | None
    b: str | None
    parts: tuple["Change", ...] = ()


def find_changes(
    a: Mapping[str, Item],
    b: Mapping[str, Item],
    describe: Callable[[Item], str],
    parts: Callable[[Item, Item], Iterable[Change]] | None = None,
) -> tuple[Change, ...]:
    """What differs between two mappings, by name.

    Args:
      describe: a short text for an item.
      parts: gives what differs in an item that both have; none when they are the same. Without it two items are the
        same when they are equal.
    """
    found = []
    for name in sorted({*a, *b}):
        if name not in a or name not in b:
            one, other = (describe(items[name]) if name in items else None for items in (a, b))
            found.append(Change(name, one, other))
            continue
        inner = tuple(parts(a[name], b[name])) if parts else ()
        if inner:
            found.append(Change(name, describe(a[name]), describe(b[name]), inner))
        elif parts is None and a[name] != b[name]:
            found.append(told_apart(name, describe(a[name]), describe(b[name])))
    return tuple(found)


def told_apart(name: str, a: str | None, b: str | None) -> Change:
    """A change of what is no further taken apart. When the texts are too short to tell the two apart, they say so."""
    return Change(name, a, f"{b}, other contents" if a == b else b)


def by_name(items: Iterable[Any], name_of: Callable[[Any], str]) -> dict[str, Any]:
    """Items by name. A name that comes again, as it should not, gets a number, so that nothing is passed over."""
    found: dict[str, Any] = {}
    times: dict[str, int] = {}
    for item in items:
        name = name_of(item)
        times[name] = times.get(name, 0) + 1
        found[name if times[name] == 1 else f"{name} ({times[name]})"] = item
    return found


def shortened(text: str, limit: int = 60) -> str:
    """The text, or its beginning when it is long.

    >>> shortened("abcdefgh", 5)
    'ab...'
    """
    return text if len(text) <= limit else text[: limit - 3] + "..."
