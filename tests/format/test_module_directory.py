"""A module's directory: what is refused, and why."""

import pytest

from tf1hub.errors import CorruptModuleError, MissingModuleError, UnsupportedModuleError
from tf1hub.format import module_directory, protos

SAVED_MODEL = protos.SavedModel(
    meta_graphs=[protos.MetaGraphDef(graph_def=protos.GraphDef(node=[protos.NodeDef(name="x", op="Const")]))]
).SerializeToString()


def put(directory, name, data):
    directory.mkdir(exist_ok=True)
    (directory / name).write_bytes(data)
    return str(directory)


def test_the_marker_is_two_bytes():
    assert module_directory.marker_bytes() == b"\x08\x03"


def test_a_directory_with_the_marker_is_a_module(tmp_path):
    assert not module_directory.is_module(str(tmp_path))
    directory = put(tmp_path, "tfhub_module.pb", b"\x08\x03")
    assert module_directory.is_module(directory)
    module_directory.check_marker(directory)


def test_a_missing_module_is_told_from_a_saved_model_and_a_file(tmp_path):
    saved_model = put(tmp_path / "plain", "saved_model.pb", SAVED_MODEL)
    put(tmp_path, "archive.tar.gz", b"")
    (tmp_path / "empty").mkdir()
    reasons = {
        str(tmp_path / "nowhere"): "There is no directory",
        str(tmp_path / "archive.tar.gz"): "is a file.*unpack",
        str(tmp_path / "empty"): "so it is no TF1 Hub module",
        saved_model: "a plain SavedModel.*create_module_spec_from_saved_model",
    }
    for directory, reason in reasons.items():
        with pytest.raises(MissingModuleError, match=reason):
            module_directory.check_marker(directory)


@pytest.mark.parametrize("data", [b"", b"\x08\x02", b"\x08\x04"])
def test_an_unknown_format_is_refused(tmp_path, data):
    with pytest.raises(UnsupportedModuleError, match=r"says format \d; this version of tf1hub reads format 3"):
        module_directory.check_marker(put(tmp_path, "tfhub_module.pb", data))


def test_required_features_are_refused_by_name(tmp_path):
    marker = protos.ModuleDef(format=3, required_features=["zeta", "alpha"]).SerializeToString()
    with pytest.raises(UnsupportedModuleError, match=r"\['alpha', 'zeta'\]"):
        module_directory.check_marker(put(tmp_path, "tfhub_module.pb", marker))


def test_a_marker_that_is_no_message_is_refused(tmp_path):
    with pytest.raises(CorruptModuleError, match="cannot be parsed"):
        module_directory.check_marker(put(tmp_path, "tfhub_module.pb", b"\xff\xff"))


@pytest.mark.parametrize("size", range(len(SAVED_MODEL)))
def test_a_truncated_saved_model_is_refused(tmp_path, size):
    with pytest.raises(CorruptModuleError, match=rf"saved_model.pb' \({size} bytes\).*Fetch the module again"):
        module_directory.read_saved_model(put(tmp_path, "saved_model.pb", SAVED_MODEL[:size]))


def test_a_whole_saved_model_is_read(tmp_path):
    saved_model = module_directory.read_saved_model(put(tmp_path, "saved_model.pb", SAVED_MODEL))
    assert saved_model.meta_graphs[0].graph_def.node[0].name == "x"


def test_a_missing_saved_model_is_named(tmp_path):
    with pytest.raises(MissingModuleError, match=r"holds no saved_model.pb"):
        module_directory.read_saved_model(str(tmp_path))


def test_the_checkpoint_lies_in_variables():
    assert module_directory.checkpoint_prefix("/m") == "/m/variables/variables"
