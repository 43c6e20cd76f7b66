"""What EstimatorSpec accepts, refuses and fills in. Where TensorFlow has tf.estimator, it must do the same."""

import pytest
import tensorflow as tf

from tests.kerases import KERAS_TWO
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub import estimator

v1 = tf.compat.v1


@pytest.fixture(params=IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def library(request):
    with tf.Graph().as_default():
        yield request.param


def one():
    return tf.constant(1.0)


def other_graph(make):
    with tf.Graph().as_default():
        return make()


def test_the_modes_are_those_of_tf_estimator(library):
    keys = library.ModeKeys
    assert (keys.TRAIN, keys.EVAL, keys.PREDICT) == ("train", "eval", "infer")


def test_the_fields_have_their_order(library):
    assert library.EstimatorSpec._fields == (
        *("mode", "predictions", "loss", "train_op", "eval_metric_ops", "export_outputs", "training_chief_hooks"),
        *("training_hooks", "scaffold", "evaluation_hooks", "prediction_hooks"),
    )


def test_what_is_left_out_is_filled_in(library):
    spec = library.EstimatorSpec("train", loss=one(), train_op=tf.no_op())
    assert (spec.predictions, spec.eval_metric_ops, spec.export_outputs) == ({}, {}, None)
    assert (spec.training_chief_hooks, spec.training_hooks, spec.evaluation_hooks, spec.prediction_hooks) == ((),) * 4
    assert isinstance(spec.scaffold, v1.train.Scaffold)


def test_predictions_are_what_is_served(library):
    single = library.EstimatorSpec("infer", predictions=one())
    assert list(single.export_outputs) == ["serving_default"]
    assert list(single.export_outputs["serving_default"].outputs) == ["output"]
    several = library.EstimatorSpec("infer", predictions={"b": one(), "a": one()})
    assert list(several.export_outputs["serving_default"].outputs) == ["b", "a"]


def test_a_single_export_output_is_the_default_too(library):
    output = library.export.PredictOutput(one())
    spec = library.EstimatorSpec("infer", predictions=one(), export_outputs={"mine": output})
    assert spec.export_outputs == {"mine": output, "serving_default": output}


def test_export_outputs_of_a_training_are_let_be(library):
    spec = library.EstimatorSpec("train", loss=one(), train_op=tf.no_op(), export_outputs={"x": 3})
    assert spec.export_outputs == {"x": 3}


def test_a_loss_with_one_value_becomes_a_scalar(library):
    spec = library.EstimatorSpec("train", loss=tf.constant([[2.0]]), train_op=tf.no_op())
    assert spec.loss.shape.rank == 0
    assert spec.loss.name == "Reshape:0"
    unknown = v1.placeholder(tf.float32)
    assert library.EstimatorSpec("eval", loss=unknown).loss is unknown


def test_a_variable_trains_by_its_operation(library):
    variable = v1.get_variable("v", [], use_resource=True)
    assert library.EstimatorSpec("train", loss=one(), train_op=variable).train_op is variable.op


def test_hooks_become_tuples(library):
    hook = v1.train.SessionRunHook()
    spec = library.EstimatorSpec("eval", loss=one(), evaluation_hooks=iter([hook]))
    assert spec.evaluation_hooks == (hook,)


def test_a_keras_metric_becomes_a_pair():
    with tf.Graph().as_default():
        metric = KERAS_TWO.metrics.Mean()
        metric.update_state(tf.constant([1.0, 3.0]))
        spec = estimator.EstimatorSpec("eval", loss=one(), eval_metric_ops={"mean": metric})
        value, update = spec.eval_metric_ops["mean"]
        with v1.Session() as session:
            session.run(v1.local_variables_initializer())
            session.run(update)
            assert session.run(value) == 2.0
        assert len(v1.get_collection(v1.GraphKeys.METRIC_VARIABLES)) == 2


@pytest.mark.parametrize(
    ("error", "what", "fields"),
    [
        (ValueError, "(?i)missing", lambda: {"mode": "train", "loss": one()}),
        (ValueError, "(?i)missing", lambda: {"mode": "train", "train_op": tf.no_op()}),
        (ValueError, "(?i)missing", lambda: {"mode": "eval"}),
        (ValueError, "(?i)missing", lambda: {"mode": "infer"}),
        (ValueError, "scalar", lambda: {"mode": "eval", "loss": tf.constant([1.0, 2.0])}),
        (TypeError, "loss", lambda: {"mode": "eval", "loss": 1.0}),
        (TypeError, "train_op", lambda: {"mode": "train", "loss": one(), "train_op": 3}),
        (TypeError, "predictions", lambda: {"mode": "infer", "predictions": [one()]}),
        (TypeError, "predictions", lambda: {"mode": "infer", "predictions": {"a": 1.0}}),
        (TypeError, "predictions", lambda: {"mode": "infer", "predictions": {"a": tf.sparse.from_dense([1.0])}}),
        (TypeError, "eval_metric_ops", lambda: {"mode": "eval", "loss": one(), "eval_metric_ops": [3]}),
        (TypeError, "eval_metric_ops", lambda: {"mode": "eval", "loss": one(), "eval_metric_ops": {"a": (one(),)}}),
        (TypeError, "(?i)hooks", lambda: {"mode": "eval", "loss": one(), "evaluation_hooks": [3]}),
        (TypeError, "scaffold", lambda: {"mode": "eval", "loss": one(), "scaffold": 3}),
        (TypeError, "export_outputs", lambda: {"mode": "infer", "predictions": one(), "export_outputs": [1]}),
        (TypeError, "export_outputs", lambda: {"mode": "infer", "predictions": one(), "export_outputs": {"x": 3}}),
        (ValueError, "graph", lambda: {"mode": "eval", "loss": other_graph(one)}),
        (ValueError, "graph", lambda: {"mode": "train", "loss": one(), "train_op": other_graph(tf.no_op)}),
        (ValueError, "graph", lambda: {"mode": "infer", "predictions": {"a": other_graph(one)}}),
        (
            ValueError,
            "graph",
            lambda: {"mode": "eval", "loss": one(), "eval_metric_ops": {"a": (other_graph(one), one())}},
        ),
    ],
)
def test_what_is_no_spec_is_refused(library, error, what, fields):
    with pytest.raises(error, match=what):
        library.EstimatorSpec(**fields())


def test_of_several_export_outputs_one_is_the_default(library):
    outputs = {name: library.export.PredictOutput(one()) for name in ("a", "b")}
    with pytest.raises(ValueError, match="default"):
        library.EstimatorSpec("infer", predictions=one(), export_outputs=outputs)


def test_metrics_are_pairs_of_tensors_or_operations():
    with tf.Graph().as_default(), pytest.raises(TypeError, match=r"eval_metric_ops\['a'\] .* 2\.0"):
        estimator.EstimatorSpec("eval", loss=one(), eval_metric_ops={"a": (one(), 2.0)})


def test_a_spec_is_replaced_not_changed(library):
    spec = library.EstimatorSpec("infer", predictions=one())
    hook = v1.train.SessionRunHook()
    assert spec._replace(prediction_hooks=[hook]).prediction_hooks == (hook,)
    assert type(spec._replace(mode="infer")) is library.EstimatorSpec
    with pytest.raises(ValueError, match="mode"):
        spec._replace(mode="train")
    with pytest.raises(ValueError, match=r"(?i)predictions"):
        spec._replace(predictions=None)
    with pytest.raises(AttributeError):
        spec.mode = "train"
