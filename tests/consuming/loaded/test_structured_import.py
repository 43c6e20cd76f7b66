"""TF1 control flow, rebuilt for functions of TensorFlow 2: what it computes, its gradients, what runs and what does not."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.compat.v1 as tf1

from tests.consuming.loaded.control_flow_programs import PROGRAMS, N, W, X, counted
from tests.consuming.loaded.rebuilt_graphs import Rebuilt, assert_all_close
from tf1hub.errors import GraphError

_TF1_CONTROL_FLOW = {"Enter", "Exit", "Switch", "Merge", "NextIteration", "LoopCond", "TensorArrayV3"}
# XLA has loops with a limit, and lists of a fixed size.
_COMPILED = [
    "loop",
    "loop_with_a_limit",
    "cond_in_a_cond",
    "cond_in_a_loop",
    "mapped_over_an_unknown_number",
    "scanned",
]


def rebuilt(name):
    build, values, shapes = PROGRAMS[name]
    return Rebuilt(build, *values, shapes=shapes)


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients_are_those_of_a_session(name):
    rebuilt(name).check(gradients=name != "gradient_within")


def test_a_gradient_that_the_publisher_took_through_a_loop_has_none_itself_but_works():
    graph = rebuilt("gradient_within")
    assert_all_close(graph.run(), graph.in_session())


@pytest.mark.parametrize("name", ["loop_in_a_loop", "all_at_once"])
def test_gradients_are_those_of_finite_differences(name):
    graph = rebuilt(name)
    function = graph.function()
    fixed = [tf.constant(value) for value in graph.values]

    def by_inputs(*chosen):
        given = dict(zip(graph.differentiated, chosen, strict=True))
        return sum(tf.reduce_sum(one) for one in function(*(given.get(at, fixed[at]) for at in range(len(fixed)))))

    theoretical, numerical = tf.test.compute_gradient(by_inputs, [fixed[at] for at in graph.differentiated], delta=1e-2)
    assert_all_close_enough(theoretical, numerical)


def assert_all_close_enough(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("name", _COMPILED)
def test_xla_compiles_it_and_its_gradient(name):
    graph = rebuilt(name)
    function = graph.function()
    assert_all_close(graph.run(tf.function(function, jit_compile=True)), graph.in_session())

    @tf.function(jit_compile=True)
    def gradient(*values):
        chosen = [values[at] for at in graph.differentiated]
        with tf.GradientTape() as tape:
            tape.watch(chosen)
            outputs = [one for one in function(*values) if one.dtype.is_floating]
        return tape.gradient(outputs, chosen)

    assert_all_close([one.numpy() for one in gradient(*map(tf.constant, graph.values))], graph.gradients_in_session())


@pytest.mark.parametrize("name", ["loop_in_a_loop", "all_at_once", "scanned"])
def test_gradients_are_the_same_after_saving_and_in_graphs(name, tmp_path):
    graph = rebuilt(name)
    holder = tf.Module()
    holder.function = tf.function(
        graph.function(), input_signature=[tf.TensorSpec(x.shape, x.dtype) for x in graph.inputs]
    )
    tf.saved_model.save(holder, str(tmp_path))
    again = tf.saved_model.load(str(tmp_path)).function
    for function in (again, tf.function(lambda *values: again(*values))):
        assert_all_close(graph.gradients(function), graph.gradients_in_session())


def test_xla_refuses_an_array_that_grows():
    """It would compile the list as one that does not grow, and lose what is written."""
    with pytest.raises(tf.errors.InvalidArgumentError, match="TensorListResize"):
        rebuilt("array_that_grows").run(tf.function(rebuilt("array_that_grows").function(), jit_compile=True))


@pytest.mark.parametrize("name", ["loop", "case", "all_at_once", "mapped"])
def test_nothing_of_tf1s_control_flow_is_left(name):
    graph_def = rebuilt(name).function().graph.as_graph_def()
    nodes = [*graph_def.node, *(node for function in graph_def.library.function for node in function.node_def)]
    assert not _TF1_CONTROL_FLOW & {node.op for node in nodes}


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in ("folded", "array_that_grows")])
def test_static_shapes_are_as_known_as_in_tf1(name):
    graph = rebuilt(name)
    for found, expected in zip(graph.function().outputs, graph.outputs, strict=False):
        assert expected.shape.is_compatible_with(found.shape)
        assert found.shape.rank == expected.shape.rank
        assert None not in (found.shape.as_list() or ()) or None in expected.shape.as_list()


def dropped_out(x, n):
    return counted(n, lambda _, y: tf.nn.dropout(y, rate=0.3, seed=5) + 0.0 * x, x)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_dropout_in_a_loop_is_the_same_in_the_backward_pass(jit_compile):
    function = Rebuilt(dropped_out, np.ones(50, np.float32), N).function()

    @tf.function(jit_compile=jit_compile)
    def value_and_gradient(x, n):
        with tf.GradientTape() as tape:
            tape.watch(x)
            (y,) = function(x, n)
        return y, tape.gradient(y, x)

    y, gradient = value_and_gradient(tf.ones([50]), tf.constant(N))
    assert 0 < np.count_nonzero(y) < 50
    np.testing.assert_allclose(gradient, y)


def test_dropout_in_a_loop_is_drawn_anew_by_each_iteration_and_each_call():
    function = Rebuilt(dropped_out, np.ones(200, np.float32), N).function()
    once, again = (np.count_nonzero(function(tf.ones([200]), tf.constant(N))[0]) for _ in range(2))
    one = np.count_nonzero(function(tf.ones([200]), tf.constant(1))[0])
    assert once < one
    assert again < one


def test_random_ops_in_a_loop_keep_their_seeds():
    graph_def = Rebuilt(dropped_out, np.ones(5, np.float32), N).function().graph.as_graph_def()
    nodes = [node for function in graph_def.library.function for node in function.node_def]
    assert {node.attr["seed2"].i for node in nodes if node.op == "RandomUniform"} == {5}


def checked(x, n):
    def negative():
        with tf.control_dependencies([tf1.Assert(tf.reduce_all(x < 0.0), ["not negative"])]):
            return tf.identity(x)

    return tf1.cond(n > 2, negative, lambda: x * 2.0)


def test_only_the_branch_that_is_taken_runs():
    function = Rebuilt(checked, X, N).function()
    np.testing.assert_array_equal(function(tf.constant(X), tf.constant(1))[0], 2 * X)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not negative"):
        function(tf.constant(X), tf.constant(3))


def test_an_assertion_fails():
    build, _, _ = PROGRAMS["assertion"]
    with pytest.raises(tf.errors.InvalidArgumentError):
        Rebuilt(build, X * 100).run()


def test_what_nobody_wants_is_not_run():
    def build(x, n):
        checked(x, n)
        return tf1.cond(n > 2, lambda: x, lambda: x * 2.0)

    np.testing.assert_array_equal(Rebuilt(build, X, N).run()[0], X)


def test_a_tensor_within_a_branch_cannot_be_asked_for():
    inside = []
    graph = Rebuilt(lambda x, n: tf1.cond(n > 2, lambda: inside.append(x * 3.0) or inside[0], lambda: x), X, N)
    graph.outputs.append(inside[0])
    with pytest.raises(GraphError, match="within a loop or one side of a branch"):
        graph.function()


def test_branches_on_two_predicates_at_once_are_refused():
    def build(x, n):
        from tensorflow.python.ops import control_flow_ops

        one, other = control_flow_ops.switch(x, n > 2), control_flow_ops.switch(x, n > 5)
        return control_flow_ops.merge([one[0], other[1]])[0]

    with pytest.raises(GraphError, match=r"'Merge'.*not the two sides of one predicate"):
        Rebuilt(build, X, N).function()


def test_a_gradient_through_a_tensor_array_that_the_publisher_took_is_refused():
    def build(x, w):
        return tf1.gradients(tf1.map_fn(lambda row: tf.linalg.matvec(w, row), x), x)[0]

    with pytest.raises(GraphError, match="TensorArrayGradV3"):
        Rebuilt(build, X, W).function()
