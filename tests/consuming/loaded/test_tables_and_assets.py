"""Tables and files of loaded modules: their contents, what they share, and that each object has its own."""

import gc
import shutil

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.loaded.loaded_kinds import loaded
from tests.graphs import export, published
from tf1hub.errors import GraphError

v1 = tf.compat.v1


def counting_table_spec():
    """A mutable table, which a training call writes to."""

    def module_fn(training):
        words = v1.placeholder(tf.string, [None])
        table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1, name="seen")
        found = table.lookup(words)
        if training:
            with tf.control_dependencies([found]):
                v1.add_to_collection("update_ops", table.insert(words, tf.ones_like(found)))
        hub.add_signature(inputs=words, outputs=found)

    variants = [(set(), {"training": False}), ({"train"}, {"training": True})]
    return hub.create_module_spec(module_fn, variants, drop_collections=["saveable_objects"])


def test_two_vocabularies_of_one_name():
    outputs = loaded("two_vocabularies")(["the cat", "a mat", "b", "?"], as_dict=True)
    assert {key: value.numpy().tolist() for key, value in outputs.items()} == {
        "x": [1, 0, -1, -1],
        "y": [1, -1, 0, -1],
        "default": [1, -7, 0, -7],
    }


def test_the_assets_are_listed():
    assert [asset.asset_path.numpy().decode().split("/")[-1] for asset in loaded("text").assets] == ["tokens.txt"]
    assert loaded("dense").assets == loaded("dense").tables == []


def test_an_asset_that_the_graph_reads_itself():
    assert loaded("asset_read_by_the_graph")().numpy() == b"line one\nline two\n"


def test_an_asset_that_a_signature_returns(tmp_path):
    def module_fn():
        vocabulary = tf.constant(str(tmp_path / "vocabulary.txt"))
        v1.add_to_collection("asset_filepaths", vocabulary)
        hub.add_signature("tokenization_info", outputs={"vocab_file": vocabulary, "do_lower_case": tf.constant(True)})

    (tmp_path / "vocabulary.txt").write_text("hello")
    module = hub.load(export(hub.create_module_spec(module_fn), tmp_path / "module"))
    outputs = module(signature="tokenization_info", as_dict=True)
    assert tf.io.read_file(outputs["vocab_file"]) == b"hello"
    hub.to_saved_model(module, tmp_path / "first")
    saved = (tmp_path / "first").rename(tmp_path / "moved")
    outputs = tf.saved_model.load(str(saved)).signatures["tokenization_info"]()
    assert tf.io.read_file(outputs["vocab_file"]) == b"hello"


def test_a_moved_module_finds_its_files(tmp_path):
    shutil.copytree(published("text"), tmp_path / "moved")
    np.testing.assert_array_equal(hub.load(tmp_path / "moved")(["the cat"]), loaded("text")(["the cat"]))


def test_objects_of_one_module_have_variables_of_their_own():
    one, two = loaded("dense"), loaded("dense")
    before = two(np.ones([1, 3]))
    for variable in one.variables:
        variable.assign(tf.zeros_like(variable))
    assert not np.any(one(np.ones([1, 3])))
    np.testing.assert_array_equal(two(np.ones([1, 3])), before)


def test_variants_share_a_mutable_table_and_objects_do_not(tmp_path):
    path = export(counting_table_spec(), tmp_path / "module")
    one, two = hub.load(path), hub.load(path)
    one(["a"], training=True)
    np.testing.assert_array_equal(one(["a", "b"]), [1, -1])
    np.testing.assert_array_equal(two(["a", "b"]), [-1, -1])


def test_a_table_lives_as_long_as_a_signature_of_its_module():
    function = loaded("table_of_tensors").signatures["default"]
    gc.collect()
    np.testing.assert_array_equal(function(default=["one", "two", "ten"])["default"], [1, 2, -1])


def test_modules_with_tables_say_why_they_do_not_compile():
    module = loaded("text")

    @tf.function(jit_compile=True)
    def gradients(words):
        with tf.GradientTape() as tape:
            embeddings = module(words)
        return tape.gradient(embeddings, module.trainable_variables)

    for function in [gradients, tf.function(lambda words: module(words), jit_compile=True)]:
        with pytest.raises(GraphError, match=r"'default', for it needs the input 'default' of strings, the table"):
            function(tf.constant(["the cat"]))
    assert tf.function(lambda words: module(words))(tf.constant(["the cat"])).shape == (1, 3)


def test_a_missing_asset_is_named(tmp_path):
    shutil.copytree(published("text"), tmp_path / "module")
    (tmp_path / "module" / "assets" / "tokens.txt").unlink()
    with pytest.raises(tf.errors.NotFoundError, match=r"tokens\.txt"):
        hub.load(tmp_path / "module")
