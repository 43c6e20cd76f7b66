"""Registering modules for export: any name that is a folder of its own."""

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import scaling_spec
from tf1hub.training.exports.registered_modules import registered_modules


@pytest.fixture(autouse=True)
def _graph():
    with tf.Graph().as_default():
        yield


@pytest.fixture
def module(_graph):
    return hub.Module(scaling_spec())


@pytest.mark.parametrize("name", ["encoder", "text/encoder", "a.b-c_d", "...", "über", ".hidden", "with space"])
def test_a_module_is_registered_by_its_name(module, name):
    hub.register_module_for_export(module, name)
    assert registered_modules() == [(name, module)]


def test_several_modules_are_registered_in_their_order(module):
    other = hub.Module(scaling_spec())
    for name, each in (("b", module), ("a", other), ("c", module), ("bc", module), ("d/a", module), ("d/b", module)):
        hub.register_module_for_export(each, name)
    assert [name for name, _ in registered_modules()] == ["b", "a", "c", "bc", "d/a", "d/b"]
    assert registered_modules()[1][1] is other


def test_other_graphs_have_their_own(module):
    hub.register_module_for_export(module, "encoder")
    with tf.Graph().as_default():
        assert registered_modules() == []
        hub.register_module_for_export(hub.Module(scaling_spec()), "encoder")


def test_a_name_is_taken_once(module):
    hub.register_module_for_export(module, "encoder")
    with pytest.raises(ValueError, match="registered for export as 'encoder' in this graph already"):
        hub.register_module_for_export(module, "encoder")


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a/b")])
def test_no_module_lies_in_the_folder_of_another(module, names):
    hub.register_module_for_export(module, names[0])
    with pytest.raises(ValueError, match="one would lie in the other's folder"):
        hub.register_module_for_export(module, names[1])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is empty"),
        ("/tmp/encoder", "absolute"),
        ("gs://bucket/encoder", "absolute"),
        ("..", "does not name a folder below"),
        ("../encoder", "does not name a folder below"),
        ("a/../../b", "does not name a folder below"),
        ("a\\..\\b", "does not name a folder below"),
        (".", "does not name a folder below"),
        ("a/", "does not name a folder below"),
        ("a//b", "does not name a folder below"),
        ("a\0b", "does not name a folder below"),
    ],
)
def test_a_name_that_is_no_folder_below_the_export_is_refused(module, name, message):
    with pytest.raises(ValueError, match=message):
        hub.register_module_for_export(module, name)
    assert registered_modules() == []


def test_only_modules_are_registered():
    with pytest.raises(TypeError, match=r"Only a hub\.Module can be registered for export; this is str"):
        hub.register_module_for_export("module", "encoder")


def test_an_export_of_the_graph_does_not_take_it_along(module):
    hub.register_module_for_export(module, "encoder")
    assert not [key for key in tf.get_default_graph().get_all_collection_keys() if "export" in key]
