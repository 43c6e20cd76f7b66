"""A progress bar on standard error for work that takes long, when a person is watching."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager


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


@contextmanager
def reported_progress(description: str, unit: str = "bytes") -> Iterator[Callable[[int, int], None]]:
    """Gives a function to call with how much is done, and how much there is to do. The bar begins with its first call."""
    with ExitStack() as stack:
        bars: list[Callable[[int], None]] = []
        shown = 0

        def on_progress(done: int, total: int) -> None:
            nonlocal shown
            if not bars:
                bars.append(stack.enter_context(progress(description, total, unit)))
            bars[0](done - shown)
            shown = done

        yield on_progress
