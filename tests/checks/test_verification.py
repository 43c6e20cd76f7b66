"""Verifying modules that are whole, variants that lack variables, and what a verification says of itself."""

import os
import subprocess
import sys

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.damage import INDEX, edited_index, whole_module
from tests.graphs import export
from tests.interop.exchange import write_module
from tests.module_fns import KINDS
from tests.test_shared_modules import TEXT_MODULES, shared
from tf1hub.checks.verifying.findings import Finding
from tf1hub.checks.verifying.verification import bytes_to_check
from tf1hub.format.bundle_reader import BundleReader

pytestmark = pytest.mark.filterwarnings("ignore:`:UserWarning")  # layers of TensorFlow 1 are deprecated


@pytest.fixture
def module(tmp_path):
    return whole_module(tmp_path)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_of_module_is_sound(kind, tmp_path):
    if not kind.available():
        pytest.skip(f"{kind.needs} is not installed")
    write_module(hub, kind, str(tmp_path / "module"))
    report = hub.verify(tmp_path / "module")
    assert report.is_sound, report.findings
    lacking = {finding.tags for finding in report.findings if finding.severity == "warning"}
    assert lacking == {tuple(sorted(tags)) for tags in kind.not_on_disk}


@pytest.mark.parametrize("name", ["half_plus_two", "dm21m", *(f"text_by_predecessor/{name}" for name in TEXT_MODULES)])
def test_modules_of_others_are_sound(name):
    path = shared(name)
    report = hub.verify(path)
    assert report.is_sound
    assert report.tensors == len(BundleReader(f"{path}/variables/variables").entries)


def test_all_that_is_checked_is_counted(module):
    steps = []
    report = hub.verify(module, progress=steps.append)
    sizes = {file.name: file.stat().st_size for file in module.rglob("*") if file.is_file()}
    assert report.findings == []
    assert (report.tensors, report.files) == (4, len(sizes))
    assert report.bytes == sum(steps) == sum(sizes.values()) - sizes["words.txt"]
    assert bytes_to_check(module) == report.bytes


def test_a_module_without_variables_needs_no_checkpoint(tmp_path):
    spec = hub.create_module_spec(lambda: hub.add_signature(outputs=tf.constant(1.0)))
    path = export(spec, tmp_path / "module")
    assert not os.path.exists(f"{path}/variables")
    report = hub.verify(path)
    assert (report.findings, report.tensors) == ([], 0)


def two_variants(tmp_path):
    """A module whose second variant has a variable that the first has not; the first one was exported."""

    def module_fn(more):
        x = tf.placeholder(tf.float32, [None, 2])
        y = x * tf.get_variable("w", [2])
        if more:
            y += tf.get_variable("more", [2])
        hub.add_signature(inputs=x, outputs=y)

    variants = [(set(), {"more": False}), ({"train"}, {"more": True})]
    return export(hub.create_module_spec(module_fn, variants), tmp_path / "two")


def test_a_variant_that_lacks_variables_is_a_warning(tmp_path):
    report = hub.verify(two_variants(tmp_path))
    assert report.is_sound
    [warning] = report.findings
    assert (warning.severity, warning.file, warning.tags) == ("warning", INDEX, ("train",))
    assert warning.message.endswith(
        "1 of its 2 variables is not in the checkpoint, or not with that shape and dtype: 'more'"
    )


def test_when_no_variant_is_complete_each_missing_variable_is_a_fault(tmp_path):
    path = two_variants(tmp_path)
    with edited_index(tmp_path / "two") as rows:
        rows[b"spare"] = rows.pop(b"w")
    faults = [finding for finding in hub.verify(path).findings if finding.severity == "fault"]
    assert [(fault.tensor, fault.tags) for fault in faults] == [("w", ()), ("more", ("train",))]


def test_faults_come_first(module):
    (module / "README.md").write_text("x")
    (module / "assets/words.txt").unlink()
    assert [finding.severity for finding in hub.verify(module).findings] == ["fault", "note"]


def test_a_finding_is_plain_data():
    finding = Finding("fault", "gone", "assets/a")
    assert finding == Finding("fault", "gone", "assets/a", None, None, None)


def test_verifying_loads_neither_tensorflow_nor_numpy(module):
    program = (
        "import sys, tf1hub as hub; print(hub.verify(sys.argv[1]).is_sound);"
        "print([name for name in ('tensorflow', 'keras', 'numpy') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program, module], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["True", "[]"]
