"""Modules that tensorflow_hub 0.15.0 wrote on TensorFlow 2.15.1 are sound to `hub.verify`."""

import pytest

import tf1hub as hub
from tests.interop.peer import finish, once, peer_python, start
from tests.module_fns import KINDS

pytestmark = pytest.mark.peer
SHARED = [name for name, kind in KINDS.items() if not kind.predecessor_fails]


@pytest.fixture(scope="session")
def modules(tmp_path_factory):
    def fill(folder):
        finish(start(peer_python(), "tests.interop.kind_writer", "tensorflow_hub", str(folder)))

    return once(tmp_path_factory, "verified", fill)


@pytest.mark.parametrize("name", SHARED)
def test_what_the_predecessor_wrote_is_sound(modules, name):
    path = modules / name / "module"
    if not path.exists():
        assert KINDS[name].needs, f"tensorflow_hub did not write {name}"
        pytest.skip(f"{KINDS[name].needs} is not installed there")
    report = hub.verify(path)
    assert report.is_sound, report.findings
    lacking = {finding.tags for finding in report.findings if finding.severity == "warning"}
    assert lacking == {tuple(sorted(tags)) for tags in KINDS[name].not_on_disk}
