"""Modules within functions, strategies, device scopes, control dependencies and colocation."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tensorflow.compat.v2 as tf2

import tf1hub as hub
from tests.graphs import ROWS, eagerly, evaluate, export, scaling_spec, spec_of, spec_with, started_session

ROW_SPEC = [tf.TensorSpec([None, 3], tf.float32)]


@pytest.fixture
def path(tmp_path):
    return export(scaling_spec(), tmp_path / "module")


def test_made_in_a_wrapped_function_of_a_graph():
    wrapped = tf.wrap_function(lambda x: hub.Module(scaling_spec(), trainable=True)(x), ROW_SPEC)
    y = wrapped(tf.constant(ROWS))
    assert [variable.name for variable in tf.trainable_variables()] == ["module/w:0"]
    np.testing.assert_allclose(evaluate(y), 2 * ROWS)


def test_applied_in_a_wrapped_function_of_a_graph():
    module = hub.Module(scaling_spec(), trainable=True)
    y = tf.wrap_function(module, ROW_SPEC)(tf.constant(ROWS))
    gradient = tf.gradients(y, module.variables)[0]
    np.testing.assert_allclose(evaluate(gradient), ROWS.sum(axis=0))


def test_in_an_eager_wrapped_function(path):
    def action():
        wrapped = tf.wrap_function(lambda x: hub.Module(path, trainable=True)(x), ROW_SPEC)
        with wrapped.graph.as_default():
            initialize = tf.global_variables_initializer()
        wrapped.prune([], initialize)()
        with tf2.GradientTape() as tape:
            y = wrapped(tf.constant(ROWS))
        return y.numpy(), tape.gradient(y, wrapped.variables)[0].numpy()

    y, gradient = eagerly(action)
    np.testing.assert_allclose(y, 2 * ROWS)
    np.testing.assert_allclose(gradient, ROWS.sum(axis=0))


def test_in_a_tf_function_of_a_graph():
    module = hub.Module(scaling_spec(), trainable=True)
    y = tf2.function(lambda x: module(x) + module(x))(tf.constant(ROWS))
    gradient = tf.gradients(y, module.variables)[0]
    np.testing.assert_allclose(evaluate([y, gradient])[0], 4 * ROWS)
    np.testing.assert_allclose(evaluate(gradient), 2 * ROWS.sum(axis=0))


def test_in_a_function_of_a_dataset():
    module = hub.Module(spec_with(lambda x: x * 3.0))
    dataset = tf.data.Dataset.from_tensors(ROWS).map(module)
    np.testing.assert_allclose(evaluate(tf.data.make_one_shot_iterator(dataset).get_next()), 3 * ROWS)


def one_device():
    return tf2.distribute.OneDeviceStrategy("/cpu:0")


def mirrored():
    return tf2.distribute.MirroredStrategy(["/cpu:0"])


@pytest.mark.parametrize("strategy", [one_device, mirrored])
@pytest.mark.parametrize("from_disk", [True, False])
def test_under_a_distribution_strategy(strategy, from_disk, path):
    with strategy().scope():
        module = hub.Module(path if from_disk else scaling_spec(), trainable=True)
        y = module(tf.constant(ROWS))
    gradient = tf.gradients(y, module.variables)[0]
    np.testing.assert_allclose(evaluate(y), 2 * ROWS)
    np.testing.assert_allclose(evaluate(gradient), ROWS.sum(axis=0))


@pytest.mark.parametrize("strategy", [one_device, mirrored])
def test_in_a_replica(strategy):
    strategy = strategy()
    with strategy.scope():
        module = hub.Module(scaling_spec(), trainable=True)
        y = strategy.run(lambda: module(tf.constant(ROWS)))
        y = strategy.experimental_local_results(y)[0]
    np.testing.assert_allclose(evaluate(y), 2 * ROWS)


def devices(prefix):
    return {op.name: op.device for op in tf.get_default_graph().get_operations() if op.name.startswith(prefix)}


def test_under_a_device_scope_all_but_the_restore_lies_there(path):
    with tf.device("/device:GPU:0"):
        module = hub.Module(path)
        module(ROWS)
    found = devices("module/")
    restore = [device for name, device in found.items() if "checkpoint_initializer" in name]
    assert len(restore) == 4
    assert set(restore) == {"/device:CPU:0"}
    assert {device for name, device in found.items() if "checkpoint_initializer" not in name} == {"/device:GPU:0"}
    assert set(devices("module_apply_default/").values()) == {"/device:GPU:0"}


def test_state_and_applications_lie_where_they_are_made(path):
    with tf.device("/device:CPU:1"):
        module = hub.Module(scaling_spec())
    with tf.device("/job:worker/task:3"):
        y = module(ROWS)
    assert module.variables[0].device == "/device:CPU:1"
    assert tf.DeviceSpec.from_string(y.device).job == "worker"
    assert set(devices("module/").values()) == {"/device:CPU:1"}


def test_devices_of_the_publisher_do_not_matter(tmp_path):
    path = export(spec_of("on_devices"), tmp_path / "on_devices")
    with tf.device("/device:CPU:0"):
        module = hub.Module(path, name="scoped")
    assert set(devices("scoped/").values()) == {"/device:CPU:0"}
    assert set(devices("scoped").values()) == {"/device:CPU:0"}
    assert sorted(module.variable_map) == ["v", "w"]


def test_a_device_function_sees_every_op():
    seen = []
    with tf.get_default_graph().device(lambda op: seen.append(op.type) or "/device:CPU:0"):
        hub.Module(scaling_spec())(ROWS)
    assert {"VarHandleOp", "Mul"} <= set(seen)


def test_applications_wait_for_the_callers_control_dependencies():
    counter = tf.get_variable("counter", [], initializer=tf.zeros_initializer(), use_resource=True)
    module = hub.Module(spec_with(lambda x: tf.identity(x) + tf.ones([])))
    with tf.control_dependencies([counter.assign_add(1.0)]):
        y = module(tf.zeros([1, 3]))
    with started_session() as session:
        session.run(y)
        session.run(y)
        assert session.run(counter) == 2.0


def test_state_does_not_wait_for_the_callers_control_dependencies():
    with tf.control_dependencies([tf.debugging.Assert(False, ["never"])]):
        module = hub.Module(scaling_spec())
    assert evaluate(module.variables[0]).tolist() == [2.0, 2.0, 2.0]


def test_control_dependencies_within_a_module_are_kept():
    module = hub.Module(spec_of("control_dependencies"))
    outputs = module([1.0, 2.0], as_dict=True)
    with started_session() as session:
        assert [session.run(outputs)["count"].item() for _ in range(3)] == [1, 2, 3]
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(module([99.0, 2.0], as_dict=True))


def test_a_control_dependency_on_an_input_becomes_one_on_the_callers_tensor():
    def after(x):
        with tf.control_dependencies([x]):
            return tf.constant(1.0, name="after")

    x = tf.constant(ROWS, name="mine")
    y = hub.Module(spec_with(after))(x)
    assert [op.name for op in y.op.control_inputs] == ["mine"]


def groups(name):
    return tf.get_default_graph().get_operation_by_name(name).colocation_groups()


def test_colocation_within_state_and_applications():
    hub.Module(spec_of("colocated"), name="m")(ROWS)
    assert groups("m/v") == [b"loc:@m/w"]
    assert groups("m_apply_default/mul") == [b"loc:@m/w"]
    assert groups("m_apply_default/mul_1") == [b"loc:@m/w"]


def test_an_op_colocated_with_an_input_goes_to_the_callers_tensor():
    def doubled(x):
        with tf.colocate_with(x):
            return tf.multiply(x, 2.0, name="doubled")

    with tf.device("/device:CPU:1"):
        x = tf.constant(ROWS, name="mine")
    module = hub.Module(spec_with(doubled))
    with tf.device("/device:CPU:0"):
        y = module(x)
    assert y.op.colocation_groups() == [b"loc:@mine"]
    assert y.device == "/device:CPU:1"


def test_a_module_under_the_callers_colocation():
    anchor = tf.constant(1.0, name="anchor")
    module = hub.Module(scaling_spec())
    with tf.colocate_with(anchor):
        y = module(ROWS)
    np.testing.assert_allclose(evaluate(y), 2 * ROWS)


def test_in_a_name_scope_and_a_variable_scope():
    with tf.variable_scope("outer"):
        module = hub.Module(scaling_spec())
    with tf.name_scope("elsewhere"):
        y = module(ROWS)
    assert module.variables[0].name == "outer/module/w:0"
    assert y.name.startswith("elsewhere/module_apply_default/")
