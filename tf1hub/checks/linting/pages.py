"""The page that explains a rule: why it matters, an example that triggers it and one that does not."""

from pathlib import Path

from tf1hub.checks.linting.rules import find_rule

FOLDER = Path(__file__).with_name("pages")
"""Where the pages lie, each as `<rule's id>.md`."""


def read_page(id: str) -> str:
    """The page of a rule, in Markdown.

    Raises:
      RuleError: there is no such rule.
    """
    return (FOLDER / f"{find_rule(id).id}.md").read_text(encoding="utf-8")
