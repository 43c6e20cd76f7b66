"""Blocks of lines are parsed by several processes at once, and come out in their order.

The first few blocks are parsed here: for them alone, starting a process would take longer.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from queue import SimpleQueue

import tf1hub
from tf1hub.errors import EmbeddingFileError
from tf1hub.publishing.embeddings.lines import ParsedLines, parse_lines
from tf1hub.publishing.embeddings.worker import read_answer, write_block

_FEW_BLOCKS = 3
# More would wait for the one process that reads the file and writes the module.
_MOST_WORKERS = 4
# glibc gives freed memory back at once and asks for it anew for each block, which takes as long as parsing it.
_KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(64 << 20), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}


def parse_blocks(blocks: Iterator[bytes], dimension: int, allow_nonfinite: bool) -> Generator[ParsedLines, None, None]:
    """What each of the blocks holds, in their order. Close the iterator to end the processes early.

    Raises:
      EmbeddingFileError: a process was killed.
    """
    count = min(_available_cores(), _MOST_WORKERS)
    parsed_here = _FEW_BLOCKS if count > 1 and sys.executable else None
    for block in islice(blocks, parsed_here):
        yield parse_lines(block, dimension, allow_nonfinite)
    following = list(islice(blocks, 1))
    if not following:
        return
    workers: list[_Worker] = []
    executor = ThreadPoolExecutor(count)
    try:
        for _ in range(count):
            workers.append(_Worker(dimension, allow_nonfinite))
        yield from _parse_in_order(chain(following, blocks), workers, executor)
    finally:
        for worker in workers:
            worker.kill()
        executor.shutdown(cancel_futures=True)
        for worker in workers:
            worker.close()


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _parse_in_order(
    blocks: Iterator[bytes], workers: "list[_Worker]", executor: ThreadPoolExecutor
) -> Iterator[ParsedLines]:
    """Threads wait for the workers, so that reading the file, and writing the module, go on meanwhile."""
    idle: SimpleQueue[_Worker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def parse(block: bytes) -> ParsedLines:
        worker = idle.get()
        try:
            return worker.parse(block)
        finally:
            idle.put(worker)

    pending: deque[Future[ParsedLines]] = deque()
    for block in blocks:
        pending.append(executor.submit(parse, block))
        if len(pending) > len(workers) + 1:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


class _Worker:
    """A process that parses (worker.py)."""

    def __init__(self, dimension: int, allow_nonfinite: bool) -> None:
        self._dimension = dimension
        packages = [str(Path(tf1hub.__file__).parents[1]), *filter(None, sys.path)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tf1hub.publishing.embeddings.worker", str(dimension), str(allow_nonfinite)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                **_KEEP_MEMORY,
                "PYTHONPATH": os.pathsep.join(packages),
                "PYTHONSAFEPATH": "1",
                "OPENBLAS_NUM_THREADS": "1",
            },
            start_new_session=True,  # Ctrl-C is for the process that started it, which then ends it.
        )

    def parse(self, block: bytes) -> ParsedLines:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            write_block(self._process.stdin, block)  # type: ignore[arg-type]
            return read_answer(self._process.stdout, self._dimension)  # type: ignore[arg-type]
        except (EOFError, OSError):
            status = self._process.wait()
            raise EmbeddingFileError(
                f"a process that parsed the embedding file ended with status {status}. It may have been killed, or have"
                " run out of memory. Nothing was written: try again."
            ) from None

    def kill(self) -> None:
        """Ends the process, whatever it is at."""
        self._process.kill()

    def close(self) -> None:
        """Waits for a process that was killed."""
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):  # What was not sent yet has nobody to go to.
                    stream.close()
