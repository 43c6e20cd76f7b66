"""Gradients of a module: those that a tape takes, those that TF1's graph gives, and those that differences show."""

from contextlib import nullcontext

import numpy as np
import tensorflow as tf

import tf1hub as hub
from tests.graphs import export, started_session
from tests.module_fns import KINDS, as_tensors
from tests.module_fns.registry import control_flow_v1

v1 = tf.compat.v1


def exported(spec, folder, tags=None):
    """The path of a new module whose variables' values follow from their names."""
    with tf.Graph().as_default():
        return export(spec, folder / "module", tags, values=True)


def loss_of(output):
    """A scalar that depends on each number of an output in another way."""
    values = tf.nest.flatten(output, expand_composites=True)
    values = [value for value in values if value.dtype.is_floating]
    return tf.add_n([tf.cast(tf.reduce_sum(tf.sin(value) + value), tf.float64) for value in values])


def floats_of(inputs):
    """The inputs' tensors that can be differentiated by."""
    tensors = tf.nest.flatten(inputs, expand_composites=True)
    return [tensor for tensor in tensors if tensor.dtype.is_floating]


def _input_names(inputs):
    return [f"input {i}" for i in range(len(floats_of(inputs)))]


def tape_gradients(module, inputs, **options):
    """The gradients by the trainable variables, by name, and those by the inputs."""
    with tf.GradientTape() as tape:
        tape.watch(floats_of(inputs))
        loss = loss_of(module(inputs, **options))
    found = tape.gradient(loss, [*module.trainable_variables, *floats_of(inputs)])
    trained = {id(variable) for variable in module.trainable_variables}
    names = [
        name for name, variable in zip(module.variable_names, module.variables, strict=True) if id(variable) in trained
    ]
    return dict(zip([*names, *_input_names(inputs)], found, strict=True))


def graph_gradients(path, kind, tags=None):
    """The same of `hub.Module` in a graph of TensorFlow 1."""
    with tf.Graph().as_default(), control_flow_v1() if KINDS[kind].tf1_gradients else nullcontext():
        module = hub.Module(path, trainable=True, tags=tags)
        inputs = as_tensors(KINDS[kind].inputs["default"])
        variables = v1.trainable_variables()
        names = [variable.op.name.removeprefix("module/") for variable in variables]
        sources = [*variables, *floats_of(inputs)]
        found = v1.gradients(loss_of(module(inputs)), sources)
        found = [None if gradient is None else tf.convert_to_tensor(gradient) for gradient in found]
        with started_session() as session:
            values = iter(session.run([gradient for gradient in found if gradient is not None]))
    keys = [*names, *_input_names(inputs)]
    return {key: None if gradient is None else next(values) for key, gradient in zip(keys, found, strict=True)}


def check_same(found, expected):
    """Compares gradients by name; None is compared with None."""
    assert found.keys() == expected.keys()
    for key, gradient in found.items():
        assert (gradient is None) == (expected[key] is None), key
        if gradient is not None:
            gradient = tf.convert_to_tensor(gradient)
            np.testing.assert_allclose(gradient, expected[key], rtol=1e-4, atol=1e-5, err_msg=key)


def check_by_differences(module, inputs, **options):
    """Compares the gradients of a module of float64 with central differences, number by number."""
    keys = _input_names(inputs)
    values = {key: tf.Variable(value) for key, value in zip(keys, floats_of(inputs), strict=True)}
    for name, variable in zip(module.variable_names, module.variables, strict=True):
        values[name] = variable

    def loss():
        return loss_of(module(_with_floats(inputs, [values[key].value() for key in keys]), **options))

    for key, gradient in tape_gradients(module, inputs, **options).items():
        expected = _differences(loss, values[key])
        np.testing.assert_allclose(tf.convert_to_tensor(gradient), expected, rtol=1e-6, atol=1e-7, err_msg=key)


def _with_floats(inputs, floats):
    given = iter(floats)
    tensors = tf.nest.flatten(inputs, expand_composites=True)
    changed = [next(given) if tensor.dtype.is_floating else tensor for tensor in tensors]
    return tf.nest.pack_sequence_as(inputs, changed, expand_composites=True)


def _differences(loss, variable, step=1e-6):
    start, result = variable.numpy(), np.zeros(variable.shape)
    for place in np.ndindex(*variable.shape):
        sides = []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * step
            variable.assign(moved)
            sides.append(loss().numpy())
        result[place] = (sides[0] - sides[1]) / (2 * step)
    variable.assign(start)
    return result
