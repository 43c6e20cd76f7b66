import json

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.keras_layers.models import ROWS, TEXTS, answers, layer_of, model_of, trained, values
from tests.graphs import published
from tests.programs import run_program
from tf1hub.consuming.keras_layers.stored_weights import legal_names


def fine_tuned(keras, **arguments):
    layer = layer_of(keras, "batch_norm", trainable=True, **arguments)
    return trained(model_of(keras, layer), optimizer="adam")


def hub_layer(model):
    return next(layer for layer in model.layers if isinstance(layer, hub.KerasLayer))


def test_a_config_makes_the_layer_anew(keras):
    layer = layer_of(keras, "several_outputs", output_key="hidden", output_shape=[5], name="embed", trainable=True)
    config = json.loads(json.dumps(layer.get_config()))
    again = type(layer).from_config(config)
    assert again.get_config() == layer.get_config()
    assert again.resolved_object is not layer.resolved_object
    np.testing.assert_array_equal(again(ROWS), layer(ROWS))


def test_a_config_has_the_tags_and_the_arguments(keras):
    layer = layer_of(keras, "shared_variables", tags={"serve", "gpu"}, signature="sum")
    config = layer.get_config()
    assert (config["tags"], config["signature"]) == (["gpu", "serve"], "sum")
    rate = layer_of(keras, "placeholders_with_defaults", arguments={"rate": 0.5})
    assert type(rate).from_config(rate.get_config()).get_config()["arguments"] == {"rate": 0.5}


def loaded_without_train(path):
    return hub.load(path, training_tags=set())


@pytest.mark.parametrize("handle", [str, hub.load_module_spec, loaded_without_train], ids=["path", "spec", "loaded"])
def test_a_config_has_the_tags_for_training(keras, handle):
    given = {} if handle is loaded_without_train else {"training_tags": set()}
    layer = hub.KerasLayer(handle(published("shared_variables")), trainable=True, keras=keras, **given)
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    for each in (layer, again):  # the variant tagged "train" would double
        np.testing.assert_allclose(each(ROWS, training=True), each(ROWS))


@pytest.mark.parametrize("handle", [hub.load_module_spec, hub.load], ids=["spec", "loaded"])
def test_a_config_of_what_was_loaded_from_a_path_has_the_path(keras, handle):
    layer = hub.KerasLayer(handle(published("dense")), keras=keras)
    np.testing.assert_array_equal(type(layer).from_config(layer.get_config())(ROWS), layer(ROWS))


def test_a_config_cannot_hold_an_object(keras):
    layer = hub.KerasLayer(tf.nn.relu, keras=keras)
    with pytest.raises(NotImplementedError, match="was not loaded from one"):
        layer.get_config()
    odd = hub.KerasLayer(published("placeholders_with_defaults"), arguments={"rate": tf.constant(1.0)}, keras=keras)
    with pytest.raises(ValueError, match=r"JSON, which cannot hold the layer's `arguments`"):
        odd.get_config()


def test_a_cloned_model_has_a_module_of_its_own(keras):
    model = fine_tuned(keras)
    clone = keras.models.clone_model(model)
    assert hub_layer(clone).resolved_object is not hub_layer(model).resolved_object
    np.testing.assert_array_equal(values(hub_layer(clone))["w"], values(layer_of(keras, "batch_norm"))["w"])


@pytest.mark.parametrize("custom_objects", [None, {"KerasLayer": hub.KerasLayer}], ids=["registered", "custom"])
def test_a_fine_tuned_model_is_saved_and_loaded(keras, tmp_path, custom_objects):
    model = fine_tuned(keras)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", custom_objects=custom_objects)
    np.testing.assert_array_equal(answers(loaded), answers(model))
    assert hub_layer(loaded).trainable
    assert int(loaded.optimizer.iterations) == 1


def test_a_model_of_texts_is_saved_and_loaded(keras, tmp_path):
    model = keras.Sequential([layer_of(keras, "text", trainable=True), keras.layers.Dense(1)])
    trained(model, tf.constant(TEXTS))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(answers(loaded, tf.constant(TEXTS)), answers(model, tf.constant(TEXTS)))


def test_a_model_that_was_made_trainable_with_a_module_that_cannot_be_is_loaded(keras, tmp_path):
    model = keras.Sequential([keras.Input(batch_shape=(2,)), layer_of(keras, "attached_messages")])
    model.trainable = True
    model.save(tmp_path / "model.keras")
    assert not hub_layer(keras.models.load_model(tmp_path / "model.keras")).trainable


PROGRAM = """
import sys
import numpy as np
import tf1hub as hub
if sys.argv[1] == "tf_keras":
    import tf_keras as keras
    hub.KerasLayer.of(keras)
else:
    from tensorflow import keras
    hub.KerasLayer
model = keras.models.load_model(sys.argv[2])
rows = np.array(eval(sys.argv[3]), np.float32)
print(np.asarray(model(rows)).tolist())
"""


def test_a_fresh_process_loads_a_fine_tuned_model(keras, tmp_path):
    model = fine_tuned(keras)
    model.save(tmp_path / "model.keras")
    which = "tf.keras" if keras is tf.keras else "tf_keras"
    printed = run_program(PROGRAM, which, str(tmp_path / "model.keras"), repr(ROWS.tolist()))
    np.testing.assert_allclose(json.loads(printed.splitlines()[-1]), answers(model), rtol=1e-6)


def test_weights_are_saved_and_loaded(keras, tmp_path):
    model, other = fine_tuned(keras), model_of(keras, layer_of(keras, "batch_norm"))
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(answers(other), answers(model))


def test_weights_in_a_checkpoint(keras, tmp_path):
    model, other = fine_tuned(keras), model_of(keras, layer_of(keras, "batch_norm", trainable=True))
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(model=other).read(path).assert_existing_objects_matched().expect_partial()
    np.testing.assert_array_equal(answers(other), answers(model))


@pytest.mark.parametrize("name", ["model.h5", "weights"])
def test_older_forms_of_keras_two(keras, tmp_path, name):
    if hasattr(keras, "Operation"):
        pytest.skip("forms of Keras 2")
    model, other = fine_tuned(keras), model_of(keras, layer_of(keras, "batch_norm"))
    if name == "weights":
        model.save_weights(str(tmp_path / name), save_format="tf")
        other.load_weights(str(tmp_path / name)).expect_partial()
    else:
        model.save(str(tmp_path / name), save_format="h5")
        other = keras.models.load_model(str(tmp_path / name))
    np.testing.assert_array_equal(answers(other), answers(model))


def test_variables_of_all_types_are_saved_and_loaded(keras, tmp_path):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.module = layer_of(keras, "variables_of_all_types", signature_outputs_as_dict=True)

        def call(self, inputs):
            return {**self.module({}), "inputs": inputs}

    model, other = Model(), Model()
    for each in (model, other):
        each(tf.ones([1]))
    model.save_weights(tmp_path / "model.weights.h5")
    for variable in other.module.resolved_object.variables:
        variable.assign(tf.zeros(variable.shape, variable.dtype) if variable.dtype != tf.string else ["", ""])
    other.load_weights(tmp_path / "model.weights.h5")
    for name, value in values(model.module).items():
        np.testing.assert_array_equal(values(other.module)[name], value)


def test_weights_of_another_module_are_refused(keras):
    store = {}
    layer_of(keras, "dense").save_own_variables(store)
    with pytest.raises(hub.errors.WeightsError, match=r"there is none for 'norm.beta', .*, and no variable for 'bias'"):
        layer_of(keras, "batch_norm").load_own_variables(store)


def test_weights_of_another_shape_are_refused_and_nothing_is_changed(keras):
    store = {}
    layer = layer_of(keras, "dense")
    layer.save_own_variables(store)
    store["kernel"], store["bias"] = store["kernel"] + 1.0, np.zeros(3)
    before = values(layer)
    with pytest.raises(hub.errors.WeightsError, match=r"'bias' has the shape \(3,\), and the module's variable \(2,\)"):
        layer.load_own_variables(store)
    np.testing.assert_array_equal(values(layer)["kernel"], before["kernel"])


def test_a_weights_file_of_another_module_is_refused(keras, tmp_path):
    model_of(keras, layer_of(keras, "dense", name="module")).save_weights(tmp_path / "model.weights.h5")
    other = model_of(keras, layer_of(keras, "batch_norm", name="module"))
    with pytest.raises(ValueError, match="not those of the module in the layer"):
        other.load_weights(tmp_path / "model.weights.h5")


@pytest.mark.parametrize(
    ("variable_names", "wanted"),
    [
        (["dense/kernel", "b"], ["dense.kernel", "b"]),
        (["a/b", "a.b", "a.b_1"], ["a.b", "a.b_1", "a.b_1_1"]),
    ],
)
def test_legal_names_are_unique(variable_names, wanted):
    assert legal_names(variable_names) == wanted


def test_a_fine_tuned_module_is_exported(keras, tmp_path):
    model = fine_tuned(keras)
    layer = hub_layer(model)
    layer.export_module(tmp_path / "module")
    exported = hub.KerasLayer(str(tmp_path / "module"), keras=keras)
    np.testing.assert_array_equal(exported(ROWS), layer(ROWS))
    assert exported.resolved_object.spec.get_tags() == layer.resolved_object.spec.get_tags()


def test_nothing_else_is_exported_as_a_module(keras, tmp_path):
    with pytest.raises(hub.errors.SpecTypeError, match="only a TF1 Hub module can be exported"):
        hub.KerasLayer(tf.nn.relu, keras=keras).export_module(tmp_path / "module")


def test_a_saved_model_of_a_model(keras, tmp_path):
    model = model_of(keras, layer_of(keras, "text"), (), "string")
    if hasattr(keras, "Operation"):
        model.export(tmp_path / "saved", verbose=False)
    else:
        model.save(str(tmp_path / "saved"), save_format="tf")
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    (result,) = loaded.signatures["serving_default"](tf.constant(TEXTS)).values()
    np.testing.assert_allclose(result, answers(model, tf.constant(TEXTS)), rtol=1e-6)


def normalized_twice():
    """Trainable variables behind others of their shape: the graph's order is another than one by what is trained."""

    def module_fn():
        y = x = tf.compat.v1.placeholder(tf.float32, [None, 3])
        for name in ["a", "b"]:
            with tf.compat.v1.variable_scope(name):
                mean = tf.compat.v1.get_variable("mean", [3], trainable=False)
                y = (y - mean) * tf.compat.v1.get_variable("gamma", [3])
        hub.add_signature(inputs=x, outputs=y)

    return hub.create_module_spec(module_fn)


def test_the_order_of_weights_does_not_hang_on_what_is_trained(keras):
    spec = normalized_twice()
    layers = [hub.KerasLayer(spec, trainable=trainable, keras=keras) for trainable in (True, False)]
    layers[1].set_weights(layers[0].get_weights())
    np.testing.assert_array_equal(layers[1](ROWS), layers[0](ROWS))


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_what_is_frozen_in_the_module_is_frozen_again(keras, tmp_path, name):
    hub.load(normalized_twice()).export(tmp_path / "module")
    module = hub.load(tmp_path / "module")
    module.freeze("b/*")
    model = trained(model_of(keras, hub.KerasLayer(module, trainable=True, keras=keras)), optimizer="adam")
    model.save(tmp_path / name)
    custom_objects = {"KerasLayer": hub.KerasLayer.of(keras)}
    loaded = keras.models.load_model(tmp_path / name, custom_objects=custom_objects, compile=False)
    assert len(hub_layer(loaded).trainable_weights) == 1
    np.testing.assert_array_equal(answers(loaded), answers(model))
