"""The signatures that ExportOutputs become. Where TensorFlow has tf.estimator, they are the same there."""

import pytest
import tensorflow as tf

from tests.training.implementations import IMPLEMENTATIONS

v1 = tf.compat.v1


@pytest.fixture(params=IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def export(request):
    with tf.Graph().as_default():
        yield request.param.export


def scores():
    return tf.constant([[0.25, 0.75]], name="scores")


def labels():
    return tf.constant([["a", "b"]], name="labels")


def examples():
    return {"anything": v1.placeholder(tf.string, [None], name="examples")}


def tensors(infos):
    return {key: info.name for key, info in infos.items()}


def signature(output):
    made = output.as_signature_def(examples())
    return made.method_name, tensors(made.inputs), tensors(made.outputs)


def test_a_single_prediction_is_named_output(export):
    assert list(export.PredictOutput(scores()).outputs) == ["output"]


def test_predictions_keep_their_names(export):
    assert list(export.PredictOutput({"b": scores(), ("c", "d"): scores()}).outputs) == ["b", "c/d"]


def test_a_prediction_takes_any_inputs(export):
    output = export.PredictOutput({"y": scores()})
    assert signature(output) == ("tensorflow/serving/predict", {"anything": "examples:0"}, {"y": "scores:0"})


def test_a_classification_takes_examples(export):
    output = export.ClassificationOutput(scores(), labels())
    served = {"scores": "scores:0", "classes": "labels:0"}
    assert signature(output) == ("tensorflow/serving/classify", {"inputs": "examples:0"}, served)


def test_a_classification_may_have_only_one_of_both(export):
    only_scores, only_labels = export.ClassificationOutput(scores()), export.ClassificationOutput(classes=labels())
    assert signature(only_scores)[2] == {"scores": "scores:0"}
    assert only_labels.as_signature_def(examples()).outputs["classes"].name == "labels:0"
    assert (only_scores.classes, only_labels.scores) == (None, None)


def test_a_regression_takes_examples(export):
    output = export.RegressionOutput(scores())
    assert signature(output) == ("tensorflow/serving/regress", {"inputs": "examples:0"}, {"outputs": "scores:0"})


def test_an_evaluation_names_what_it_gives(export):
    update = tf.no_op()
    output = export.EvalOutput({"mine": scores()}, {"p": scores(), "predictions": scores()}, {"m": (scores(), update)})
    made = output.as_signature_def(examples())
    assert made.method_name == "tensorflow/supervised/eval"
    assert sorted(made.outputs) == sorted(
        ["loss/mine", "predictions/p", "predictions", "metrics/m/value", "metrics/m/update_op"]
    )
    [wrapped] = v1.get_default_graph().get_tensor_by_name(made.outputs["metrics/m/update_op"].name).op.control_inputs
    assert wrapped is update


def test_an_evaluation_may_have_a_loss_alone(export):
    output = export.EvalOutput(scores())
    assert (list(output.loss), output.predictions, output.metrics) == (["loss"], None, None)


@pytest.mark.parametrize("kind", ["ClassificationOutput", "RegressionOutput"])
@pytest.mark.parametrize("dtypes", [[tf.float32], [tf.string, tf.string]])
def test_examples_are_one_string_tensor(export, kind, dtypes):
    inputs = {str(number): v1.placeholder(dtype, [None]) for number, dtype in enumerate(dtypes)}
    with pytest.raises(ValueError, match="string"):
        getattr(export, kind)(scores()).as_signature_def(inputs)


@pytest.mark.parametrize(
    "make",
    [
        lambda export: export.PredictOutput({"y": None}),
        lambda export: export.PredictOutput({3: scores()}),
        lambda export: export.PredictOutput([scores()]),
        lambda export: export.PredictOutput({"y": tf.sparse.from_dense([1.0])}),
        lambda export: export.ClassificationOutput(),
        lambda export: export.ClassificationOutput(labels()),
        lambda export: export.ClassificationOutput(classes=scores()),
        lambda export: export.RegressionOutput(labels()),
        lambda export: export.RegressionOutput(1.0),
        lambda export: export.EvalOutput(1.0),
    ],
)
def test_what_cannot_be_served_is_refused(export, make):
    with pytest.raises(ValueError, match=r".+"):
        make(export)
