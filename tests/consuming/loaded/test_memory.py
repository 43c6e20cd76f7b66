"""Loaded modules that are dropped give back their memory: variables, tables, and functions in TensorFlow's library."""

import pytest
import tensorflow as tf

from tests.graphs import export, published, spec_with
from tests.programs import run_program

# Loads, calls, differentiates and drops a module over and over. After some rounds it prints what the process holds: objects
# of Python, functions in TensorFlow's library, and kilobytes of memory.
ROUNDS = """
import gc, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, tensorflow as tf, tf1hub as hub
from tensorflow.python.eager import context

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

def round(path, inputs):
    module = hub.load(path)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(inputs, training=True))
    tape.gradient(loss, module.trainable_variables)
    module.signatures["default"](inputs)
    tf.function(lambda x: module(x))(inputs)

path, inputs, rounds = sys.argv[1], eval(sys.argv[2]), int(sys.argv[3])
for number in range(rounds):
    round(path, inputs)
    gc.collect()
    if number in (rounds // 2 - 1, rounds - 1):
        print(len(gc.get_objects()), len(context.context().list_function_names()), resident())
"""


def held(path, inputs, rounds):
    """Objects, functions and kilobytes after half of the rounds and after all."""
    lines = run_program(ROUNDS, path, inputs, str(rounds)).splitlines()
    return [[int(number) for number in line.split()] for line in lines[-2:]]


@pytest.mark.slow
def test_fifty_rounds_of_a_module_of_some_megabytes(tmp_path):
    spec = spec_with(lambda x: x @ tf.compat.v1.get_variable("w", [3, 1_000_000]))
    half, full = held(export(spec, tmp_path / "module"), "np.ones([1, 3], np.float32)", 50)
    assert full[0] - half[0] < 100
    assert full[1] <= half[1]
    assert full[2] - half[2] < 2 * 12_000, "25 modules of 12 MB each would be 300 MB"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "nested_control_flow_v1"])
def test_rounds_with_tables_and_loops(kind):
    half, full = held(published(kind), '["the cat"]' if kind == "text" else "np.ones([4], np.float32)", 12)
    assert full[0] - half[0] < 100
    assert full[1] <= half[1]


def test_few_rounds():
    half, full = held(published("dense"), "np.ones([1, 3], np.float32)", 6)
    assert full[0] - half[0] < 100
    assert full[1] <= half[1]
