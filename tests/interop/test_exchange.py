"""Modules of every kind go both ways between tensorflow_hub 0.15.0 on TensorFlow 2.15.1 and tf1hub here."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interop.exchange import difference
from tests.interop.peer import finish, here, once, peer_python, start
from tests.module_fns import KINDS

pytestmark = pytest.mark.peer

WORKER = "tests.interop.worker"
SHARED = [name for name, kind in KINDS.items() if not kind.predecessor_fails]
OURS_ONLY = [name for name, kind in KINDS.items() if kind.predecessor_fails]
TRAINED = [name for name in SHARED if KINDS[name].trains]


@pytest.fixture(scope="session")
def exchange(tmp_path_factory) -> dict[str, dict[str, Any]]:
    """What each side says of the modules that each side wrote, by writer and reader."""

    def fill(folder: Path) -> None:
        peer = peer_python()
        theirs, ours = str(folder / "theirs"), str(folder / "ours")
        for path in (theirs, ours):
            Path(path).mkdir()
        finish(
            start(peer, WORKER, "write", "tensorflow_hub", theirs, theirs + ".there.json"),
            start(here(), WORKER, "write", "tf1hub", ours, ours + ".here.json"),
        )
        finish(
            start(peer, WORKER, "read", "tensorflow_hub", ours, ours + ".there.json"),
            start(here(), WORKER, "read", "tf1hub", theirs, theirs + ".here.json"),
        )

    folder = once(tmp_path_factory, "exchange", fill)
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}


def _part(exchange: dict[str, dict[str, Any]], where: str, name: str, part: str) -> Any:
    if not KINDS[name].available():
        pytest.skip(f"{KINDS[name].needs} is not installed")
    answer = exchange[where][name]
    assert "error" not in answer, f"{where}: {answer['error']}"
    return answer[part]


@pytest.mark.parametrize("name", SHARED)
def test_what_the_predecessor_wrote_is_read_here(exchange, name):
    ours, theirs = (_part(exchange, f"theirs.{side}", name, "module") for side in ("here", "there"))
    assert difference(ours, theirs) is None


@pytest.mark.parametrize("name", SHARED)
def test_what_is_written_here_is_read_by_the_predecessor(exchange, name):
    ours, theirs = (_part(exchange, f"ours.{side}", name, "module") for side in ("here", "there"))
    assert difference(ours, theirs) is None


@pytest.mark.parametrize("name", SHARED)
def test_both_write_the_same_module(exchange, name):
    ours, theirs = (_part(exchange, f"{writer}.there", name, "module") for writer in ("ours", "theirs"))
    assert difference(ours, theirs) is None


@pytest.mark.parametrize("name", TRAINED)
def test_fine_tuning_gives_the_same_variables(exchange, name):
    answers = [
        _part(exchange, where, name, "fine_tuned")
        for where in ("theirs.there", "theirs.here", "ours.there", "ours.here")
    ]
    assert answers[0]["losses"][2][0] != answers[0]["losses"][2][-1]
    assert [difference(answers[0], answer) for answer in answers] == [None] * 4


@pytest.mark.parametrize("name", OURS_ONLY)
def test_kinds_that_fail_there_work_here(exchange, name):
    """If this test fails because the predecessor can do it: take `predecessor_fails` off the kind."""
    assert "error" in exchange["theirs.there"][name]
    module = _part(exchange, "ours.here", name, "module")
    assert module["applied"]["no tags"]["outputs"]


def test_every_kind_was_exchanged(exchange):
    wanted = {name for name, kind in KINDS.items() if kind.available()}
    assert {where: wanted - set(answers) for where, answers in exchange.items() if where.startswith("ours")} == {
        "ours.here": set(),
        "ours.there": set(),
    }
