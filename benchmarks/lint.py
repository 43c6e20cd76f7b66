"""`python -m benchmarks.lint`: times `tf1hub lint` on modules c, d and e against its floor.

The floor is what has to be done in any case: starting Python and reading the graph, which `tf1hub show` does, and for module
e reading the variables' bytes. Each command runs in a process of its own, in turn; every second round begins with the last
one. Memory is the process' peak. The files are in the system's cache, so that e's figures are those of memory, not of a disk.
Where the wall clock says more about other programs on the machine, compare the CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.__main__ import NEWEST, PEER, ChildFailedError, run_child
from benchmarks.report import Summary
from benchmarks.show import Figures, run_command
from tf1hub.cli.text import columns

MODULES = ("c", "d", "e")
WANTED_SECONDS = 1.0
WANTED_MB = 150.0
WANTED_RATIO = 2.0
_READ = """
import pathlib, sys
buffer = memoryview(bytearray(4 << 20))
for path in pathlib.Path(sys.argv[1]).glob("variables/variables.data-*"):
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
"""

Rounds = dict[str, dict[str, list[Figures]]]


def commands(module_dir: str) -> dict[str, list[str]]:
    """What is run on a module."""
    tf1hub = str(NEWEST.with_name("tf1hub"))
    return {
        "tf1hub lint": [tf1hub, "lint", module_dir],
        "tf1hub show": [tf1hub, "show", module_dir],
        "reading the variables": [str(NEWEST), "-c", _READ, module_dir],
    }


def measure(module_dirs: dict[str, str], count: int) -> Rounds:
    """The figures of each command on each module. A first run of each, which may compile Python files, does not count."""
    rounds: Rounds = {name: {} for name in module_dirs}
    for name, module_dir in module_dirs.items():
        sides = commands(module_dir)
        for command in sides.values():
            run_command(command)
        for number in range(count):
            print(f"lint, module {name}, round {number + 1} of {count}", file=sys.stderr, flush=True)
            for side in list(sides) if number % 2 == 0 else list(sides)[::-1]:
                rounds[name].setdefault(side, []).append(run_command(sides[side]))
    return rounds


def table(rounds: Rounds) -> str:
    """The report: medians with their spread, and whether they are as wanted."""
    lines = [["median (lowest..highest)", "wall s", "CPU s", "peak MB", "as wanted"]]
    for name, sides in rounds.items():
        for side, figures in sides.items():
            summaries = [Summary.of([each[place] for each in figures]) for place in range(3)]
            cells = [each.text(decimals) for each, decimals in zip(summaries, (3, 3, 0), strict=True)]
            lines.append([f"{name}: {side}", *cells, _verdict(name, sides) if side == "tf1hub lint" else ""])
    return columns(lines, indent=0)


def _verdict(name: str, sides: dict[str, list[Figures]]) -> str:
    """Of modules with large graphs time and memory count, of one with many variables the floor."""
    ours = sides["tf1hub lint"]
    peak = Summary.of([each.peak_mb for each in ours]).median
    if name == "e":
        floors = zip(ours, sides["tf1hub show"], sides["reading the variables"], strict=True)
        ratio = Summary.of([mine.wall / (show.wall + read.wall) for mine, show, read in floors]).median
        is_met = ratio < WANTED_RATIO and peak < WANTED_MB
        return f"{ratio:.1f} x the floor, under {WANTED_RATIO:g} and {WANTED_MB:g} MB: {'yes' if is_met else 'NO'}"
    is_met = Summary.of([each.wall for each in ours]).median < WANTED_SECONDS and peak < WANTED_MB
    return f"under {WANTED_SECONDS:g} s and {WANTED_MB:g} MB: {'yes' if is_met else 'NO'}"


def main() -> int:
    """Measure and print the table; the exit status is 1 when a command failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lint", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds of each command (5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round's figures to FILE")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    try:
        modules = run_child(PEER, "benchmarks.modules", *MODULES)
        rounds = measure({name: modules[name]["path"] for name in MODULES}, arguments.rounds)
    except ChildFailedError as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    print(table(rounds))
    if arguments.json:
        figures = {
            name: {side: [each._asdict() for each in found] for side, found in sides.items()}
            for name, sides in rounds.items()
        }
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
