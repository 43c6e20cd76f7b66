"""A finding: something that a check has to say of a module, and where in the module it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from tf1hub.checks.wording import quoted

FAULT = "fault"
WARNING = "warning"
NOTE = "note"
SEVERITIES = (FAULT, WARNING, NOTE)
_MOST_NAMES = 5


@dataclass(frozen=True)
class Finding:
    """Something that a check found.

    Attributes:
      severity: "fault" for what keeps a part of the module from being used as it was meant, "warning" for what its users
        should know, "note" for what is merely unusual.
      message: what was found, in words.
      file: the file's path inside the module, with "/" between its parts; None when it is not one file.
      byte: where in the file; None when that is not one place.
      tensor: the tensor of the checkpoint.
      tags: the tags of the graph variant, sorted; None when it is not one variant.
    """

    severity: str
    message: str
    file: str | None = None
    byte: int | None = None
    tensor: str | None = None
    tags: tuple[str, ...] | None = None


def named(names: Sequence[str]) -> str:
    """Some of the names, and how many more there are.

    >>> named(["a", "b"]), named(["a", "b", "c", "d", "e", "f", "g"])
    ("'a', 'b'", "'a', 'b', 'c', 'd', 'e' and 2 more")
    """
    shown = ", ".join(map(quoted, names[:_MOST_NAMES]))
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES:,} more"
