import numpy as np
import pytest
import tensorflow as tf2
import tensorflow.compat.v1 as tf

from tests.training.estimators.linear_model import ROWS, SUMS, estimator_of
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub.training.estimators.input_functions import call_input_fn


def values_of(input_fn, mode="train"):
    """The first features and labels that an input_fn gives."""
    with tf.Graph().as_default():
        inputs = call_input_fn(input_fn, mode, {}, None)
        fetches = {"features": inputs.features} | ({} if inputs.labels is None else {"labels": inputs.labels})
        with tf.train.MonitoredSession(hooks=inputs.hooks) as session:
            return session.run(fetches)


PAIR = ({"x": ROWS}, SUMS)
FORMS = {
    "dataset": lambda: tf2.data.Dataset.from_tensors(PAIR),
    "old dataset": lambda: tf.data.Dataset.from_tensors(PAIR),
    "tensors": lambda: ({"x": tf.constant(ROWS)}, tf.constant(SUMS)),
    "list": lambda: [{"x": tf.constant(ROWS)}, tf.constant(SUMS)],
    "iterator": lambda: tf.data.make_one_shot_iterator(tf.data.Dataset.from_tensors(PAIR)).get_next(),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_an_input_fn_may_return(form):
    values = values_of(FORMS[form])
    np.testing.assert_array_equal(values["features"]["x"], ROWS)
    np.testing.assert_array_equal(values["labels"], SUMS)


@pytest.mark.parametrize("form", FORMS)
def test_predictions_take_no_labels(form):
    assert set(values_of(FORMS[form], mode="infer")) == {"features"}


def test_features_alone():
    values = values_of(lambda: tf2.data.Dataset.from_tensors({"x": ROWS}))
    assert set(values) == {"features"}
    assert values["features"]["x"].shape == (4, 3)


@pytest.mark.parametrize("kind", IMPLEMENTATIONS)
def test_three_things_are_no_pair(kind, tmp_path):
    with pytest.raises(ValueError, match="features, labels"):
        estimator_of(IMPLEMENTATIONS[kind], tmp_path).train(lambda: (1, 2, 3), steps=1)


def test_a_dataset_from_outside_the_input_fn_is_told(tmp_path):
    dataset = tf2.data.Dataset.from_tensors(PAIR)
    with pytest.raises(ValueError, match="make the whole dataset inside input_fn"):
        estimator_of(IMPLEMENTATIONS["ours"], tmp_path).train(lambda: dataset)


def test_what_is_no_function_is_told(tmp_path):
    model = estimator_of(IMPLEMENTATIONS["ours"], tmp_path)
    for mistake in (None, tf2.data.Dataset.from_tensors(PAIR)):
        with pytest.raises(TypeError, match=r"input_fn is .*; it must be a function"):
            model.train(mistake, steps=1)


@pytest.mark.parametrize("kind", IMPLEMENTATIONS)
def test_an_input_fn_gets_what_it_declares(kind, tmp_path):
    seen = {}

    def input_fn(mode, params, config):
        seen.update(mode=mode, params=params, model_dir=config.model_dir)
        return {"x": tf.constant(ROWS)}, tf.constant(SUMS)

    estimator_of(IMPLEMENTATIONS[kind], tmp_path).train(input_fn, steps=1)
    assert seen == {"mode": "train", "params": {}, "model_dir": str(tmp_path)}


def test_the_input_is_on_the_cpu():
    with tf.Graph().as_default() as graph:
        call_input_fn(FORMS["dataset"], "train", {}, None)
        assert {op.device for op in graph.get_operations()} == {"/device:CPU:0"}


def test_predicting_from_input_that_never_ends_is_warned_of(caplog):
    with tf.Graph().as_default():
        call_input_fn(lambda: {"x": tf.constant(ROWS)}, "infer", {}, None)
        call_input_fn(FORMS["iterator"], "infer", {}, None)
    assert [record.message for record in caplog.records if "nothing ends" in record.message] == [
        "The graph of input_fn has neither a tf.data.Dataset nor a queue: nothing ends the predictions. Stop asking for more"
        " when you have enough."
    ]
