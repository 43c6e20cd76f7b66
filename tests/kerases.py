"""Every Keras that is installed here: a test of a behaviour runs with each."""

import importlib
import importlib.util

import pytest
import tensorflow as tf

KERASES = {"tf.keras": tf.keras}
# Imported beside the Keras of TensorFlow 2.15, tf_keras changes what that one finds when it loads a model.
if importlib.util.find_spec("tf_keras") and hasattr(tf.keras, "Operation"):  # else tf.keras is a Keras 2 itself
    KERASES["tf_keras"] = importlib.import_module("tf_keras")

for_each_keras = pytest.mark.parametrize("keras", KERASES.values(), ids=list(KERASES))
