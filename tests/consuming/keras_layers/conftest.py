"""Each test here runs for every Keras of the environment."""

import warnings

import pytest
import tensorflow as tf

from tests.kerases import HAS_KERAS_THREE, KERASES


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


@pytest.fixture(params=list(KERASES))
def keras(request):
    """A Keras: what `tf.keras` is, or tf_keras."""
    if request.param == "tf.keras":
        return tf.keras  # once it is loaded, this is another object than at the start
    return KERASES[request.param]


@pytest.fixture
def keras_three(keras):
    """Keras 3; skips tests of it where it is not installed."""
    if not HAS_KERAS_THREE or keras is not tf.keras:
        pytest.skip("this is not Keras 3")
    return keras
