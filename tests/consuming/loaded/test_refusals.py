"""What tensorflow_hub refuses, or does wrong, with a TF1 Hub module in TensorFlow 2: each works here."""

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.loaded.loaded_kinds import example, loaded, values_of
from tests.graphs import ROWS, published
from tests.kerases import KERASES
from tests.module_fns import KINDS

pytestmark = [
    pytest.mark.filterwarnings("ignore:The module has no variant with the tag 'train':UserWarning"),
    pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:UserWarning"),
]


def gradients(module, kind):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(example(kind)))
    return tape.gradient(loss, module.trainable_variables)


def keras_modules():
    """Each Keras of the environment."""
    return list(KERASES.values())


def test_a_layer_of_a_module_is_trainable():
    layer = hub.KerasLayer(published("dense"), trainable=True)
    assert len(layer.trainable_weights) == 2


def test_a_module_has_trainable_variables_and_may_be_called():
    module = loaded("dense")
    assert module(ROWS).shape == [2, 2]
    assert len(module.trainable_variables) == 2


def test_training_has_a_mode_of_its_own():
    module = loaded("batch_norm_and_dropout")
    inference = [module(example("batch_norm")).numpy() for _ in range(2)]
    assert np.array_equal(*inference)
    assert (module(example("batch_norm"), training=True).numpy() == 0).any()


def test_update_ops_run():
    module = loaded("batch_norm")
    before = values_of(module)
    for _ in range(3):
        module(example("batch_norm"), training=True)
    moved = {name for name, value in values_of(module).items() if not np.array_equal(value, before[name])}
    assert moved == {"norm/moving_mean", "norm/moving_variance"}


def test_regularization_losses_are_there_and_current():
    module = loaded("regularized")
    square, absolute = (loss() for loss in module.regularization_losses)
    for variable in module.variables:
        variable.assign(2 * variable)
    np.testing.assert_allclose([loss() for loss in module.regularization_losses], [4 * square, 2 * absolute], rtol=1e-6)


@pytest.mark.parametrize("kind", ["while_v1", "cond_v1", "nested_control_flow_v1", "while_v1_of_references"])
def test_a_tape_goes_through_loops_and_branches_of_tf1(kind):
    assert all(np.any(gradient) for gradient in gradients(loaded(kind), kind))


def test_reference_variables_are_there_and_trained():
    module = loaded("reference_variables")
    assert module.variable_names == ["kernel", "bias"]
    assert all(np.any(gradient) for gradient in gradients(module, "reference_variables"))


def test_a_module_of_reference_variables_is_saved_again(tmp_path):
    module = loaded("reference_variables")
    inputs = KINDS["reference_variables"].inputs["default"]["default"]
    wrapper = tf.Module()
    wrapper.module, wrapper.call = module, tf.function(module, input_signature=[tf.TensorSpec([None, 3])])
    tf.saved_model.save(wrapper, str(tmp_path / "saved"))
    again = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_array_equal(again.call(inputs), module(inputs))


@pytest.mark.parametrize("kind", ["partitioned_rows", "partitioned_references"])
def test_each_part_of_a_variable_is_there_once_and_has_a_gradient(kind):
    module = loaded(kind)
    parts = [name for name in module.variable_names if name.startswith("embeddings/")]
    assert parts == [f"embeddings/part_{i}" for i in range(len(parts))]
    assert len(module.variables) == len({id(variable.handle) for variable in module.variables}) == len(parts) + 1
    assert None not in gradients(module, kind)


@pytest.mark.parametrize("kind", ["sparse_in", "ragged_in"])
def test_a_layer_takes_sparse_and_ragged_inputs(kind):
    inputs = example(kind)["default"]
    for keras in keras_modules():
        layer = hub.KerasLayer(published(kind), trainable=True, keras=keras)
        np.testing.assert_allclose(layer(inputs), loaded(kind)(inputs), rtol=1e-6)


def test_a_layer_is_part_of_a_sequential_model_and_fitted():
    for keras in keras_modules():
        layer = hub.KerasLayer(published("dense"), trainable=True, keras=keras)
        model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        before = [np.asarray(weight) for weight in layer.trainable_weights]
        model.fit(ROWS, np.ones([2, 1]), verbose=0)
        for old, new in zip(before, layer.trainable_weights, strict=True):
            assert np.any(old != np.asarray(new))
