"""The predecessor's environment, and programs of this repository run in it and here."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PEER_PYTHON = ROOT / ".venv-peer" / "bin" / "python"
PATIENCE = 600


def peer_python() -> str:
    """The predecessor's interpreter. Without it the test fails: what is not compared is not known to be equal."""
    if not PEER_PYTHON.exists():
        pytest.fail(f"{PEER_PYTHON} is missing: make the predecessor's environment with `make peer`.")
    return str(PEER_PYTHON)


def start(python: str, module: str, *arguments: str) -> subprocess.Popen:
    """Runs `python -m module arguments` in the project's root."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [python, "-m", module, *arguments], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )


def finish(*processes: subprocess.Popen) -> None:
    """Waits for all of them; fails with the last lines of the first one that failed."""
    failures = []
    for process in processes:
        _, errors = process.communicate(timeout=PATIENCE)
        if process.returncode:
            failures.append(errors[-3000:])
    assert not failures, failures[0]


def here() -> str:
    return sys.executable


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills once for all of pytest's processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / name
    done = folder.with_suffix(".done")
    try:
        folder.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + PATIENCE
        while not done.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        return folder
    try:
        make(folder)
    finally:
        done.touch()
    return folder
