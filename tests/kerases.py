"""Every Keras that is installed here: a test of a behaviour runs with each."""

import importlib
import importlib.util

import pytest
import tensorflow as tf

HAS_KERAS_THREE = hasattr(tf.keras, "Operation")
KERASES = {"tf.keras": tf.keras}
if HAS_KERAS_THREE and importlib.util.find_spec("tf_keras"):
    KERASES["tf_keras"] = importlib.import_module("tf_keras")

# As tensorflow_hub takes it: tf_keras beside Keras 3, else TensorFlow's own.
KERAS_TWO = KERASES.get("tf_keras", tf.keras)

for_each_keras = pytest.mark.parametrize("keras", KERASES.values(), ids=list(KERASES))
