"""Exports that are killed at any change to the disk: what is visible is whole, and nothing hidden stays for long."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.killed_export import VALUE
from tests.training.exports.killed_exports import export_once
from tf1hub import load_module_spec, verify
from tf1hub.format.bundle_reader import BundleReader

# At most so many changes do three exports of two modules make to the disk, of which two are removed.
CHANGES = 134
POINTS = list(range(1, CHANGES + 1))
if not os.environ.get("TF1HUB_SOAK"):
    POINTS = sorted(random.Random(4).sample(POINTS, 10))

pytestmark = pytest.mark.slow


def run(folder, step):
    (folder / "words.txt").write_bytes(b"words")
    command = [sys.executable, "-m", "tests.training.exports.killed_exports", folder / "exports", folder / "words.txt"]
    return subprocess.run([*command, str(step)], cwd=Path(__file__).parents[3], capture_output=True, check=False)


def visible(folder):
    return sorted(each for each in folder.iterdir() if not each.name.startswith(".")) if folder.exists() else []


def check_whole(export):
    assert sorted(each.name for each in export.iterdir()) == ["a", "b"]
    for module in export.iterdir():
        assert verify(module).is_sound
        assert (module / "assets/words.txt").read_bytes() == b"words"
        with BundleReader(load_module_spec(module).checkpoint) as reader:
            assert reader.read("v", check=True).tolist() == VALUE.tolist()


@pytest.mark.parametrize("step", POINTS)
def test_a_killed_process_leaves_only_whole_exports_visible(tmp_path, step):
    result = run(tmp_path, step)
    if result.returncode == 0:
        pytest.skip(f"with this Python the exports make only {int(result.stdout)} changes to the disk")
    assert result.returncode == -signal.SIGKILL, result.stderr.decode()
    before = visible(tmp_path / "exports")
    for export in before:
        check_whole(export)
    newest = Path(export_once(tmp_path / "exports", tmp_path / "words.txt", lambda _: True))
    assert not before or newest > before[-1]
    assert os.listdir(tmp_path / "exports") == [newest.name]
    check_whole(newest)


def test_all_points_to_kill_at_are_known(tmp_path):
    result = run(tmp_path, 10_000)
    assert result.returncode == 0, result.stderr.decode()
    assert CHANGES - 30 <= int(result.stdout) <= CHANGES
