"""Arguments and options that several commands share."""

from collections.abc import Callable
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class TagsType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic in click 8.4 and later
    """Tags with commas between them; an empty text is the empty set."""

    name = "tags"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[str]:
        if isinstance(value, frozenset):
            return value
        return frozenset(tag.strip() for tag in str(value).split(",") if tag.strip())


def module_argument(name: str = "module") -> Decorator:
    """The path of a module."""
    return click.argument(name, type=click.Path())


def tags_option(
    help: str = "The variant with these tags, with commas between them; '' for the one without.",
) -> Decorator:
    """`--tags train,large`; None when it is not given."""
    return click.option("--tags", type=TagsType(), metavar="TAG,...", help=help)


def json_option() -> Decorator:
    """`--json`, as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
