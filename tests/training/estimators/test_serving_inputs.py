"""What serving input functions return. Where TensorFlow has tf.estimator, it is the same there."""

import numpy as np
import pytest
import tensorflow as tf

from tests.training.implementations import IMPLEMENTATIONS

v1 = tf.compat.v1


@pytest.fixture(params=IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def export(request):
    with tf.Graph().as_default():
        yield request.param.export


def text():
    return v1.placeholder(tf.string, [None])


def test_single_tensors_get_names(export):
    receiver = export.ServingInputReceiver(text(), text(), {"other": text()})
    assert list(receiver.features) == ["feature"]
    assert list(receiver.receiver_tensors) == ["input"]
    assert list(receiver.receiver_tensors_alternatives["other"]) == ["input"]


def test_a_receiver_unpacks(export):
    features, receivers, alternatives = export.ServingInputReceiver({"a": text()}, {"b": text()})
    assert (list(features), list(receivers), alternatives) == (["a"], ["b"], None)


def test_sparse_and_ragged_features_are_features(export):
    features = {"s": tf.sparse.from_dense([1.0]), 3: tf.ragged.constant([[1.0]])}
    assert list(export.ServingInputReceiver(features, {"x": features["s"]}).features) == ["s", 3]


def test_a_single_feature_stays_a_tensor(export):
    tensor = text()
    assert export.TensorServingInputReceiver(tensor, text()).features is tensor


@pytest.mark.parametrize(
    ("features", "receivers", "alternatives"),
    [
        (lambda: None, text, None),
        (lambda: [text()], text, None),
        (lambda: {"a": 1.0}, text, None),
        (lambda: {("a", "b"): text()}, text, None),
        (text, lambda: None, None),
        (text, lambda: [text()], None),
        (text, lambda: {3: text()}, None),
        (text, lambda: {"x": 1.0}, None),
        (text, text, lambda: [text()]),
        (text, text, lambda: {"x": {"y": 2}}),
    ],
)
def test_what_is_no_tensor_by_name_is_refused(export, features, receivers, alternatives):
    with pytest.raises(ValueError, match=r".+"):
        export.ServingInputReceiver(features(), receivers(), alternatives and alternatives())


@pytest.mark.parametrize("features", [None, 1.0, {"a": 1.0}])
def test_a_single_feature_must_be_a_tensor(export, features):
    with pytest.raises(ValueError, match="feature"):
        export.TensorServingInputReceiver(features, text())


def test_raw_inputs_are_like_the_features(export):
    features = {"b": tf.ones([1, 3], name="image/rows"), "a": v1.placeholder(tf.int64)}
    receiver_fn = export.build_raw_serving_input_receiver_fn(features)
    with tf.Graph().as_default():
        receiver = receiver_fn()
    assert list(receiver.features) == list(receiver.receiver_tensors) == ["b", "a"]
    assert receiver.features["b"] is receiver.receiver_tensors["b"]
    assert receiver.features["b"].op.type == "Placeholder"
    assert (receiver.features["b"].name, receiver.features["b"].shape.as_list()) == ("image/rows:0", [None, 3])
    assert receiver.features["a"].shape.rank is None


def test_raw_inputs_may_have_a_batch_size(export):
    receiver_fn = export.build_raw_serving_input_receiver_fn({"x": tf.ones([1, 3])}, default_batch_size=5)
    assert receiver_fn().features["x"].shape.as_list() == [5, 3]


def test_raw_inputs_can_be_like_eager_tensors(export):
    with tf.init_scope():
        receiver_fn = export.build_raw_serving_input_receiver_fn({"x": tf.ones([1, 3])})
    assert receiver_fn().features["x"].shape.as_list() == [None, 3]


def test_examples_are_parsed(export):
    spec = {"a": tf.io.FixedLenFeature([2], tf.int64), "s": tf.io.VarLenFeature(tf.string)}
    receiver = export.build_parsing_serving_input_receiver_fn(spec)()
    assert {name: tensor.name for name, tensor in receiver.receiver_tensors.items()} == {
        "examples": "input_example_tensor:0"
    }
    example = tf.train.Example()
    example.features.feature["a"].int64_list.value.extend([3, 4])
    with v1.Session() as session:
        features = session.run(receiver.features, {"input_example_tensor:0": [example.SerializeToString()]})
    np.testing.assert_array_equal(features["a"], [[3, 4]])
    assert len(features["s"].values) == 0


def test_examples_may_have_a_batch_size(export):
    spec = {"a": tf.io.FixedLenFeature([2], tf.int64)}
    receiver = export.build_parsing_serving_input_receiver_fn(spec, default_batch_size=3)()
    assert receiver.features["a"].shape.as_list() == [3, 2]
