"""`python -m benchmarks.tf2`: loading, applying and fine-tuning modules in TensorFlow 2, all on the newest TensorFlow.

`hub.load` and calls are compared with tensorflow_hub of the same environment, fine-tuning with `hub.KerasLayer` with the same
model written natively in Keras, and with `hub.Module` in a session. Each measurement runs in a process of its own, all sides
in turn; every second round begins with the last one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.__main__ import (
    NEWEST,
    PEER,
    ChildFailedError,
    Rounds,
    Side,
    has_failures,
    heading_lines,
    measure,
    progress,
    run_child,
    write_json,
)
from benchmarks.report import PREDECESSOR, Row, table

NATIVE, GRAPH = "native Keras", "hub.Module in a session"
OURS = Side("tf1hub", NEWEST, "tf1hub")


def _loading_rows() -> list[Row]:
    rows = []
    for module, title, ratio in (("c", "c", 5.0), ("d", "d", 5.0), ("e", "e (524 MB)", None)):
        rows += [
            Row("load", module, "cpu", f"hub.load of {title}, CPU s", 3, ratio),
            Row("load", module, "wall", f"hub.load of {title}, wall s", 3),
            Row("load", module, "peak_rss_mb", f"hub.load of {title}, peak RSS, MB", 0),
            Row("load", module, "grown_mb", f"hub.load of {title}, peak RSS over that before, MB", 0),
        ]
    for module in ("a", "c", "d", "e"):
        rows += [
            Row("first_answer", module, "cpu", f"hub.load of {module} and a call, CPU s", 3),
            Row("first_answer", module, "wall", f"hub.load of {module} and a call, wall s", 3),
        ]
    for module in ("a", "c", "d"):
        for batch in (1, 256):
            rows += [
                Row(f"call_{batch}", module, "wall_ms", f"a call of {module}, batch {batch}, wall ms", 3, 1.0),
                Row(f"call_{batch}", module, "cpu_ms", f"a call of {module}, batch {batch}, CPU ms", 3),
                Row(f"call_{batch}", module, "peak_rss_mb", f"a call of {module}, batch {batch}, peak RSS, MB", 0),
            ]
    return [*rows, Row("early_output", "d", "wall_ms", "one early output of d's 50, wall ms", 2, 10.0)]


def _training_rows(jit_compile: dict[str, str], wanted_ratio: float | None) -> list[Row]:
    rows = []
    for module in ("c", "d"):
        for measurement, jit in jit_compile.items():
            of = f"training {module}, jit_compile {jit}"
            rows += [
                Row(measurement, module, "wall_ms", f"{of}, a step, wall ms", 1, wanted_ratio),
                Row(measurement, module, "cpu_ms", f"{of}, a step, CPU ms", 1),
                Row(measurement, module, "first_wall", f"{of}, the first step, wall s", 2),
                Row(measurement, module, "peak_rss_mb", f"{of}, peak RSS, MB", 0),
            ]
    return rows


@dataclass(frozen=True)
class Comparison:
    """What this project is compared with, and in which figures."""

    side: Side
    rows: list[Row]

    def only(self, measurements: Sequence[str] | None, modules: Sequence[str] | None) -> Comparison:
        """The same for some measurements and some modules; for all where none are named."""
        rows = [row for row in self.rows if not measurements or row.measurement in measurements]
        return Comparison(self.side, [row for row in rows if not modules or row.module in modules])


COMPARISONS = [
    Comparison(Side(PREDECESSOR, NEWEST, "tensorflow_hub"), _loading_rows()),
    Comparison(Side(NATIVE, NEWEST, "native"), _training_rows({"train": "off", "train_jit": "on"}, 0.95)),
    Comparison(Side(GRAPH, NEWEST, "graph"), _training_rows({"train": "off"}, None)),
]
MEASUREMENTS = sorted({row.measurement for comparison in COMPARISONS for row in comparison.rows})


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tf2", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds of each measurement (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round's figures to FILE")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=MEASUREMENTS)
    parser.add_argument("--modules", nargs="+", metavar="NAME", choices=["a", "c", "d", "e"])
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


def main() -> int:
    """Measure, print the tables, and return the exit status: 1 if a measurement failed."""
    arguments = _parse_arguments()
    chosen = [each.only(arguments.only, arguments.modules) for each in COMPARISONS]
    chosen = [each for each in chosen if each.rows]
    if not chosen:
        progress("No measurement is left: --only and --modules exclude each other.")
        return 2
    try:
        modules = run_child(
            PEER, "benchmarks.modules", *dict.fromkeys(row.module for each in chosen for row in each.rows)
        )
    except ChildFailedError as error:
        progress(f"The modules could not be written: {error}")
        return 1
    found: dict[str, Rounds] = {}
    versions: dict[str, str] = {}
    for each in chosen:
        sides = [each.side, OURS]
        found[each.side.title], on = measure(sides, each.rows, arguments.rounds, modules, "benchmarks.tf2_measurements")
        versions |= on
    heading = heading_lines(versions, modules, arguments.rounds)
    tables = [table(each.rows, found[each.side.title], against=each.side.title) for each in chosen]
    print("\n\n".join(["\n".join(heading), *tables]))
    if arguments.json:
        by_side = {
            f"{side}, against {against}": each for against, rounds in found.items() for side, each in rounds.items()
        }
        write_json(arguments.json, heading, modules, by_side)
    return int(any(map(has_failures, found.values())))


if __name__ == "__main__":
    sys.exit(main())
