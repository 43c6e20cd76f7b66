"""Canned Estimators against those of `tf.estimator`, in one process: what they learn, say, and export."""

import json

import pytest
import tensorflow as tf

import tf1hub as hub
from tests.training.canned import kinds
from tf1hub import estimator as ours

pytest.importorskip("tensorflow_estimator", reason="only the predecessor's environment has tf.estimator")
SLOW = pytest.mark.slow
pytestmark = pytest.mark.filterwarnings("ignore")  # what tf.estimator warns of is not ours

theirs = tf.compat.v1.estimator


def config(estimator, folder):
    return estimator.RunConfig(model_dir=str(folder), tf_random_seed=kinds.SEED)


def agree(make, inputs, tmp_path, exported=True):
    found = []
    for estimator in (ours, theirs):
        folder = tmp_path / estimator.__name__
        model = make(estimator, config(estimator, folder))
        export_dir = str(folder / "export") if exported else None
        found.append(kinds.outcome(estimator, model, inputs(estimator, 2), inputs(estimator, 1), export_dir))
    kinds.check_agreement(*found)


QUICK = ("dnn", "linear")


@pytest.mark.parametrize("kind", [kind if kind in QUICK else pytest.param(kind, marks=SLOW) for kind in kinds.KINDS])
def test_a_kind_agrees(kind, tmp_path):
    make, labels = kinds.KINDS[kind]
    agree(make, lambda estimator, times: kinds.dataset_input_fn(labels, times), tmp_path)


@SLOW
@pytest.mark.parametrize("kind", ["text_fixed", "text_trained"])
def test_a_text_classifier_agrees(kind, tmp_path):
    make, labels = kinds.text_kinds(hub, tmp_path)[kind]
    agree(make, lambda estimator, times: kinds.dataset_input_fn(labels, times), tmp_path)


@SLOW
@pytest.mark.parametrize("kind", ["dnn", "dnn_dropout"])
def test_arrays_agree(kind, tmp_path):
    make, labels = kinds.KINDS[kind]
    agree(make, lambda estimator, times: kinds.numpy_input_fn(estimator.inputs, labels, times), tmp_path, False)


@SLOW
@pytest.mark.parametrize("kind", ["dnn_embedded", "dnn_shared"])
def test_data_frames_agree(kind, tmp_path):
    make, labels = kinds.KINDS[kind]
    agree(make, lambda estimator, times: kinds.pandas_input_fn(estimator.inputs, labels, times), tmp_path, False)


def partitions(estimator, kind, monkeypatch):
    """The parts of all variables in a graph for a worker of a cluster with two parameter servers."""
    cluster = {"chief": ["a:1"], "ps": ["b:1", "c:1"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "chief", "index": 0}}))
    make, labels = kinds.KINDS[kind]
    model = make(estimator, estimator.RunConfig(tf_random_seed=kinds.SEED))
    with tf.Graph().as_default():
        tf.compat.v1.train.create_global_step()
        features, given = tf.compat.v1.data.make_one_shot_iterator(kinds.dataset_input_fn(labels)()).get_next()
        model.model_fn(features, given, "train", model.config)
        return {variable.name: variable.shape.as_list() for variable in tf.compat.v1.global_variables()}


@pytest.mark.parametrize("kind", ["dnn_wide", "linear_wide"])
def test_parameter_servers_share_the_variables_alike(kind, monkeypatch):
    monkeypatch.setitem(kinds.KINDS, "dnn_wide", (wide_dnn, kinds.LABELS))
    monkeypatch.setitem(kinds.KINDS, "linear_wide", (wide_linear, kinds.LABELS))
    ours_, theirs_ = (partitions(estimator, kind, monkeypatch) for estimator in (ours, theirs))
    assert any("part_1" in name for name in ours_)
    assert ours_ == theirs_


def wide(buckets):
    return tf.feature_column.categorical_column_with_hash_bucket("color", buckets)


def wide_dnn(estimator, config):
    embedded = tf.feature_column.embedding_column(wide(1 << 20), 33)
    return estimator.DNNClassifier([300, 400], [embedded], config=config)


def wide_linear(estimator, config):
    return estimator.LinearClassifier([wide(1 << 25), kinds.columns.numeric_column("age")], config=config)
