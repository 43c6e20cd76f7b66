"""Which Keras a layer is of, and what the class is good for besides being called."""

import json

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.keras_layers.models import ROWS, layer_of
from tests.graphs import published
from tests.programs import run_program


def test_a_layer_is_of_the_keras_that_tensorflow_has():
    assert issubclass(hub.KerasLayer, tf.keras.layers.Layer)
    assert isinstance(hub.KerasLayer(published("dense")), tf.keras.layers.Layer)


def test_tensorflow_has_the_older_keras_where_a_program_says_so():
    program = """
    import sys
    import tf1hub as hub
    layer = hub.KerasLayer(sys.argv[1])
    print([base.__module__.partition(".")[0] for base in type(layer).__mro__ if base.__name__ == "Layer"])
    """
    printed = run_program(program, published("dense"), TF_USE_LEGACY_KERAS="1")
    assert printed.splitlines()[-1] == "['tf_keras']"


def test_no_keras_is_loaded_before_it_is_needed():
    program = """
    import json, sys
    import tf1hub as hub
    before = sorted({"keras", "tf_keras", "tensorflow"} & set(sys.modules))
    hub.load
    print(json.dumps([before, "tf_keras" in sys.modules]))  # TensorFlow itself loads Keras 3
    """
    assert json.loads(run_program(program).splitlines()[-1]) == [[], False]


def test_isinstance_finds_the_layers_of_every_keras(keras):
    layer = layer_of(keras, "dense")
    assert isinstance(layer, hub.KerasLayer)
    assert isinstance(layer, hub.KerasLayer.of(keras))
    assert not isinstance(keras.layers.Dense(1), hub.KerasLayer)


def test_the_class_of_a_keras_is_always_the_same(keras):
    assert type(layer_of(keras, "dense")) is hub.KerasLayer.of(keras) is type(layer_of(keras, "dense"))


def test_a_class_can_be_derived(keras):
    class Doubled(hub.KerasLayer.of(keras)):
        def __init__(self, factor, **arguments):
            super().__init__(published("dense"), **arguments)
            self.factor = factor

        def call(self, inputs, training=None):
            return self.factor * super().call(inputs, training=training)

    doubled = Doubled(2.0, trainable=True)
    np.testing.assert_allclose(doubled(ROWS), 2.0 * np.asarray(layer_of(keras, "dense")(ROWS)))
    assert isinstance(doubled, hub.KerasLayer)
    assert not isinstance(layer_of(keras, "dense"), Doubled)
    assert len(doubled.trainable_weights) == 2


def test_a_derived_class_has_the_weights_that_it_adds_itself(keras):
    class Scaled(hub.KerasLayer.of(keras)):
        def build(self, input_shape):
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones", trainable=True)
            super().build(input_shape)

        def call(self, inputs, training=None):
            return self.scale * super().call(inputs, training=training)

    scaled, other = (Scaled(published("dense"), trainable=True) for _ in range(2))
    for layer in (scaled, other):
        layer(ROWS)
        assert len(layer.trainable_weights) == len(layer.weights) == 3
    scaled.scale.assign(3.0)
    store = {}
    scaled.save_own_variables(store)
    other.load_own_variables(store)
    np.testing.assert_allclose(other(ROWS), 3.0 * np.asarray(layer_of(keras, "dense")(ROWS)), rtol=1e-6)


def test_a_derived_class_stays_with_its_keras(keras):
    class Derived(hub.KerasLayer):
        pass

    if issubclass(hub.KerasLayer, keras.layers.Layer):
        assert isinstance(Derived(published("dense"), keras=keras), Derived)
    else:
        with pytest.raises(TypeError, match=r"Derive it from hub.KerasLayer.of\(tf_keras\)"):
            Derived(published("dense"), keras=keras)


def test_the_loaded_module_is_there(keras):
    module = hub.load(published("dense"))
    assert hub.KerasLayer(module, keras=keras).resolved_object is module
    assert layer_of(keras, "dense").resolved_object.spec.get_signature_names() == ["default"]
