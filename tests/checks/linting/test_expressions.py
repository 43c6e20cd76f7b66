"""Values that are computed alike, and what sums are made of."""

from collections.abc import Callable
from typing import Any

import pytest
import tensorflow.compat.v1 as tf

from tests.graphs import spec_with
from tests.module_fns.registry import control_flow_v2
from tf1hub.checks.linting.fine_tuning.expressions import Expressions
from tf1hub.checks.linting.fine_tuning.repeated_losses import find_repeated_losses
from tf1hub.checks.linting.linted_module import LintedModule, Variant

LOSSES = tf.GraphKeys.REGULARIZATION_LOSSES


def _variant(make: Callable[[Any, Any], list[Any]]) -> Variant:
    """A module with two variables, and the losses that the function makes of them."""

    def outputs(x):
        w, v = tf.get_variable("w", [3]), tf.get_variable("v", [3])
        for loss in make(w, v):
            tf.add_to_collection(LOSSES, loss)
        return x * w * v

    return LintedModule(spec_with(outputs)).variants[0]


def _numbers(make: Callable[[Any, Any], list[Any]]) -> list[int]:
    variant = _variant(make)
    return list(map(Expressions(variant.flow, variant.liveness).number, variant.regularization_losses))


def _looped(w: Any) -> Any:
    with control_flow_v2():
        return tf.while_loop(lambda i, _: i < 2, lambda i, total: (i + 1, total * tf.nn.l2_loss(w)), [0, 1.0])[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda w, v: [tf.nn.l2_loss(w), tf.nn.l2_loss(w.read_value())],
        lambda w, v: [0.1 * tf.nn.l2_loss(w), tf.nn.l2_loss(w) * 0.1],
        lambda w, v: [tf.add_n([tf.norm(w), tf.norm(v)]), tf.add_n([tf.norm(v), tf.norm(w)])],
        lambda w, v: [tf.nn.l2_loss(w), tf.function(lambda: tf.nn.l2_loss(w))()],
        lambda w, v: [tf.reduce_sum(w, axis=[0]), tf.reduce_sum(w, axis=tf.constant([0]))],
    ],
)
def test_what_is_computed_alike_has_one_number(make):
    one, other = _numbers(make)
    assert one == other


@pytest.mark.parametrize(
    "make",
    [
        lambda w, v: [tf.nn.l2_loss(w), tf.nn.l2_loss(v)],
        lambda w, v: [0.1 * tf.nn.l2_loss(w), 0.2 * tf.nn.l2_loss(w)],
        lambda w, v: [tf.norm(w) - tf.norm(v), tf.norm(v) - tf.norm(w)],
        lambda w, v: [tf.reduce_sum(w), tf.reduce_mean(w)],
        lambda w, v: [tf.reduce_sum(w, keepdims=True), tf.reduce_sum(w, keepdims=False)],
        lambda w, v: tf.unstack(w)[:2],
        lambda w, v: [tf.nn.l2_loss(tf.unstack(w)[0]), tf.nn.l2_loss(tf.unstack(w)[1])],
        lambda w, v: [tf.norm(w * tf.random.uniform([3])), tf.norm(w * tf.random.uniform([3]))],
        lambda w, v: [_looped(w), _looped(v)],
    ],
)
def test_what_is_computed_otherwise_has_another_number(make):
    one, other = _numbers(make)
    assert one != other


def test_a_very_long_sum_is_no_trouble():
    def make(w, v):
        total = tf.nn.l2_loss(w)
        for _ in range(1500):
            total = total + 1.0
        return [total, tf.nn.l2_loss(v)]

    one, other = _numbers(make)
    assert one != other


def test_the_terms_of_a_sum_are_found_through_sums_and_constant_factors():
    def make(w, v):
        parts = [tf.nn.l2_loss(w), tf.nn.l2_loss(v)]
        return [*parts, 0.5 * tf.reduce_sum(tf.stack([parts[0], 2.0 * (parts[1] + 1.0)]))]

    variant = _variant(make)
    one, other, total = variant.regularization_losses
    assert find_repeated_losses(variant).sums == {total: [one, other]}


def test_a_product_with_a_variable_is_no_sum():
    def make(w, v):
        part = tf.nn.l2_loss(w)
        return [part, part * tf.norm(v)]

    assert find_repeated_losses(_variant(make)).sums == {}


def test_constants_are_not_repeated_losses():
    found = find_repeated_losses(_variant(lambda w, v: [tf.constant(0.0), tf.constant(0.0)]))
    assert not found.alike
