"""A converted module in others' hands: tensorflow_hub's KerasLayer, saved_model_cli, Keras 3's TFSMLayer, TensorFlow Lite."""

import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.converting.saved_models.conversions import (
    assert_same,
    converted,
    example,
    graph_answers,
    load,
    tensorflow_hub,
)
from tests.kerases import KERAS_TWO
from tests.module_fns import KINDS

KERAS_3 = keras.__version__.startswith("3.")
only_keras_3 = pytest.mark.skipif(not KERAS_3, reason="TFSMLayer came with Keras 3")


def their_layer(kind, **options):
    return tensorflow_hub().KerasLayer(converted(kind), trainable=True, **options)


def classifier(layer, shape, dtype=tf.float32):
    """A model of Keras 2 with a converted module in it."""
    layers, models = KERAS_TWO.layers, KERAS_TWO.models
    inputs = layers.Input(shape, dtype=dtype)
    model = models.Model(inputs, layers.Dense(1)(layer(inputs)))
    model.compile(KERAS_TWO.optimizers.Adam(0.05), "mse")
    return model


FINE_TUNED = {
    "dense": (tf.float32, [3]),
    "batch_norm": (tf.float32, [3]),
    "text": (tf.string, []),
    "partitioned_rows": (tf.int64, []),
    "partitioned_references": (tf.int64, []),
    "layers_conv_batch_norm": (tf.float32, [4, 4, 3]),
    "rnn": (tf.float32, [5, 3]),
}


@pytest.mark.parametrize("kind", FINE_TUNED)
def test_their_keras_layer_fine_tunes_it(kind):
    dtype, shape = FINE_TUNED[kind]
    layer = their_layer(kind)
    model = classifier(layer, shape, dtype)
    inputs = example(kind)
    targets = np.linspace(-1.0, 1.0, len(inputs))[(...,) + (None,) * (len(layer(inputs).shape) - 1)]
    before = [variable.numpy() for variable in layer.trainable_weights]
    losses = model.fit(inputs, targets, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]
    assert any(not np.allclose(one, other) for one, other in zip(before, layer.trainable_weights, strict=True))


def test_their_keras_layer_moves_the_averages():
    layer = their_layer("batch_norm")
    model, rows = classifier(layer, [3]), example("batch_norm")
    before = {variable.name: variable.numpy() for variable in layer.non_trainable_weights}
    assert set(before) == {"norm/moving_mean:0", "norm/moving_variance:0"}
    model.predict(rows, verbose=0)
    assert all(np.array_equal(variable, before[variable.name]) for variable in layer.non_trainable_weights)
    model.fit(rows, np.zeros([len(rows), 1]), verbose=0)
    assert not any(np.allclose(variable, before[variable.name]) for variable in layer.non_trainable_weights)


def test_their_keras_layer_has_the_regularization_losses():
    layer = their_layer("regularized")
    square, absolute = layer.trainable_weights
    expected = [0.1 * np.sum(square.numpy() ** 2), np.sum(np.abs(absolute.numpy()))]
    np.testing.assert_allclose(sorted(map(float, layer.losses)), sorted(expected), rtol=1e-5)


def test_their_keras_layer_takes_an_output_of_several():
    layer = tensorflow_hub().KerasLayer(converted("several_outputs", as_dict=True), trainable=True, output_key="hidden")
    answers = graph_answers("several_outputs", "default")
    np.testing.assert_allclose(layer(example("several_outputs")), answers["hidden"], rtol=1e-5)


@pytest.mark.parametrize("kind", ["sparse_in", "ragged_in", "placeholders_with_defaults", "image"])
def test_their_keras_layer_takes_inputs_of_all_kinds(kind):
    answers = graph_answers(kind, "default")
    np.testing.assert_allclose(their_layer(kind)(example(kind)), answers["default"], rtol=1e-5)


def saved_model_cli(*arguments):
    command = [sys.executable, "-W", "ignore", "-m", "tensorflow.python.tools.saved_model_cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_saved_model_cli_shows_all_signatures():
    shown = saved_model_cli("show", "--dir", converted("several_signatures"), "--tag_set", "serve")
    assert set(re.findall(r"SignatureDef key: \"(.*)\"", shown)) >= {
        "add",
        "default",
        "full-projection",
        "serving_default",
    }


@pytest.mark.slow
def test_saved_model_cli_runs_a_signature(tmp_path):
    inputs = KINDS["several_signatures"].inputs["add"]
    np.savez(tmp_path / "in.npz", **inputs)
    given = ";".join(f"{key}={tmp_path}/in.npz[{key}]" for key in inputs)
    chosen = ["--dir", converted("several_signatures"), "--tag_set", "serve", "--signature_def", "add"]
    saved_model_cli("run", *chosen, "--inputs", given, "--outdir", str(tmp_path))
    answers = {key: np.load(tmp_path / f"{key}.npy") for key in ("default", "scaled")}
    assert_same(answers, graph_answers("several_signatures", "add"))


@only_keras_3
@pytest.mark.parametrize("kind", ["dense", "text", "several_outputs", "layers_conv_batch_norm"])
def test_keras_three_applies_a_signature(kind):
    layer = keras.layers.TFSMLayer(converted(kind), call_endpoint="serving_default")
    assert_same(layer(example(kind)), graph_answers(kind, "default"))


@only_keras_3
@pytest.mark.parametrize("kind", ["several_outputs", "while_v1", "placeholders_with_defaults"])
def test_keras_three_calls_it(kind):
    layer = keras.layers.TFSMLayer(converted(kind), call_endpoint="__call__")
    assert_same({"default": layer(example(kind))}, {"default": graph_answers(kind, "default")["default"]})


@only_keras_3
def test_it_is_part_of_a_model_of_keras_three(tmp_path):
    layer = keras.layers.TFSMLayer(converted("dense"), call_endpoint="serving_default")
    inputs = keras.Input([3])
    model = keras.Model(inputs, keras.layers.Dense(2)(layer(inputs)["default"]))
    assert model.predict(example("dense"), verbose=0).shape == (4, 2)


@pytest.mark.parametrize("kind", ["dense", "image"])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_tensorflow_lite_takes_it(kind):
    converter = tf.lite.TFLiteConverter.from_saved_model(converted(kind), signature_keys=["serving_default"])
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    run = interpreter.get_signature_runner("serving_default")
    answers = run(**KINDS[kind].inputs["default"])
    np.testing.assert_allclose(answers["default"], load(kind)(example(kind)), rtol=1e-4, atol=1e-6)
