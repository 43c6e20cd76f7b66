"""What is converted, and what of it: paths, specs, loaded modules; variants, signatures, outputs, attached messages."""

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.converting.saved_models.conversions import assert_same, converted, example, graph_answers, load
from tests.graphs import ROWS, published, scaling_spec
from tests.module_fns import KINDS, TRAIN, as_tensors
from tests.module_fns.registry import value_for
from tf1hub.consuming.loaded.loading import load as load_module
from tf1hub.converting.saved_models.conversion import to_saved_model


def test_a_spec_that_is_not_on_disk_is_converted_with_fresh_values(tmp_path):
    to_saved_model(scaling_spec(), tmp_path / "out")
    np.testing.assert_allclose(tf.saved_model.load(str(tmp_path / "out"))(tf.constant(ROWS)), 2 * ROWS)


def test_a_loaded_module_is_converted_with_its_current_values(tmp_path):
    module = load_module(published("dense"))
    for variable in module.variables:
        variable.assign_add(tf.ones_like(variable))
    to_saved_model(module, tmp_path / "out")
    model = tf.saved_model.load(str(tmp_path / "out"))
    np.testing.assert_allclose(model(example("dense")), module(example("dense")), rtol=1e-6)
    assert not np.allclose(model(example("dense")), load("dense")(example("dense")))


def test_the_copy_is_independent_of_the_loaded_module(tmp_path):
    module = load_module(published("text"))
    to_saved_model(module, tmp_path / "out")
    model, before = tf.saved_model.load(str(tmp_path / "out")), module(example("text")).numpy()
    model.variables[0].assign(tf.zeros_like(model.variables[0]))
    np.testing.assert_array_equal(module(example("text")), before)
    del model
    np.testing.assert_array_equal(module(example("text")), before)


def test_what_is_frozen_here_is_trainable_in_the_copy(tmp_path):
    module = load_module(published("batch_norm"))
    module.trainable = "norm/*"
    to_saved_model(module, tmp_path / "out")
    names = [variable.name for variable in tf.saved_model.load(str(tmp_path / "out")).trainable_variables]
    assert names == ["w:0", "norm/gamma:0", "norm/beta:0"]
    assert [variable.name for variable in module.trainable_variables] == ["norm/gamma:0", "norm/beta:0"]


def test_a_layer_is_converted_with_its_current_values(tmp_path):
    layer = hub.KerasLayer(published("dense"), trainable=False)
    layer(example("dense"))
    layer.weights[0].assign(np.ones(layer.weights[0].shape, np.float32))
    to_saved_model(layer, tmp_path / "out")
    model = tf.saved_model.load(str(tmp_path / "out"))
    np.testing.assert_allclose(model(example("dense")), layer(example("dense")), rtol=1e-6)
    assert len(model.trainable_variables) == 2


@pytest.mark.parametrize("tags", [frozenset(), TRAIN, frozenset({"serve", "gpu"})])
def test_the_variant_of_the_tags_is_converted(tags, tmp_path):
    done = to_saved_model(published("shared_variables"), tmp_path / "out", tags=tags)
    model = tf.saved_model.load(str(tmp_path / "out"))
    assert_same(
        model.signatures["default"](example("shared_variables")), graph_answers("shared_variables", "default", tags)
    )
    assert (set(done.tags), done.training_tags) == (tags, ("train",))


def test_the_training_tags_say_what_training_applies(tmp_path):
    to_saved_model(published("shared_variables"), tmp_path / "out", training_tags={"serve", "gpu"})
    model, rows = tf.saved_model.load(str(tmp_path / "out")), example("shared_variables")
    np.testing.assert_allclose(model(rows, training=True), 3 * model(rows), rtol=1e-6)


def test_several_outputs_are_one_unless_a_dict_is_asked_for():
    whole = load("several_outputs", as_dict=True)(example("several_outputs"))
    assert_same(whole, graph_answers("several_outputs", "default"))
    np.testing.assert_allclose(load("several_outputs")(example("several_outputs")), whole["default"])


def test_outputs_of_which_none_is_called_default_are_a_dict():
    assert_same(
        load("inputs_of_all_types")(example("inputs_of_all_types")), graph_answers("inputs_of_all_types", "default")
    )
    with pytest.raises(hub.errors.InputError, match="no output called 'default'"):
        converted("inputs_of_all_types", as_dict=False)


def test_another_signature_can_be_called():
    model = load("several_signatures", signature="full-projection")
    expected = graph_answers("several_signatures", "full-projection")
    inputs = tf.constant(KINDS["several_signatures"].inputs["full-projection"]["x"])
    assert_same({"default": model(inputs)}, expected)
    assert_same(model.signatures["serving_default"](x=inputs), expected)


def test_the_only_signature_is_called_whatever_its_name():
    model = load("signature_with_a_slash")
    expected = graph_answers("signature_with_a_slash", "resnet_v2_50/block1")
    assert_same({"default": model(example("signature_with_a_slash", "resnet_v2_50/block1"))}, expected)
    assert set(model.signatures) == {"resnet_v2_50/block1", "serving_default"}


def two_named_signatures():
    for name in ("small", "large"):
        x = tf.compat.v1.placeholder(tf.float32, [None, 3])
        hub.add_signature(name, inputs=x, outputs=x * tf.compat.v1.get_variable(name, [3]))


def test_of_several_named_signatures_none_is_called(tmp_path):
    spec = hub.create_module_spec(two_named_signatures)
    done = to_saved_model(spec, tmp_path / "out")
    model = tf.saved_model.load(str(tmp_path / "out"))
    assert (done.called, set(model.signatures), callable(model)) == (None, {"small", "large"}, False)
    assert to_saved_model(spec, tmp_path / "chosen", signature="large").called == "large"


def test_a_signature_called_serving_default_stays_what_it_is(tmp_path):
    def module_fn():
        x = tf.compat.v1.placeholder(tf.float32, [])
        hub.add_signature("serving_default", inputs=x, outputs=x + 1.0)
        hub.add_signature(inputs=x, outputs=x + 2.0)

    to_saved_model(hub.create_module_spec(module_fn), tmp_path / "out")
    signatures = tf.saved_model.load(str(tmp_path / "out")).signatures
    assert [signatures[name](default=tf.constant(0.0))["default"].numpy() for name in sorted(signatures)] == [2.0, 1.0]


def test_attached_messages_are_kept():
    messages = {key: value.numpy() for key, value in load("attached_messages").attached_messages().items()}
    assert set(messages) == {"numbers", "words"}
    assert list(tf.train.Int64List.FromString(messages["numbers"]).value) == [1, 2, 3]
    assert list(tf.train.BytesList.FromString(messages["words"]).value) == [b"a", b"\xff\x00"]
    assert load("dense").attached_messages() == {}


def test_the_size_of_images_is_kept():
    message = load("image_of_declared_size").attached_messages()["image_module_info"].numpy()
    size = hub.ImageModuleInfo.FromString(message).default_image_size
    assert (size.height, size.width) == (4, 6)


def test_inputs_of_any_name_are_called_by_it():
    model = load("odd_keys")
    inputs = as_tensors(KINDS["odd_keys"].inputs["default"])
    assert_same({"default": model(inputs)}, {"default": graph_answers("odd_keys", "default")["default"]})
    assert_same(model.signatures["default"](**inputs), graph_answers("odd_keys", "default"))


def test_inputs_whose_names_python_cannot_take(tmp_path):
    keys = ["class", "a/b", "a_b"]

    def module_fn():
        inputs = {key: tf.compat.v1.placeholder(tf.float32, [2]) for key in keys}
        w = tf.compat.v1.get_variable("w", [2])
        hub.add_signature(inputs=inputs, outputs=w + inputs["class"] + 10.0 * inputs["a/b"] + 100.0 * inputs["a_b"])

    to_saved_model(hub.create_module_spec(module_fn), tmp_path / "out")
    model = tf.saved_model.load(str(tmp_path / "out"))
    inputs = {key: tf.constant(value_for(key, tf.float32, [2])) for key in keys}
    names = {"class": "class_", "a/b": "a_b_", "a_b": "a_b"}
    answer = model.signatures["default"](**{names[key]: value for key, value in inputs.items()})["default"]
    np.testing.assert_allclose(answer, model(inputs))


def test_it_says_what_was_written(tmp_path):
    steps: list[tuple[int, int]] = []
    done = to_saved_model(published("batch_norm"), tmp_path / "out", on_progress=lambda *step: steps.append(step))
    sizes = [file.stat().st_size for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert (done.path, done.bytes_written) == (str(tmp_path / "out"), sum(sizes))
    assert (done.called, done.returns_dict, done.signatures) == ("default", False, ("default", "serving_default"))
    assert (done.tags, done.training_tags) == ((), ("train",))
    assert (done.variables, done.trainable_variables, done.regularization_losses, done.assets) == (5, 3, 1, 0)
    assert steps[0] == (0, 4)
    assert steps[-1] == (4, 4)


def test_converting_leaves_the_module_as_it_was(tmp_path):
    module = load_module(published("dense"))
    module.freeze("*kernel")
    hub.to_saved_model(module, tmp_path / "converted")
    assert len(module.frozen_names) == 1
    with pytest.warns(UserWarning, match="no variant with the tag 'train'"):
        module(example("dense"), training=True)
