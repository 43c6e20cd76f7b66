"""Which signatures an export has: each output with each choice of inputs, if it can be served so."""

import pytest
import tensorflow as tf

from tests.training.estimators.served import trained_estimator
from tests.training.implementations import IMPLEMENTATIONS

v1 = tf.compat.v1


@pytest.fixture(params=IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def library(request):
    return request.param


def all_kinds(library, scores):
    return {
        "serving_default": library.export.PredictOutput({"score": scores}),
        "classes": library.export.ClassificationOutput(tf.expand_dims(scores, 1)),
        "value": library.export.RegressionOutput(scores),
    }


def exported_signatures(library, folder, export_outputs, receiver_fn):
    path = trained_estimator(library, folder, export_outputs).export_saved_model(str(folder / "out"), receiver_fn)
    with tf.Graph().as_default(), v1.Session() as session:
        meta_graph = v1.saved_model.load(session, ["serve"], path.decode())
    return {
        key: ({name: info.name for name, info in made.inputs.items()}, sorted(made.outputs))
        for key, made in meta_graph.signature_def.items()
    }


def receiver_with(library, alternatives):
    def receive():
        text = v1.placeholder(tf.string, [None], name="text")
        return library.export.ServingInputReceiver({"text": text}, text, alternatives(text))

    return receive


def test_each_output_has_a_signature(library, tmp_path):
    found = exported_signatures(library, tmp_path, all_kinds, receiver_with(library, lambda text: None))
    assert found == {
        "serving_default": ({"input": "text:0"}, ["score"]),
        "classes": ({"inputs": "text:0"}, ["scores"]),
        "value": ({"inputs": "text:0"}, ["outputs"]),
    }


def test_each_choice_of_inputs_has_signatures(library, tmp_path):
    found = exported_signatures(
        library, tmp_path, None, receiver_with(library, lambda text: {"named": {"t": text}, "single": text})
    )
    assert {key: list(inputs) for key, (inputs, _) in found.items()} == {
        "serving_default": ["input"],
        "named:serving_default": ["t"],
        "single:serving_default": ["input"],
    }


def test_what_classify_and_regress_cannot_take_has_no_signature(library, tmp_path):
    def receive():
        features = {"text": v1.placeholder(tf.string, [None]), "more": v1.placeholder(tf.float32, [None])}
        return library.export.ServingInputReceiver(features, features)

    assert list(exported_signatures(library, tmp_path, all_kinds, receive)) == ["serving_default"]


def test_outputs_that_need_other_inputs_have_no_signature(library, tmp_path):
    found = exported_signatures(
        library, tmp_path, None, receiver_with(library, lambda text: {"other": v1.placeholder(tf.string, [None])})
    )
    assert list(found) == ["serving_default"]


def test_a_tensor_on_the_way_can_be_the_input(library, tmp_path):
    def receive():
        examples = v1.placeholder(tf.string, [None], name="examples")
        features = tf.io.parse_example(examples, {"text": tf.io.FixedLenFeature([], tf.string)})
        return library.export.ServingInputReceiver(features, examples, {"parsed": features})

    found = exported_signatures(library, tmp_path, None, receive)
    assert list(found["parsed:serving_default"][0]) == ["text"]


def test_sparse_inputs_have_signatures(library, tmp_path):
    def receive():
        sparse = v1.sparse_placeholder(tf.string, [None])
        text = tf.sparse.to_dense(sparse, "")
        return library.export.ServingInputReceiver({"text": text}, {"sparse": sparse})

    assert list(exported_signatures(library, tmp_path, None, receive)) == ["serving_default"]


def test_a_model_that_serves_nothing_is_exported_without_signatures(library, tmp_path):
    receiver_fn = receiver_with(library, lambda text: None)
    assert exported_signatures(library, tmp_path, lambda library, scores: {}, receiver_fn) == {}
