"""A disk that gets full while exports are written: a real one where a small one may be mounted, limited files anywhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

# In a namespace of its own the program may mount a file system of two megabytes, which vanishes with it.
MOUNT = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"']


def can_mount(folder):
    try:
        return subprocess.run([*MOUNT, str(folder), "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def run(folder, how, choice):
    """What comes of a training that exports until the disk is full."""
    if how == "filled" and not can_mount(folder):
        pytest.skip("no small file system may be mounted here; `limited` shows the same")
    command = [sys.executable, "-m", "tests.training.exports.full_disk", str(folder), how, choice]
    prefix = [*MOUNT, str(folder)] if how == "filled" else []
    settings = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    root = Path(__file__).parents[3]
    result = subprocess.run(
        [*prefix, *command], cwd=root, env=settings, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("how", ["filled", "limited"])
def test_training_stops_with_a_clear_error_and_older_exports_stay(tmp_path, how):
    came = run(tmp_path, how, "stop")
    assert "could not be written, and nothing of it was left behind" in came["error"]
    assert "Make room and run the program again" in came["error"]
    assert came["sound"] == [True, True]
    assert all(name.isdigit() for name in came["exports"])


@pytest.mark.parametrize("how", ["filled", "limited"])
def test_training_goes_on_by_choice_and_older_exports_stay(tmp_path, how):
    came = run(tmp_path, how, "go_on")
    assert came["error"] == ""
    assert came["steps"] == 4
    assert came["sound"] == [True, True]
    assert all(name.isdigit() for name in came["exports"])
    assert came["warnings"] == 3  # at steps three and four, and once more at the end
