"""SavedModels of TensorFlow 2 and other callables, beside tensorflow_hub's own layer."""

import functools
import warnings

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.keras_layers.models import ROWS, TARGETS, answers, trained
from tests.graphs import published
from tests.module_fns.registry import new_path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    tensorflow_hub = pytest.importorskip("tensorflow_hub")


class Reusable(tf.train.Checkpoint):
    """A dense layer with a training mode, a moving sum of what it saw, and a regularization loss."""

    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(np.linspace(-1.0, 1.0, 6).reshape(3, 2), dtype=tf.float32, name="dense/kernel")
        self.seen = tf.Variable(0.0, trainable=False, name="seen")
        self.variables = [self.kernel, self.seen]
        self.trainable_variables = [self.kernel]
        self.regularization_losses = [self.loss]

    @tf.function(input_signature=[], autograph=False)
    def loss(self):
        return 0.1 * tf.reduce_sum(self.kernel**2)

    @functools.partial(tf.function, autograph=False)
    def __call__(self, inputs, training=False, scale=1.0):
        if training:
            self.seen.assign_add(1.0)
        return scale * tf.matmul(inputs, self.kernel) * (2.0 if training else 1.0)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "inputs")], autograph=False)
    def serve(self, inputs):
        return {"twice": 2.0 * tf.matmul(inputs, self.kernel), "same": inputs}


@functools.cache
def saved_path(plain: bool = False):
    """The path of a SavedModel that can be called, or that has signatures only."""
    module = Reusable()
    for training in (False, True):
        for scale in (1.0, 0.5):
            module.__call__.get_concrete_function(tf.TensorSpec([None, 3]), training, scale)
    saved = module
    if plain:
        saved = tf.Module()
        saved.kernel, saved.seen = module.kernel, module.seen
    path = new_path("saved")
    tf.saved_model.save(saved, path, signatures={"serving": module.serve})
    return path


def both(keras, path, **arguments):
    """Our layer, and the predecessor's, which has a Keras of its own choice."""
    return hub.KerasLayer(path, keras=keras, **arguments), tensorflow_hub.KerasLayer(path, **arguments)


@pytest.mark.parametrize("arguments", [{}, {"trainable": True}, {"arguments": {"scale": 0.5}}])
@pytest.mark.parametrize("training", [None, True, False])
def test_calls_a_saved_model_as_the_predecessor(keras, arguments, training):
    ours, theirs = both(keras, saved_path(), **arguments)
    inputs = tf.constant(ROWS)
    np.testing.assert_array_equal(ours(inputs, training=training), theirs(inputs, training=training))


@pytest.mark.parametrize(
    "arguments",
    [
        {"signature": "serving", "output_key": "twice"},
        {"signature": "serving", "signature_outputs_as_dict": True},
        {"signature": "serving", "output_key": "twice", "output_shape": [2]},
    ],
)
def test_calls_a_signature_as_the_predecessor(keras, arguments):
    ours, theirs = (layer(tf.constant(ROWS)) for layer in both(keras, saved_path(plain=True), **arguments))
    tf.nest.map_structure(np.testing.assert_array_equal, dict(enumerate([ours])), dict(enumerate([theirs])))


def test_has_the_weights_and_losses_of_the_predecessor(keras):
    for trainable in (True, False):
        ours, theirs = both(keras, saved_path(), trainable=trainable)
        assert len(ours.trainable_weights) == len(theirs.trainable_weights) == trainable
        assert len(ours.non_trainable_weights) == len(theirs.non_trainable_weights)
        np.testing.assert_allclose(sum(map(float, ours.losses)), sum(map(float, theirs.losses)))


def test_a_saved_model_is_trained(keras):
    layer = hub.KerasLayer(saved_path(), trainable=True, keras=keras)
    before = np.asarray(layer.trainable_weights[0])
    trained(keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)]))
    assert not np.array_equal(before, layer.trainable_weights[0])
    assert float(layer.non_trainable_weights[0]) == 1.0


def test_a_model_with_a_saved_model_is_saved_and_loaded(keras, tmp_path):
    layer = hub.KerasLayer(saved_path(), trainable=True, keras=keras)
    model = trained(keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)]), targets=TARGETS)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(answers(keras.models.load_model(tmp_path / "model.keras")), answers(model))


def test_a_model_of_the_predecessor_is_loaded(keras, tmp_path):
    theirs = tensorflow_hub.KerasLayer(saved_path(), trainable=True)
    if not isinstance(theirs, keras.layers.Layer):
        pytest.skip("the predecessor's layer is of another Keras")
    model = trained(keras.Sequential([keras.Input((3,)), theirs, keras.layers.Dense(1)]))
    model.save(tmp_path / "model.keras")
    ours = keras.models.load_model(tmp_path / "model.keras", custom_objects={"KerasLayer": hub.KerasLayer.of(keras)})
    assert isinstance(ours.layers[0], hub.KerasLayer)
    np.testing.assert_array_equal(answers(ours), answers(model))


def test_a_half_precision_policy_leaves_a_saved_model_in_its_own_dtype(keras):
    layer = hub.KerasLayer(saved_path(), dtype="mixed_float16", keras=keras)
    result = layer(tf.constant(ROWS, tf.float16))
    assert result.dtype == tf.float16
    np.testing.assert_allclose(result, hub.KerasLayer(saved_path(), keras=keras)(ROWS), atol=1e-2)


def test_any_callable_will_do(keras):
    np.testing.assert_array_equal(hub.KerasLayer(tf.nn.relu, keras=keras)(ROWS), np.maximum(ROWS, 0.0))


def test_a_layer_of_keras_is_a_callable_with_variables(keras):
    dense = keras.layers.Dense(2)
    dense.build((None, 3))
    layer = hub.KerasLayer(dense, trainable=True, keras=keras)
    np.testing.assert_array_equal(layer(ROWS), dense(ROWS))
    assert len(layer.weights) == len(layer.trainable_weights) == 2


def test_the_shape_of_a_saved_models_output(keras):
    assert tuple(hub.KerasLayer(saved_path(), keras=keras).compute_output_shape((None, 3))) == (None, 2)


@pytest.mark.parametrize(
    ("plain", "arguments", "message"),
    [
        (True, {}, r"cannot be called itself. Pass `signature`, one of \['serving'\]"),
        (True, {"signature": "other", "output_key": "x"}, r"no signature 'other'. There are: \['serving'\]"),
        (True, {"signature": "serving"}, "either `output_key` or"),
        (False, {"signature_outputs_as_dict": True}, "goes with `signature`"),
    ],
)
def test_refuses_what_the_predecessor_refuses(keras, plain, arguments, message):
    with pytest.raises(ValueError):
        tensorflow_hub.KerasLayer(saved_path(plain), **arguments)
    with pytest.raises(ValueError, match=message):
        hub.KerasLayer(saved_path(plain), keras=keras, **arguments)


def test_a_signature_is_not_trained(keras):
    layer = hub.KerasLayer(saved_path(True), signature="serving", output_key="twice", trainable=True, keras=keras)
    with pytest.raises(ValueError, match="neither a training mode nor"):
        layer(tf.constant(ROWS))


def test_an_output_that_is_not_there(keras):
    layer = hub.KerasLayer(saved_path(True), signature="serving", output_key="other", keras=keras)
    with pytest.raises(ValueError, match=r"no output 'other': the call gives the outputs \['same', 'twice'\]"):
        layer(tf.constant(ROWS))


def test_applies_a_module_as_the_predecessor(keras):
    ours, theirs = both(keras, published("several_outputs"), output_key="hidden")
    np.testing.assert_allclose(ours(ROWS), theirs(ROWS), rtol=1e-6)
