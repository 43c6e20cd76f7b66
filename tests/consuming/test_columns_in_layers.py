"""Feature columns in layers that keep their state: one module for each layer, under the layer's name."""

import copy

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import export, spec_of
from tests.kerases import KERAS_TWO
from tf1hub.errors import Tf1HubError

TEXTS = [["the cat"], ["a mat"]]


@pytest.fixture
def path(tmp_path):
    return export(spec_of("text"), tmp_path / "module")


def dense_features(column, **options):
    return KERAS_TWO.layers.DenseFeatures([column], **options)  # Keras 3 has no such layer


def test_a_layer_that_is_called_twice_has_one_module(path):
    layer = dense_features(hub.text_embedding_column("text", path, trainable=True))
    layer({"text": tf.constant(TEXTS)})
    layer({"text": tf.constant(TEXTS)})
    assert len(tf.global_variables()) == len(tf.trainable_variables()) == 1


def test_a_layer_that_is_not_trained_does_not_train_the_module(path):
    column = hub.text_embedding_column("text", path, trainable=True)
    dense_features(column, trainable=False)({"text": tf.constant(TEXTS)})
    assert len(tf.global_variables()) == 1
    assert tf.trainable_variables() == []


def test_columns_of_one_module_are_equal(path):
    first, second = hub.text_embedding_column("text", path), hub.text_embedding_column("text", path)
    assert first == second == copy.deepcopy(first)
    assert len({first, second}) == 1
    assert first != hub.text_embedding_column("other", path)


@pytest.mark.parametrize("make", [hub.text_embedding_column, hub.text_embedding_column_v2])
def test_a_column_with_a_path_is_written_as_a_configuration_and_read_again(path, make):
    column = make("text", path, trainable=True)
    assert type(column).from_config(column.get_config()) == column


def test_a_column_without_a_path_cannot_be_written_as_a_configuration():
    with pytest.raises(NotImplementedError, match=r"has no path.*Export the module"):
        hub.text_embedding_column("text", spec_of("text")).get_config()


def test_specs_are_equal_by_what_is_in_them(path):
    assert hub.load_module_spec(path) == hub.load_module_spec(path) != spec_of("text")
    assert hub.load_module_spec(path) != path
    assert copy.deepcopy(spec := hub.load_module_spec(path)) is spec


def test_initial_values_from_disk_have_shapes(path):
    module = hub.Module(path, trainable=True)
    [variable] = module.variables
    assert variable.initial_value.shape == variable.shape
    average = tf.train.ExponentialMovingAverage(0.9)
    average.apply(module.variables)
    assert average.average(variable).shape == variable.shape
    tf.get_variable("copy", initializer=variable.initial_value)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run(tf.global_variables())
    for value in values[1:]:
        np.testing.assert_array_equal(value, values[0])


def test_errors_share_a_base():
    with pytest.raises(Tf1HubError):
        hub.text_embedding_column("text", "/nonsense/nowhere")
