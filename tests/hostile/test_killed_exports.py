"""An export that is killed, at every change that it makes to the disk, leaves a whole module or none.

All points with TF1HUB_SOAK=1 in the environment (`make soak`), a sample otherwise.
"""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.killed_export import VALUE, export
from tf1hub import load_module_spec
from tf1hub.errors import ModuleExistsError
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.module_directory import MARKER

OURS = {
    *("assets/words.txt", "saved_model.pb", MARKER, "variables/variables.index"),
    "variables/variables.data-00000-of-00001",
}
PLACES = {
    "a_new_path": None,
    "an_empty_directory": {},
    "a_directory_with_files": {"README.md": b"read", "variables/mine": b"mine", "old/saved_model.pb": b"old"},
}
# At most so many changes does an export make to the disk.
CHANGES = {"a_new_path": 14, "an_empty_directory": 16, "a_directory_with_files": 33}
POINTS = [(place, step) for place, count in CHANGES.items() for step in range(1, count + 1)]
if not os.environ.get("TF1HUB_SOAK"):
    POINTS = sorted(random.Random(7).sample(POINTS, 12))

pytestmark = pytest.mark.slow


def run(folder, step):
    command = [sys.executable, "-m", "tests.hostile.killed_export", str(folder / "module"), str(folder / "words.txt")]
    return subprocess.run([*command, str(step)], cwd=Path(__file__).parents[2], capture_output=True, check=False)


def prepare(folder, before):
    (folder / "words.txt").write_bytes(b"words")
    for name, data in (before or {}).items():
        (folder / "module" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "module" / name).write_bytes(data)
    if before is not None:
        (folder / "module").mkdir(exist_ok=True)


def files_in(folder):
    """The files that are no hidden leftovers, with their contents."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not hidden(path, folder)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def hidden(path, folder):
    parts = path.relative_to(folder).parts
    return any(part.startswith(".") and "tf1hub-export-" in part for part in parts)


def check_whole(module, before):
    """The module can be read, and what was there before is there."""
    assert set(files_in(module)) == OURS | set(before or {})
    assert (before or {}).items() <= files_in(module).items()
    spec = load_module_spec(module)
    assert spec.get_tags() == [frozenset()]
    assert (module / "assets/words.txt").read_bytes() == b"words"
    with BundleReader(spec.checkpoint) as reader:
        assert reader.read("v", check=True).tolist() == VALUE.tolist()


@pytest.mark.parametrize(("place", "step"), POINTS)
def test_killed_export_leaves_a_whole_module_or_none(tmp_path, place, step):
    module, before = tmp_path / "module", PLACES[place]
    prepare(tmp_path, before)
    result = run(tmp_path, step)
    if result.returncode == 0:
        pytest.skip(f"with this Python an export to {place} makes only {int(result.stdout)} changes to the disk")
    assert result.returncode == -signal.SIGKILL, result.stderr.decode()
    if (module / MARKER).exists():
        check_whole(module, before)
        with pytest.raises(ModuleExistsError):
            export(module, tmp_path / "words.txt")
    else:
        check_nothing_was_lost(module, before)
        export(module, tmp_path / "words.txt")
    check_whole(module, before)
    assert not [path for path in tmp_path.rglob("*") if hidden(path, tmp_path)]


def check_nothing_was_lost(module, before):
    assert module.exists() or before is None
    found = files_in(module)
    assert (before or {}).items() <= found.items()
    ours = set(found) - set(before or {})
    assert ours <= (OURS if before else set())


@pytest.mark.parametrize("place", PLACES)
def test_all_points_to_kill_an_export_at_are_known(tmp_path, place):
    prepare(tmp_path, PLACES[place])
    result = run(tmp_path, 1000)
    assert result.returncode == 0, result.stderr.decode()
    assert CHANGES[place] - 5 <= int(result.stdout) <= CHANGES[place]
    check_whole(tmp_path / "module", PLACES[place])
