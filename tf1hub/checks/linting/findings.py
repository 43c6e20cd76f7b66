"""What lint has to say of a module: a finding, and where in the module it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from tf1hub.checks.wording import quoted

ERROR = "error"
WARNING = "warning"
ADVICE = "advice"
SEVERITIES = (ERROR, WARNING, ADVICE)
_MOST_NAMES = 5


@dataclass(frozen=True)
class Finding:
    """Something that a rule found.

    Attributes:
      rule: the rule's id; `tf1hub lint --explain ID` tells more.
      severity: "error" for what breaks the module for its users, "warning" for what they will trip over, "advice" for what
        would make it easier to reuse.
      reason: what was found and why it matters, in a sentence.
      remedy: how to mend it, in a sentence.
      tags: the tags of the graph variant, sorted; None when it is not of one variant.
      signature: the signature's name, None when it is not of one.
      node: the node's name; inside of a function, "call/node".
      variable: the variable's name.
      file: the file's path inside the module.
    """

    rule: str
    severity: str
    reason: str
    remedy: str
    tags: tuple[str, ...] | None = None
    signature: str | None = None
    node: str | None = None
    variable: str | None = None
    file: str | None = None


@dataclass(frozen=True)
class Problem:
    """What a rule yields: a finding without the rule's id and severity. The fields are those of `Finding`."""

    reason: str
    remedy: str
    tags: tuple[str, ...] | None = None
    signature: str | None = None
    node: str | None = None
    variable: str | None = None
    file: str | None = None


def named(names: Sequence[str]) -> str:
    """Some of the names, and how many more there are.

    >>> named(["a", "b"]), named(["a", "b", "c", "d", "e", "f", "g"])
    ("'a' and 'b'", "'a', 'b', 'c', 'd', 'e' and 2 more")
    """
    shown = list(map(quoted, names[:_MOST_NAMES]))
    if len(names) > _MOST_NAMES:
        return f"{', '.join(shown)} and {len(names) - _MOST_NAMES:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
