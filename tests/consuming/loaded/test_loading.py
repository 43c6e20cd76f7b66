"""`hub.load`: what it takes, and that other SavedModels pass through to TensorFlow."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.compat.v1 as tf1

import tf1hub as hub
from tests.consuming.loaded.loaded_kinds import example, loaded
from tests.graphs import ROWS, evaluate, published, spec_of

v1 = tf.compat.v1


@pytest.fixture
def saved_model(tmp_path):
    """A SavedModel of TensorFlow 2 that doubles."""
    doubling = tf.Module()
    doubling.double = tf.function(lambda x: x * 2.0, input_signature=[tf.TensorSpec([None])])
    tf.saved_model.save(doubling, str(tmp_path / "doubling"))
    return tmp_path / "doubling"


@pytest.fixture
def old_saved_model(tmp_path):
    """A SavedModel of TensorFlow 1, tagged "serve"."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None])
        v1.saved_model.simple_save(session, str(tmp_path / "old"), {"x": x}, {"y": x * 2.0})
    return tmp_path / "old"


def test_paths_of_all_kinds():
    path = published("dense")
    for handle in [path, Path(path), f"file://{path}", path + "/"]:
        np.testing.assert_array_equal(hub.load(handle)(ROWS), loaded("dense")(ROWS))


def test_specs():
    path = published("dense")
    np.testing.assert_array_equal(hub.load(hub.load_module_spec(path))(ROWS), loaded("dense")(ROWS))


def test_a_relative_path_stays_when_the_program_goes_elsewhere(monkeypatch, tmp_path):
    shutil.copytree(published("text"), tmp_path / "module")
    monkeypatch.chdir(tmp_path)
    module = hub.load("module")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert module(["the cat"]).shape == (1, 3)


def test_a_spec_without_values_is_initialized_anew():
    one, two = hub.load(spec_of("dense")), hub.load(spec_of("dense"))
    assert one.variables[0].shape == (3, 2)
    assert not np.array_equal(one.variables[0], two.variables[0])


def test_nothing_global_changes():
    before = (tf.executing_eagerly(), v1.control_flow_v2_enabled(), v1.resource_variables_enabled())
    loaded("while_v1")(example("while_v1"))
    assert before == (tf.executing_eagerly(), v1.control_flow_v2_enabled(), v1.resource_variables_enabled())


def test_loading_within_a_function_happens_once():
    made = []

    @tf.function
    def apply(x):
        if not made:
            made.append(loaded("dense"))
        return made[0](x)

    np.testing.assert_array_equal(apply(ROWS), loaded("dense")(ROWS))
    np.testing.assert_array_equal(made[0](ROWS), loaded("dense")(ROWS))


def test_a_saved_model_of_tensorflow_2_has_no_variant_for_training(saved_model):
    with pytest.raises(hub.errors.TagsError, match="no other variant for training"):
        hub.load(saved_model, training_tags={"train"})


def test_a_saved_model_of_tensorflow_2_is_what_tensorflow_loads(saved_model):
    np.testing.assert_array_equal(hub.load(saved_model).double(tf.ones([2])), [2.0, 2.0])
    options = tf.saved_model.LoadOptions(experimental_io_device="/job:localhost")
    assert hub.load(str(saved_model), tags=["serve"], options=options).double(tf.ones([2])).shape == (2,)


def test_a_saved_model_of_tensorflow_1_is_what_tensorflow_loads(old_saved_model):
    module = hub.load(old_saved_model, tags="serve")
    assert module.signatures["serving_default"](x=tf.ones([2]))["y"].numpy().tolist() == [2.0, 2.0]


def test_values_are_those_of_the_checkpoint():
    module = loaded("variables_of_all_types")
    with tf.Graph().as_default():
        graph_module = hub.Module(published("variables_of_all_types"))
        expected = evaluate(graph_module.variable_map)
    assert sorted(expected) == sorted(module.variable_names)
    for name, variable in zip(module.variable_names, module.variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), expected[name])


def test_a_module_published_from_a_loaded_one_answers_the_same(tmp_path):
    module = loaded("batch_norm")
    for variable in module.variables:
        variable.assign_add(tf.ones_like(variable))
    module.export(tmp_path / "module")
    again = hub.load(tmp_path / "module")
    for training in [False, True]:
        np.testing.assert_array_equal(
            again(example("batch_norm"), training=training), module(example("batch_norm"), training=training)
        )


def test_an_export_keeps_variants_that_were_not_loaded(tmp_path):
    module = loaded("variant_with_more_variables", training_tags=[])
    module.variables[0].assign([7.0, 8.0, 9.0])
    module.export(tmp_path / "module")
    again = hub.load(tmp_path / "module")
    assert again.spec.get_tags() == module.spec.get_tags()
    np.testing.assert_array_equal(again.variables[0], [7.0, 8.0, 9.0])
    np.testing.assert_array_equal(again.variables[1], loaded("variant_with_more_variables").variables[1])


@pytest.mark.parametrize("kind", ["partitioned_rows", "partitioned_columns", "reference_variables", "text", "while_v1"])
def test_an_export_answers_with_the_new_values(kind, tmp_path):
    module = loaded(kind)
    for variable in module.variables:
        variable.assign(variable * 2.0)
    module.export(tmp_path / "module")
    expected = module(example(kind), as_dict=True)
    with hub.eval_function_for_module(tmp_path / "module") as answer:
        for key, value in answer(example(kind), as_dict=True).items():
            np.testing.assert_allclose(value, expected[key], rtol=1e-5)


def test_a_spec_without_values_is_published_with_what_was_trained(tmp_path):
    module = hub.load(spec_of("dense"))
    module.export(tmp_path / "module")
    np.testing.assert_array_equal(hub.load(tmp_path / "module")(ROWS), module(ROWS))


def test_an_export_of_a_spec_without_values_has_those_of_all_variants(tmp_path):
    def module_fn(name):
        x = tf1.placeholder(tf.float32, [None, 3])
        hub.add_signature(inputs=x, outputs=x * tf1.get_variable(name, [3], initializer=tf1.ones_initializer()))

    variants = [(set(), {"name": "w"}), ({"train"}, {"name": "w"}), ({"other"}, {"name": "only_here"})]
    hub.load(hub.create_module_spec(module_fn, variants)).export(tmp_path / "module")
    np.testing.assert_array_equal(hub.load(tmp_path / "module", tags={"other"})(ROWS), ROWS)


def test_a_single_string_is_a_variable_too():
    def module_fn():
        text = tf1.get_variable("text", [], tf.string, tf1.constant_initializer("words"))
        hub.add_signature(inputs={}, outputs=tf1.identity(text))

    assert hub.load(hub.create_module_spec(module_fn))().numpy() == b"words"
