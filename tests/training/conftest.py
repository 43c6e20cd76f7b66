"""TensorFlow's messages, as they are when a program begins: the command line and examples turn them down."""

import logging

import pytest
import tensorflow as tf


@pytest.fixture(autouse=True)
def tensorflow_warns():
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(level)
