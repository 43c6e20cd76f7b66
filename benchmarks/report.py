"""The table: which figures are shown, what is wanted of them, how rounds are summed up, and the text."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Round = dict[str, float] | None
"""The figures of one measurement in one round; None where it failed."""

PREDECESSOR = "tensorflow_hub"
"""The side that others are compared with. Sides are named by their titles."""


@dataclass(frozen=True)
class Row:
    """One figure of one measurement on one module, and what is wanted of it."""

    measurement: str
    module: str
    figure: str
    title: str
    decimals: int = 2
    wanted_ratio: float | None = None
    wanted_limit: float | None = None

    def wanted(self) -> str:
        if self.wanted_ratio is not None:
            return f"{self.wanted_ratio:g} x"
        return "" if self.wanted_limit is None else f"at most {self.wanted_limit:g}"

    def is_met(self, summary: Summary, ratio: Summary | None) -> bool | None:
        """Whether the median is as wanted; None where nothing is wanted."""
        if self.wanted_limit is not None:
            return summary.median <= self.wanted_limit
        if self.wanted_ratio is None or ratio is None:
            return None
        return ratio.median >= self.wanted_ratio


@dataclass(frozen=True)
class Summary:
    """The median of several rounds and how far they spread."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Summary:
        return cls(statistics.median(values), min(values), max(values))

    def text(self, decimals: int) -> str:
        low, middle, high = (f"{value:,.{decimals}f}" for value in (self.lowest, self.median, self.highest))
        return middle if low == high else f"{middle} ({low}..{high})"


def _apply_rows(module: str, title: str, ratio: float | None, wall_ratio: float | None) -> list[Row]:
    of = f"m(x) on {title}"
    return [
        Row("apply", module, "cpu_1st", f"{of}, 1st, CPU s", 3, ratio if module == "d" else None),
        Row("apply", module, "cpu_10th", f"{of}, 10th, CPU s", 3),
        Row("apply", module, "cpu_50th", f"{of}, 50th, CPU s", 3, ratio),
        Row("apply", module, "growth", f"{of}, 50th / 1st", 2, None, 1.5 if ratio else None),
        Row("apply", module, "wall", f"50 x {of}, wall s", 2, wall_ratio),
        Row("apply", module, "nodes", f"50 x {of}, nodes in the graph", 0),
        Row("apply", module, "peak_rss_mb", f"50 x {of}, peak RSS, MB", 0),
    ]


def _rows() -> list[Row]:
    rows = [
        Row("import", "a", "wall", "import, wall s", 3, wanted_limit=0.1),
        Row("import", "a", "cpu", "import, CPU s", 3),
        Row("import", "a", "wall_with_name", "import, then hub.Module, wall s", 3),
    ]
    wanted = {"a": (None, None), "c": (8.0, 6.0), "d": (8.0, 6.0)}
    for module, (time_ratio, node_ratio) in wanted.items():
        rows += [
            Row("instantiate", module, "cpu", f"Module(path) on {module}, CPU s", 3, time_ratio),
            Row("instantiate", module, "nodes", f"Module(path) on {module}, nodes added", 0, node_ratio),
        ]
    rows += _apply_rows("a", "a", None, None)
    rows += _apply_rows("c", "c", 2.0, 2.0)
    rows += _apply_rows("d", "d", 4.0, 5.0)
    for module in ("c", "d"):
        of = f"eval_function_for_module on {module}"
        rows += [
            Row("eval_function", module, "cpu_set_up", f"{of}, set-up, CPU s", 2, 6.0),
            Row("eval_function", module, "wall_first_answer", f"{of}, first answer, wall s", 2, 3.5),
        ]
    rows.append(Row("early_output", "d", "wall_ms", "one early output of d's 50, wall ms", 1, 10.0))
    for module in ("c", "d"):
        of = f"Estimator with trainable {module}"
        rows += [
            Row("estimator_export", module, "wall_train", f"{of}, first step, wall s", 2),
            Row("estimator_export", module, "cpu", f"{of}, LatestModuleExporter.export, CPU s", 2),
            Row("estimator_export", module, "wall", f"{of}, LatestModuleExporter.export, wall s", 2),
        ]
    rows.append(Row("export", "e", "wall", "module.export of e (524 MB), wall s", 2))
    return rows


ROWS = _rows()


def ratios(predecessor: Sequence[Round], ours: Sequence[Round], figure: str) -> Summary | None:
    """How many times smaller our figure is, round by round; None where there is nothing to divide."""
    pairs = [(p[figure], o[figure]) for p, o in zip(predecessor, ours, strict=True) if p and o]
    quotients = [theirs / mine for theirs, mine in pairs if mine > 0]
    return Summary.of(quotients) if quotients else None


def _cells(row: Row, predecessor: Sequence[Round], ours: Sequence[Round]) -> list[str]:
    """Our figure, the ratio and the verdict for one side."""
    if None in ours:
        return ["failed", "", ""]
    summary = Summary.of([figures[row.figure] for figures in ours if figures])
    ratio = None if None in predecessor else ratios(predecessor, ours, row.figure)
    verdict = {True: "yes", False: "NO", None: ""}[row.is_met(summary, ratio)]
    return [summary.text(row.decimals), ratio.text(2) if ratio else "", verdict]


def table(
    rows: Sequence[Row], rounds: dict[str, dict[tuple[str, str], list[Round]]], against: str = PREDECESSOR
) -> str:
    """The report: `rounds` holds for each side's title the figures of each (measurement, module).

    Args:
      rows: what is shown.
      rounds: what was found.
      against: the side that the others are compared with.
    """
    others = [title for title in rounds if title != against]
    head = ["median (lowest..highest)", against]
    for title in others:
        head += [title, "times smaller", "as wanted"]
    lines = [[*head[:2], "wanted", *head[2:]]]
    for row in rows:
        key = (row.measurement, row.module)
        theirs = rounds[against][key]
        figures = [each[row.figure] for each in theirs if each]
        own = "failed" if None in theirs else Summary.of(figures).text(row.decimals)
        cells = [cell for title in others for cell in _cells(row, theirs, rounds[title][key])]
        lines.append([row.title, own, row.wanted(), *cells])
    return _aligned(lines)


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines = [lines[0], ["-" * width for width in widths], *lines[1:]]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)
