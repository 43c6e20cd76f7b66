"""Every test here builds its graph in a fresh one."""

import pytest
import tensorflow.compat.v1 as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph
