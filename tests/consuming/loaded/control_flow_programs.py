"""Small programs with TF1 control flow: functions that build a graph, with the values of their inputs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

# `switch` and `merge`, with which old graphs were written by hand, have no public names.
from tensorflow.python.ops import control_flow_ops, tensor_array_ops

PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], Any]] = {}

X = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0]], np.float32)
W = np.random.RandomState(0).uniform(-1.0, 1.0, (3, 3)).astype(np.float32)
N = np.int32(3)


def program(*values: Any, shapes: Any = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(build: Callable[..., Any]) -> Callable[..., Any]:
        PROGRAMS[build.__name__] = build, values, shapes
        return build

    return register


def counted(n: Any, step: Callable[..., Any], *start: Any, **options: Any) -> Any:
    """The variables after n iterations of `step(i, *variables)`."""
    as_list = lambda found: list(found) if isinstance(found, tuple) else [found]  # noqa: E731
    body = lambda i, *variables: [i + 1, *as_list(step(i, *variables))]  # noqa: E731
    return tf.while_loop(lambda i, *_: i < n, body, [tf.constant(0), *start], **options)[1:]


@program(X, W, N)
def loop(x, w, n):
    return counted(n, lambda _, y: tf.tanh(y @ w) + x, x)


@program(X, W, N)
def loop_without_iterations(x, w, n):
    return counted(n - 3, lambda _, y: tf.tanh(y @ w) + x, x)


@program(X, W, N)
def two_variables_that_swap(x, w, n):
    return counted(n, lambda _, y, z: (z, y @ w), x, x * 2.0)


@program(X, W, N)
def loop_in_a_loop(x, w, n):
    return counted(n, lambda i, y: counted(i + 1, lambda j, z: z @ w + tf.cast(i * j, tf.float32), y)[0], x)


@program(X, N)
def loop_that_changes_a_shape(x, n):
    shapes = [tf.TensorShape([]), tf.TensorShape([None, 3])]
    return counted(n, lambda _, y: tf.concat([y, x], 0), x, shape_invariants=shapes)


@program(X, N)
def loop_with_a_limit(x, n):
    return tf.while_loop(lambda y: tf.reduce_sum(y) < 1e5, lambda y: y * x * x, [x], maximum_iterations=n)


@program(X, N)
def loop_without_gradients(x, n):
    return counted(n, lambda _, y: y * x, x, back_prop=False)[0] + x


@program(X, W, N)
def cond(x, w, n):
    return tf.cond(n > 2, lambda: (x @ w, tf.constant(1), x), lambda: (x * 2.0, tf.constant(2), x + 1.0))


@program(X, W, np.int32(1))
def cond_that_is_false(x, w, n):
    return tf.cond(n > 2, lambda: (x @ w, tf.constant(1), x), lambda: (x * 2.0, tf.constant(2), x + 1.0))


@program(X, W, N)
def cond_in_a_cond(x, w, n):
    inner = lambda: tf.cond(n > 5, lambda: x * 2.0, lambda: x + w[0])  # noqa: E731
    return tf.cond(n > 2, lambda: inner() @ w, lambda: x - w[1])


@program(X, W, N)
def cond_in_a_cond_on_the_same_predicate(x, w, n):
    p = n > 2
    taken = lambda: tf.cond(p, lambda: x * 2.0, lambda: x + w[0]) * 3.0  # noqa: E731
    return tf.cond(p, taken, lambda: tf.cond(p, lambda: x, lambda: x - 1.0))


@program(X, W, N)
def conds_one_after_the_other_on_one_predicate(x, w, n):
    p = n > 2
    y = tf.cond(p, lambda: x @ w, lambda: x)
    return tf.cond(p, lambda: y * x, lambda: y + x)


@program(X, W, N)
def cond_in_a_loop(x, w, n):
    return counted(n, lambda i, y: tf.cond(tf.equal(i % 2, 0), lambda: y @ w, lambda: y + x), x)


@program(X, W, N, True)
def cond_on_an_invariant_in_a_loop(x, w, n, p):
    taken = lambda y: tf.cond(n > 2, lambda: y @ w, lambda: y * 2.0)  # noqa: E731
    return counted(n, lambda _, y: tf.cond(p, lambda: taken(y), lambda: y + x), x)


@program(X, W, N)
def loop_in_a_cond(x, w, n):
    return tf.cond(n > 1, lambda: counted(n, lambda _, y: y @ w, x)[0], lambda: x)


@program(X, N)
def case(x, n):
    return tf.case([(n < 1, lambda: x * 2.0), (n < 4, lambda: x * x)], default=lambda: x - 1.0)


@program(X)
def assertion(x):
    with tf.control_dependencies([tf.debugging.assert_less(x, 100.0), tf.Assert(tf.reduce_all(x > -50.0), [x])]):
        return x * x


@program(X, N)
def switches_by_hand(x, n):
    p = n > 2
    false, true = control_flow_ops.switch(x, p)
    first, first_index = control_flow_ops.merge([false * 2.0, true + 1.0])
    false, true = control_flow_ops.switch(first, p)
    second, second_index = control_flow_ops.merge([true * 3.0, false])
    return second, first_index, second_index


@program(X, N)
def a_switch_for_two_merges(x, n):
    p = n > 2
    false, true = control_flow_ops.switch(x, p)
    first, _ = control_flow_ops.merge([false * 2.0, true])
    other_false, other_true = control_flow_ops.switch(first * first, p)
    return control_flow_ops.merge([other_false * false, other_true + 1.0])[0]


@program(np.arange(4, dtype=np.float32), np.float32(0.5))
def all_at_once(x, w):
    def inner(i, j, total):
        step = tf.cond(tf.equal(j % 2, 0), lambda: w * tf.cast(i, tf.float32), lambda: tf.constant(1.0))
        return i, j + 1, total + step

    def outer(i, total, array):
        _, _, total = tf.while_loop(lambda i, j, _: j <= i, inner, [i, 0, total])
        return total, array.write(i, x[i] * total)

    total, array = counted(4, outer, tf.constant(0.5), tf.TensorArray(tf.float32, 4, element_shape=[]))
    return array.stack(), total


@program(X, W)
def mapped(x, w):
    return tf.map_fn(lambda row: tf.linalg.matvec(w, row), x)


@program(X, W, shapes=[(None, 3), (3, 3)])
def mapped_over_an_unknown_number(x, w):
    return tf.map_fn(lambda row: tf.linalg.matvec(w, row), x)


@program(X, W)
def scanned(x, w):
    return tf.scan(lambda total, row: tf.linalg.matvec(w, row) + total, x, initializer=tf.zeros([3]))


@program(X, W)
def folded(x, w):
    step = lambda total, row: tf.linalg.matvec(w, row) * total  # noqa: E731
    return tf.foldl(step, x), tf.foldr(step, x)


@program(X, W, N)
def array_that_grows(x, w, n):
    array = tf.TensorArray(tf.float32, 0, dynamic_size=True, clear_after_read=False, element_shape=[2, 3])
    _, array = counted(n, lambda i, y, array: (y @ w, array.write(i, y)), x, array)
    return array.concat(), array.size(), array.stack()


@program(X)
def array_split_and_gathered(x):
    array = tf.TensorArray(tf.float32, 2, clear_after_read=False).split(x, [1, 1])
    return array.read(0) * 2.0, array.gather([1, 0])


@program(X)
def array_scattered(x):
    array = tf.TensorArray(tf.float32, 3, element_shape=[3]).scatter([2, 0], x).write(1, x[0] * 2.0)
    return array.stack()


@program(X, N)
def array_in_a_cond(x, n):
    array = tf.TensorArray(tf.float32, 2, element_shape=[3])
    one = lambda: array.write(0, x[0] * 2.0).write(1, x[1]).flow  # noqa: E731
    other = lambda: array.write(0, x[1]).write(1, x[0]).flow  # noqa: E731
    return tensor_array_ops.build_ta_with_new_flow(array, tf.cond(n > 1, one, other)).stack()


@program(X, N)
def gradient_within(x, n):
    y = counted(n, lambda _, y: tf.sin(y * x), x)[0]
    return tf.stop_gradient(tf.gradients(y, x)[0]) * x
