"""Gradients that are not those of the ops: of functions of TensorFlow 1, and of `tf.custom_gradient`."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import function  # TF1's Defun, which old modules hold, has no public name.

import tf1hub as hub
from tests.consuming.loaded.differentiation import exported
from tests.graphs import ROWS, published, spec_with
from tests.module_fns.registry import control_flow_v1
from tests.programs import run_program

v1 = tf.compat.v1


@pytest.fixture(scope="module")
def module_path(tmp_path_factory):
    """A module with a swish whose publisher gave it the gradient 100 dy; alone, and in a loop."""

    @function.Defun(tf.float32, tf.float32, func_name="swish_gradient")
    def swish_gradient(x, dy):
        return 100.0 * dy

    @function.Defun(tf.float32, func_name="swish", grad_func=swish_gradient)
    def swish(x):
        return x * tf.sigmoid(x)

    def outputs(x):
        shaped = lambda y: tf.reshape(swish(y), tf.shape(y))  # noqa: E731
        with control_flow_v1():
            loop = v1.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, shaped(y)), [0, x])[1]
        return {"default": shaped(x), "loop": loop}

    return exported(spec_with(outputs), tmp_path_factory.mktemp("swish"))


def gradient(call, output):
    x = tf.constant(ROWS)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = call(x, outputs=[output])[output]
    return tape.gradient(y, x)


@pytest.mark.parametrize(("output", "expected"), [("default", 100.0), ("loop", 10_000.0)])
def test_a_function_has_the_gradient_that_its_publisher_gave_it(output, expected, module_path):
    module = hub.load(module_path)
    np.testing.assert_allclose(gradient(module, output), np.full_like(ROWS, expected))
    np.testing.assert_allclose(tf.function(gradient)(module, output), np.full_like(ROWS, expected))
    np.testing.assert_allclose(module(ROWS), ROWS / (1 + np.exp(-ROWS)), rtol=1e-6)


@pytest.fixture(scope="module")
def nested_path(tmp_path_factory):
    """A module whose double has the gradient 100 dy: called by a function, in a v2 branch and in a v2 loop."""

    @function.Defun(tf.float32, tf.float32, func_name="double_gradient")
    def double_gradient(x, dy):
        return 100.0 * dy

    shaped = {"shape_func": lambda op: [op.inputs[0].shape]}

    @function.Defun(tf.float32, func_name="double", grad_func=double_gradient, **shaped)
    def double(x):
        return x * 2.0

    @function.Defun(tf.float32, func_name="within", **shaped)
    def within(x):
        return double(x) + 0.0

    def outputs(x):
        branch = tf.cond(tf.size(x) > 0, lambda: double(x), lambda: x)
        loop = tf.while_loop(lambda i, _: i < 1, lambda i, y: (i + 1, double(y)), [0, x])[1]
        return {"default": within(x), "branch": branch, "loop": loop}

    return exported(spec_with(outputs), tmp_path_factory.mktemp("nested"))


@pytest.mark.parametrize("output", ["default", "branch", "loop"])
def test_a_function_within_another_has_it_too(output, nested_path):
    module = hub.load(nested_path)
    np.testing.assert_allclose(gradient(module, output), np.full_like(ROWS, 100.0))
    np.testing.assert_allclose(tf.function(gradient)(module, output), np.full_like(ROWS, 100.0))
    np.testing.assert_allclose(module(ROWS, outputs=[output])[output], 2 * ROWS)


@pytest.fixture(scope="module")
def dropping_path(tmp_path_factory):
    """A module whose functions draw at random which numbers they drop: alone, in a function, and in a TF1 loop."""

    @function.Defun(tf.float32, func_name="drop")
    def drop(x):
        return x * tf.floor(v1.random_uniform(tf.shape(x)) + 0.5)

    @function.Defun(tf.float32, func_name="outer")
    def outer(x):
        return drop(x) * 2.0

    def outputs(x):
        with control_flow_v1():
            step = lambda i, y: (i + 1, y + tf.reshape(drop(x), tf.shape(x)))  # noqa: E731
            loop = v1.while_loop(lambda i, _: i < 9, step, [0, tf.zeros_like(x)])[1]
        return {"default": drop(x), "nested": outer(x), "loop": loop}

    return exported(spec_with(outputs), tmp_path_factory.mktemp("dropping"))


@pytest.mark.parametrize(("output", "least"), [("default", 2), ("nested", 2), ("loop", 5)])
def test_a_gradient_knows_what_a_function_drew(output, least, dropping_path):
    module, x = hub.load(dropping_path), tf.ones([100, 3])

    def output_and_gradient():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = module(x, outputs=[output])[output]
        return y, tape.gradient(y, x)

    for compute in (output_and_gradient, tf.function(output_and_gradient)):
        y, found = compute()
        np.testing.assert_array_equal(y, found)
        # A loop that drew but once would have 0 and 9 only.
        assert len(np.unique(y)) >= least


def test_two_objects_of_a_module_do_not_get_in_each_others_way(module_path):
    modules = [hub.load(module_path) for _ in range(2)]
    for module in modules:
        np.testing.assert_allclose(gradient(module, "default"), np.full_like(ROWS, 100.0))


def test_it_is_saved_along(module_path, tmp_path):
    module, wrapper = hub.load(module_path), tf.Module()
    wrapper.module, wrapper.call = module, tf.function(module, input_signature=[tf.TensorSpec([None, 3])])
    tf.saved_model.save(wrapper, str(tmp_path / "saved"))
    program = """
        import sys, tensorflow as tf
        saved, x = tf.saved_model.load(sys.argv[1]), tf.Variable([[1.0, 2.0, 3.0]])
        with tf.GradientTape() as tape:
            y = saved.call(x)
        print(tape.gradient(y, x).numpy().tolist())
    """
    assert run_program(program, str(tmp_path / "saved")).strip() == "[[100.0, 100.0, 100.0]]"


def test_a_gradient_that_only_the_publishers_process_knew_is_missed_rather_than_made_up():
    program = """
        import sys, tensorflow as tf, tf1hub as hub
        module, x = hub.load(sys.argv[1]), tf.Variable([[1.0, 2.0, 3.0]])
        print(module(x).shape)
        try:
            with tf.GradientTape() as tape:
                y = module(x)
            tape.gradient(y, x)
        except LookupError as error:
            print(error)
    """
    assert "(1, 3)\nNo gradient defined for operation" in run_program(program, published("custom_gradient"))
