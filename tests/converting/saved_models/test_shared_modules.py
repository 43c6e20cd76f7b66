"""Real modules of other projects, and the predecessor's own, converted: their answers, and their fine-tuning by others."""

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.converting.saved_models.conversions import assert_same, tensorflow_hub
from tests.kerases import KERAS_TWO
from tests.test_shared_modules import TEXT_MODULES, answers, shared
from tf1hub.converting.saved_models.conversion import to_saved_model


def test_half_plus_two_learns_another_line(tmp_path):
    to_saved_model(shared("half_plus_two"), tmp_path / "out")
    layer = tensorflow_hub().KerasLayer(str(tmp_path / "out"), trainable=True)
    x = np.array([[0.0], [1.0], [2.0]], np.float32)
    np.testing.assert_allclose(layer(x), 0.5 * x + 2.0)
    model = KERAS_TWO.Sequential([KERAS_TWO.layers.InputLayer([1]), layer])
    model.compile(KERAS_TWO.optimizers.SGD(0.2), "mse")
    model.fit(x, 3.0 * x - 1.0, epochs=100, verbose=0)
    np.testing.assert_allclose([float(weight.numpy()) for weight in layer.weights], [3.0, -1.0], atol=1e-2)


@pytest.mark.parametrize("name", TEXT_MODULES)
def test_text_modules_answer_as_the_predecessor_did(name, tmp_path):
    inputs, expected = answers(name)
    to_saved_model(shared(f"text_by_predecessor/{name}"), tmp_path / "out")
    model = tf.saved_model.load(str(tmp_path / "out"))
    np.testing.assert_allclose(model(tf.constant(inputs)), expected, atol=1e-5)


def test_dm21m_is_converted_whole(tmp_path):
    done = to_saved_model(shared("dm21m"), tmp_path / "out")
    model = tf.saved_model.load(str(tmp_path / "out"))
    infos = hub.load_module_spec(shared("dm21m")).get_input_info_dict()
    random = np.random.RandomState(0)
    inputs = {
        key: tf.constant(random.uniform(0.1, 1.0, [3, info.get_shape()[1]]), info.dtype)
        for key, info in sorted(infos.items())
    }
    outputs = model(inputs)
    np.testing.assert_allclose(outputs["grid_contribution"], [2.7873104, 0.1396753, 0.0488833], rtol=1e-4)
    assert_same(model.signatures["default"](**inputs), outputs)
    assert (done.variables, done.regularization_losses, len(done.attached_messages)) == (28, 12, 1)
    losses = [loss().numpy() for loss in model.regularization_losses]
    np.testing.assert_allclose(losses[:2], [3.9742878e-07, 1.6771613e-13], rtol=1e-4)
