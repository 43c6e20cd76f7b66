"""A progress bar on standard error for work that takes long, when a person is watching."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(description: str, total: int | None, unit: str = "bytes") -> Iterator[Callable[[int], None]]:
    """Gives a function to call with how much was done since the last call.

    Args:
      description: what is going on, in a word or two.
      total: how much there is to do, None when it is not known.
      unit: what is counted: "bytes" are shown in units that suit them, with their rate.
    """
    if not sys.stderr.isatty():
        yield lambda advance: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    if unit == "bytes":
        figures = [DownloadColumn(), TransferSpeedColumn()]
    else:
        figures = [TextColumn("{task.completed:,.0f} " + unit), TextColumn("{task.fields[rate]}")]
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *figures,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(description, total=total, rate="")

        def advance(by: int) -> None:
            speed = bar.tasks[task].speed
            bar.update(task, advance=by, rate=f"{speed:,.0f} {unit}/s" if speed else "")

        yield advance
