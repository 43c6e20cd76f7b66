"""Lints every case of tests/checks/linting/cases with all rules, and prints which rule speaks of which module.

    .venv/bin/python -m scripts.rule_table

`make rule-table` does. A row is a module, a column is a rule, by its number:

    .    silent, as it must be
    x    speaks, as it must
    +    speaks and must not
    -    is silent and must not

The exit status is 1 when a cell is wrong; what a rule said that should have been silent is printed below the table.
"""

import os
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.checks.linting.cases import CASES
from tests.checks.linting.cases.registry import Case, by_rule
from tf1hub.checks.linting.findings import Finding
from tf1hub.checks.linting.rules import RULES

SILENT, SPEAKS, FALSE_ALARM, MISSED = ".", "x", "+", "-"
_BLOCK = 5


def cell(speaks: bool, must: bool) -> str:
    """A rule's cell of a module's row."""
    return (SPEAKS if must else FALSE_ALARM) if speaks else (MISSED if must else SILENT)


def row(case: Case, spoken: set[str], rules: Sequence[str]) -> str:
    """A module's cells."""
    return "".join(cell(rule in spoken, rule in case.breaks) for rule in rules)


def in_blocks(cells: str) -> str:
    """Cells with a gap after every few, so that the eye can follow a column."""
    return " ".join(cells[at : at + _BLOCK] for at in range(0, len(cells), _BLOCK))


def lint_case(case: Case) -> list[Finding]:
    """What all rules say of a module, which is built in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return case.findings(Path(folder))


def heads(rules: Sequence[str], indent: int) -> str:
    """The numbers of the columns, tens above ones."""
    numbers = [f"{number:2d}" for number in range(1, len(rules) + 1)]
    return "\n".join(" " * indent + in_blocks("".join(number[digit] for number in numbers)) for digit in (0, 1))


def print_table(cases: Mapping[str, Case], rules: Sequence[str]) -> int:
    """Prints the table; returns how many cells are wrong."""
    names = {case.name: case.name.removeprefix(f"{case.rule}-") for case in cases.values()}
    width = max(map(len, names.values())) + 6
    wrong, modules, complaints = 0, 0, []
    for number, rule in enumerate(rules, 1):
        if (number - 1) % 10 == 0:
            print(f"\n{heads(rules, width)}")
        print(f"{number:2d}  {rule}")
        for case in by_rule(cases).get(rule, ()):
            name = f"    {names[case.name]}"
            if not case.available():
                print(f"{name:{width}}({case.needs} is not installed)")
                continue
            findings = lint_case(case)
            cells = row(case, {finding.rule for finding in findings}, rules)
            print(f"{name:{width}}{in_blocks(cells)}", flush=True)
            modules += 1
            wrong += cells.count(FALSE_ALARM) + cells.count(MISSED)
            complaints += [f"{case.name}: {each}" for each in findings if each.rule not in case.breaks]
            complaints += [f"{case.name}: {rules[at]} is silent" for at, one in enumerate(cells) if one == MISSED]
    print("\n" + "".join(f"{complaint}\n" for complaint in complaints), end="")
    print(f"{len(rules)} rules x {modules} modules: {len(rules) * modules:,} cells, {wrong} wrong")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if print_table(CASES, list(RULES)) else 0)
