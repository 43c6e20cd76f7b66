"""Estimator.export_saved_model: what is written, that it can be loaded and moved, and that it is whole or not there."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.graphs import spec_of
from tests.module_fns import KINDS
from tests.training.estimators.served import TEXTS, estimator_of, predicted, receive_texts, trained_estimator
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub import estimator as ours
from tf1hub.errors import CheckpointError, MissingAssetError, MissingCheckpointError

v1 = tf.compat.v1


@pytest.fixture(params=IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def library(request):
    return request.param


def files_below(path):
    return sorted(str(each.relative_to(path)) for each in Path(path).rglob("*") if each.is_file())


def served_by_session(path, key="scaled"):
    """What the export gives for the texts, the way TensorFlow 1 loads it."""
    with tf.Graph().as_default(), v1.Session() as session:
        signature = v1.saved_model.load(session, ["serve"], str(path)).signature_def["serving_default"]
        return session.run(signature.outputs[key].name, {signature.inputs["text"].name: TEXTS})


def served_by_function(path):
    """What the export gives for the texts, the way TensorFlow 2 loads it."""
    with tf.init_scope():
        function = tf.saved_model.load(str(path)).signatures["serving_default"]
        return function(text=tf.constant(TEXTS))["scaled"].numpy()


@contextlib.contextmanager
def full_disk():
    """No file may grow beyond ten bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_an_export_is_named_after_the_time(library, tmp_path):
    path = trained_estimator(library, tmp_path).export_saved_model(str(tmp_path / "out"), receive_texts(library))
    assert isinstance(path, bytes)
    assert [os.fsencode(each) for each in (tmp_path / "out").iterdir()] == [path]
    assert len(Path(path.decode()).name) == 10


def test_what_lies_in_an_export(library, tmp_path):
    (tmp_path / "notes.txt").write_text("notes")
    extra = {"doc/notes.txt": str(tmp_path / "notes.txt")}
    estimator = trained_estimator(library, tmp_path)
    path = estimator.export_saved_model(str(tmp_path / "out"), receive_texts(library), assets_extra=extra)
    assert files_below(path.decode()) == [
        *("assets.extra/doc/notes.txt", "assets/vocabulary.txt", "saved_model.pb"),
        *("variables/variables.data-00000-of-00001", "variables/variables.index"),
    ]
    variables = dict(tf.train.list_variables(path.decode() + "/variables/variables"))
    assert variables == {"global_step": [], "scores": [4]}


def test_the_graph_is_the_same_as_tf_estimators(library, tmp_path):
    path = trained_estimator(library, tmp_path).export_saved_model(str(tmp_path / "out"), receive_texts(library))
    with tf.Graph().as_default() as graph, v1.Session() as session:
        meta_graph = v1.saved_model.load(session, ["serve"], path.decode())
        [main_op] = meta_graph.collection_def["saved_model_main_op"].node_list.value
        initializers = graph.get_operation_by_name(main_op).control_inputs
    assert meta_graph.meta_info_def.stripped_default_attrs
    assert meta_graph.saver_def.sharded
    assert (main_op, [op.name for op in initializers]) == ("group_deps", ["init", "init_1", "init_all_tables"])
    assert sorted(meta_graph.collection_def) == [
        *("asset_filepaths", "global_step", "local_variables", "saved_model_assets", "saved_model_main_op"),
        *("table_initializer", "trainable_variables", "variables"),
    ]


def test_an_export_serves_what_the_estimator_predicts(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)
    path = estimator.export_saved_model(str(tmp_path / "out"), receive_texts(library)).decode()
    np.testing.assert_array_equal(served_by_session(path), predicted(estimator))
    np.testing.assert_array_equal(served_by_function(path), predicted(estimator))


def test_an_export_can_be_moved(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)
    path = estimator.export_saved_model(str(tmp_path / "out"), receive_texts(library)).decode()
    expected = predicted(estimator)
    shutil.move(path, tmp_path / "moved")
    (tmp_path / "vocabulary.txt").unlink()
    np.testing.assert_array_equal(served_by_session(tmp_path / "moved"), expected)
    np.testing.assert_array_equal(served_by_function(tmp_path / "moved"), expected)


@pytest.mark.slow
def test_saved_model_cli_runs_an_export(tmp_path):
    estimator = trained_estimator(ours, tmp_path)
    path = estimator.export_saved_model(str(tmp_path / "out"), receive_texts(ours)).decode()
    cli = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "run", "--dir", path, "--tag_set", "serve"]
    inputs = f"text={TEXTS!r}"
    cli += ["--signature_def", "serving_default", "--input_exprs", inputs, "--outdir", str(tmp_path / "results")]
    subprocess.run(cli, check=True, capture_output=True, timeout=120)
    np.testing.assert_array_equal(np.load(tmp_path / "results" / "scaled.npy"), predicted(estimator))


def test_an_export_can_be_text(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)
    path = estimator.export_saved_model(str(tmp_path / "out"), receive_texts(library), as_text=True).decode()
    assert "saved_model.pbtxt" in files_below(path)
    np.testing.assert_array_equal(served_by_session(path), predicted(estimator))


def test_an_earlier_checkpoint_can_be_exported(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)
    earlier = tf.train.get_checkpoint_state(estimator.model_dir).all_model_checkpoint_paths[0]
    path = estimator.export_saved_model(str(tmp_path / "out"), receive_texts(library), checkpoint_path=earlier)
    exported = tf.train.load_variable(path.decode() + "/variables/variables", "scores")
    np.testing.assert_array_equal(exported, tf.train.load_variable(earlier, "scores"))
    assert not np.array_equal(exported, estimator.get_variable_value("scores"))


def test_a_relative_path_stays_relative(library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = trained_estimator(library, tmp_path).export_saved_model(b"out", receive_texts(library))
    assert path == b"out/" + os.fsencode(os.listdir("out")[0])


@pytest.mark.parametrize("start", ["~/", "file://{home}/"])
def test_the_path_that_is_returned_can_be_opened(tmp_path, monkeypatch, start):
    monkeypatch.setenv("HOME", str(tmp_path))
    base = start.format(home=tmp_path) + "out"
    path = trained_estimator(ours, tmp_path).export_saved_model(base, receive_texts(ours))
    assert os.fsdecode(path) == f"{tmp_path}/out/{os.listdir(tmp_path / 'out')[0]}"


def test_the_scaffolds_initializer_is_run_when_the_export_is_loaded(library, tmp_path):
    def scaffold():
        return v1.train.Scaffold(
            local_init_op=tf.group(v1.local_variables()[0].assign(3.0), v1.tables_initializer(), name="mine")
        )

    estimator = trained_estimator(library, tmp_path, scaffold=scaffold)
    path = estimator.export_saved_model(str(tmp_path / "out"), receive_texts(library)).decode()
    np.testing.assert_array_equal(served_by_session(path), 3.0 * served_by_session(path, "score"))


@pytest.mark.parametrize(
    "kind", ["partitioned_lookup", "two_vocabularies", "ragged_in", "while_v2", "while_v1", "batch_norm"]
)
def test_a_module_is_exported_with_the_model(kind, tmp_path):
    parts = parts_of(kind)
    estimator = estimator_with_module(kind, tmp_path)

    def receive():
        placeholders = {name: v1.placeholder(part.dtype, [None] * part.ndim) for name, part in parts.items()}
        return ours.export.ServingInputReceiver(placeholders, placeholders)

    path = estimator.export_saved_model(tmp_path / "out", receive).decode()
    [expected] = estimator.predict(lambda: tf.data.Dataset.from_tensors(parts), yield_single_examples=False)
    with tf.Graph().as_default(), v1.Session() as session:
        signature = v1.saved_model.load(session, ["serve"], path).signature_def["serving_default"]
        served = session.run(
            signature.outputs["y"].name, {signature.inputs[name].name: part for name, part in parts.items()}
        )
    np.testing.assert_array_equal(served, expected["y"])


def parts_of(kind):
    """The arrays that one of a module's inputs consists of: a ragged one is its values and its row splits."""
    parts = {}
    for name, value in KINDS[kind].inputs["default"].items():
        if isinstance(value, v1.ragged.RaggedTensorValue):
            parts |= {name: np.asarray(value.values), f"{name}/row_splits": np.asarray(value.row_splits)}
        else:
            parts[name] = np.asarray(value)
    return parts


def estimator_with_module(kind, folder):
    def model_fn(features, mode):
        inputs = {name: part for name, part in features.items() if "/" not in name}
        for name in inputs:
            if f"{name}/row_splits" in features:
                inputs[name] = tf.RaggedTensor.from_row_splits(inputs[name], features[f"{name}/row_splits"])
        [y, *_] = hub.Module(spec_of(kind), trainable=True)(inputs, as_dict=True).values()
        y = tf.convert_to_tensor(y.flat_values if isinstance(y, tf.RaggedTensor) else y)
        train_op = v1.assign_add(v1.train.get_global_step(), 1)
        return ours.EstimatorSpec(mode, {"y": y}, tf.reduce_sum(tf.cast(y, tf.float32)), train_op)

    estimator = ours.Estimator(model_fn, folder / "model")
    return estimator.train(lambda: tf.data.Dataset.from_tensors(parts_of(kind)), steps=1)


@pytest.mark.parametrize(
    "options",
    [
        {"serving_input_receiver_fn": None},
        {"experimental_mode": "foo"},
        {"checkpoint_path": "nowhere"},
    ],
)
def test_what_cannot_be_exported_is_refused(library, tmp_path, options):
    arguments = {"serving_input_receiver_fn": receive_texts(library), **options}
    with pytest.raises(ValueError, match=r".+"):
        trained_estimator(library, tmp_path).export_saved_model(str(tmp_path / "out"), **arguments)


def test_a_model_without_a_checkpoint_is_refused(library, tmp_path):
    with pytest.raises(ValueError, match="model"):
        estimator_of(library, tmp_path).export_saved_model(str(tmp_path / "out"), receive_texts(library))


def test_a_missing_extra_file_is_refused(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)
    with pytest.raises(tf.errors.NotFoundError, match="nowhere"):
        estimator.export_saved_model(str(tmp_path / "out"), receive_texts(library), {"a": "nowhere"})


def test_our_errors_are_ours(tmp_path):
    estimator, receiver_fn = estimator_of(ours, tmp_path), receive_texts(ours)
    with pytest.raises(MissingCheckpointError, match="Train it first"):
        estimator.export_saved_model(tmp_path / "out", receiver_fn)
    with pytest.raises(MissingAssetError, match="no such file"):
        estimator.export_saved_model(tmp_path / "out", receiver_fn, {"a": "nowhere"})


@pytest.mark.parametrize("target", ["/absolute", "../outside", "doc/../../outside", ".."])
def test_extra_files_stay_below_their_folder(tmp_path, target):
    (tmp_path / "notes.txt").write_text("notes")
    estimator = trained_estimator(ours, tmp_path)
    with pytest.raises(ValueError, match=r"assets\.extra"):
        estimator.export_saved_model(tmp_path / "out", receive_texts(ours), {target: str(tmp_path / "notes.txt")})
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_that_lacks_variables_leaves_nothing_behind(tmp_path):
    def scaffold():
        v1.get_variable("extra", [2])

    trained_estimator(ours, tmp_path)
    with pytest.raises(CheckpointError, match="extra"):
        estimator_of(ours, tmp_path, scaffold=scaffold).export_saved_model(tmp_path / "out", receive_texts(ours))
    assert not (tmp_path / "out").exists()


def test_training_may_go_on_without_an_export(tmp_path):
    estimator = trained_estimator(ours, tmp_path)
    exporter = ours.LatestExporter("latest", receive_texts(ours), stop_on_error=False)
    with full_disk(), pytest.warns(UserWarning, match="Training goes on"):
        assert exporter.export(estimator, str(tmp_path / "out"), None, {}, False) is None
    assert not (tmp_path / "out").exists()
    assert exporter.export(estimator, str(tmp_path / "out"), None, {}, False) is not None


def test_a_mistake_of_the_program_is_no_full_disk(tmp_path):
    def receiver_fn():
        raise FileNotFoundError("no vocabulary")

    estimator = trained_estimator(ours, tmp_path)
    exporter = ours.LatestExporter("latest", receiver_fn, stop_on_error=False)
    with pytest.raises(FileNotFoundError, match="no vocabulary"):
        exporter.export(estimator, str(tmp_path / "out"), None, {}, False)


def test_a_full_disk_leaves_older_exports_intact(tmp_path):
    estimator, receiver_fn = trained_estimator(ours, tmp_path), receive_texts(ours)
    older = estimator.export_saved_model(tmp_path / "out", receiver_fn).decode()
    with full_disk(), pytest.raises(OSError, match="make room"):
        estimator.export_saved_model(tmp_path / "out", receiver_fn)
    assert os.listdir(tmp_path / "out") == [os.path.basename(older)]
    np.testing.assert_array_equal(served_by_session(older), predicted(estimator))
