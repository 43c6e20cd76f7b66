"""Sixteen threads on one object; several objects of one module; and objects that go away."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from tests.consuming.loaded.loaded_kinds import example, loaded
from tests.graphs import ROWS
from tests.module_fns import KINDS

THREADS = 16


def at_once(action):
    """What each of the threads gets, which begin together."""
    barrier = threading.Barrier(THREADS)

    def begin(number):
        barrier.wait()
        return action(number)

    with ThreadPoolExecutor(THREADS) as executor:
        return list(executor.map(begin, range(THREADS)))


@pytest.mark.parametrize("kind", ["text", "several_outputs", "while_v1", "cond_v1"])
def test_first_calls_at_once_give_the_answers_of_one(kind):
    expected = loaded(kind)(example(kind), as_dict=True)
    module = loaded(kind)
    for found in at_once(lambda _: module(example(kind), as_dict=True)):
        assert all(np.array_equal(found[key], expected[key]) for key in expected)


def test_different_signatures_at_once():
    module, expected = loaded("several_signatures"), {}
    for name in module.get_signature_names():
        expected[name] = loaded("several_signatures")(example("several_signatures", name), signature=name)

    def call(number):
        name = module.get_signature_names()[number % 3]
        answers = [module(example("several_signatures", name), signature=name) for _ in range(20)]
        return all(np.array_equal(answer, expected[name]) for answer in answers)

    assert all(at_once(call))


@pytest.mark.parametrize("kind", ["dense", "keras_layers", "while_v1"])
def test_first_gradients_at_once(kind):
    if not KINDS[kind].available():
        pytest.skip(f"{KINDS[kind].needs} is not installed")

    def step(module):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(module(example(kind)))
        return tape.gradient(loss, module.trainable_variables)

    expected = step(loaded(kind))
    for _ in range(3):
        module = loaded(kind)
        for gradients in at_once(lambda _, module=module: step(module)):
            for found, wanted in zip(gradients, expected, strict=True):
                np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_signatures_at_once():
    module = loaded("dense")
    for answer in at_once(lambda _: module.signatures["default"](ROWS)["default"]):
        np.testing.assert_array_equal(answer, module(ROWS))


def test_functions_that_are_traced_at_once():
    module = loaded("dense")
    results = at_once(lambda number: tf.function(lambda x: module(x))(ROWS[: 1 + number % 2]))
    np.testing.assert_allclose(results[0], module(ROWS[:1]), rtol=1e-6)
    np.testing.assert_allclose(results[1], module(ROWS), rtol=1e-6)


def test_every_update_of_every_thread_counts():
    module = loaded("updates_of_two_signatures")
    steps = module.variables[module.variable_names.index("steps")]
    before = int(steps)
    at_once(lambda _: [module(example("updates_of_two_signatures"), training=True) for _ in range(5)])
    assert int(steps) == before + 5 * THREADS
