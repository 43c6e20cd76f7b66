"""What a module needs of its reader, and the facts that lint ends with."""

from pathlib import Path

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.editing import edited, with_op
from tests.graphs import export, exported_bytes, scaling_spec, spec_with
from tf1hub.errors import UnsupportedModuleError
from tf1hub.format import protos


@pytest.fixture
def with_features(tmp_path):
    """The path of a module that requires features."""
    path = export(scaling_spec(), tmp_path / "module")
    marker = protos.ModuleDef(format=3, required_features=["b", "a"])
    Path(path, "tfhub_module.pb").write_bytes(marker.SerializeToString())
    return path


def test_required_features_are_told_by_name(with_features):
    (finding,) = hub.lint(with_features, select=["required-features"]).findings
    assert finding.reason == (
        "tfhub_module.pb requires the features 'a' and 'b' of its readers; neither tf1hub nor tensorflow_hub knows any"
        " feature, so both refuse the module."
    )
    assert finding.file == "tfhub_module.pb"


def test_a_module_that_requires_features_is_still_refused_by_all_but_lint(with_features):
    with pytest.raises(UnsupportedModuleError, match=r"requires features .* \['a', 'b'\]"):
        hub.load_module_spec(with_features)


def test_a_module_of_another_format_is_not_linted(with_features):
    Path(with_features, "tfhub_module.pb").write_bytes(protos.ModuleDef(format=4).SerializeToString())
    with pytest.raises(UnsupportedModuleError, match="says format 4"):
        hub.lint(with_features)


def test_a_marker_that_is_gone_since_the_spec_was_read_is_no_finding(tmp_path):
    path = export(scaling_spec(), tmp_path / "module")
    spec = hub.load_module_spec(path)
    Path(path, "tfhub_module.pb").unlink()
    assert hub.lint(spec, select=["required-features"]).findings == []


def with_least_reader(version):
    return edited(scaling_spec(), lambda meta_graph: setattr(meta_graph.graph_def.versions, "min_consumer", version))


def reasons(spec):
    return [finding.reason for finding in hub.lint(spec, select=["tensorflow-too-new"]).findings]


def test_the_versions_that_are_too_old_are_told():
    ask = "The graph asks for a reader of graph version {} or newer, so TensorFlow {} to import it."
    assert reasons(with_least_reader(1645)) == []
    assert reasons(with_least_reader(1646)) == [ask.format("1,646", "2.15 refuses")]
    assert reasons(with_least_reader(9999)) == [ask.format("9,999", "2.15 and 2.21 refuse")]


def test_tensorflow_refuses_a_graph_that_asks_for_a_newer_reader():
    with tf.Graph().as_default(), pytest.raises(ValueError, match="min consumer version"):
        tf.import_graph_def(tf.GraphDef(versions={"min_consumer": tf.version.GRAPH_DEF_VERSION + 1}))


def test_the_facts_of_a_module_on_disk(tmp_path):
    path = export(scaling_spec(), tmp_path / "module")
    facts = hub.lint(path).facts
    assert facts.bytes == sum(map(len, exported_bytes(path).values()))
    assert facts.written_by == (tf.__version__,)
    assert facts.tensorflow == ("2.15", "2.21")


def test_a_spec_in_memory_has_no_files():
    assert hub.lint(scaling_spec()).facts.bytes is None


@pytest.mark.parametrize(("op", "having"), [("Acme>Op", ()), ("TRTEngineOp", ("2.15",)), ("DecodeJxl", ("2.21",))])
def test_the_facts_tell_which_tensorflow_has_all_ops(op, having):
    assert hub.lint(with_op(spec_with(lambda x: x * 2.0), "Mul", op)).facts.tensorflow == having
