"""benchmarks/text_export.py measures both sides and says what was found."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.peer
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_both_sides_are_measured():
    command = [sys.executable, "-m", "benchmarks.text_export", "--rows", "3000", "--dimensions", "5", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for text in (
        "3,000 x 5",
        "CPU seconds",
        "peak memory, MB",
        "memory for each token more",
        "stands in for its exporter",
    ):
        assert text in done.stdout
