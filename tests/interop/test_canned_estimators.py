"""Canned Estimators here against those of `tf.estimator` on TensorFlow 2.15: what they learn, say, and export."""

import json

import pytest

from tests.interop.canned_worker import from_json
from tests.interop.peer import finish, here, once, peer_python, start
from tests.training.canned import kinds

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What ours and theirs come to, by kind."""

    def make(folder):
        runs = {"ours": here(), "theirs": peer_python()}
        modules = "tests.interop.canned_worker"
        finish(*(start(python, modules, whose, str(folder / whose)) for whose, python in runs.items()))

    folder = once(tmp_path_factory, "canned", make)
    return [json.loads((folder / whose).read_text(), object_hook=from_json) for whose in ("ours", "theirs")]


@pytest.mark.parametrize("kind", [*kinds.KINDS, "text_fixed", "text_trained"])
def test_a_kind_agrees(kind, outcomes):
    ours, theirs = outcomes
    kinds.check_agreement(ours[kind], theirs[kind])
    assert ours[kind]["metrics"]["global_step"] == 6
