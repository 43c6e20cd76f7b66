"""Modules that break one rule each, and modules that keep it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tf1hub as hub
from tests.module_fns.registry import is_installed

CASES: dict[str, "Case"] = {}


@dataclass(frozen=True)
class Case:
    """One module.

    `make(folder)` builds it and returns a spec, or the path of a module that it wrote into the empty folder; or what
    `hub.lint_training_graph` finds, for a rule that looks at training graphs. `breaks` are the rules that must speak, all
    others must not.
    """

    name: str
    rule: str
    make: Callable[[Path], Any]
    breaks: frozenset[str]
    needs: str | None

    def available(self) -> bool:
        """Whether the library is here that the module is made with."""
        return self.needs is None or is_installed(self.needs)

    def findings(self, folder: Path) -> list[Any]:
        """What lint finds; the folder must be empty."""
        made = self.make(folder)
        return made if isinstance(made, list) else hub.lint(made).findings


def breaks(rule: str, *, also: tuple[str, ...] = (), needs: str | None = None) -> Callable:
    """Registers the decorated function as one that makes a module which breaks the rule, and just it.

    `also` are rules that cannot be kept while this one is broken; say why in the function's docstring.
    """
    return lambda make: _register(rule, make, frozenset({rule, *also}), needs)


def keeps(rule: str, *, needs: str | None = None) -> Callable:
    """Registers the decorated function as one that makes a module which could be taken to break the rule, and does not."""
    return lambda make: _register(rule, make, frozenset(), needs)


def _register(rule: str, make: Callable, broken: frozenset[str], needs: str | None) -> Callable:
    name = f"{rule}-{'breaks' if broken else 'keeps'}-{make.__name__.lstrip('_')}"
    assert name not in CASES, f"two cases are called {name}"
    CASES[name] = Case(name, rule, make, broken, needs)
    return make


def by_rule(cases: Mapping[str, Case]) -> dict[str, list[Case]]:
    """The cases of each rule."""
    found: dict[str, list[Case]] = {}
    for case in cases.values():
        found.setdefault(case.rule, []).append(case)
    return found
