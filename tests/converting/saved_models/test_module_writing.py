"""A SavedModel of TensorFlow 1 becomes a module on disk."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.converting.saved_models.conversions import converted
from tests.graphs import ROWS, evaluate, exported_bytes, started_session
from tests.module_fns.registry import text_file
from tf1hub.converting.saved_models.module_writing import write_module

SERVE = {"serve"}


def save(path, tags=("serve",), partitioner=None, collection=None):
    """A SavedModel with a vocabulary and variables."""
    with tf.Graph().as_default():
        words, x = tf.placeholder(tf.string, [None]), tf.placeholder(tf.float32, [None, 3])
        lines = tf.lookup.TextFileInitializer(
            text_file("words.txt", ["cat", "mat"], "written"), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )  # fmt: skip
        ids = tf.lookup.StaticHashTable(lines, -1).lookup(words)
        w = tf.get_variable("w", [3, 2], partitioner=partitioner, use_resource=False)
        y = tf.matmul(x, tf.convert_to_tensor(w)) + tf.get_variable("b", [2], initializer=tf.ones_initializer())
        if collection:
            tf.add_to_collection(collection, y)
        signature = tf.saved_model.predict_signature_def({"words": words, "x": x}, {"ids": ids, "y": y})
        builder = tf.saved_model.Builder(str(path))
        with started_session() as session:
            builder.add_meta_graph_and_variables(
                session, list(tags), {"serving_default": signature}, main_op=tf.tables_initializer(),
                assets_collection=tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS),
            )  # fmt: skip
            expected = session.run({"ids": ids, "y": y}, {words: ["mat", "dog"], x: ROWS})
        builder.save()
    return str(path), expected


@pytest.mark.parametrize("partitioner", [None, tf.fixed_size_partitioner(2)])
def test_the_module_answers_as_the_saved_model(partitioner, tmp_path):
    saved, expected = save(tmp_path / "saved", partitioner=partitioner)
    write_module(saved, tmp_path / "module")
    with tf.Graph().as_default():
        module = hub.Module(str(tmp_path / "module"), tags=SERVE, trainable=True)
        outputs = evaluate(module({"words": ["mat", "dog"], "x": ROWS}, signature="serving_default", as_dict=True))
    np.testing.assert_array_equal(outputs["ids"], expected["ids"])
    np.testing.assert_allclose(outputs["y"], expected["y"], rtol=1e-6)


def test_the_module_is_whole(tmp_path):
    saved, _ = save(tmp_path / "saved")
    steps = []
    write_module(saved, tmp_path / "module", on_progress=lambda *step: steps.append(step))
    assert hub.verify(str(tmp_path / "module")).findings == []
    assert set(exported_bytes(tmp_path / "module")) >= {"tfhub_module.pb", "saved_model.pb", "assets/words.txt"}
    assert steps[-1] == (32, 32)


def test_no_graph_is_built(tmp_path, monkeypatch):
    saved, _ = save(tmp_path / "saved")
    monkeypatch.setattr(tf.Session, "__init__", lambda *arguments: pytest.fail("a session"))
    monkeypatch.setattr(tf, "import_graph_def", lambda *arguments: pytest.fail("a graph"))
    write_module(saved, tmp_path / "module")


def test_variables_of_all_graphs_are_copied(tmp_path):
    builder = tf.saved_model.Builder(str(tmp_path / "saved"))
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None])
        y = x * tf.get_variable("w", [], initializer=tf.ones_initializer())
        with tf.variable_scope("more"):
            z = y * tf.get_variable("w", [], initializer=tf.ones_initializer())
        signature = tf.saved_model.predict_signature_def({"x": x}, {"z": z})
        with started_session() as session:
            builder.add_meta_graph_and_variables(session, ["train"], {"my": signature})
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None])
        y = x * tf.get_variable("w", [])
        builder.add_meta_graph(["serve"], {"my": tf.saved_model.predict_signature_def({"x": x}, {"y": y})})
    builder.save()
    spec = write_module(tmp_path / "saved", tmp_path / "module")
    assert spec.get_tags() == [frozenset({"train"}), frozenset({"serve"})]
    assert hub.verify(str(tmp_path / "module")).findings == []


def test_a_saved_model_without_variables(tmp_path):
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None])
        with started_session() as session:
            tf.saved_model.simple_save(session, str(tmp_path / "saved"), {"x": x}, {"y": 2.0 * x})
    write_module(tmp_path / "saved", tmp_path / "module")
    with tf.Graph().as_default():
        module = hub.Module(str(tmp_path / "module"), tags=SERVE)
        assert evaluate(module({"x": [1.0]}, signature="serving_default", as_dict=True)["y"]) == [2.0]


def test_collections_that_a_module_cannot_carry_are_dropped_by_name(tmp_path):
    saved, _ = save(tmp_path / "saved", collection="mine")
    with pytest.raises(hub.errors.GraphError, match="mine"):
        write_module(saved, tmp_path / "module")
    write_module(saved, tmp_path / "module", drop_collections=["mine"])


def test_a_saved_model_of_tensorflow_2_is_refused(tmp_path):
    with pytest.raises(
        hub.errors.GraphError, match=r"cannot become a TF1 Hub module\. Use it as it is, with `hub.load`"
    ):
        write_module(converted("dense"), tmp_path / "module")
    assert list(tmp_path.iterdir()) == []


def test_damaged_values_are_found(tmp_path):
    saved, _ = save(tmp_path / "saved")
    [data] = Path(saved, "variables").glob("variables.data-*")
    data.write_bytes(b"\x77" + data.read_bytes()[1:])
    with pytest.raises(hub.errors.CorruptModuleError):
        write_module(saved, tmp_path / "module")
    assert not (tmp_path / "module").exists()


def test_nothing_that_is_there_is_replaced(tmp_path):
    saved, _ = save(tmp_path / "saved")
    before = exported_bytes(tmp_path)
    (tmp_path / "module").write_text("mine")
    for path in (saved, str(tmp_path / "module")):
        with pytest.raises(tf.errors.AlreadyExistsError):
            write_module(saved, path)
    (tmp_path / "module").unlink()
    assert exported_bytes(tmp_path) == before
