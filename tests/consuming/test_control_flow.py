"""Modules within loops and branches, and loops and branches within modules; with their gradients."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import ROWS, evaluate, export, op_types, scaling_spec, spec_with
from tests.module_fns import KINDS, as_tensors
from tests.module_fns.registry import control_flow_v1, control_flow_v2, value_for
from tests.plain_graphs import module_answers, plain_answers

FLOWS = pytest.mark.parametrize("flow", [control_flow_v1, control_flow_v2])
WITH_CONTROL_FLOW = [
    *("while_v1", "while_v1_of_references", "while_v2", "cond_v1", "cond_v2", "nested_control_flow_v1"),
    *("nested_control_flow_v2", "rnn", "rnn_v2", "tf_function", "custom_gradient"),
]
SIMPLE = ["while_v1", "cond_v1", "while_v2", "cond_v2", "tf_function", "custom_gradient"]


pytestmark = pytest.mark.filterwarnings("ignore:`tf.nn.rnn_cell:UserWarning")


def fresh_spec(kind):
    """A spec whose functions no other test knows: TensorFlow keeps those of gradients for the whole process."""
    if not KINDS[kind].available():
        pytest.skip(f"{KINDS[kind].needs} is not installed")
    return KINDS[kind].spec(hub)


def has_gradients(kind, flow):
    """TensorFlow has no gradients of TF1 control flow in a function, nor of v2 loops in TF1's control flow."""
    return not (kind.endswith("_v1") if flow is control_flow_v2 else kind == "while_v2")


def assert_all_close(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@FLOWS
def test_a_module_in_a_loop_and_its_gradient(flow):
    module = hub.Module(scaling_spec(), trainable=True)
    with flow():
        _, y = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, module(y)), [0, tf.constant(ROWS)])
        gradient = tf.gradients(y, module.variables)[0]
    assert y.shape.as_list() == [2, 3]
    assert len(tf.global_variables()) == 1
    assert_all_close(evaluate([y, gradient]), [8 * ROWS, 3 * 4 * ROWS.sum(axis=0)])


@FLOWS
@pytest.mark.parametrize("taken", [True, False])
def test_a_module_in_a_branch_and_its_gradient(flow, taken):
    module = hub.Module(scaling_spec(), trainable=True)
    with flow():
        x, choice = tf.constant(ROWS), tf.placeholder(tf.bool, [])
        y = tf.cond(choice, lambda: module(x), lambda: module(module(x)))
        gradients = tf.gradients(y, [x, module.variables[0]])
    power = 1 if taken else 2
    expected = [2**power * ROWS, np.full_like(ROWS, 2**power), power * 2 ** (power - 1) * ROWS.sum(axis=0)]
    assert_all_close(evaluate([y, *gradients], {choice: taken}), expected)


@FLOWS
def test_a_module_in_a_branch_in_a_loop(flow):
    module = hub.Module(scaling_spec(), trainable=True)

    def body(i, y):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: module(y), lambda: y + 1.0)

    with flow():
        _, y = tf.while_loop(lambda i, _: i < 3, body, [0, tf.constant(ROWS)])
        gradient = tf.gradients(y, module.variables)[0]
    assert_all_close(evaluate([y, gradient]), [(2 * ROWS + 1) * 2, (4 * ROWS + 1).sum(axis=0)])


@FLOWS
def test_a_module_made_in_a_loop_has_its_state_outside(flow):
    with flow():
        apply = lambda y: hub.Module(scaling_spec(), trainable=True)(y)  # noqa: E731
        _, y = tf.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, apply(y)), [0, tf.constant(ROWS)])
    assert [variable.name for variable in tf.global_variables()] == ["module/w:0"]
    assert_all_close([evaluate(y)], [4 * ROWS])


@FLOWS
def test_only_the_branch_that_is_taken_runs(flow):
    def checked(x):
        with tf.control_dependencies([tf.debugging.assert_positive(x)]):
            return tf.identity(x)

    module = hub.Module(spec_with(checked))
    with flow():
        choice, x = tf.placeholder(tf.bool, []), tf.constant(ROWS)
        y = tf.cond(choice, lambda: module(x), lambda: x * 3.0)
    assert_all_close([evaluate(y, {choice: False})], [3 * ROWS])
    with pytest.raises(tf.errors.InvalidArgumentError):
        evaluate(y, {choice: True})


@pytest.mark.parametrize("kind", WITH_CONTROL_FLOW)
def test_control_flow_in_a_module_answers_as_without_one(kind):
    assert_all_close(module_answers(kind, fresh_spec(kind)), plain_answers(kind))


@pytest.mark.parametrize("kind", WITH_CONTROL_FLOW)
def test_control_flow_in_a_module_from_disk_answers_as_without_one(kind, tmp_path):
    path = export(fresh_spec(kind), tmp_path / "module", values=True)
    assert_all_close(module_answers(kind, path), plain_answers(kind))


@pytest.mark.parametrize("kind", SIMPLE)
def test_a_module_with_control_flow_applied_twice(kind):
    twice = module_answers(kind, fresh_spec(kind), lambda module, inputs: module(inputs) + module(inputs))
    assert_all_close(twice, [2 * value for value in plain_answers(kind)])


@pytest.mark.parametrize("kind", SIMPLE)
def test_two_instances_of_a_module_with_control_flow(kind):
    other = hub.Module(fresh_spec(kind), trainable=True, name="other")
    other(as_tensors(KINDS[kind].inputs["default"]))
    assert_all_close(module_answers(kind, fresh_spec(kind)), plain_answers(kind))


def test_a_module_with_a_v2_loop_under_another_name_in_another_graph():
    spec = fresh_spec("while_v2")
    for name in ("first", "second"):
        with tf.Graph().as_default():
            module = hub.Module(spec, trainable=True, name=name)
            y = module(as_tensors(KINDS["while_v2"].inputs["default"]))
            assert evaluate(tf.gradients(y, module.variables)[0]).shape == (3, 3)


@FLOWS
@pytest.mark.parametrize("kind", SIMPLE)
def test_control_flow_in_a_module_in_the_callers_branch(kind, flow):
    def within_a_branch(module, inputs):
        with flow():
            return tf.cond(tf.placeholder_with_default(True, []), lambda: module(inputs), lambda: tf.zeros([2, 3]))

    if not has_gradients(kind, flow):
        output = within_a_branch(hub.Module(fresh_spec(kind)), as_tensors(KINDS[kind].inputs["default"]))
        assert evaluate(output).shape == (2, 3)
    else:
        assert_all_close(module_answers(kind, fresh_spec(kind), within_a_branch), plain_answers(kind))


@FLOWS
@pytest.mark.parametrize("kind", SIMPLE)
def test_control_flow_in_a_module_in_the_callers_loop(kind, flow):
    def within_a_loop(module, inputs):
        with flow():
            body = lambda i, y: (i + 1, y + module(inputs))  # noqa: E731
            return tf.while_loop(lambda i, _: i < 2, body, [0, tf.zeros([2, 3])])[1]

    expected = [2 * value for value in plain_answers(kind)]
    if not has_gradients(kind, flow):
        inputs = as_tensors(KINDS[kind].inputs["default"])
        assert evaluate(within_a_loop(hub.Module(fresh_spec(kind)), inputs)).shape == (2, 3)
    else:
        assert_all_close(module_answers(kind, fresh_spec(kind), within_a_loop), expected)


@pytest.mark.parametrize("kind", WITH_CONTROL_FLOW)
def test_control_flow_in_a_module_within_a_module(kind, tmp_path):
    """Nested twice, once from memory and once from disk; the variables' names say where they come from."""
    inner = fresh_spec(kind)

    def module_fn():
        infos = inner.get_input_info_dict()
        inputs = {key: tf.placeholder(info.dtype, info.get_shape()) for key, info in infos.items()}
        hub.add_signature(inputs=inputs, outputs=hub.Module(inner, trainable=True, name="inner")(inputs))

    plain = plain_answers(kind)
    outer = hub.create_module_spec(module_fn)
    again = export(outer, tmp_path / "outer")
    for spec in (outer, again):
        with tf.Graph().as_default():
            module = hub.Module(spec, trainable=True)
            values = dict(zip(sorted(_names(inner)), _values(kind, inner), strict=True))
            feeds = {module.variable_map[f"inner/{name}"]: value for name, value in values.items()}
            output = module(as_tensors(KINDS[kind].inputs["default"]))
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                for variable, value in feeds.items():
                    variable.load(value, session)
                assert_all_close([session.run(output)], plain[:1])


def _names(spec):
    return [variable.checkpoint_name for variable in spec.stored_variables()]


def _values(kind, spec):
    stored = sorted(spec.stored_variables(), key=lambda one: one.checkpoint_name)
    return [value_for(f"{one.checkpoint_name}:0", tf.as_dtype(one.dtype).base_dtype, list(one.shape)) for one in stored]


def test_a_module_without_loops_brings_none():
    module = hub.Module(fresh_spec("cond_v1"))
    module(tf.constant([1.0, 2.0, 3.0]), signature="no_control_flow")
    assert not {"Switch", "Merge", "Enter"} & set(op_types())
    assert tf.get_collection(tf.GraphKeys.COND_CONTEXT) == []


@FLOWS
def test_an_update_op_of_a_module_in_a_branch(flow):
    """The update belongs to the branch that the module is applied in, as ops that are made there do."""
    module = hub.Module(fresh_spec("batch_norm"), trainable=True, tags={"train"})
    x = tf.constant(KINDS["batch_norm"].inputs["default"]["default"])
    with flow():
        y = tf.cond(tf.placeholder_with_default(True, []), lambda: module(x), lambda: tf.zeros([6, 2]))
    assert evaluate(y).shape == (6, 2)
