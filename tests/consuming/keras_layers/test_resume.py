"""A training that is saved and goes on in a process of its own ends with the values of one that was never stopped."""

import functools

import numpy as np
import pytest

from tests.graphs import published
from tests.kerases import KERASES
from tests.module_fns.registry import new_path
from tests.programs import run_program

pytestmark = pytest.mark.slow

# With a regularization loss and batch normalization, and an optimizer that has a state.
START = """
import importlib, sys
import numpy as np
import tensorflow as tf
import tf1hub as hub

path, folder, result = sys.argv[1:4]
keras = importlib.import_module("tf_keras") if sys.argv[4] == "tf_keras" else tf.keras
rows = np.random.RandomState(0).normal(size=[16, 3]).astype(np.float32)
targets = np.ones([16, 1], np.float32)
KerasLayer = hub.KerasLayer.of(keras)

def made():
    layer = KerasLayer(path, trainable=True)
    head = keras.layers.Dense(1, kernel_initializer="ones")
    model = keras.Sequential([keras.Input([3]), layer, head])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    return model

def fit(model, epochs=4, **options):
    model.fit(rows, targets, batch_size=4, epochs=epochs, shuffle=False, verbose=0, **options)

def keep(model):
    np.savez(result, *[np.asarray(weight) for weight in model.weights])
"""


def run(program, name, folder):
    """The weights that a program keeps, if any."""
    result = f"{folder}.npz"
    run_program(START + program, published("batch_norm"), str(folder), result, name)
    with np.load(result) as kept:
        return dict(kept)


@functools.cache
def unbroken(name):
    """The weights after four epochs in one go."""
    return run("model = made(); fit(model); keep(model)", name, new_path("unbroken"))


def check_goes_on(name, folder, first, second):
    halfway, ended = run(first, name, folder), run(second, name, folder)
    expected = unbroken(name)
    assert ended.keys() == expected.keys()
    assert all(np.abs(halfway[key] - value).max() > 1e-3 for key, value in expected.items())
    for key, value in expected.items():
        np.testing.assert_allclose(ended[key], value, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", list(KERASES))
def test_a_saved_model_goes_on(name, tmp_path):
    first = "model = made(); fit(model, epochs=2); model.save(folder + '.keras'); keep(model)"
    second = "model = keras.models.load_model(folder + '.keras'); fit(model, epochs=2); keep(model)"
    check_goes_on(name, tmp_path / "model", first, second)


BACKED_UP = """
class Stop(Exception):
    pass

def stop(epoch, logs):
    if epoch == 1 and not tf.io.gfile.exists(result):
        raise Stop

model = made()
backup = keras.callbacks.BackupAndRestore(folder)
stopping = keras.callbacks.LambdaCallback(on_epoch_end=stop)
try:
    fit(model, callbacks=[backup, stopping])
except Stop:
    pass
keep(model)
"""


@pytest.mark.parametrize("name", list(KERASES))
def test_a_training_that_is_backed_up_goes_on(name, tmp_path):
    check_goes_on(name, tmp_path / "backup", BACKED_UP, BACKED_UP)


CHECKPOINT = """
model = made()
model.optimizer.build(model.trainable_variables)
checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
"""


@pytest.mark.parametrize("name", list(KERASES))
def test_a_checkpoint_of_model_and_optimizer_goes_on(name, tmp_path):
    first = f"{CHECKPOINT}\nfit(model, epochs=2); checkpoint.write(folder); keep(model)"
    second = f"{CHECKPOINT}\ncheckpoint.read(folder).assert_consumed(); fit(model, epochs=2); keep(model)"
    check_goes_on(name, tmp_path / "checkpoint", first, second)
