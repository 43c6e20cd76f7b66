"""Libraries that only some commands need, each imported when it is needed."""

import importlib
import importlib.util
from typing import Any

import click


def check_installed(library: str, extra: str, purpose: str) -> None:
    """Refuses to go on without a library of an extra. Imports nothing but the packages around it."""
    if importlib.util.find_spec(library.partition(".")[0]) is None:
        raise click.ClickException(
            f"{purpose} needs {library.partition('.')[0]}, which is not installed: pip install 'tf1hub[{extra}]'"
        )


def import_extra(library: str, extra: str, purpose: str) -> Any:
    """A library of an extra.

    Raises:
      click.ClickException: it is not installed; the message says how to.
    """
    check_installed(library, extra, purpose)
    return importlib.import_module(library)
