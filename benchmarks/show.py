"""`python -m benchmarks.show`: times `tf1hub show` against `saved_model_cli show --all`, in turn, on module c.

Each command runs as its users run it, in a process of its own; every second round begins with the last one. Memory is
the process' peak. `import tf1hub` is timed inside a new process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.__main__ import NEWEST, PEER, ROOT, ChildFailedError, run_child
from benchmarks.report import Summary
from tf1hub.cli.text import columns

WANTED_RATIO = 15.0
WANTED_MB = 60.0
WANTED_IMPORT = 0.1
_IMPORT = "import time; start = time.perf_counter(); import tf1hub; print(time.perf_counter() - start)"


class Figures(NamedTuple):
    """What one run took."""

    wall: float
    cpu: float
    peak_mb: float


def run_command(command: list[str]) -> Figures:
    """Run a command and measure it.

    Raises:
      ChildFailedError: it ended with an error.
    """
    start = time.perf_counter()
    child = subprocess.Popen(
        command, cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise ChildFailedError(f"{' '.join(command)} ended with {child.returncode}")
    return Figures(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def _environment() -> dict[str, str]:
    """As users have it: with compiled Python files, whatever this shell says."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}


def commands(module_dir: str) -> dict[str, list[str]]:
    """Each side's command; ours comes last."""
    rival = ["show", "--dir", module_dir, "--all"]
    return {
        "saved_model_cli, .venv": [str(NEWEST.with_name("saved_model_cli")), *rival],
        "saved_model_cli, .venv-peer": [str(PEER.with_name("saved_model_cli")), *rival],
        "tf1hub show": [str(NEWEST.with_name("tf1hub")), "show", module_dir],
    }


def measure(sides: dict[str, list[str]], count: int) -> dict[str, list[Figures]]:
    """The figures of each side in each round. A first run of each, which may compile Python files, does not count."""
    rounds: dict[str, list[Figures]] = {side: [] for side in sides}
    for command in sides.values():
        run_command(command)
    for number in range(count):
        for side in list(sides) if number % 2 == 0 else list(sides)[::-1]:
            print(f"show, round {number + 1} of {count}: {side}", file=sys.stderr, flush=True)
            rounds[side].append(run_command(sides[side]))
    return rounds


def import_seconds(count: int) -> Summary:
    """How long `import tf1hub` takes in a new process."""
    outputs = [
        subprocess.run([str(NEWEST), "-c", _IMPORT], cwd=ROOT, env=_environment(), capture_output=True, check=True)
        for _ in range(count)
    ]
    return Summary.of([float(output.stdout) for output in outputs])


def table(rounds: dict[str, list[Figures]], importing: Summary) -> str:
    """The report: medians with their spread, and how many times less ours takes."""
    ours = rounds["tf1hub show"]
    lines = [["median (lowest..highest)", "wall s", "CPU s", "peak MB", "times the wall of ours", "as wanted"]]
    for side, figures in rounds.items():
        cells = [
            Summary.of([each[place] for each in figures]).text(decimals) for place, decimals in enumerate((3, 3, 0))
        ]
        if figures is ours:
            is_met = Summary.of([each.peak_mb for each in ours]).median < WANTED_MB
            lines.append([side, *cells, "", f"under {WANTED_MB:g} MB: {_verdict(is_met)}"])
        else:
            ratio = Summary.of([theirs.wall / mine.wall for theirs, mine in zip(figures, ours, strict=True)])
            verdict = f"{WANTED_RATIO:g} x: {_verdict(ratio.median >= WANTED_RATIO)}"
            lines.append([side, *cells, ratio.text(1), verdict])
    verdict = f"under {WANTED_IMPORT:g} s: {_verdict(importing.median < WANTED_IMPORT)}"
    lines.append(["import tf1hub", importing.text(3), "", "", "", verdict])
    return columns(lines, indent=0)


def _verdict(is_met: bool) -> str:
    return "yes" if is_met else "NO"


def main() -> int:
    """Measure and print the table; the exit status is 1 when a command failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.show", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds of each command (5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round's figures to FILE")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    try:
        module_dir = run_child(PEER, "benchmarks.modules", "c")["c"]["path"]
        rounds = measure(commands(module_dir), arguments.rounds)
    except ChildFailedError as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    print(table(rounds, import_seconds(arguments.rounds)))
    if arguments.json:
        figures = {side: [each._asdict() for each in found] for side, found in rounds.items()}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
