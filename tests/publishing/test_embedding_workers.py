"""Large files are parsed by several processes: in order, and none of them stays."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import tf1hub
from tests.publishing.embeddings import many_lines, table, vocabulary
from tf1hub.errors import EmbeddingFileError
from tf1hub.publishing.embeddings import workers as embedding_workers
from tf1hub.publishing.embeddings.lines import parse_lines
from tf1hub.publishing.embeddings.workers import parse_blocks

ROOT = Path(tf1hub.__file__).parents[1]
BLOCKS = [many_lines(50, 3, start=50 * number) for number in range(40)]


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)


@pytest.fixture
def started(monkeypatch):
    """The processes that are started."""
    found = []
    start = subprocess.Popen

    def popen(command, **options):
        process = start(command, **options)
        found.extend([process] if "tf1hub.publishing.embeddings.worker" in command else [])
        return process

    monkeypatch.setattr(embedding_workers.subprocess, "Popen", popen)
    return found


def test_many_blocks_come_out_in_order_and_as_they_are_parsed_here(started):
    for block, parsed in zip(BLOCKS, parse_blocks(iter(BLOCKS), 3, False), strict=True):
        expected = parse_lines(block, 3)
        assert (parsed.lines, parsed.tokens, parsed.bad_line) == (expected.lines, expected.tokens, None)
        np.testing.assert_array_equal(parsed.vectors, expected.vectors)
    assert [process.returncode for process in started] == [-signal.SIGKILL] * 2


def test_odd_blocks_come_through_a_process_too(started):
    odd = [b"\n\n", b" 1 2 3\n", b"\xff 1 nan 3\na 1 2 3\n", b"a 1 2 3\nb 1 2\n", b"x y 1 2 3\r\n"]
    blocks = odd + BLOCKS[:10]
    for allow_nonfinite in (False, True):
        for block, parsed in zip(blocks, parse_blocks(iter(blocks), 3, allow_nonfinite), strict=True):
            expected = parse_lines(block, 3, allow_nonfinite)
            assert parsed.tokens == expected.tokens
            assert (parsed.bad_line, parsed.problem) == (expected.bad_line, expected.problem)
            np.testing.assert_array_equal(parsed.vectors, expected.vectors)
    assert len(started) == 4


def test_a_few_blocks_start_no_process_and_are_read_one_by_one(started):
    taken = []
    parsed = parse_blocks((taken.append(block) or block for block in BLOCKS[:3]), 3, False)
    assert [(next(parsed).tokens[0], len(taken)) for _ in range(3)] == [(b"w0", 1), (b"w50", 2), (b"w100", 3)]
    assert list(parsed) == []
    assert started == []


def test_one_core_starts_no_process(started, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0}, raising=False)
    assert len(list(parse_blocks(iter(BLOCKS), 3, False))) == len(BLOCKS)
    assert started == []


def test_closing_early_ends_the_processes_and_reads_no_further(started):
    taken = []
    blocks = (taken.append(block) or block for block in BLOCKS)
    parsed = parse_blocks(blocks, 3, False)
    for _ in range(5):
        next(parsed)
    parsed.close()
    assert [process.poll() for process in started] == [-signal.SIGKILL] * 2
    assert len(taken) < 20


def test_a_killed_process_is_said(started):
    parsed = parse_blocks(iter(BLOCKS), 3, False)
    for _ in range(5):
        next(parsed)
    for process in started:
        process.kill()
    with pytest.raises(EmbeddingFileError, match="ended with status -9"):
        list(parsed)


def test_a_process_ends_when_the_one_that_started_it_does():
    worker = subprocess.Popen(
        [sys.executable, "-m", "tf1hub.publishing.embeddings.worker", "3", "False"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    _, errors = worker.communicate(b"\x10\0\0\0\0\0\0\0cut", timeout=60)
    assert (worker.returncode, errors) == (1, b"")


PROGRAM = """
import sys
sys.path.insert(0, {root!r})
import tf1hub as hub
print(hub.export_text_embedding({module!r}, {file!r}).tokens)
"""


def program(folder: Path) -> list[str]:
    """A program without `if __name__ == "__main__"`, which finds tf1hub by itself, and its command."""
    file = folder / "vectors.txt"
    file.write_bytes(many_lines(40_000, 40))
    code = textwrap.dedent(PROGRAM).format(root=str(ROOT), module=str(folder / "module"), file=str(file))
    (folder / "program.py").write_text(code)
    return [sys.executable, "-W", "error", str(folder / "program.py")]


def test_a_program_of_a_few_lines_may_export(tmp_path):
    done = subprocess.run(program(tmp_path), cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("40000\n", "")
    assert len(vocabulary(tmp_path / "module")) == 40_000
    assert table(tmp_path / "module").shape == (40_001, 40)


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_export_leaves_no_process(tmp_path, stop):
    command = [sys.executable, "-m", "tf1hub", "text-embedding", "--embedding-file", "-", "--export-path"]
    export = subprocess.Popen(
        [*command, str(tmp_path / "module")], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    for number in range(20):
        export.stdin.write(many_lines(4000, 40, start=4000 * number))
    deadline = time.monotonic() + 60
    expected = 0 if os.cpu_count() == 1 else 2
    while len(workers := children(export.pid)) < expected and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(workers) >= expected
    export.send_signal(stop)
    _, errors = export.communicate(timeout=60)
    assert (export.returncode, errors.strip()) == ((130, b"tf1hub: stopped") if stop == signal.SIGINT else (-9, b""))
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    assert stop == signal.SIGKILL or list(tmp_path.iterdir()) == []
