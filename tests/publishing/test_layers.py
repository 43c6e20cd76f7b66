"""`tf.layers`, `tf.nn.rnn_cell`, tf_keras and slim inside of a module and around it.

The programs run in a process of their own in which no environment variable says anything of Keras.
"""

from contextlib import nullcontext

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import evaluate, export, names, outputs_of, spec_with, started_session
from tests.module_fns import KINDS, as_tensors
from tests.module_fns.registry import control_flow_v1
from tests.programs import run_program

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:UserWarning")

PUBLISHED = """
import tensorflow.compat.v1 as tf
import tf1hub as hub

def module_fn():
  inputs = tf.placeholder(dtype=tf.float32, shape=[None, 50])
  layer1 = tf.layers.dense(inputs, 200)
  layer2 = tf.layers.dense(layer1, 100)
  outputs = dict(default=layer2, hidden_activations=layer1)
  hub.add_signature(inputs=inputs, outputs=outputs)

spec = hub.create_module_spec(module_fn)
"""
EXPORTED_AND_LOADED = """
import sys, os, numpy as np
x = np.ones([2, 50], np.float32)
with tf.Graph().as_default():
    module = hub.Module(spec)
    outputs = module(x, as_dict=True)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        module.export(sys.argv[1], session)
        before = session.run(outputs)
with tf.Graph().as_default():
    module = hub.Module(sys.argv[1])
    outputs = module(x, as_dict=True)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        after = session.run(outputs)
assert all((before[key] == after[key]).all() for key in before)
assert not any("KERAS" in key for key in os.environ)
print(sorted(module.variable_map), {key: value.shape for key, value in sorted(after.items())})
"""


def test_the_published_example_as_written(tmp_path):
    printed = run_program(PUBLISHED + EXPORTED_AND_LOADED, str(tmp_path / "module"))
    assert printed == (
        "['dense/bias', 'dense/kernel', 'dense_1/bias', 'dense_1/kernel']"
        " {'default': (2, 100), 'hidden_activations': (2, 200)}\n"
    )
    assert evaluate(hub.Module(tmp_path / "module")(np.ones([3, 50]))).shape == (3, 100)


AROUND = """
import sys, numpy as np
import tensorflow.compat.v1 as tf
import tf1hub as hub
import tf_keras

x, y = np.random.RandomState(0).normal(size=[8, 3]).astype("f"), np.arange(8.0, dtype="f")[:, None]
module = None
with tf.Graph().as_default():
    module = hub.Module(sys.argv[1], trainable=True)
    features = tf.layers.batch_normalization(tf.layers.dense(module(x), 4, tf.nn.relu), training=True)
    features = tf_keras.layers.Dense(3, activation="tanh")(features)
    cells = tf.nn.rnn_cell.BasicLSTMCell(2)
    sequence, _ = tf.nn.dynamic_rnn(cells, tf.stack([features, features], 1), dtype=tf.float32)
    loss = tf.losses.mean_squared_error(y, tf.layers.dense(sequence[:, -1], 1))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        step = tf.train.AdamOptimizer(0.1).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = session.run([loss, *module.variables])
        for _ in range(20):
            session.run(step)
        after = session.run([loss, *module.variables])
assert after[0] < 0.7 * before[0], (before[0], after[0])
assert all((one != other).any() for one, other in zip(before[1:], after[1:]))
print("trained")
"""


def test_layers_around_a_module_train_it(tmp_path):
    if not KINDS["keras_layers"].available():
        pytest.skip("tf_keras is not installed")
    path = export(spec_with(lambda x: x * tf.get_variable("w", [3])), tmp_path / "module")
    assert run_program(AROUND, path) == "trained\n"


LAYERS = [
    name
    for name, kind in KINDS.items()
    if kind.needs in ("tf_keras", "tf_slim", "tf_slim.batch_norm") and kind.available()
]


@pytest.mark.parametrize("kind", LAYERS)
def test_a_module_of_layers_is_exported_and_loaded(kind, tmp_path):
    spec = KINDS[kind].spec(hub)
    path = export(spec, tmp_path / "module", tags=KINDS[kind].exported, values=True)
    assert hub.load_module_spec(path).get_tags() == list(KINDS[kind].tags)
    inputs = KINDS[kind].inputs["default"]
    once, again = (outputs_of(path, inputs) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert np.isfinite(once).all()
    assert once.any()


@pytest.mark.parametrize("kind", [kind for kind in LAYERS if KINDS[kind].trains])
def test_a_module_of_layers_is_trained(kind, tmp_path):
    tags = {"train"} & set().union(*KINDS[kind].tags)
    module = hub.Module(KINDS[kind].spec(hub), trainable=True, tags=tags)
    y = module(as_tensors(KINDS[kind].inputs["default"]))
    with control_flow_v1() if KINDS[kind].tf1_gradients else nullcontext():
        step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.square(y - 1.0)))
    with started_session() as session:
        before = session.run(tf.trainable_variables())
        session.run(step)
        after = session.run(tf.trainable_variables())
    assert any((one != other).any() for one, other in zip(before, after, strict=True))


def regularized_layers(x):
    return tf.layers.dense(x, 2, kernel_regularizer=lambda w: 0.5 * tf.reduce_sum(w * w), name="regularized")


def test_kernel_regularizers_become_losses():
    module = hub.Module(spec_with(regularized_layers), trainable=True)
    losses = tf.losses.get_regularization_losses()
    assert len(losses) == 1
    with started_session() as session:
        module.variable_map["regularized/kernel"].load(np.full([3, 2], 2.0), session)
        assert session.run(losses) == [12.0]


def trained_and_not(make):
    def module_fn(training):
        x = tf.placeholder(tf.float32, [None, 3])
        hub.add_signature(inputs=x, outputs=make(x, training))

    return hub.create_module_spec(module_fn, [(set(), {"training": False}), ({"train"}, {"training": True})])


ROWS = np.arange(12.0, dtype=np.float32).reshape(4, 3)


def test_batch_normalization_brings_update_ops():
    spec = trained_and_not(lambda x, training: tf.layers.batch_normalization(x, training=training, momentum=0.5))
    module = hub.Module(spec, trainable=True, tags={"train"})
    module(ROWS)
    assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 2
    assert [name.rpartition("/")[2] for name in names(tf.trainable_variables())] == ["beta:0", "gamma:0"]
    with started_session() as session:
        session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
        mean = session.run(module.variable_map["batch_normalization/moving_mean"])
    np.testing.assert_allclose(mean, 0.5 * ROWS.mean(axis=0))


def test_batch_normalization_for_inference_brings_none():
    spec = trained_and_not(lambda x, training: tf.layers.batch_normalization(x, training=training, momentum=0.5))
    y = hub.Module(spec, trainable=True)(ROWS)
    assert tf.get_collection(tf.GraphKeys.UPDATE_OPS) == []
    np.testing.assert_allclose(evaluate(y), ROWS / np.sqrt(1.001), rtol=1e-5)


def test_dropout_drops_when_trained_only():
    spec = trained_and_not(lambda x, training: tf.layers.dropout(x, 0.5, training=training, seed=1))
    ones = np.ones([50, 3], np.float32)
    assert outputs_of(spec, ones).tolist() == ones.tolist()
    assert set(np.unique(outputs_of(spec, ones, {"train"}))) == {0.0, 2.0}


def test_layers_around_a_module_have_the_names_they_always_had():
    module = hub.Module(spec_with(lambda x: tf.layers.dense(x, 2)))
    tf.layers.dense(module(ROWS), 1)
    assert names(tf.global_variables()) == [
        "dense/bias:0",
        "dense/kernel:0",
        "module/dense/bias:0",
        "module/dense/kernel:0",
    ]


def test_layers_in_a_module_are_resource_variables():
    module = hub.Module(spec_with(lambda x: tf.layers.dense(x, 2)))
    assert {variable.op.type for variable in module.variables} == {"VarHandleOp"}


def test_a_cell_in_a_loop_of_the_publisher(tmp_path):
    def outputs(x):
        cell = tf.nn.rnn_cell.GRUCell(3)
        return tf.nn.dynamic_rnn(cell, tf.stack([x, x, x], axis=1), dtype=tf.float32)[1]

    path = export(spec_with(outputs), tmp_path / "module")
    assert sorted(hub.Module(path).variable_map) == [
        f"rnn/gru_cell/{part}/{name}" for part in ("candidate", "gates") for name in ("bias", "kernel")
    ]
    assert np.abs(outputs_of(path, ROWS)).max() <= 1.0
