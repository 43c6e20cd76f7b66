"""`python -m benchmarks.text_export`: times the text-embedding export against the predecessor's way of loading, in turn.

The predecessor's exporter is an example script that its wheel does not carry. What stands in for it is the loading that most
of its time went to: the lines are split, the values become lists of Python floats, and these a float64 array. That is a
favour to the predecessor: it neither loads TensorFlow nor writes a module, while ours does all that it has to do.

Each side runs in a process of its own; every second round begins with the other one. CPU seconds and memory include a
side's own processes; memory is the most that was seen at once.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.__main__ import NEWEST, PEER, ROOT, ChildFailedError
from benchmarks.report import Summary
from tf1hub.cli.text import columns

WANTED = {"cpu": 3.0, "wall": 5.0}
WANTED_BYTES_FOR_A_TOKEN = 150
_LOOK_EVERY = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LOADER = """
import sys
import numpy as np
tokens, vectors = [], []
with open(sys.argv[1], encoding="utf-8") as file:
    for line in file:
        token, *values = line.split()
        tokens.append(token)
        vectors.append([float(value) for value in values])
print(np.array(vectors).shape)
"""
_EXPORT = "import sys, tf1hub as hub; hub.export_text_embedding(sys.argv[2], sys.argv[1])"


class Figures(NamedTuple):
    """What one run took, in seconds and bytes."""

    wall: float
    cpu: float
    peak: int


def write_vectors(path: Path, rows: int, dimension: int) -> None:
    """A file like GloVe's: words of some letters, values of five significant digits."""
    draw = random.Random(0)
    values = [f" {draw.gauss(0, 0.4):.5g}" for _ in range(50_021)]
    with open(path, "w", encoding="utf-8") as file:
        for number in range(rows):
            start = draw.randrange(len(values))
            row = (
                (values[start:] + values)[:dimension] if start + dimension > len(values) else values[start:][:dimension]
            )
            file.write(f"{''.join(draw.choices('etaoinshrdlu', k=draw.randint(1, 9)))}{number}{''.join(row)}\n")


def commands(file: Path, module: Path) -> dict[str, list[str]]:
    """What each side runs."""
    return {
        "predecessor's loading": [str(PEER), "-c", _LOADER, str(file)],
        "tf1hub": [str(NEWEST), "-c", _EXPORT, str(file), str(module)],
    }


def run_side(command: list[str]) -> Figures:
    """Runs a side and measures it.

    Raises:
      ChildFailedError: it ended with an error.
    """
    start = time.perf_counter()
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    peak = 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(_LOOK_EVERY):
            peak = max(peak, sum(_resident(process) for process in _family(child.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    ended.set()
    watcher.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise ChildFailedError(f"{command[0]} ended with {child.returncode}")
    return Figures(wall, usage.ru_utime + usage.ru_stime, peak)


def _family(process: int) -> Iterator[int]:
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except OSError:
        return
    for child in children.split():
        yield from _family(int(child))


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def measure(folder: Path, rows: int, dimension: int, count: int) -> dict[str, list[Figures]]:
    """Each side's figures in each round."""
    file, module = folder / "vectors.txt", folder / "module"
    _progress(f"writing {rows:,} x {dimension}")
    write_vectors(file, rows, dimension)
    sides = commands(file, module)
    found: dict[str, list[Figures]] = {side: [] for side in sides}
    for number in range(count):
        for side in list(sides) if number % 2 == 0 else list(sides)[::-1]:
            _progress(f"{rows:,} x {dimension}, round {number + 1} of {count}: {side}")
            found[side].append(run_side(sides[side]))
            shutil.rmtree(module, ignore_errors=True)
    return found


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def report(rows: int, dimension: int, found: dict[str, list[Figures]]) -> str:
    """What was found for one file, and what is wanted."""
    theirs, ours = found.values()
    lines: list[tuple[str, ...]] = [("", *found, "ratio", "wanted")]
    for title, figure in (("CPU seconds", "cpu"), ("wall seconds", "wall")):
        pairs = [[getattr(each, figure) for each in side] for side in (theirs, ours)]
        ratio = Summary.of([their / our for their, our in zip(*pairs, strict=True)])
        wanted = WANTED[figure]
        verdict = f"{wanted:g} x: {'met' if ratio.median >= wanted else 'MISSED'}"
        lines.append((title, *(Summary.of(side).text(2) for side in pairs), ratio.text(1), verdict))
    peaks = [Summary.of([each.peak / 1e6 for each in side]) for side in (theirs, ours)]
    ratio = peaks[0].median / peaks[1].median
    lines.append(("peak memory, MB", *(peak.text(0) for peak in peaks), f"{ratio:.1f}", ""))
    return f"{rows:,} x {dimension} ({rows * dimension * 4 / 1e6:,.0f} MB of float32)\n" + columns(lines)


def report_growth(few: Figures, many: Figures, tokens: int) -> str:
    """How much memory each token more takes."""
    growth = (many.peak - few.peak) / tokens
    verdict = "met" if growth <= WANTED_BYTES_FOR_A_TOKEN else "MISSED"
    return f"memory for each token more: {growth:.0f} bytes; wanted: at most {WANTED_BYTES_FOR_A_TOKEN}: {verdict}"


def measure_growth(folder: Path, rows: int) -> str:
    """The memory that tokens take, which does not depend on their vectors."""
    found = []
    for count in (rows, 5 * rows):
        _progress(f"memory of {count:,} tokens")
        write_vectors(folder / "tokens.txt", count, 4)
        found.append(run_side(commands(folder / "tokens.txt", folder / "module")["tf1hub"]))
        shutil.rmtree(folder / "module")
    return report_growth(found[0], found[1], 4 * rows)


def main() -> int:
    """Measures and prints; the exit status is 1 when a side failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text_export", description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000, metavar="N", help="tokens in the file (400000)")
    parser.add_argument("--dimensions", type=int, nargs="+", default=[100, 300], metavar="N", help="values (100 300)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds of each (3)")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="text_export-") as folder:
            for dimension in arguments.dimensions:
                found = measure(Path(folder), arguments.rows, dimension, arguments.rounds)
                print(report(arguments.rows, dimension, found) + "\n", flush=True)
            print(measure_growth(Path(folder), arguments.rows))
    except (ChildFailedError, OSError) as error:
        _progress(f"failed: {error}")
        return 1
    print("The predecessor's loading stands in for its exporter: it neither loads TensorFlow nor writes a module.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
