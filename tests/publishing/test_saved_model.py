"""SavedModels of TensorFlow 1 become modules."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import (
    ROWS,
    eagerly,
    evaluate,
    export,
    exported_bytes,
    op_types,
    outputs_of,
    scaling_spec,
    started_session,
)
from tests.module_fns.registry import text_file

SERVE = {"serve"}
SERVING = tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY


def scaled():
    x = tf.placeholder(tf.float32, [None, 3])
    return x, x * tf.get_variable("w", [3], initializer=tf.constant_initializer(3.0), use_resource=True)


@pytest.fixture
def simple(tmp_path):
    with tf.Graph().as_default():
        x, y = scaled()
        with started_session() as session:
            tf.saved_model.simple_save(session, str(tmp_path / "simple"), {"x": x}, {"y": y})
    return str(tmp_path / "simple")


def save(path, inputs, outputs, tags=("serve",), **arguments):
    """A SavedModel by the builder."""
    builder = tf.saved_model.Builder(str(path))
    signature = tf.saved_model.predict_signature_def({"x": inputs}, {"y": outputs})
    with started_session() as session:
        builder.add_meta_graph_and_variables(session, list(tags), {"my_signature": signature}, **arguments)
    builder.save()
    return str(path)


def test_a_simply_saved_model_becomes_a_spec(simple):
    spec = hub.create_module_spec_from_saved_model(simple)
    assert (spec.get_tags(), spec.get_signature_names(SERVE)) == ([frozenset(SERVE)], [SERVING])
    assert spec.get_input_info_dict(SERVING, SERVE)["x"].get_shape().as_list() == [None, 3]
    assert op_types() == []


def test_its_module_has_the_values_of_the_saved_model(simple):
    module = hub.Module(hub.create_module_spec_from_saved_model(simple), tags=SERVE, trainable=True)
    y = module({"x": ROWS}, signature=SERVING, as_dict=True)["y"]
    assert list(module.variable_map) == ["w"]
    np.testing.assert_allclose(evaluate(y), 3 * ROWS)


def test_it_is_exported_and_tuned_as_any_other(simple, tmp_path):
    spec = hub.create_module_spec_from_saved_model(simple)
    path = export(spec, tmp_path / "module", tags=SERVE)
    module = hub.Module(path, tags=SERVE, trainable=True)
    y = module({"x": ROWS}, signature=SERVING, as_dict=True)["y"]
    step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(y))
    np.testing.assert_allclose(evaluate(module.variables, after=[step])[0], 3 - 0.1 * ROWS.sum(axis=0), rtol=1e-6)


def vocabulary_lookup():
    words = tf.placeholder(tf.string, [None])
    path = text_file("vocabulary.txt", ["cat", "mat"], "saved_model")
    initializer = tf.lookup.TextFileInitializer(
        path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    return words, tf.lookup.StaticHashTable(initializer, -1).lookup(words)


@pytest.mark.parametrize("how", ["main_op", "legacy_init_op", "nothing"])
def test_assets_and_tables_come_along(how, tmp_path):
    with tf.Graph().as_default():
        words, ids = vocabulary_lookup()
        arguments = {"assets_collection": tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS)}
        if how == "main_op":
            arguments["main_op"] = tf.tables_initializer()
        if how == "legacy_init_op":
            arguments["legacy_init_op"] = tf.tables_initializer()
        path = save(tmp_path / "saved", words, ids, **arguments)
    spec = hub.create_module_spec_from_saved_model(path)
    module = hub.Module(spec, tags=SERVE)
    assert evaluate(module({"x": ["mat", "dog"]}, signature="my_signature", as_dict=True)["y"]).tolist() == [1, -1]
    again = export(spec, tmp_path / "module", tags=SERVE)
    assert "assets/vocabulary.txt" in exported_bytes(again)


def test_several_graphs_become_variants(tmp_path):
    path = str(tmp_path / "saved")
    builder = tf.saved_model.Builder(path)
    for number, tags in enumerate([["serve"], ["train", "big"]]):
        with tf.Graph().as_default():
            x, y = scaled()
            signature = tf.saved_model.predict_signature_def({"x": x}, {"y": y * (number + 1.0)})
            with started_session() as session:
                add = (
                    builder.add_meta_graph
                    if number
                    else lambda *a, s=session: builder.add_meta_graph_and_variables(s, *a)
                )
                add(tags, {"my_signature": signature})
    builder.save()
    spec = hub.create_module_spec_from_saved_model(path)
    assert spec.get_tags() == [frozenset(SERVE), frozenset({"train", "big"})]
    module = hub.Module(spec, tags={"train", "big"})
    np.testing.assert_allclose(evaluate(module({"x": ROWS}, signature="my_signature", as_dict=True)["y"]), 6 * ROWS)


def test_collections_that_a_module_cannot_carry_are_refused_or_dropped(tmp_path):
    with tf.Graph().as_default():
        x, y = scaled()
        tf.add_to_collection("mine", y)
        path = save(tmp_path / "saved", x, y)
    with pytest.raises(ValueError, match=r"\['serve'\] has collections .*: \['mine'\].*`drop_collections=\['mine'\]`"):
        hub.create_module_spec_from_saved_model(path)
    assert hub.create_module_spec_from_saved_model(path, drop_collections=["mine"]).get_tags() == [frozenset(SERVE)]


def test_training_collections_come_along(tmp_path):
    with tf.Graph().as_default():
        x, y = scaled()
        w = tf.trainable_variables()[0]
        tf.losses.add_loss(tf.reduce_sum(w), tf.GraphKeys.REGULARIZATION_LOSSES)
        path = save(tmp_path / "saved", x, y)
    hub.Module(hub.create_module_spec_from_saved_model(path), tags=SERVE, trainable=True)
    assert evaluate(tf.losses.get_regularization_losses()) == [9.0]


def test_devices_are_cleared_when_it_is_exported(tmp_path):
    with tf.Graph().as_default(), tf.device("/job:localhost/task:0/device:CPU:0"):
        path = save(tmp_path / "saved", *scaled())
    exported = export(hub.create_module_spec_from_saved_model(path), tmp_path / "module", tags=SERVE)
    assert b"/job:" in Path(path, "saved_model.pb").read_bytes()
    assert b"/job:" not in Path(exported, "saved_model.pb").read_bytes()


def test_a_saved_model_of_tensorflow_2_is_refused(tmp_path):
    import tensorflow.compat.v2 as tf2

    def action():
        root = tf2.Module()
        root.f = tf2.function(lambda x: x * 2.0, input_signature=[tf2.TensorSpec([None, 3])])
        tf2.saved_model.save(root, str(tmp_path / "saved"), signatures=root.f.get_concrete_function())

    eagerly(action)
    with pytest.raises(ValueError, match=r"was written by TensorFlow 2.*`tf.saved_model.load`"):
        hub.create_module_spec_from_saved_model(str(tmp_path / "saved"))


def test_a_directory_without_a_saved_model_is_refused(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match=r"holds no saved_model.pb"):
        hub.create_module_spec_from_saved_model(str(tmp_path))


def test_a_module_is_a_saved_model_too(tmp_path):
    path = export(scaling_spec(), tmp_path / "module")
    spec = hub.create_module_spec_from_saved_model(path)
    assert outputs_of(spec, ROWS).tolist() == (2 * ROWS).tolist()


def test_the_saved_model_is_untouched(simple, tmp_path):
    before = exported_bytes(simple)
    export(hub.create_module_spec_from_saved_model(simple), tmp_path / "module", tags=SERVE)
    assert exported_bytes(simple) == before
