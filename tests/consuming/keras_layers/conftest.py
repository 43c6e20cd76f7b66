"""Each test here runs for every Keras of the environment."""

import importlib
import importlib.metadata
import warnings

import pytest
import tensorflow as tf

HAS_KERAS_THREE = importlib.metadata.version("keras").startswith("3.")
# Keras 3 and tf_keras beside it, or TensorFlow 2.15's Keras 2: beside that, tf_keras changes what Keras's own loading finds.
KERASES = ["tf.keras", "tf_keras"] if HAS_KERAS_THREE else ["tf.keras"]


@pytest.fixture(autouse=True)
def graph():
    """Takes the place of the fixture of the tests of `hub.Module`, which makes a graph for each."""


@pytest.fixture(autouse=True)
def quiet():
    """Lets pass what Keras and the loaded module say of their own, and what is not what a test is about."""
    with warnings.catch_warnings():
        for message in ("The module has no variant with the tag 'train'", "You are saving your model as an HDF5 file"):
            warnings.filterwarnings("ignore", message=message)
        yield


@pytest.fixture(params=KERASES)
def keras(request):
    """A Keras: what `tf.keras` is, or tf_keras."""
    return tf.keras if request.param == "tf.keras" else importlib.import_module("tf_keras")


@pytest.fixture
def keras_three(keras):
    """Keras 3; skips tests of it where it is not installed."""
    if not HAS_KERAS_THREE or keras is not tf.keras:
        pytest.skip("this is not Keras 3")
    return keras
