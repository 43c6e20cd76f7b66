import functools

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.compat.v1 as v1

import tf1hub as hub
from tests.consuming.keras_layers.models import ROWS, TEXTS, answers, layer_of, model_of, trained, values
from tests.graphs import export, published
from tests.module_fns import KINDS
from tests.module_fns.registry import new_path


def changed(before, after):
    return {name for name in before if not np.array_equal(before[name], after[name])}


def test_fit_trains_the_variables_and_runs_the_update_ops(keras):
    layer = layer_of(keras, "batch_norm", trainable=True)
    before = values(layer)
    trained(model_of(keras, layer))
    assert changed(before, values(layer)) == set(before)


def test_update_ops_run_once_a_step(keras):
    layer = layer_of(keras, "batch_norm", trainable=True)
    module = hub.load(published("batch_norm"))
    module(ROWS, training=True)
    trained(model_of(keras, layer))
    for name in ("norm/moving_mean", "norm/moving_variance"):
        wanted = module.variables[module.variable_names.index(name)]
        np.testing.assert_allclose(values(layer)[name], wanted.numpy(), rtol=1e-6)


def test_a_layer_that_is_not_trainable_runs_for_inference(keras):
    layer = layer_of(keras, "batch_norm")
    before = values(layer)
    model = trained(model_of(keras, layer))
    assert changed(before, values(layer)) == set()
    assert len(model.trainable_weights) == 2
    np.testing.assert_array_equal(layer(ROWS, training=True), layer(ROWS))


def test_evaluating_and_predicting_train_nothing(keras):
    layer = layer_of(keras, "batch_norm", trainable=True)
    model = model_of(keras, layer)
    model.compile("sgd", "mse")
    before = values(layer)
    model.evaluate(ROWS, np.ones((4, 1)), verbose=0)
    model.predict(ROWS, verbose=0)
    assert changed(before, values(layer)) == set()


def test_training_follows_the_call(keras):
    layer = layer_of(keras, "shared_variables", trainable=True)  # its training variant doubles
    plain = np.asarray(layer(ROWS))
    np.testing.assert_allclose(layer(ROWS, training=True), 2.0 * plain)
    np.testing.assert_allclose(layer(ROWS, training=False), plain)


def test_training_follows_the_model_around(keras):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer_of(keras, "shared_variables", trainable=True)(inputs))
    np.testing.assert_allclose(model(ROWS, training=True), 2.0 * np.asarray(model(ROWS)), rtol=1e-6)


def test_training_follows_the_learning_phase(keras):
    if not hasattr(keras.backend, "set_learning_phase"):
        pytest.skip("Keras 3 has no learning phase")
    layer = layer_of(keras, "shared_variables", trainable=True)
    plain = np.asarray(layer(ROWS))
    with pytest.warns(UserWarning, match="deprecated"):
        keras.backend.set_learning_phase(1)
    try:
        np.testing.assert_allclose(layer(ROWS), 2.0 * plain)
    finally:
        with pytest.warns(UserWarning, match="deprecated"):
            keras.backend.set_learning_phase(0)


def test_losses_are_those_of_the_current_values(keras):
    layer = layer_of(keras, "batch_norm", trainable=True)
    model = model_of(keras, layer)
    for _ in range(2):
        (loss,) = layer.losses
        np.testing.assert_allclose(loss, 0.1 * np.sum(values(layer)["w"] ** 2), rtol=1e-6)
        assert float(model.losses[0]) == float(loss)
        trained(model)


def test_all_losses_of_a_module(keras):
    layer = layer_of(keras, "regularized", trainable=True)
    wanted = [float(loss()) for loss in hub.load(published("regularized")).regularization_losses]
    assert len(wanted) > 1
    np.testing.assert_allclose(sum(float(loss) for loss in layer.losses), sum(wanted), rtol=1e-6)


@functools.cache
def two_signatures_path():
    def module_fn():
        x = v1.placeholder(tf.float32, [None, 3])
        w = v1.get_variable("w", [3, 2], initializer=v1.ones_initializer())
        v = v1.get_variable("v", [2], initializer=v1.ones_initializer())
        v1.add_to_collection("regularization_losses", 0.1 * tf.reduce_sum(w) * tf.reduce_sum(v))
        hub.add_signature(inputs=x, outputs=tf.matmul(x, w) * v)
        hub.add_signature("sum", inputs=x, outputs=tf.matmul(x, w) + v)

    return export(hub.create_module_spec(module_fn), new_path("two_signatures"))


@pytest.mark.parametrize("frozen_first", [False, True])
def test_a_loss_of_two_variables_shows_while_one_of_them_is_trained(keras, frozen_first):
    module = hub.load(two_signatures_path())
    if frozen_first:
        module.trainable = "v"
    layer = hub.KerasLayer(module, trainable=True, keras=keras)
    for trained_variables in ("v", "w", ["v", "w"]):
        module.trainable = trained_variables
        np.testing.assert_allclose(layer.losses, [0.1 * 6.0 * 2.0], rtol=1e-6)


def test_two_layers_of_one_module_train_its_variables_once_a_step(keras):
    module, wanted = hub.load(two_signatures_path()), hub.load(two_signatures_path())
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((wanted(ROWS) + wanted(ROWS, signature="sum")) ** 2)
    gradients = tape.gradient(loss, wanted.trainable_variables)
    for variable, gradient in zip(wanted.trainable_variables, gradients, strict=True):
        variable.assign_sub(0.001 * gradient)
    layers = [hub.KerasLayer(module, True, signature=name, keras=keras) for name in ("default", "sum")]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((layers[0](ROWS, training=True) + layers[1](ROWS, training=True)) ** 2)
    inputs = keras.Input((3,))
    weights = keras.Model(inputs, [layer(inputs) for layer in layers]).trainable_weights
    keras.optimizers.SGD(0.001).apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
    for variable, value in zip(module.variables, wanted.variables, strict=True):
        np.testing.assert_allclose(variable, value, rtol=1e-5)


def test_a_layer_that_shares_a_module_can_be_frozen_alone(keras):
    module = hub.load(two_signatures_path())
    frozen, trained_layer = [hub.KerasLayer(module, True, keras=keras) for _ in range(2)]
    frozen.trainable = False
    later = hub.KerasLayer(module, True, keras=keras)
    assert [len(layer.trainable_weights) for layer in (frozen, trained_layer, later)] == [0, 2, 2]


def test_a_layer_that_is_not_trainable_has_no_losses(keras):
    layer = layer_of(keras, "batch_norm")
    assert layer.losses == []
    layer.trainable = True
    assert len(layer.losses) == 1
    layer.trainable = False
    assert layer.losses == []


def test_losses_are_trained_on(keras):
    layer = layer_of(keras, "batch_norm", trainable=True)
    with tf.GradientTape() as tape:
        loss = tf.add_n(layer.losses)
    (gradient,) = tape.gradient(loss, layer.trainable_weights[:1])
    np.testing.assert_allclose(gradient, 0.2 * values(layer)["w"], rtol=1e-6)


def test_trainable_can_be_changed_before_compiling_again(keras):
    layer = layer_of(keras, "batch_norm", trainable=True)
    model = trained(model_of(keras, layer))
    layer.trainable = False
    model.compile("sgd", "mse")
    before = values(layer)
    trained(model)
    assert changed(before, values(layer)) == set()
    layer.trainable = True
    model.compile("sgd", "mse")
    trained(model)
    assert changed(before, values(layer)) == set(before)


def test_a_model_can_be_frozen_and_thawed(keras):
    layer = layer_of(keras, "batch_norm", trainable=True)
    model = model_of(keras, layer)
    model.trainable = False
    assert model.trainable_weights == layer.trainable_weights == []
    model.trainable = True
    assert len(layer.trainable_weights) == 3


def test_single_variables_can_be_frozen_in_the_module(keras):
    layer = layer_of(keras, "batch_norm", trainable=True)
    layer.resolved_object.freeze("norm/*")
    before = values(layer)
    trained(model_of(keras, layer))
    assert [weight.name.split(":")[0] for weight in layer.trainable_weights] == ["w"]
    assert changed(before, values(layer)) == {"w", "norm/moving_mean", "norm/moving_variance"}
    layer.resolved_object.thaw()
    assert len(layer.trainable_weights) == 3


def test_weights_have_the_names_of_the_variables(keras):
    layer = layer_of(keras, "batch_norm", trainable=True)
    names = [weight.name.split(":")[0].replace(".", "/") for weight in layer.weights]
    assert names == ["w", "norm/gamma", "norm/beta", "norm/moving_mean", "norm/moving_variance"]
    assert [weight.name.split(":")[0].replace(".", "/") for weight in layer.non_trainable_weights] == names[3:]


def test_weights_share_the_storage_of_the_variables(keras):
    layer = layer_of(keras, "dense")
    layer.set_weights([np.zeros((3, 2)), np.full(2, 0.5)])
    np.testing.assert_allclose(layer(ROWS), np.full((4, 2), np.tanh(0.5)), rtol=1e-6)
    layer.resolved_object.variables[1].assign([1.0, 1.0])
    np.testing.assert_allclose(layer.get_weights()[1], [1.0, 1.0])


def test_a_layer_that_is_used_twice_has_one_state(keras):
    layer = layer_of(keras, "batch_norm", trainable=True)
    left, right = keras.Input((3,)), keras.Input((3,))
    distance = keras.layers.Subtract()([layer(left), layer(right)])
    model = keras.Model([left, right], distance)
    model.compile("sgd", "mse")
    model.fit([ROWS, ROWS + 1.0], np.ones((4, 2)), verbose=0)
    assert len(model.weights) == 5
    assert len(model.losses) == 1


def test_embeddings_of_texts_are_trained(keras):
    layer = layer_of(keras, "text", trainable=True)
    before = values(layer)
    trained(model_of(keras, layer, (), "string"), tf.constant(TEXTS), optimizer="adam")
    assert changed(before, values(layer))


@pytest.mark.parametrize("kind", ["while_v1", "partitioned_rows", "reference_variables"])
def test_modules_that_the_predecessor_refuses_are_trained(keras, kind):
    layer = layer_of(keras, kind, trainable=True)
    inputs = {key: tf.constant(value) for key, value in KINDS[kind].inputs["default"].items()}
    before = values(layer)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.cast(layer(inputs, training=True), tf.float32) ** 2)
    gradients = tape.gradient(loss, layer.trainable_weights)
    keras.optimizers.SGD(0.1).apply_gradients(zip(gradients, layer.trainable_weights, strict=True))
    assert changed(before, values(layer))


def test_training_in_mixed_precision(keras):
    layer = layer_of(keras, "batch_norm", dtype="mixed_bfloat16", trainable=True)
    before = values(layer)
    trained(model_of(keras, layer))
    assert changed(before, values(layer)) == set(before)


def test_a_head_is_trained_on_a_frozen_module(keras):
    layer = layer_of(keras, "dense")
    model = model_of(keras, layer)
    before = answers(model)
    trained(model, epochs=2)
    assert not np.array_equal(before, answers(model))
