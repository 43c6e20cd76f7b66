import re
import types

import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.keras_layers.models import ROWS, TEXTS, layer_of
from tests.graphs import published
from tf1hub.consuming.keras_layers.keras_choice import check_backend

OUTPUTS = r"\['default', 'first', 'hidden', 'second'\]"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"signature": "other"}, hub.errors.SignatureError, r"no signature 'other' .* It has: 'default'"),
        ({"tags": {"gpu"}}, hub.errors.TagsError, r"no graph variant with the tags \['gpu'\]. Its variants .*: \[\]"),
        ({"output_key": "other"}, hub.errors.InputError, f"no output 'other'. Pass one of {OUTPUTS} as `output_key`"),
        ({"output_key": "hidden", "signature_outputs_as_dict": True}, ValueError, "Pass either `output_key`"),
        ({"arguments": {"rate": 1.0}}, hub.errors.InputError, r"does not take \['rate'\], which `arguments` has"),
        ({"output_shape": "x"}, TypeError, "`output_shape` is a shape"),
    ],
)
def test_arguments_that_do_not_fit_the_module(keras, arguments, error, message):
    with pytest.raises(error, match=message):
        layer_of(keras, "several_outputs", **arguments)


def test_a_path_that_holds_nothing(keras, tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match="There is no directory"):
        hub.KerasLayer(str(tmp_path / "absent"), keras=keras)
    with pytest.raises(hub.errors.MissingModuleError, match="no TF1 Hub module and no SavedModel"):
        hub.KerasLayer(str(tmp_path), keras=keras)


@pytest.mark.parametrize(
    ("name", "value"),
    [("tags", {"train"}), ("training_tags", set()), ("load_options", tf.saved_model.LoadOptions())],
)
def test_what_says_how_to_load_goes_with_a_path(keras, name, value):
    with pytest.raises(ValueError, match=f"Leave out `{name}`"):
        hub.KerasLayer(hub.load(published("dense")), keras=keras, **{name: value})


def test_training_a_module_without_trainable_variables(keras):
    with pytest.raises(hub.errors.GraphError, match=r"of the 0 of this one none is trainable"):
        layer_of(keras, "attached_messages", trainable=True)
    frozen = hub.load(published("dense"))
    frozen.trainable = False
    with pytest.raises(ValueError, match="they are all frozen"):
        hub.KerasLayer(frozen, trainable=True, keras=keras)


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        (tf.constant(ROWS)[:, :2], r"float32 and shape \(4, 2\)"),
        (tf.constant(ROWS)[0], r"float32 and shape \(3,\)"),
        (tf.constant([[1, 2, 3]]), r"int32 and shape \(1, 3\)"),
        (tf.constant([["a", "b", "c"]]), "string and shape"),
    ],
)
def test_inputs_of_another_shape_or_dtype(keras, inputs, found):
    wanted = r"input 'default' .* should be a float32 tensor of shape \(None, 3\), but got"
    with pytest.raises(hub.errors.InputError, match=f"(?s){wanted}.*{found}"):
        layer_of(keras, "dense")(inputs)


def test_symbolic_inputs_of_another_shape(keras):
    with pytest.raises(hub.errors.InputError, match=r"shape \(None, 3\), but got .* of float32 and shape \(None, 5\)"):
        layer_of(keras, "dense")(keras.Input((5,)))


def test_a_column_of_texts(keras):
    message = r"should be a string tensor of shape \(None,\), but got .* of string and shape"
    with pytest.raises(hub.errors.InputError, match=message):
        layer_of(keras, "text")(tf.constant(TEXTS)[:, tf.newaxis])
    with pytest.raises(hub.errors.InputError, match=message):
        layer_of(keras, "text")(keras.Input((1,), dtype="string"))


def test_inputs_by_names_that_are_not_there(keras):
    with pytest.raises(hub.errors.InputError, match=r"missing \['default'\], not known \['x'\]"):
        layer_of(keras, "dense")({"x": ROWS})
    with pytest.raises(hub.errors.InputError, match=r"a dict with the inputs \['a', 'b'\]"):
        layer_of(keras, "several_signatures", signature="add")(ROWS[0])


def test_something_that_is_no_keras():
    with pytest.raises(TypeError, match="`keras` is a module such as `keras` or `tf_keras`, but got 3"):
        hub.KerasLayer(published("dense"), keras=3)


def test_arguments_by_position():
    with pytest.raises(TypeError, match="by name"):
        hub.KerasLayer(published("dense"), True, None, {"train"})


def test_what_keras_does_not_know(keras):
    with pytest.raises((TypeError, ValueError), match=re.escape("colour")):
        layer_of(keras, "dense", colour="blue")


def test_keras_on_something_else_than_tensorflow():
    class KerasOnJax:
        """No other backend is installed here."""

        Operation = object
        config = types.SimpleNamespace(backend=lambda: "jax")

    with pytest.raises(RuntimeError, match=r"has Keras 3 on 'jax'. Set .* KERAS_BACKEND to 'tensorflow'"):
        check_backend(KerasOnJax)


def with_another_input_for_training():
    def module_fn(training):
        x = tf.compat.v1.placeholder(tf.float32, [None, 3])
        inputs = {"x": x}
        y = x * tf.compat.v1.get_variable("w", [3])
        if training:
            inputs["rate"] = tf.compat.v1.placeholder(tf.float32, [])
            y = tf.nn.dropout(y, rate=inputs["rate"])
        hub.add_signature(inputs=inputs, outputs=y)

    return hub.create_module_spec(module_fn, [(set(), {"training": False}), ({"train"}, {"training": True})])


def test_a_training_variant_that_is_called_otherwise(keras, tmp_path):
    spec = with_another_input_for_training()
    with pytest.raises(hub.errors.SignatureError, match=r"inputs \['rate', 'x'\].*takes \['x'\].*`training_tags=\[\]`"):
        hub.KerasLayer(spec, trainable=True, keras=keras)
    with pytest.raises(hub.errors.SignatureError, match=r"Pass `training_tags=\[\]`"):
        hub.to_saved_model(spec, tmp_path / "converted")
    assert hub.KerasLayer(spec, trainable=True, training_tags=[], keras=keras)(ROWS, training=True).shape == ROWS.shape
