"""What a module brings to the collections: nothing unless it is trained, and then what is its own."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import ROWS, evaluate, export, names, spec_of, started_session
from tests.module_fns import KINDS, as_tensors

TRAIN = {"train"}


@pytest.fixture(params=["memory", "disk"])
def place(request, tmp_path):
    """Gives the spec of a kind, or the path that it was exported to."""
    if request.param == "memory":
        return spec_of
    return lambda kind: export(spec_of(kind), tmp_path / kind, tags=KINDS[kind].exported)


def collected(key):
    return names(tf.get_collection(key))


def test_a_trained_module_brings_its_update_ops_when_it_is_applied(place):
    module = hub.Module(place("batch_norm"), trainable=True, tags=TRAIN)
    assert collected(tf.GraphKeys.UPDATE_OPS) == []
    for count in (1, 2):
        module(ROWS)
        assert len(collected(tf.GraphKeys.UPDATE_OPS)) == 2 * count
    assert all(name.startswith("module_apply_default") for name in collected(tf.GraphKeys.UPDATE_OPS))


def test_a_module_that_is_not_trained_brings_no_update_ops(place):
    hub.Module(place("batch_norm"), tags=TRAIN)(ROWS)
    assert collected(tf.GraphKeys.UPDATE_OPS) == []
    assert not [op for op in tf.get_default_graph().get_operations() if op.type == "AssignSubVariableOp"]


def test_the_variant_for_inference_brings_no_update_ops(place):
    hub.Module(place("batch_norm"), trainable=True)(ROWS)
    assert collected(tf.GraphKeys.UPDATE_OPS) == []


def test_update_ops_move_the_averages_by_the_callers_values(place):
    module = hub.Module(place("batch_norm"), trainable=True, tags=TRAIN)
    hidden = ROWS @ np.ones([3, 2], np.float32)
    module(ROWS)
    with started_session() as session:
        module.variable_map["w"].load(np.ones([3, 2]), session)
        for _ in range(2):
            session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
        mean = session.run(module.variable_map["norm/moving_mean"])
    np.testing.assert_allclose(mean, 0.19 * hidden.mean(axis=0), rtol=1e-5)


def test_update_ops_of_another_signature_are_left_out(place):
    module = hub.Module(place("updates_of_two_signatures"), trainable=True, tags=TRAIN)
    module(ROWS)
    assert len(collected(tf.GraphKeys.UPDATE_OPS)) == 3
    with started_session() as session:
        session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
        first, second, steps = (
            session.run(module.variable_map[name]) for name in ("first/moving_mean", "second/moving_mean", "steps")
        )
    assert (first.any(), second.any(), steps) == (True, False, 1)


def test_each_signature_brings_its_own_update_ops():
    module = hub.Module(spec_of("updates_of_two_signatures"), trainable=True, tags=TRAIN)
    module(ROWS, signature="features")
    with started_session() as session:
        session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
        first, second = (session.run(module.variable_map[f"{name}/moving_mean"]) for name in ("first", "second"))
    assert (first.any(), second.any()) == (False, True)


def test_an_update_under_a_cond_of_the_publisher():
    module = hub.Module(spec_of("update_under_a_cond"), trainable=True, tags=TRAIN)
    module(ROWS)
    with started_session() as session:
        session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
        np.testing.assert_allclose(session.run(module.variable_map["moving_mean"]), 0.1 * ROWS.mean(axis=0), rtol=1e-5)


def test_a_trained_module_brings_its_losses_when_it_is_made(place):
    module = hub.Module(place("regularized"), trainable=True)
    losses = tf.losses.get_regularization_losses()
    assert len(losses) == 2
    module(ROWS)
    module(ROWS)
    assert tf.losses.get_regularization_losses() == losses
    square = np.full([3, 2], 2.0, np.float32)
    with started_session() as session:
        module.variable_map["square"].load(square, session)
        module.variable_map["absolute"].load([-3.0, 1.0], session)
        np.testing.assert_allclose(sorted(session.run(losses)), sorted([0.1 * (square**2).sum(), 4.0]), rtol=1e-6)


def test_a_module_that_is_not_trained_brings_no_losses(place):
    hub.Module(place("regularized"))
    assert tf.losses.get_regularization_losses() == []
    assert collected(tf.GraphKeys.TRAINABLE_VARIABLES) == []
    assert collected(tf.GraphKeys.GLOBAL_VARIABLES) == ["module/absolute:0", "module/square:0"]


def test_losses_can_be_minimized(place):
    module = hub.Module(place("regularized"), trainable=True)
    loss = tf.losses.get_regularization_loss()
    step = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    with started_session() as session:
        module.variable_map["square"].load(np.ones([3, 2]), session)
        before = session.run(loss)
        session.run(step)
        assert session.run(loss) < before


def test_what_variables_are_in_which_collection(place):
    module = hub.Module(place("untrained_and_model_variables"), trainable=True)
    assert len(module.variables) == 7
    prefixed = lambda *found: [f"module/{name}:0" for name in sorted(found)]  # noqa: E731
    trained = prefixed("both", "copy", "trained", "Variable", "Variable_1")
    assert collected(tf.GraphKeys.TRAINABLE_VARIABLES) == sorted(trained)
    assert collected(tf.GraphKeys.MODEL_VARIABLES) == prefixed("both", "model")
    assert collected(tf.GraphKeys.GLOBAL_VARIABLES) == names(module.variables)


def test_nothing_of_the_publishers_other_collections_comes_along(place):
    hub.Module(place("collections_to_drop"))(ROWS[0, :2])
    assert set(tf.get_default_graph().get_all_collection_keys()) == {tf.GraphKeys.GLOBAL_VARIABLES}


def test_nested_modules_bring_theirs(place):
    module = hub.Module(place("nested_with_regularizers_and_updates"), trainable=True)
    module(as_tensors(KINDS["nested_with_regularizers_and_updates"].inputs["default"]))
    assert len(tf.losses.get_regularization_losses()) == 3
    assert len(collected(tf.GraphKeys.UPDATE_OPS)) == 2


def test_nested_modules_that_are_not_trained_bring_nothing(place):
    module = hub.Module(place("nested_with_regularizers_and_updates"))
    module(as_tensors(KINDS["nested_with_regularizers_and_updates"].inputs["default"]))
    assert (tf.losses.get_regularization_losses(), collected(tf.GraphKeys.UPDATE_OPS)) == ([], [])


def test_the_values_do_not_depend_on_being_trained(place):
    where = place("batch_norm")
    for trainable in (True, False):
        y = hub.Module(where, trainable=trainable, tags=TRAIN)(ROWS)
        np.testing.assert_allclose(evaluate(y).mean(axis=0), [0.0, 0.0], atol=1e-5)
