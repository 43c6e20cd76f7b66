"""`tf1hub apply` as a process among others: pipes, Ctrl-C, silence, and memory that does not grow with the input."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tensorflow.compat.v1 as tf

from tests.graphs import export, spec_with

ROOT = Path(__file__).parents[2]
TF1HUB = [sys.executable, "-m", "tf1hub", "apply"]


@pytest.fixture(scope="module")
def text_module(tmp_path_factory):
    """A module of texts: the length of each, and a vector of its words."""

    def outputs(texts):
        words = tf.strings.split(texts, result_type="RaggedTensor").to_sparse()
        ids = tf.SparseTensor(words.indices, tf.strings.to_hash_bucket_fast(words.values, 100), words.dense_shape)
        table = tf.get_variable("table", [100, 4])
        return tf.reshape(tf.nn.safe_embedding_lookup_sparse(table, ids, combiner="sqrtn"), [-1, 4])

    return export(spec_with(outputs, (None,), tf.string), tmp_path_factory.mktemp("text") / "module")


def environment() -> dict[str, str]:
    """Without the variable that silences TensorFlow: the command does so itself."""
    return {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"} | {
        "PYTHONPATH": str(ROOT)
    }


def start(*arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen([*TF1HUB, *map(str, arguments)], env=environment(), **options)


def test_a_pipeline_is_quiet_and_writes_a_row_for_each_line(text_module):
    process = start(text_module, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    printed, complaints = process.communicate(b"the cat\n" * 1000)
    assert (process.returncode, complaints) == (0, b"")
    rows = [json.loads(line) for line in printed.splitlines()]
    assert len(rows) == 1000
    assert all(row == rows[0] and len(row["default"]) == 4 for row in rows)


def test_a_reader_that_has_seen_enough_ends_it_quietly(text_module):
    pipeline = f"yes 'the cat' | head -n 50000 | {' '.join(TF1HUB)} {text_module} | head -n 2; echo ${{PIPESTATUS[2]}}"
    result = subprocess.run(["bash", "-c", pipeline], env=environment(), capture_output=True, text=True)
    assert result.stderr == ""
    *rows, status = result.stdout.splitlines()
    assert (len(rows), status) == (2, "0")


def test_ctrl_c_ends_it_and_leaves_no_file(text_module, tmp_path):
    process = start(
        text_module, "--output-file", tmp_path / "results.jsonl", stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdin.write(b"the cat\n" * 1000)
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in tmp_path.iterdir()):  # it waits for more lines
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate()
    assert (process.returncode, complaints.decode().splitlines()[-1]) == (130, "tf1hub: stopped")
    assert list(tmp_path.iterdir()) == []


def test_a_person_who_watches_sees_how_far_it_is(text_module, tmp_path):
    controller, terminal = os.openpty()
    (tmp_path / "lines.txt").write_text("the cat\n" * 50_000)
    arguments = [text_module, "--input-file", tmp_path / "lines.txt", "--output-file", tmp_path / "results.jsonl"]
    process = start(*arguments, stderr=terminal, stdout=subprocess.PIPE)
    os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(controller, 65536):
            seen += part
    printed, _ = process.communicate()
    os.close(controller)
    assert printed.startswith(b"50,000 examples: ")
    assert b"Applying" in seen
    assert b"examples/s" in seen


def test_what_tensorflow_finds_wrong_is_one_line(tmp_path):
    module = export(spec_with(lambda x: tf.gather([1.0, 2.0], x), (None,), tf.int32), tmp_path / "module")
    result = subprocess.run([*TF1HUB, module, "7"], env=environment(), capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (2, "")
    [line] = result.stderr.splitlines()
    assert "indices[0] = 7 is not in [0, 2)" in line


_PEAK = """
import json, os, subprocess, sys
lines, *command = sys.argv[1:]
feeder = "import sys\\nfor i in range(int(sys.argv[1])): sys.stdout.write(f'the cat sat on mat {i}\\\\n')"
source = subprocess.Popen([sys.executable, "-c", feeder, lines], stdout=subprocess.PIPE)
process = subprocess.Popen(command, stdin=source.stdout, stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps([status, usage.ru_maxrss / 1024]))
"""


def peak_megabytes(lines: int, *arguments: str) -> float:
    """The most memory that the command used for so many lines of text."""
    command = [sys.executable, "-c", _PEAK, str(lines), *TF1HUB, *map(str, arguments)]
    printed = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout
    status, megabytes = json.loads(printed)
    assert status == 0
    return float(megabytes)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["", ".parquet", ".npz", ".jsonl"])
def test_a_million_lines_stream_through_in_constant_memory(suffix, text_module, tmp_path):
    target = ["--output-file", tmp_path / f"results{suffix}"] if suffix else []
    few, many = (peak_megabytes(lines, text_module, *target) for lines in (200_000, 1_000_000))
    print(f"{suffix or 'standard output'}: {few:.0f} MB for 200,000 lines, {many:.0f} MB for 1,000,000")
    assert many < few + 25
