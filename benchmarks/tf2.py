"""`python -m benchmarks.tf2`: loading, applying and fine-tuning modules in TensorFlow 2, all on the newest TensorFlow.

`hub.load` and calls are compared with tensorflow_hub of the same environment, fine-tuning with `hub.KerasLayer` with the same
model written natively in Keras, and with `hub.Module` in a session. Each measurement runs in a process of its own, all sides
in turn; every second round begins with the last one.
"""

from __future__ import annotations

import argparse
import sys
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

NATIVE, GRAPH, OURS = "native Keras", "hub.Module in a session", "tf1hub"
LOADERS = [Side(PREDECESSOR, NEWEST, "tensorflow_hub"), Side(OURS, NEWEST, "tf1hub")]
TRAINERS = [Side(NATIVE, NEWEST, "native"), Side(GRAPH, NEWEST, "graph"), Side(OURS, NEWEST, "tf1hub")]


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


def _training_rows(wanted_ratio: float | None) -> list[Row]:
    rows = []
    for module in ("c", "d"):
        for measurement, jit in (("train", "off"), ("train_jit", "on")):
            of = f"training {module}, jit_compile {jit}"
            rows += [
                Row(measurement, module, "wall_ms", f"{of}, a step, wall ms", 1, wanted_ratio),
                Row(measurement, module, "cpu_ms", f"{of}, a step, CPU ms", 1),
                Row(measurement, module, "first_wall", f"{of}, the first step, wall s", 2),
                Row(measurement, module, "peak_rss_mb", f"{of}, peak RSS, MB", 0),
            ]
    return rows


LOADING_ROWS = _loading_rows()
TRAINING_ROWS = _training_rows(0.95)


def tables(loading: Rounds, training: Rounds, rows: list[Row]) -> str:
    """The report: what is compared with the predecessor, with native Keras and with graph mode."""
    parts = []
    if loading:
        parts.append(table([row for row in rows if row in LOADING_ROWS], loading))
    if training:
        shown = [row for row in rows if row in TRAINING_ROWS]
        native = {title: training[title] for title in (NATIVE, OURS)}
        graph = {title: training[title] for title in (GRAPH, OURS)}
        parts.append(table(shown, native, against=NATIVE))
        plain = [row for row in _training_rows(None) if any(_is_same_figure(row, each) for each in shown)]
        parts.append(table([row for row in plain if row.measurement == "train"], graph, against=GRAPH))
    return "\n\n".join(parts)


def _is_same_figure(one: Row, other: Row) -> bool:
    return (one.measurement, one.module, one.figure) == (other.measurement, other.module, other.figure)


def _parse_arguments() -> argparse.Namespace:
    names = sorted({row.measurement for row in [*LOADING_ROWS, *TRAINING_ROWS]})
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tf2", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds of each measurement (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round's figures to FILE")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names)
    parser.add_argument("--modules", nargs="+", metavar="NAME", choices=["a", "c", "d", "e"])
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


def main() -> int:
    """Measure, print the tables, and return the exit status: 1 if a measurement failed."""
    arguments = _parse_arguments()
    rows = [row for row in [*LOADING_ROWS, *TRAINING_ROWS] if not arguments.only or row.measurement in arguments.only]
    rows = [row for row in rows if not arguments.modules or row.module in arguments.modules]
    if not rows:
        progress("No measurement is left: --only and --modules exclude each other.")
        return 2
    try:
        modules = run_child(PEER, "benchmarks.modules", *dict.fromkeys(row.module for row in rows))
    except ChildFailedError as error:
        progress(f"The modules could not be written: {error}")
        return 1
    rounds: list[Rounds] = []
    versions: dict[str, str] = {}
    for sides, known in ((LOADERS, LOADING_ROWS), (TRAINERS, TRAINING_ROWS)):
        chosen = [row for row in rows if row in known]
        found, on = measure(sides, chosen, arguments.rounds, modules, "benchmarks.tf2_measurements")
        rounds.append(found if chosen else {})
        versions |= on
    heading = heading_lines(versions, modules, arguments.rounds)
    print("\n".join([*heading, "", tables(*rounds, rows)]))
    if arguments.json:
        write_json(arguments.json, heading, modules, {**rounds[0], **rounds[1]})
    return int(any(map(has_failures, rounds)))


if __name__ == "__main__":
    sys.exit(main())
