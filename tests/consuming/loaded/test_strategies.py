"""Loaded modules under distribution strategies; the processes have two CPUs, which must be made before TensorFlow runs."""

import numpy as np
import tensorflow as tf

import tf1hub as hub
from tests.consuming.loaded.loaded_kinds import example, graph_answers, loaded, values_of
from tests.graphs import published
from tests.programs import run_program

START = """
import sys, warnings
import numpy as np, tensorflow as tf, tf1hub as hub
warnings.simplefilter("ignore")
cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
rows = np.random.RandomState(0).uniform(-1.0, 1.0, (6, 3)).astype(np.float32)
with strategy.scope():
    module = hub.load(sys.argv[1])

def halves():
    # Each replica gets three rows.
    make = lambda context: tf.constant(np.split(rows, 2)[context.replica_id_in_sync_group])
    return strategy.experimental_distribute_values_from_function(make)
"""


def test_replicas_apply_the_same_module_to_their_own_rows():
    program = """
parts = strategy.experimental_local_results(tf.function(lambda: strategy.run(module, args=(halves(),)))())
print(np.concatenate([part.numpy() for part in parts]).tolist())
"""
    rows = np.random.RandomState(0).uniform(-1.0, 1.0, (6, 3)).astype(np.float32)
    found = eval(run_program(START + program, published("dense")).splitlines()[-1])
    np.testing.assert_allclose(found, graph_answers(published("dense"), rows)["default"], rtol=1e-5)


def test_a_step_on_two_replicas_is_a_step_on_all_rows():
    program = """
@tf.function
def step():
    def on_replica(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(module(x, training=True) ** 2)
        gradients = tape.gradient(loss, module.trainable_variables)
        context = tf.distribute.get_replica_context()
        for variable, gradient in zip(module.trainable_variables, context.all_reduce("sum", gradients)):
            variable.assign_sub(0.5 * gradient)
    strategy.run(on_replica, args=(halves(),))
step()
print([variable.numpy().tolist() for variable in module.variables])
"""
    module = loaded("dense")
    rows = np.random.RandomState(0).uniform(-1.0, 1.0, (6, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(rows) ** 2)
    for variable, gradient in zip(module.variables, tape.gradient(loss, module.variables), strict=True):
        variable.assign_sub(0.5 * gradient)
    found = eval(run_program(START + program, published("dense")).splitlines()[-1])
    for value, expected in zip(found, module.variables, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


def test_averages_are_those_of_all_replicas_and_go_into_what_is_published(tmp_path):
    program = """
tf.function(lambda: strategy.run(lambda x: module(x, training=True), args=(halves(),)))()
module.export(sys.argv[2])
"""
    run_program(START + program, published("batch_norm"), str(tmp_path / "module"))
    alone = [loaded("batch_norm") for _ in range(2)]
    for module, rows in zip(alone, np.split(example("batch_norm")["default"].numpy(), 2), strict=True):
        module(rows, training=True)
    one, two = (values_of(module) for module in alone)
    for name, value in values_of(hub.load(tmp_path / "module")).items():
        np.testing.assert_allclose(value, (one[name] + two[name]) / 2.0, rtol=1e-5)
    assert not np.allclose(one["norm/moving_mean"], two["norm/moving_mean"])


def test_tables_serve_all_replicas():
    program = """
apply = tf.function(lambda: strategy.run(lambda: module(tf.constant(["the cat"]))))
print([part.numpy().tolist() for part in strategy.experimental_local_results(apply())])
"""
    found = eval(run_program(START + program, published("text")).splitlines()[-1])
    for part in found:
        np.testing.assert_allclose(part, loaded("text")(["the cat"]), rtol=1e-6)
