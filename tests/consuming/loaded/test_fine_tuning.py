"""Training a loaded module does to its variables what training does in a graph of TensorFlow 1."""

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.loaded.differentiation import exported
from tests.consuming.loaded.loaded_kinds import values_of
from tests.graphs import started_session
from tests.module_fns.registry import numbers

v1 = tf.compat.v1
STEPS, INPUTS, TARGETS = 10, numbers(6, 4, 4, 2), numbers(6, 3, seed=1)
OPTIMIZERS = {"sgd": lambda: v1.train.GradientDescentOptimizer(0.1), "adam": lambda: v1.train.AdamOptimizer(0.01)}


def network(use_resource):
    """Two variants of convolution, batch normalization and regularized weights, some of them in parts."""

    def module_fn(training):
        with v1.variable_scope("", use_resource=use_resource, regularizer=lambda w: 0.01 * tf.reduce_sum(w * w)):
            x = v1.placeholder(tf.float32, [None, 4, 4, 2])
            y = normalized(tf.nn.conv2d(x, v1.get_variable("kernel", [2, 2, 2, 3]), 1, "VALID"), training)
            parts = v1.get_variable("weights", [27, 3], partitioner=v1.fixed_size_partitioner(2))
            hub.add_signature(inputs=x, outputs=tf.reshape(tf.nn.relu(y), [-1, 27]) @ tf.convert_to_tensor(parts))

    return hub.create_module_spec(module_fn, [(set(), {"training": False}), ({"train"}, {"training": True})])


def normalized(y, training):
    moving = [v1.get_variable(name, [3], trainable=False, regularizer=None) for name in ("mean", "variance")]
    scale, offset = (v1.get_variable(name, [3]) for name in ("scale", "offset"))
    if not training:
        return tf.nn.batch_normalization(y, moving[0], tf.abs(moving[1]), offset, scale, 1e-3)
    now = tf.nn.moments(y, [0, 1, 2])
    for average, value in zip(moving, now, strict=True):
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, average.assign_sub(0.1 * (average - value)))
    return tf.nn.batch_normalization(y, *now, offset, scale, 1e-3)


def trained_in_a_graph(path, optimizer):
    with tf.Graph().as_default():
        module = hub.Module(path, trainable=True, tags={"train"})
        loss = tf.reduce_mean((module(tf.constant(INPUTS)) - TARGETS) ** 2) + v1.losses.get_regularization_loss()
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            step = OPTIMIZERS[optimizer]().minimize(loss)
        with started_session() as session:
            for _ in range(STEPS):
                session.run(step)
            names = [variable.op.name.removeprefix("module/") for variable in module.variables]
            return dict(zip(names, session.run(module.variables), strict=True))


def trained_here(path, optimizer, wrap):
    module, optimizer = hub.load(path), OPTIMIZERS[optimizer]()

    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((module(INPUTS, training=True) - TARGETS) ** 2)
            loss += tf.add_n([regularize() for regularize in module.regularization_losses])
        gradients = tape.gradient(loss, module.trainable_variables)
        optimizer.apply_gradients(zip(gradients, module.trainable_variables, strict=True))

    step = wrap(step)
    for _ in range(STEPS):
        step()
    return values_of(module)


@pytest.mark.parametrize("wrap", [lambda step: step, tf.function], ids=["eager", "function"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("use_resource", [True, False], ids=["resource", "reference"])
def test_ten_steps_give_the_variables_of_ten_steps_in_a_graph(use_resource, optimizer, wrap, tmp_path):
    path = exported(network(use_resource), tmp_path)
    start, found = values_of(hub.load(path)), trained_here(path, optimizer, wrap)
    expected = trained_in_a_graph(path, optimizer)
    assert found.keys() == expected.keys() == start.keys()
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-5, err_msg=name)
        assert np.any(value != start[name]), name
