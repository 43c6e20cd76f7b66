"""Which variables a loaded module has and trains, freezing and thawing, and regularization losses."""

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.loaded.loaded_kinds import example, loaded
from tests.graphs import ROWS, published
from tests.module_fns import KINDS


def names_of(variables):
    return sorted(variable.name.removesuffix(":0") for variable in variables)


def gradients(module, kind="several_outputs"):
    """What a tape gives that watches by itself, by the variables' names."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(example(kind)))
    found = tape.gradient(loss, module.variables)
    return {name for name, gradient in zip(module.variable_names, found, strict=True) if gradient is not None}


def test_trainable_variables_go_by_the_collection():
    module = loaded("untrained_and_model_variables")
    assert names_of(module.trainable_variables) == ["Variable", "Variable_1", "both", "copy", "trained"]
    assert names_of(module.non_trainable_variables) == ["fixed", "model"]
    assert module.trainable


def test_the_collection_is_that_of_the_training_variant():
    module = loaded("variant_with_more_variables")
    assert names_of(module.trainable_variables) == ["training_only", "w"]
    assert loaded("variant_with_more_variables", training_tags=[]).variable_names == ["w"]


def test_parts_of_a_partitioned_variable_are_there_once_each():
    module = loaded("partitioned_rows")
    assert module.variable_names == ["embeddings/part_0", "embeddings/part_1", "embeddings/part_2", "plain"]
    assert len(module.trainable_variables) == len(module.variables) == 4


@pytest.mark.parametrize("kind", [name for name in KINDS if KINDS[name].trains])
def test_names_are_unique_and_the_same_each_time(kind):
    if not KINDS[kind].available():
        pytest.skip(f"{KINDS[kind].needs} is not installed")
    module = loaded(kind)
    assert module.variable_names == loaded(kind).variable_names
    assert len(set(module.variable_names)) == len(module.variables)
    assert [variable.name for variable in module.variables] == [f"{name}:0" for name in module.variable_names]


def test_a_frozen_module_has_no_trainable_variables_and_is_not_watched():
    module = loaded("several_outputs")
    assert gradients(module) == {"hidden/w", "output/w"}
    module.trainable = False
    assert (module.trainable, module.trainable_variables, gradients(module)) == (False, [], set())
    module.trainable = True
    assert gradients(module) == {"hidden/w", "output/w"}


def test_what_was_frozen_before_the_first_call_is_watched_once_it_is_thawed():
    module = loaded("several_outputs")
    module.freeze()
    assert gradients(module) == set()
    module.thaw()
    assert gradients(module) == {"hidden/w", "output/w"}


@pytest.mark.parametrize("patterns", ["hidden/*", ["hidden/*"], ["hid*", "*n/w"]])
def test_patterns_thaw_these_and_freeze_the_others(patterns):
    module = loaded("several_outputs")
    module.trainable = patterns
    assert names_of(module.trainable_variables) == ["hidden/w"]
    assert gradients(module) == {"hidden/w"}


def test_freezing_and_thawing_by_patterns():
    module = loaded("several_outputs")
    module.freeze("hidden/*", "output/*")
    assert not module.trainable
    module.thaw("output/w")
    assert names_of(module.trainable_variables) == ["output/w"]
    module.thaw()
    assert len(module.trainable_variables) == 2


def test_variables_that_the_publisher_did_not_mean_to_train_stay_frozen():
    module = loaded("untrained_and_model_variables")
    module.trainable = True
    module.thaw("*")
    assert "fixed" not in names_of(module.trainable_variables)
    with pytest.raises(ValueError, match=r"No trainable variable of the module matches 'fixed'\. It has 5"):
        module.thaw("fixed")


def test_a_pattern_that_matches_nothing_changes_nothing():
    module = loaded("several_outputs")
    for change in [
        lambda: module.freeze("hidden/*", "hiden/w"),
        lambda: module.thaw("hiden/w"),
        lambda: setattr(module, "trainable", ["hiden/w"]),
    ]:
        with pytest.raises(ValueError, match=r"No trainable variable of the module matches 'hiden/w'.*'hidden/w'"):
            change()
    assert len(module.trainable_variables) == 2


def test_a_function_that_was_traced_before_goes_by_what_is_frozen_now():
    module = loaded("several_outputs")
    function = tf.function(lambda x: module(x))
    function(ROWS)
    module.freeze("hidden/*")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(function(ROWS))
    assert [variable.name for variable in tape.watched_variables()] == ["output/w:0"]
    assert tape.gradient(loss, module.trainable_variables)[0] is not None


def test_regularization_losses_are_those_of_current_values():
    module = loaded("regularized")
    square, absolute = (module.variables[module.variable_names.index(name)] for name in ["square", "absolute"])

    def expected():
        return sorted([0.1 * np.sum(square.numpy() ** 2), np.sum(np.abs(absolute.numpy()))])

    for factor in [1.0, 2.0]:
        square.assign(square * factor)
        np.testing.assert_allclose(
            sorted(float(loss()) for loss in module.regularization_losses), expected(), rtol=1e-5
        )


def test_regularization_losses_have_gradients_eagerly_and_in_functions():
    module = loaded("regularized")

    def gradient_of_losses():
        with tf.GradientTape() as tape:
            loss = tf.add_n([loss() for loss in module.regularization_losses])
        return tape.gradient(loss, module.variables[module.variable_names.index("square")])

    expected = 0.2 * module.variables[module.variable_names.index("square")].numpy()
    np.testing.assert_allclose(gradient_of_losses(), expected, rtol=1e-5)
    np.testing.assert_allclose(tf.function(gradient_of_losses)(), expected, rtol=1e-5)


def test_losses_are_those_of_the_training_variant():
    assert len(loaded("batch_norm").regularization_losses) == 1
    assert loaded("dense").regularization_losses == []


def test_the_spec_tells_tags_infos_and_attached_messages():
    module = loaded("attached_messages")
    assert module.spec.get_attached_message("numbers", tf.train.Int64List).value == [1, 2, 3]
    assert module.spec.get_tags() == [frozenset()]
    module = loaded("several_signatures")
    assert module.get_signature_names() == ["add", "default", "full-projection"]
    assert sorted(module.get_input_info_dict("add")) == ["a", "b"]
    assert module.get_output_info_dict("add")["scaled"].get_shape().as_list() == [3]


def test_a_module_without_trainable_variables_says_so(tmp_path):
    module = loaded("attached_messages")
    assert (module.trainable, module.trainable_variables) == (False, [])
    for change in [lambda: setattr(module, "trainable", True), module.thaw, lambda: module.freeze("w")]:
        with pytest.raises(ValueError, match=r"no trainable variables: its publisher declared none"):
            change()
    module.trainable = False
    module.freeze()


def test_a_module_within_another_brings_its_trainable_variables_only():
    outer = tf.Module()
    outer.inner = hub.load(published("several_outputs"))
    outer.inner.freeze("hidden/*")
    assert names_of(outer.trainable_variables) == ["output/w"]
    assert names_of(outer.variables) == ["hidden/w", "output/w"]


def test_numpys_truth_freezes_and_thaws():
    module = loaded("dense")
    module.trainable = np.bool_(False)
    assert module.trainable_variables == []
    module.trainable = np.bool_(True)
    assert module.frozen_names == []
