"""A converted module, read by TensorFlow: its signatures, its call, its training, its gradients and losses."""

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.converting.saved_models.conversions import assert_same, converted, example, graph_answers, load, parts
from tests.graphs import published, started_session
from tests.module_fns import KINDS, TRAIN, as_tensors

QUICK = [
    "dense", "several_signatures", "several_outputs", "text", "two_vocabularies", "batch_norm", "partitioned_rows",
    "reference_variables", "sparse_in_and_out", "ragged_in_and_out", "no_inputs", "odd_keys", "passed_through",
    "layers_conv_batch_norm", "while_v1",
]  # fmt: skip
DIFFERENTIATED = [
    "dense", "text", "partitioned_rows", "partitioned_references", "reference_variables", "sparse_in", "batch_norm",
    "while_v1", "cond_v1",
]  # fmt: skip
RANDOM = {"random_with_seeds", "random_with_a_graph_seed"}
# Each call counts.
CHANGING = {"control_dependencies"}


def _kinds():
    kinds = [name for name, kind in KINDS.items() if name not in RANDOM | CHANGING and kind.available()]
    return [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in kinds]


@pytest.mark.parametrize("kind", _kinds())
def test_every_signature_answers_as_the_module_in_a_graph(kind):
    model = load(kind)
    wanted = set(KINDS[kind].inputs)
    assert set(model.signatures) - {"serving_default"} == wanted
    for name in wanted:
        inputs = parts(as_tensors(KINDS[kind].inputs[name]))
        assert_same(model.signatures[name](**inputs), graph_answers(kind, name))


@pytest.mark.parametrize("kind", _kinds())
def test_calling_it_gives_the_default_output(kind):
    if "default" not in KINDS[kind].inputs:
        pytest.skip("it has no signature that is called default")
    expected = graph_answers(kind, "default")
    actual = load(kind)(example(kind))
    if "default" in expected:
        assert_same({"default": actual}, {"default": expected["default"]})
    else:
        assert_same(actual, expected)


@pytest.mark.parametrize("kind", ["dense", "text", "several_signatures"])
def test_serving_default_is_what_a_call_applies(kind):
    model = load(kind)
    inputs = as_tensors(KINDS[kind].inputs["default"])
    assert_same(model.signatures["serving_default"](**inputs), {"default": model(example(kind))})


@pytest.mark.parametrize("kind", ["batch_norm", "layers_conv_batch_norm"])
def test_training_runs_the_training_variant_and_its_update_ops_once(kind):
    expected = graph_answers(kind, "default", TRAIN, updates=True)
    model = load(kind)
    assert_same({"default": model(example(kind), training=True)}, expected["outputs"])
    after = {variable.name.removesuffix(":0"): variable.numpy() for variable in model.variables}
    assert_same(after, expected["variables"])


def test_a_call_for_inference_changes_nothing():
    model = load("batch_norm")
    before = [variable.numpy() for variable in model.variables]
    model(example("batch_norm"))
    model(example("batch_norm"), training=False)
    assert all(np.array_equal(variable, value) for variable, value in zip(model.variables, before, strict=True))


def test_training_runs_no_update_ops_of_another_signature():
    model = load("updates_of_two_signatures")
    before = {variable.name: variable.numpy() for variable in model.variables}
    model(example("updates_of_two_signatures"), training=True)
    changed = {variable.name for variable in model.variables if not np.array_equal(variable, before[variable.name])}
    assert changed == {"first/moving_mean:0", "first/moving_variance:0", "steps:0"}


def test_dropout_is_active_in_training_only():
    model, rows = load("batch_norm_and_dropout"), example("batch_norm_and_dropout")
    assert not (model(rows).numpy() == 0.0).any()
    assert (model(rows, training=True).numpy() == 0.0).any()


@pytest.mark.parametrize("kind", DIFFERENTIATED)
def test_gradients_are_those_of_the_graph(kind):
    model = load(kind)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.square(model(example(kind))))
    gradients = tape.gradient(total, model.trainable_variables)
    with tf.Graph().as_default():
        module = hub.Module(published(kind), trainable=True)
        total = tf.reduce_sum(tf.square(module(as_tensors(KINDS[kind].inputs["default"]))))
        variables = tf.compat.v1.trainable_variables()
        names = [variable.op.name.removeprefix("module/") for variable in variables]
        graph_gradients = [tf.convert_to_tensor(each) for each in tf.gradients(total, variables)]
        with started_session() as session:
            expected = dict(zip(names, session.run(graph_gradients), strict=True))
    found = [variable.name.removesuffix(":0") for variable in model.trainable_variables]
    assert_same(dict(zip(found, map(tf.convert_to_tensor, gradients), strict=True)), expected)


def test_regularization_losses_follow_the_values():
    model = load("regularized")
    square, absolute = (variable for variable in model.variables)
    for variable in (square, absolute):
        variable.assign(tf.ones_like(variable) * 2.0)
    assert sorted(loss().numpy() for loss in model.regularization_losses) == pytest.approx([2.4, 4.0])


def test_regularization_losses_have_gradients():
    model = load("regularized")
    with tf.GradientTape() as tape:
        total = tf.add_n([loss() for loss in model.regularization_losses])
    gradients = tape.gradient(total, model.trainable_variables)
    np.testing.assert_allclose(gradients[0], 0.2 * model.trainable_variables[0].numpy(), rtol=1e-6)


def test_variables_are_trainable_as_the_module_declares():
    model = load("batch_norm")
    assert [variable.name for variable in model.trainable_variables] == ["w:0", "norm/gamma:0", "norm/beta:0"]
    assert [variable.trainable for variable in model.variables] == [True, True, True, False, False]


def test_parts_of_a_partitioned_variable_are_variables_of_their_own():
    names = [variable.name for variable in load("partitioned_rows").trainable_variables]
    assert names == ["embeddings/part_0:0", "embeddings/part_1:0", "embeddings/part_2:0", "plain:0"]


def test_it_has_the_tag_serve_only():
    assert tf.compat.v1.saved_model.contains_saved_model(converted("dense"))
    with pytest.raises(ValueError, match="train"):
        tf.saved_model.load(converted("dense"), tags=["train"])
    assert "default" in tf.saved_model.load(converted("dense"), tags=["serve"]).signatures
