"""`python -m benchmarks`: times tensorflow_hub 0.15.0 and this project in turn and prints the ratios.

Each measurement runs in a process of its own, in the library's own environment. A round runs it for one
library and then for the other; every second round begins with the other one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import PREDECESSOR, ROWS, Round, Row, table

ROOT = Path(__file__).resolve().parent.parent
NEWEST = ROOT / ".venv/bin/python"
PEER = ROOT / ".venv-peer/bin/python"
LONGEST_SECONDS = 600

Rounds = dict[str, dict[tuple[str, str], list[Round]]]


@dataclass(frozen=True)
class Side:
    """One library in one environment."""

    title: str
    python: Path
    library: str


class ChildFailedError(Exception):
    """A child process failed; the message is what it wrote."""


def run_child(python: Path, *arguments: str) -> Any:
    """Run `python -m arguments` and return the JSON on its last line; the rest is shown only if it fails."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    command = [str(python), "-m", *arguments]
    try:
        child = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ChildFailedError(f"no end after {LONGEST_SECONDS} seconds") from error
    except OSError as error:
        raise ChildFailedError(f"{error}; `make venv peer` makes the environments") from error
    if child.returncode:
        raise ChildFailedError(f"{' '.join(command)} ended with {child.returncode}:\n{child.stderr}")
    try:
        return json.loads(child.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise ChildFailedError(f"{' '.join(command)} printed no JSON:\n{child.stdout}") from error


def progress(text: str) -> None:
    """Tell whoever waits what is being done."""
    print(text, file=sys.stderr, flush=True)


def _sides(arguments: argparse.Namespace) -> list[Side]:
    ours = [Side("tf1hub", NEWEST, "tf1hub")]
    if arguments.same_tensorflow:
        ours.append(Side("tf1hub, same TensorFlow", PEER, "tf1hub"))
    if arguments.ours:
        ours = [Side(f"{arguments.ours} again", PEER, arguments.ours)]
    return [Side(PREDECESSOR, PEER, "tensorflow_hub"), *ours]


def measure(
    sides: list[Side], rows: list[Row], count: int, modules: dict[str, Any], program: str = "benchmarks.measurements"
) -> tuple[Rounds, dict[str, str]]:
    """All rounds' figures for each side, and each side's version of TensorFlow."""
    rounds: Rounds = {side.title: {} for side in sides}
    versions: dict[str, str] = {}
    for measurement, module in dict.fromkeys((row.measurement, row.module) for row in rows):
        for number in range(count):
            for side in sides if number % 2 == 0 else sides[::-1]:
                progress(f"{measurement} on {module}, round {number + 1} of {count}: {side.title}")
                figures = None
                try:
                    arguments = (measurement, side.library, modules[module]["path"])
                    found = run_child(side.python, program, *arguments)
                    figures, versions[side.title] = found["figures"], found["tensorflow"]
                except ChildFailedError as error:
                    progress(f"failed: {error}")
                rounds[side.title].setdefault((measurement, module), []).append(figures)
    return rounds, versions


def heading_lines(versions: dict[str, str], modules: dict[str, Any], count: int) -> list[str]:
    """When, where and on what was measured."""
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    sides = ", ".join(f"{title} on TensorFlow {version}" for title, version in versions.items())
    sizes = "; ".join(
        f"{name}: {', '.join(map(str, module['nodes']))} nodes, {module['needed']} needed for one application"
        for name, module in modules.items()
    )
    return [
        f"{time.strftime('%Y-%m-%d %H:%M')}, {git.stdout.strip() or 'no git revision'}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, rounds: {count}",
        sides,
        f"Modules: {sizes}",
    ]


def has_failures(rounds: Rounds) -> bool:
    """Whether any measurement failed."""
    return any(None in each for found in rounds.values() for each in found.values())


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds of each measurement (3)")
    parser.add_argument("--quick", action="store_const", dest="rounds", const=1, help="one round")
    parser.add_argument("--same-tensorflow", action="store_true", help="tf1hub on TensorFlow 2.15.1 as well")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round's figures to FILE")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=sorted({row.measurement for row in ROWS}))
    parser.add_argument("--modules", nargs="+", metavar="NAME", choices=["a", "c", "d", "e"])
    parser.add_argument("--ours", metavar="LIBRARY", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


def write_json(file: Path, heading: list[str], modules: dict[str, Any], rounds: Rounds) -> None:
    """Write every round's figures."""
    figures = [
        {"side": title, "measurement": measurement, "module": module, "rounds": each}
        for title, found in rounds.items()
        for (measurement, module), each in found.items()
    ]
    content = {"heading": heading, "modules": modules, "figures": figures}
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    """Measure, print the table, and return the exit status: 1 if a measurement failed."""
    arguments = _parse_arguments()
    rows = [row for row in ROWS if not arguments.only or row.measurement in arguments.only]
    rows = [row for row in rows if not arguments.modules or row.module in arguments.modules]
    if not rows:
        progress("No measurement is left: --only and --modules exclude each other.")
        return 2
    progress("writing the modules, unless they are there already")
    try:
        modules = run_child(PEER, "benchmarks.modules", *dict.fromkeys(row.module for row in rows))
    except ChildFailedError as error:
        progress(f"The modules could not be written: {error}")
        return 1
    rounds, versions = measure(_sides(arguments), rows, arguments.rounds, modules)
    heading = heading_lines(versions, modules, arguments.rounds)
    print("\n".join([*heading, "", table(rows, rounds)]))
    if arguments.json:
        write_json(arguments.json, heading, modules, rounds)
    return int(has_failures(rounds))


if __name__ == "__main__":
    sys.exit(main())
