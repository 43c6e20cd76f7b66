"""Trainings that export and are killed, over and over: they go on from the last checkpoint, and all exports are whole.

1,000 rounds with TF1HUB_SOAK=1 in the environment (`make soak`), 100 otherwise. The figures are printed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROUNDS = 1000 if os.environ.get("TF1HUB_SOAK") else 100
AT_LEAST = {
    "killed during training": 0.05,
    "killed during checkpoint": 0.05,
    "killed during export": 0.05,
    "killed during removal": 0.05,
    "left a checkpoint half removed": 0.01,
    "left an export or a removed one hidden": 0.05,
}
"""What share of the rounds must have come to that, so that they show something."""


@pytest.mark.slow
def test_killed_trainings_lose_nothing(tmp_path, capsys):
    command = [sys.executable, "-m", "tests.hostile.killed_training", str(tmp_path), str(ROUNDS), "4"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    result = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads(result.stdout.splitlines()[-1])
    with capsys.disabled():
        print("\n" + ", ".join(f"{what}: {count}" for what, count in found.items()))
    assert found["rounds"] == ROUNDS
    assert {what: found.get(what, 0) for what, share in AT_LEAST.items() if found.get(what, 0) < share * ROUNDS} == {}
