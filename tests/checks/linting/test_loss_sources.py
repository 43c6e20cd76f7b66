"""What regularization losses are made of, as TensorFlow sees it."""

from typing import Any

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import evaluate, spec_with
from tests.module_fns.registry import control_flow_v1, control_flow_v2
from tf1hub.checks.linting.fine_tuning.loss_sources import find_inputs, find_losses, find_variables
from tf1hub.checks.linting.linted_module import LintedModule, Variant

LOSSES = tf.GraphKeys.REGULARIZATION_LOSSES


def _cond(switch: bool, w: Any) -> Any:
    predicate = tf.placeholder_with_default(switch, [])
    return tf.cond(predicate, lambda: tf.nn.l2_loss(w), lambda: tf.constant(0.0))


def _cond_v1(switch: bool, w: Any) -> Any:
    with control_flow_v1():
        return _cond(switch, w)


def _cond_v2(switch: bool, w: Any) -> Any:
    with control_flow_v2():
        return _cond(switch, w)


def _loop(w: Any) -> Any:
    with control_flow_v2():
        return tf.while_loop(lambda i, _: i < 2, lambda i, total: (i + 1, total + tf.nn.l2_loss(w)), [0, 0.0])[1]


OF_TWO_VARIABLES = {
    "sum": lambda w, v: tf.nn.l2_loss(w) + tf.reduce_sum(tf.abs(v)),
    "difference": lambda w, v: tf.nn.l2_loss(w - v),
    "stopped": lambda w, v: tf.nn.l2_loss(w - tf.stop_gradient(v)),
    "shape": lambda w, v: tf.nn.l2_loss(w) / tf.size(v, out_type=tf.float32),
    "zero": lambda w, v: tf.nn.l2_loss(w) + 0.0 * tf.nn.l2_loss(v),
    "zeros_like": lambda w, v: tf.nn.l2_loss(w + tf.zeros_like(v)),
    "constant": lambda w, v: tf.constant(1.0),
    "loop": lambda w, v: _loop(w),
    "taken_v1": lambda w, v: _cond_v1(True, w),
    "not_taken_v1": lambda w, v: _cond_v1(False, w),
    "taken_v2": lambda w, v: _cond_v2(True, w),
    "not_taken_v2": lambda w, v: _cond_v2(False, w),
}


def _with_loss(make: Any) -> hub.ModuleSpec:
    def outputs(x):
        w = tf.get_variable("w", [3], initializer=tf.constant_initializer(2.0))
        v = tf.get_variable("v", [3], initializer=tf.constant_initializer(5.0))
        tf.add_to_collection(LOSSES, make(w, v))
        return x * w + v

    return spec_with(outputs)


@pytest.mark.parametrize("make", OF_TWO_VARIABLES.values(), ids=list(OF_TWO_VARIABLES))
def test_the_variables_are_those_with_a_gradient(make):
    spec = _with_loss(make)
    with tf.Graph().as_default():
        module = hub.Module(spec, trainable=True)
        (loss,) = tf.get_collection(LOSSES)
        variables = module.variable_map
        gradients = zip(variables, tf.gradients(loss, list(variables.values())), strict=True)
        known = {name: gradient for name, gradient in gradients if gradient is not None}
        expected = {name for name, gradient in evaluate(known).items() if gradient.any()}
    assert find_variables(*_loss(spec)) == expected


def test_variables_in_functions_are_found():
    """In a graph, TensorFlow itself has no gradient of a function that reads a variable."""
    spec = _with_loss(lambda w, v: tf.function(lambda: tf.nn.l2_loss(w) * 2.0)())
    assert find_variables(*_loss(spec)) == {"w"}


def _loss(spec: hub.ModuleSpec) -> tuple[Variant, Any]:
    (variant,) = LintedModule(spec).variants
    (loss,) = find_losses(variant)
    return variant, loss


def _inputs(make: Any) -> list[list[str]]:
    """The inputs behind the losses that the function makes of the input and a variable."""

    def outputs(x):
        tf.add_to_collection(LOSSES, make(x, tf.get_variable("w", [3])))
        return x

    (variant,) = LintedModule(spec_with(outputs)).variants
    return list(find_inputs(variant).values())


def test_an_input_counts_whose_size_alone_is_used():
    assert _inputs(lambda x, w: tf.nn.l2_loss(w) / tf.cast(tf.shape(x)[0], tf.float32)) == [["inputs"]]


def test_an_input_counts_that_a_function_takes():
    assert _inputs(lambda x, w: tf.function(lambda y: tf.reduce_sum(y * w))(x)) == [["inputs"]]


def test_a_placeholder_counts_that_no_signature_feeds():
    assert _inputs(lambda x, w: tf.nn.l2_loss(w) * tf.placeholder(tf.float32, [], "strength")) == [["strength"]]


def test_a_default_that_no_signature_replaces_does_not_count():
    assert _inputs(lambda x, w: tf.nn.l2_loss(w) * tf.placeholder_with_default(0.1, [])) == []


def test_a_loss_that_the_graph_lacks_is_none():
    spec = _with_loss(OF_TWO_VARIABLES["sum"])
    (variant,) = LintedModule(spec).variants
    variant.regularization_losses = (("gone", 0), *variant.regularization_losses)
    assert ("gone", 0) not in find_losses(variant)


@pytest.mark.parametrize("waits", [False, True])
def test_a_session_cannot_compute_a_loss_that_needs_a_placeholder(waits):
    def outputs(x):
        w = tf.get_variable("w", [3])
        with tf.control_dependencies([x] if waits else []):
            tf.add_to_collection(LOSSES, tf.nn.l2_loss(w) if waits else tf.nn.l2_loss(w * x))
        return x * w

    spec = spec_with(outputs)
    assert list(find_inputs(_loss(spec)[0]).values()) == [["inputs"]]
    with tf.Graph().as_default():
        hub.Module(spec, trainable=True)
        loss = tf.losses.get_regularization_loss()
        with pytest.raises(tf.errors.InvalidArgumentError, match="feed"):
            evaluate(loss)


def test_a_strength_that_is_an_input_has_its_default_whatever_a_call_passes():
    def module_fn():
        x, strength = tf.placeholder(tf.float32, [None]), tf.placeholder_with_default(0.5, [], "strength")
        w = tf.get_variable("w", [], initializer=tf.constant_initializer(2.0))
        tf.add_to_collection(LOSSES, strength * w)
        hub.add_signature(inputs={"x": x, "strength": strength}, outputs=x * w * strength)

    with tf.Graph().as_default():
        hub.Module(hub.create_module_spec(module_fn), trainable=True)({"x": [1.0], "strength": 8.0})
        assert evaluate(tf.losses.get_regularization_loss()) == 1.0
