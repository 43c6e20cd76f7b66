"""Modules and checkpoints on a remote file system; TensorFlow's `ram://` is one that lives in the process."""

import uuid

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub


def module_fn():
    x = tf.placeholder(tf.float32, [None, 2])
    w = tf.get_variable("w", [2, 3])
    hub.add_signature(inputs=x, outputs=tf.matmul(x, w))


@pytest.fixture
def remote():
    return f"ram://{uuid.uuid4().hex}"


def answers(path):
    with hub.eval_function_for_module(path) as evaluate:
        return evaluate(np.eye(2))


def test_a_module_is_exported_to_and_read_from_a_remote_path(remote):
    with tf.Graph().as_default(), tf.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(tf.global_variables_initializer())
        module.export(remote, session)
        np.testing.assert_array_equal(answers(remote), session.run(module.variables[0]))
        with pytest.raises(tf.errors.AlreadyExistsError, match="a module at"):
            module.export(remote, session)


@pytest.mark.parametrize("given", ["the prefix", "the directory"])
def test_a_spec_is_exported_with_a_remote_checkpoint(remote, given, tmp_path):
    spec = hub.create_module_spec(module_fn)
    with tf.Graph().as_default(), tf.Session() as session:
        module = hub.Module(spec)
        session.run(tf.global_variables_initializer())
        prefix = tf.train.Saver(module.variable_map).save(session, f"{remote}/model")
        values = session.run(module.variables[0])
    spec.export(tmp_path / "module", checkpoint_path=prefix if given == "the prefix" else remote)
    np.testing.assert_array_equal(answers(tmp_path / "module"), values)
