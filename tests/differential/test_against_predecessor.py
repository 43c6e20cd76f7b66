"""Every scenario does the same with tf1hub as with tensorflow_hub 0.15.0, in the same TensorFlow.

Exceptions are equal when each class that a program could catch in the predecessor's case catches ours too; their
messages may differ. A deliberate difference is marked on its scenario, with its reason and both results.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.differential.recording import SCENARIOS, equal, pick
from tests.differential.scenarios import THEMES
from tests.interop.peer import finish, once, peer_python, start

pytestmark = pytest.mark.peer


@pytest.fixture(scope="session")
def results(tmp_path_factory) -> dict[str, dict[str, Any]]:
    """What every scenario gave, by library; each library in a process of its own."""

    def fill(folder: Path) -> None:
        libraries = ["tensorflow_hub", "tf1hub"]
        program = "tests.differential.scenarios"
        finish(*(start(peer_python(), program, name, str(folder / f"{name}.json")) for name in libraries))

    folder = once(tmp_path_factory, "scenarios", fill)
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}


@pytest.mark.parametrize("name", SCENARIOS)
def test_same_as_the_predecessor(results, name):
    ours, theirs = results["tf1hub"][name], results["tensorflow_hub"][name]
    assert not isinstance(ours, dict) or "failed" not in ours, ours["failed"]
    for place, deliberate in SCENARIOS[name].deliberate.items():
        assert equal(pick(theirs, place), deliberate.theirs) == []
        assert equal(pick(ours, place), deliberate.ours) == []
    assert equal(ours, theirs, except_at=set(SCENARIOS[name].deliberate)) == []


def test_themes_are_found():
    assert len(THEMES) > 5
    assert len(SCENARIOS) > 100
