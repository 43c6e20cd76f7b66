"""An Estimator whose disk gets full: what there is stays whole, the error is clear, and training goes on from there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.exports.test_full_disk import MOUNT, can_mount

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("how", ["filled", "limited"])]


def run(folder, how, during, choice):
    """What comes of a training, and of another one when there is room again."""
    if how == "filled" and not can_mount(folder):
        pytest.skip("no small file system may be mounted here; `limited` shows the same")
    # Four checkpoints and three exports of 400 kB each must fit in.
    prefix = [part.replace("size=2m", "size=8m") for part in MOUNT] + [str(folder)] if how == "filled" else []
    command = [*prefix, sys.executable, "-m", "tests.hostile.full_training_disk", str(folder), how, during, choice]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    root = Path(__file__).parents[2]
    result = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_a_disk_that_is_full_during_an_export_stops_the_training(tmp_path, how):
    came = run(tmp_path, how, "export", "stop")
    assert came["error"].startswith("OSError: ")
    assert "could not be written, and nothing of it was left behind" in came["error"]
    assert came["first"] == {"checkpoints": [0, 2, 4], "exports": [2], "sound": True}
    assert came["then"] == {"checkpoints": [0, 2, 4, 6], "exports": [2, 6], "sound": True}
    assert came["last"] == 6


def test_training_goes_on_by_choice_without_an_export(tmp_path, how):
    came = run(tmp_path, how, "export", "go_on")
    assert (came["error"], came["warned"]) == (None, 1)
    assert came["first"] == {"checkpoints": [0, 2, 4, 6], "exports": [2, 6], "sound": True}
    assert came["last"] == 6


def test_a_disk_that_is_full_during_a_checkpoint_leaves_the_one_before_it(tmp_path, how):
    came = run(tmp_path, how, "checkpoint", "stop")
    assert "could not be written" in came["error"]
    assert "model.ckpt-2 is whole, and the next training goes on from there" in came["error"]
    assert came["first"] == {"checkpoints": [0, 2], "exports": [2], "sound": True}
    assert came["then"] == {"checkpoints": [0, 2, 4, 6], "exports": [2, 4, 6], "sound": True}
    assert came["last"] == 6
