"""The examples in tf1hub's docstrings run."""

import doctest
import importlib
import pkgutil
import warnings
from contextlib import nullcontext
from pathlib import Path

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub

# What is of TensorFlow 2; the rest is run in a graph of its own.
EAGER = tuple(
    f"tf1hub.{name}"
    for name in (
        "consuming.keras_layers",
        "consuming.loaded",
        "converting.saved_models",
        "training.exports.module_export_callback",
    )
)


def docstring_examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = []
    for info in pkgutil.walk_packages(hub.__path__, "tf1hub."):
        module = importlib.import_module(info.name)
        found += [test for test in finder.find(module, info.name) if test.examples]
    return found


def text_module_fn(vocabulary: Path):
    """A text embedding with a vocabulary."""

    def module_fn() -> None:
        text = tf.placeholder(tf.string, [None])
        lines = tf.lookup.TextFileInitializer(
            str(vocabulary),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        table = tf.lookup.StaticVocabularyTable(lines, 1)
        vectors = tf.get_variable("vectors", [4, 2], initializer=tf.ones_initializer())
        hub.add_signature(inputs=text, outputs=tf.gather(vectors, table.lookup(text)))

    return module_fn


def image_module_fn() -> None:
    images = tf.placeholder(tf.float32, [None, 32, 48, 3])
    hub.add_signature(inputs={"images": images}, outputs=tf.reduce_mean(images, [1, 2]))


def write_saved_model(path: Path) -> None:
    """One of TensorFlow 1, with a collection that a module cannot carry."""
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None])
        w = tf.get_variable("w", [], use_resource=True)
        tf.add_to_collection("losses", w * w)
        session.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(session, str(path), {"x": x}, {"y": w * x})


def write_checkpoint(spec: hub.ModuleSpec, folder: Path) -> None:
    """A training run's checkpoint: the module's variables under the scope that it was instantiated in."""
    with tf.Graph().as_default(), tf.Session() as session:
        hub.Module(spec)
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, str(folder / "model.ckpt"), global_step=100)


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """What the docstrings take as given, by name."""
    folder = tmp_path_factory.mktemp("docstrings")
    (folder / "vocabulary.txt").write_text("a\nthe\nsentence\n")
    spec = hub.create_module_spec(text_module_fn(folder / "vocabulary.txt"))
    with tf.Graph().as_default(), tf.Session() as session:
        module = hub.Module(spec)
        session.run(tf.global_variables_initializer())
        module.export(folder / "text", session)
    write_saved_model(folder / "saved_model")
    (folder / "training").mkdir()
    write_checkpoint(spec, folder / "training")
    return {
        "hub": hub,
        "tf": tf,
        "spec": spec,
        "path": str(folder / "text"),
        "image_spec": hub.create_module_spec(image_module_fn),
        "saved_model_path": str(folder / "saved_model"),
        "training_dir": str(folder / "training"),
    }


@pytest.mark.parametrize("example", docstring_examples(), ids=lambda example: example.name)
def test_example_runs(example, given, tmp_path):
    example.globs.update(given, new_path=str(tmp_path / "new"))
    report: list[str] = []
    with nullcontext() if example.name.startswith(EAGER) else tf.Graph().as_default(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"`tf\.layers", category=UserWarning)
        result = doctest.DocTestRunner().run(example, out=report.append, clear_globs=False)
    assert result.failed == 0, "".join(report)


def test_examples_are_found():
    names = {example.name for example in docstring_examples()}
    assert {"tf1hub.consuming.module.Module", "tf1hub.spec.ModuleSpec", "tf1hub.names.node_name"} <= names
