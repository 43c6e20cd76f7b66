import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.keras_layers.models import ROWS, TEXTS, answers, layer_of, model_of
from tests.graphs import outputs_of, published
from tests.module_fns import KINDS
from tests.module_fns.interfaces import RAGGED, SPARSE


def in_a_graph(kind, inputs, **arguments):
    """What `hub.Module` answers."""
    return outputs_of(hub.load_module_spec(published(kind)), inputs, **arguments)


def test_gives_the_outputs_of_the_module_in_a_graph(keras):
    np.testing.assert_allclose(layer_of(keras, "dense")(ROWS), in_a_graph("dense", ROWS), rtol=1e-6)


def test_a_layer_is_a_layer_of_its_keras(keras):
    assert isinstance(layer_of(keras, "dense"), keras.layers.Layer)


def test_a_sequential_model(keras):
    model = model_of(keras, layer_of(keras, "dense"))
    assert model.output_shape == (None, 1)
    np.testing.assert_allclose(answers(model)[:, 0], in_a_graph("dense", ROWS).sum(axis=1), rtol=1e-5)


def test_a_sequential_model_without_an_input(keras):
    model = keras.Sequential([layer_of(keras, "dense"), keras.layers.Dense(1)])
    assert model.predict(ROWS, verbose=0).shape == (4, 1)


def test_a_functional_model_of_several_inputs_and_outputs(keras):
    layer = layer_of(keras, "several_signatures", signature="add", signature_outputs_as_dict=True)
    inputs = {key: keras.Input(batch_shape=(3,), name=key) for key in "ab"}
    model = keras.Model(inputs, layer(inputs))
    result = model({"a": tf.constant([1.0, 2.0, 3.0]), "b": tf.constant([1.0, 1.0, 1.0])})
    np.testing.assert_allclose(result["default"], [2.0, 3.0, 4.0])
    assert set(result) == {"default", "scaled"}


def test_a_subclassed_model(keras):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.embed = layer_of(keras, "dense", trainable=True)

        def call(self, inputs, training=None):
            return tf.reduce_sum(self.embed(inputs, training=training), axis=1)

    model = Model()
    model.compile("sgd", "mse")
    model.fit(ROWS, np.ones(4), verbose=0)
    assert len(model.trainable_weights) == 2


def test_one_output_of_several(keras):
    layer = layer_of(keras, "several_outputs", output_key="hidden")
    assert layer(ROWS).shape == (4, 5)


def test_all_outputs(keras):
    layer = layer_of(keras, "several_outputs", signature_outputs_as_dict=True)
    assert {key: value.shape[1] for key, value in layer(ROWS).items()} == {
        "default": 2, "hidden": 5, "first": 2, "second": 3
    }  # fmt: skip


def test_another_signature(keras):
    layer = layer_of(keras, "several_signatures", signature="full-projection")
    np.testing.assert_allclose(layer(ROWS), layer({"x": ROWS}))
    assert (np.asarray(layer(ROWS)) >= 0).all()


def test_another_variant(keras):
    one, three = (layer_of(keras, "shared_variables", tags=tags)(ROWS) for tags in (None, {"serve", "gpu"}))
    np.testing.assert_allclose(3.0 * np.asarray(one), three, rtol=1e-6)


def test_inputs_that_are_always_the_same(keras):
    layer = layer_of(keras, "placeholders_with_defaults", arguments={"rate": 0.5})
    once = layer_of(keras, "placeholders_with_defaults", arguments={"rate": 1.0})
    np.testing.assert_allclose(2.0 * np.asarray(layer(ROWS[:, :2])), once(ROWS[:, :2]))
    np.testing.assert_allclose(layer({"x": ROWS[:, :2]}), layer(ROWS[:, :2]))


def test_a_signature_without_inputs(keras):
    layer = layer_of(keras, "no_inputs")
    assert layer().shape == layer({}).shape == (4, 2)


@pytest.mark.parametrize("inputs", [ROWS.tolist(), ROWS.astype(np.float64), [[1, 2, 3]], tuple(ROWS.tolist())])
def test_numbers_in_other_forms(keras, inputs):
    np.testing.assert_allclose(
        layer_of(keras, "dense")(inputs), in_a_graph("dense", np.asarray(inputs, np.float32)), rtol=1e-6
    )


@pytest.mark.parametrize("inputs", [TEXTS, np.array(TEXTS), tf.constant(TEXTS), [text.encode() for text in TEXTS]])
def test_texts(keras, inputs):
    np.testing.assert_allclose(layer_of(keras, "text")(inputs), in_a_graph("text", TEXTS))


@pytest.mark.parametrize("shape", [(), []])
def test_an_input_of_texts(keras, shape):
    model = model_of(keras, layer_of(keras, "text"), shape, "string")
    assert model.predict(tf.constant(TEXTS), verbose=0).shape == (4, 1)


def test_texts_in_a_sequential_model_without_an_input(keras):
    model = keras.Sequential([layer_of(keras, "text"), keras.layers.Dense(1)])
    assert model.predict(tf.constant(TEXTS), verbose=0).shape == (4, 1)


def test_texts_as_tutorials_of_the_predecessor_have_them(keras):
    layer = layer_of(keras, "text", input_shape=[], dtype=tf.string)
    model = keras.Sequential([layer, keras.layers.Dense(1)])
    assert model.output_shape == (None, 1)
    assert model.predict(tf.constant(TEXTS), verbose=0).shape == (4, 1)


def test_an_input_shape_of_numbers(keras):
    model = keras.Sequential([layer_of(keras, "dense", input_shape=[3]), keras.layers.Dense(1)])
    assert model.output_shape == (None, 1)


def test_sparse_inputs(keras):
    layer = layer_of(keras, "sparse_in")
    wanted = in_a_graph("sparse_in", SPARSE)
    inputs = keras.Input((4,), sparse=True)
    model = keras.Model(inputs, layer(inputs))
    for result in (layer(tf.SparseTensor.from_value(SPARSE)), layer(SPARSE), model(tf.SparseTensor.from_value(SPARSE))):
        np.testing.assert_allclose(result, wanted)


def test_ragged_inputs(keras):
    layer = layer_of(keras, "ragged_in")
    wanted = in_a_graph("ragged_in", RAGGED)
    ragged = tf.RaggedTensor.from_row_splits(RAGGED.values, RAGGED.row_splits)
    inputs = keras.Input((None,), ragged=True)
    model = keras.Model(inputs, layer(inputs))
    for result in (layer(ragged), layer(RAGGED), model(ragged), layer([[1.0, 2.0, 3.0], [], [4.0]])):
        np.testing.assert_allclose(result, wanted)


def test_sparse_and_ragged_outputs(keras):
    sparse = layer_of(keras, "sparse_in_and_out")({"ids": SPARSE, "factor": 3.0})
    ragged = layer_of(keras, "ragged_in_and_out")({"rows": RAGGED, "offset": 1.5})
    assert isinstance(sparse, tf.SparseTensor)
    assert isinstance(ragged, tf.RaggedTensor)


@pytest.mark.parametrize("shape", [(None, 3), (7, 3), [None, 3]])
def test_the_shape_of_the_output(keras, shape):
    assert tuple(layer_of(keras, "dense").compute_output_shape(shape)) == (shape[0], 2)


def test_the_shapes_of_several_outputs(keras):
    layer = layer_of(keras, "several_signatures", signature="add", signature_outputs_as_dict=True)
    shapes = layer.compute_output_shape({"a": (3,), "b": (3,)})
    assert {key: tuple(shape) for key, shape in shapes.items()} == {"default": (3,), "scaled": (3,)}


def test_a_declared_output_shape(keras):
    layer = layer_of(keras, "dense", output_shape=[2])
    assert tuple(layer.compute_output_shape((None, 3))) == (None, 2)
    assert layer(ROWS).shape == (4, 2)
    with pytest.raises(ValueError, match=r"not compatible|incompatible"):
        layer_of(keras, "dense", output_shape=[5])(ROWS)


def test_an_output_spec_of_keras_three(keras_three):
    spec = layer_of(keras_three, "text").compute_output_spec(keras_three.KerasTensor((None,), "string"))
    assert (spec.shape, spec.dtype) == ((None, 3), "float32")


def test_mixed_precision_casts_what_goes_in_and_comes_out(keras):
    layer = layer_of(keras, "dense", dtype="mixed_float16", trainable=True)
    result = layer(tf.constant(ROWS, tf.float16))
    assert result.dtype == tf.float16
    assert all(variable.dtype == tf.float32 for variable in layer.resolved_object.variables)
    np.testing.assert_array_equal(result, in_a_graph("dense", ROWS).astype(np.float16))


def test_only_floating_point_values_are_cast(keras):
    layer = layer_of(keras, "inputs_of_all_types", signature_outputs_as_dict=True, dtype="float64")
    result = layer(KINDS["inputs_of_all_types"].inputs["default"])
    dtypes = {key: tf.as_dtype(value.dtype).name for key, value in result.items()}
    assert dtypes == {
        "x": "float64", "h": "float64", "d": "float64", "n": "int32", "l": "int64", "s": "string", "b": "bool"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "can"), [("dense", True), ("batch_norm", True), ("text", False), ("sparse_in", False), ("while_v1", False)]
)
def test_says_what_xla_can_compile(keras_three, kind, can):
    assert layer_of(keras_three, kind).supports_jit == can


def test_a_compiled_model(keras):
    model = model_of(keras, layer_of(keras, "batch_norm", trainable=True))
    plain = answers(model)
    model.compile("sgd", "mse", jit_compile=True)
    np.testing.assert_allclose(model.predict(ROWS, verbose=0), plain, rtol=1e-5)
    model.fit(ROWS, np.ones(4), verbose=0)


def test_a_model_of_texts_is_not_compiled_by_itself(keras_three):
    model = model_of(keras_three, layer_of(keras_three, "text", trainable=True), (), "string")
    model.compile("sgd", "mse", jit_compile="auto")
    model.fit(tf.constant(TEXTS), np.ones(4), verbose=0)
    assert not model.jit_compile
