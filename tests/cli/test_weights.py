"""`tf1hub weights`."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.converting.weight_modules import STRINGS, files_in, make_module, stored
from tf1hub.cli.main import run

ROOT = Path(__file__).parents[2]
MATRIX = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_module(tmp_path / "module", {"dense/kernel": MATRIX, "dense/bias": MATRIX[0]})
    return "module"


def answer(capsys, *arguments, status=0):
    """What a command line prints: on standard output when it succeeds, else on standard error."""
    assert run(["weights", *arguments]) == status
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return out if status == 0 else err


def process(*arguments, **options):
    command = [sys.executable, "-m", "tf1hub", "weights", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, text=True, **{**pipes, **options})


def seen_by_a_person(*arguments):
    """What a command shows on a terminal as standard error, and what it prints."""
    controller, terminal = os.openpty()
    running = process(*arguments, stderr=terminal)
    os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(controller, 65536):
            seen += part
    os.close(controller)
    printed, _ = running.communicate()
    assert running.returncode == 0
    return seen.decode(), printed


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_out_and_back(module, capsys, suffix):
    out = answer(capsys, module, f"w.{suffix}")
    assert out == f"w.{suffix}: 2 variables (36 B) in a file of {os.path.getsize(f'w.{suffix}')} B\n"
    out = answer(capsys, "--into", module, f"w.{suffix}", "--output", "copy")
    assert out == f"copy: a copy of module with 2 variables (36 B) from w.{suffix}\n"
    assert stored("copy") == stored(module)


def test_both_ways_to_use_it_are_aligned(capsys):
    first, second = answer(capsys, "--help").splitlines()[:2]
    assert first.index("tf1hub weights") == second.index("tf1hub weights")


def test_json_says_what_was_written(module, capsys):
    bias = {"name": "dense/bias", "dtype": "float32", "shape": [3], "bytes": 12}
    kernel = {"name": "dense/kernel", "dtype": "float32", "shape": [2, 3], "bytes": 24}
    found = json.loads(answer(capsys, module, "w.npz", "--json"))
    size = os.path.getsize("w.npz")
    assert found == {"module": "module", "file": "w.npz", "file_bytes": size, "variables": [bias, kernel]}
    np.savez("new.npz", **{"dense/bias": MATRIX[1]})
    found = json.loads(answer(capsys, "--into", module, "new.npz", "--output", "copy", "--partial", "--json"))
    names = {"module": "module", "file": "new.npz", "output": "copy"}
    assert found == {**names, "replaced": [bias], "kept": [kernel]}


def test_some_variables_only(module, capsys):
    assert answer(capsys, module, "w.npz", "--only", "*/bias").startswith("w.npz: 1 variable (12 B)")
    out = answer(capsys, "--into", module, "w.npz", "--output", "copy", "--partial")
    assert out == "copy: a copy of module with 1 variable (12 B) from w.npz; 1 variable (24 B) kept\n"


def test_a_file_is_replaced_with_force_only(module, capsys):
    answer(capsys, module, "w.npz")
    assert "replace it, with `overwrite` (--force)" in answer(capsys, module, "w.npz", status=2)
    answer(capsys, module, "w.npz", "--only", "*/bias", "--force")
    assert np.load("w.npz").files == ["dense/bias"]


USAGE = {
    "": "Missing argument 'MODULE'",
    "module": "Missing argument 'OUT'",
    "module w.txt": "OUT is 'w.txt', and must end in .npz or .safetensors",
    "module w.npz more": "Got unexpected extra argument (more)",
    "module w.npz --output new": "--output goes with --into",
    "module w.npz --partial": "--partial goes with --into",
    "--into module": "Missing argument 'FILE'",
    "--into module w.npz": "--into needs --output NEW",
    "--into module w.npz new": "With --into MODULE the only argument is FILE",
    "--into module w.bin --output new": "FILE is 'w.bin', and must end in .npz or .safetensors",
    "--into module w.npz --output new --force": "--force does not go with --into",
    "--into module w.npz --output new --only a": "--only does not go with --into",
}


@pytest.mark.parametrize("arguments", USAGE)
def test_bad_usage_says_what_is_wrong(module, capsys, arguments):
    message = answer(capsys, *arguments.split(), status=2)
    assert USAGE[arguments] in message
    assert "Usage: tf1hub weights [OPTIONS] MODULE OUT" in message
    assert "--into MODULE FILE --output NEW" in message


def test_arrays_that_do_not_fit_are_all_listed(module, capsys, tmp_path):
    np.savez("new.npz", **{"dense/kernel": MATRIX.T, "dense/bais": MATRIX[0]})
    message = answer(capsys, "--into", module, "new.npz", "--output", "copy", status=2)
    assert message.splitlines() == [
        "tf1hub: 'new.npz' does not fit the variables of 'module':",
        "  'dense/bais' is none of its variables; close names: dense/bias",
        "  'dense/bias' is missing; with `partial` (--partial) it keeps its value",
        "  'dense/kernel' has the shape [3, 2], the variable's is [2, 3]",
    ]
    assert files_in(tmp_path) == {"module", "new.npz"}


def test_a_type_that_the_format_lacks_is_named(tmp_path, capsys):
    module = make_module(tmp_path / "module", {"words": STRINGS})
    message = answer(capsys, module, str(tmp_path / "w.safetensors"), status=2)
    assert "'words' has the dtype string, which .safetensors files do not have" in message


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_unreadable_input_is_one_message(module, capsys, suffix):
    Path(f"w.{suffix}").write_bytes(b"nonsense, and more of it")
    assert f"w.{suffix}, byte 0: " in answer(capsys, "--into", module, f"w.{suffix}", "--output", "copy", status=2)
    assert "does not exist" in answer(capsys, "--into", module, f"none.{suffix}", "--output", "copy", status=2)
    assert "no directory 'nothing'" in answer(capsys, "nothing", f"x.{suffix}", status=2)


def test_nothing_is_imported_that_takes_long(module):
    program = (
        "import sys; from tf1hub.cli import weights; print('numpy' in sys.modules);"
        "from tf1hub.cli.main import run; run(['weights', 'module', 'w.npz']); run(['weights', 'none', 'w2.npz']);"
        "print([name for name in ('tensorflow', 'keras', 'safetensors', 'rich') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    first, *_, last = done.stdout.splitlines()
    assert (first, last) == ("False", "[]")


def test_a_process_of_its_own_does_the_same(module):
    running = process(module, "w.npz")
    assert running.communicate()[0].startswith("w.npz: 2 variables (36 B)")
    assert running.returncode == 0
    running = process(module, "w.npz")
    assert "Traceback" not in running.communicate()[1]
    assert running.returncode == 2


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_a_person_who_watches_sees_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_module(tmp_path / "module", {"a": np.zeros(500_000, np.float32), "b": np.ones(500_000, np.float32)})
    for description, arguments, printed in (
        ("Writing", ["module", "w.npz"], "w.npz: 2 variables"),
        ("Copying", ["--into", "module", "w.npz", "--output", "copy"], "copy: a copy of module"),
    ):
        seen, out = seen_by_a_person(*arguments)
        assert description in seen
        assert "4.0/4.0 MB" in seen
        assert out.startswith(printed)


@pytest.mark.slow
@pytest.mark.parametrize("back", [False, True])
def test_ctrl_c_leaves_nothing(tmp_path, back):
    module = make_module(tmp_path / "module", {"w": np.zeros((50 << 20,), np.float32)})
    arguments = (module, "w.safetensors")
    if back:
        process(*arguments, cwd=tmp_path).communicate()
        arguments = ("--into", module, "w.safetensors", "--output", "copy")
    before = files_in(tmp_path)
    running = process(*arguments, cwd=tmp_path)
    while files_in(tmp_path) == before and running.poll() is None:
        time.sleep(0.002)
    running.send_signal(signal.SIGINT)
    message = running.communicate()[1]
    assert (running.returncode, message.strip()) == (130, "tf1hub: stopped")
    assert files_in(tmp_path) == before
