"""Kinds of control flow: TF1's loops and conds, their v2 forms, functions, control dependencies."""

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import function  # TF1's Defun, which old modules hold, has no public name.

from tests.module_fns.registry import control_flow_v1, control_flow_v2, kind, numbers

VECTORS = {"default": {"x": numbers(2, 3), "n": np.int32(3)}}


def _while_loop(hub: Any, use_resource: bool = True) -> None:
    x, n = tf.placeholder(tf.float32, [None, 3], name="x"), tf.placeholder(tf.int32, [], name="n")
    kernel = tf.get_variable("kernel", [3, 3], use_resource=use_resource)
    _, y = tf.while_loop(
        lambda i, _: i < n, lambda i, y: (i + 1, tf.nn.tanh(tf.matmul(y, kernel)) + x), [tf.constant(0), x]
    )
    hub.add_signature(inputs={"x": x, "n": n}, outputs=y)


@kind(inputs=VECTORS, trains=True)
def while_v1(hub: Any) -> tuple:
    def module_fn():
        with control_flow_v1():
            _while_loop(hub)

    return module_fn, None, None


@kind(inputs=VECTORS, trains=True)
def while_v1_of_references(hub: Any) -> tuple:
    def module_fn():
        with control_flow_v1():
            _while_loop(hub, use_resource=False)

    return module_fn, None, None


@kind(inputs=VECTORS, trains=True)
def while_v2(hub: Any) -> tuple:
    def module_fn():
        with control_flow_v2():
            _while_loop(hub)

    return module_fn, None, None


def _cond(hub: Any) -> None:
    x, n = tf.placeholder(tf.float32, [None, 3], name="x"), tf.placeholder(tf.int32, [], name="n")
    kernel, bias = tf.get_variable("kernel", [3, 3]), tf.get_variable("bias", [3])
    inner = lambda: tf.cond(n > 5, lambda: x * 2.0, lambda: x + bias)  # noqa: E731
    y = tf.cond(n > 2, lambda: tf.matmul(inner(), kernel), lambda: x - bias)
    hub.add_signature(inputs={"x": x, "n": n}, outputs=y)
    z = tf.placeholder(tf.float32, [3])
    hub.add_signature("no_control_flow", inputs=z, outputs=z + bias)


COND_INPUTS = {**VECTORS, "no_control_flow": {"default": numbers(3)}}


@kind(inputs=COND_INPUTS, trains=True)
def cond_v1(hub: Any) -> tuple:
    def module_fn():
        with control_flow_v1():
            _cond(hub)

    return module_fn, None, None


@kind(inputs=COND_INPUTS, trains=True)
def cond_v2(hub: Any) -> tuple:
    def module_fn():
        with control_flow_v2():
            _cond(hub)

    return module_fn, None, None


def _nested_control_flow(hub: Any) -> None:
    """A cond in a loop in a loop, with a TensorArray."""
    x = tf.placeholder(tf.float32, [4])
    w = tf.get_variable("w", [])

    def inner(i, j, total):
        step = tf.cond(tf.equal(j % 2, 0), lambda: w * tf.cast(i, tf.float32), lambda: tf.constant(1.0))
        return i, j + 1, total + step

    def outer(i, total, array):
        _, _, total = tf.while_loop(lambda i, j, _: j <= i, inner, [i, 0, total])
        return i + 1, total, array.write(i, x[i] * total)

    array = tf.TensorArray(tf.float32, size=4, element_shape=[])
    _, total, array = tf.while_loop(lambda i, *_: i < 4, outer, [0, tf.constant(0.5), array])
    hub.add_signature(inputs=x, outputs={"default": array.stack(), "total": total})


@kind(inputs={"default": {"default": numbers(4)}}, trains=True, tf1_gradients=True)
def nested_control_flow_v1(hub: Any) -> tuple:
    def module_fn():
        with control_flow_v1():
            _nested_control_flow(hub)

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(4)}}, trains=True)
def nested_control_flow_v2(hub: Any) -> tuple:
    def module_fn():
        with control_flow_v2():
            _nested_control_flow(hub)

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(2, 3)}})
def gradient_of_a_loop(hub: Any) -> tuple:
    """A gradient taken by the publisher, through a TF1 while loop."""

    def module_fn():
        with control_flow_v1():
            x = tf.placeholder(tf.float32, [None, 3])
            w = tf.get_variable("w", [3])
            _, y = tf.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, tf.sin(y * w)), [0, x])
            hub.add_signature(inputs=x, outputs={"default": y, "gradient": tf.gradients(y, x)[0]})

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(2, 3)}}, trains=True)
def tf_function(hub: Any) -> tuple:
    def module_fn():
        w = tf.get_variable("w", [3])

        @tf.function
        def inner(x):
            return tf.sin(x) * 2.0

        @tf.function
        def outer(x):
            return inner(x) * w + inner(x + 1.0)

        x = tf.placeholder(tf.float32, [None, 3])
        hub.add_signature(inputs=x, outputs=outer(x))

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(2, 3)}})
def defun(hub: Any) -> tuple:
    def module_fn():
        @function.Defun(tf.float32, func_name="twice")
        def twice(x):
            return x * 2.0

        @function.Defun(tf.float32, func_name="four_times")
        def four_times(x):
            return twice(twice(x))

        x = tf.placeholder(tf.float32, [None, 3])
        w = tf.get_variable("w", [3])
        hub.add_signature(inputs=x, outputs=tf.reshape(four_times(x), tf.shape(x)) * w)

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(2, 3)}})
def custom_gradient(hub: Any) -> tuple:
    """Only the process that made it knows the gradient: TensorFlow registers it there and nowhere else."""

    def module_fn():
        @tf.custom_gradient
        def doubled_gradient(x):
            return tf.identity(x), lambda dy: 2.0 * dy

        x = tf.placeholder(tf.float32, [None, 3])
        hub.add_signature(inputs=x, outputs=doubled_gradient(x * tf.get_variable("w", [3])))

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(2)}})
def control_dependencies(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [2], name="x")
        counter = tf.get_variable("counter", [], tf.int32, tf.zeros_initializer(), trainable=False)
        check = tf.debugging.assert_less(tf.reduce_sum(x), 100.0)
        with tf.control_dependencies([check, counter.assign_add(1)]):
            y = x * 2.0
        with tf.control_dependencies([y]):
            hub.add_signature(inputs=x, outputs={"default": tf.identity(y), "count": counter.read_value()})

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(5)}})
def random_with_seeds(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [5])
        outputs = {
            "default": x + tf.random.uniform([5], seed=1),
            "normal": tf.random.normal([5], seed=2),
            "shuffled": tf.random.shuffle(x, seed=3),
            "stateless": tf.random.stateless_uniform([2], seed=[1, 2]),
            "dropped": tf.nn.dropout(x, rate=0.5, seed=4),
        }
        hub.add_signature(inputs=x, outputs=outputs)

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(5)}})
def random_with_a_graph_seed(hub: Any) -> tuple:
    def module_fn():
        tf.set_random_seed(17)
        x = tf.placeholder(tf.float32, [5])
        hub.add_signature(inputs=x, outputs=x + tf.random.uniform([5]) + tf.random.uniform([5]))

    return module_fn, None, None
