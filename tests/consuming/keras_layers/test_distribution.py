"""Training under a distribution strategy with two replicas, each in a process of its own."""

import functools

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import export, published
from tests.kerases import KERASES
from tests.module_fns.registry import new_path
from tests.programs import run_program

START = "from tests.consuming.keras_layers.two_replicas import *\n"


@functools.cache
def regularized_path():
    """A module that computes each row by itself, so that batches may be cut anywhere, with a regularization loss."""

    def module_fn():
        rows = tf.placeholder(tf.float32, [None, 3])
        weights = tf.get_variable("weights", [3, 2], regularizer=lambda w: 0.1 * tf.reduce_sum(w * w))
        hub.add_signature(inputs=rows, outputs=tf.tanh(rows @ weights + tf.get_variable("biases", [2])))

    return export(hub.create_module_spec(module_fn), new_path("regularized"), values=True)


def run(program, path, *arguments):
    assert run_program(START + program, path, *arguments).endswith("done\n")


FIT = """
_, layer, losses = fitted(ONE)
model, shared, shared_losses = fitted(TWO)
np.testing.assert_allclose(shared_losses, losses, rtol=1e-5)
check_same(values(shared.resolved_object), values(layer.resolved_object), rtol=1e-5)
np.testing.assert_allclose(model.predict(ROWS, verbose=0), layer(ROWS), rtol=1e-4)
check_same(values(exported(shared)), values(shared.resolved_object))
print("done")
"""


@pytest.mark.parametrize(
    "name", ["tf.keras", *(pytest.param(name, marks=pytest.mark.slow) for name in list(KERASES)[1:])]
)
def test_two_replicas_fit_as_one_device_does(name):
    run(FIT, regularized_path(), name)


# With a learning rate of 0 it is plain how the update ops move the averages.
AVERAGES = """
model, layer, _ = fitted(TWO, rate=0.0, steps=1)
module, first = layer.resolved_object, values(hub.load(PATH))
mean, variance = first["norm/moving_mean"], first["norm/moving_variance"]
halves = [half @ first["w"] for half in (ROWS[:4], ROWS[4:8])]
for _ in range(2):
    mean = 0.9 * mean + 0.1 * np.mean([half.mean(0) for half in halves], 0)
    variance = 0.9 * variance + 0.1 * np.mean([half.var(0) for half in halves], 0)
check_same(values(module), {**first, "norm/moving_mean": mean, "norm/moving_variance": variance}, rtol=1e-5)
copies = [value.numpy() for value in TWO.experimental_local_results(module.variables[-1])]
assert np.abs(copies[0] - copies[1]).max() > 1e-3
check_same(values(exported(layer)), values(module))
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", list(KERASES))
def test_update_ops_run_on_each_replica_and_their_averages_are_merged(name):
    run(AVERAGES, published("batch_norm"), name)


TRAINED = """
_, layer, _ = fitted(TWO)
module = layer.resolved_object
changed = [name for name, value in values(hub.load(PATH)).items() if not np.array_equal(value, values(module)[name])]
assert changed == module.variable_names
for variable in module.trainable_variables:
    first, second = TWO.experimental_local_results(variable)
    np.testing.assert_array_equal(first, second)
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", list(KERASES))
def test_replicas_agree_on_what_was_trained(name):
    run(TRAINED, published("batch_norm"), name)


LOOP = """
def trained(strategy):
    with strategy.scope():
        module = hub.load(PATH)
        optimizer = tf.keras.optimizers.SGD(0.1, momentum=0.9)
        optimizer.build(module.trainable_variables)

    def step(rows, targets):
        with tf.GradientTape() as tape:
            errors = tf.reduce_sum((module(rows, training=True) - targets) ** 2, 1)
            losses = [loss() for loss in module.regularization_losses]
            loss = tf.nn.compute_average_loss(errors, global_batch_size=8) + tf.nn.scale_regularization_loss(losses)
        gradients = tape.gradient(loss, module.trainable_variables)
        optimizer.apply_gradients(zip(gradients, module.trainable_variables))
        return loss

    def distributed_step(rows, targets):
        return strategy.reduce("SUM", strategy.run(step, (rows, targets)), axis=None)

    run = tf.function(distributed_step) if "function" in sys.argv else distributed_step
    batches = tf.data.Dataset.from_tensor_slices((ROWS, TARGETS)).batch(8).repeat(2)
    return module, [float(run(*batch)) for batch in strategy.experimental_distribute_dataset(batches)]

module, losses = trained(ONE)
shared, shared_losses = trained(TWO)
np.testing.assert_allclose(shared_losses, losses, rtol=1e-5)
check_same(values(shared), values(module), rtol=1e-5)
check_same(values(exported(shared)), values(shared))
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["eager", "function"])
def test_a_loop_of_ones_own_trains_what_was_loaded(how):
    run(LOOP, regularized_path(), how)


OUTSIDE = """
with TWO.scope():
    module = hub.load(PATH)

def move(rows):  # each replica's averages elsewhere
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    module(rows * float(tf.get_static_value(replica)), training=True)

def in_scope(rows):
    with TWO.scope():
        return module(rows)

calls = {
    "eager": module,
    "function": tf.function(module),
    "signature": lambda rows: module.signatures["default"](rows)["default"],
    "scope": in_scope,
    "training": lambda rows: module(rows, training=True),
}

for name, call in calls.items():
    TWO.run(tf.function(move), (tf.constant(ROWS),))
    expected = exported(module)
    answers = expected(ROWS, training=name == "training")
    np.testing.assert_allclose(call(tf.constant(ROWS)), answers, rtol=1e-6, err_msg=name)
    check_same(values(module), values(expected), rtol=1e-6)
print("done")
"""


@pytest.mark.slow
def test_outside_of_the_replicas_a_module_has_the_merged_averages():
    run(OUTSIDE, published("batch_norm"))
