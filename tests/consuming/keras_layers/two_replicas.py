"""Two virtual CPUs with a replica on each, for programs in a process of their own: import it before TensorFlow runs."""

import importlib
import sys
import tempfile
from typing import Any

import numpy as np
import tensorflow as tf

import tf1hub as hub

_CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(_CPU, [tf.config.LogicalDeviceConfiguration()] * 2)

ONE = tf.distribute.get_strategy()
TWO = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
PATH = sys.argv[1]
KERAS = importlib.import_module("tf_keras") if "tf_keras" in sys.argv else tf.keras

ROWS = np.random.RandomState(0).normal(size=[16, 3]).astype(np.float32)
TARGETS = np.ones([16, 2], np.float32)


def fitted(strategy: Any, rate: float = 0.1, steps: int = 2) -> tuple[Any, Any, list[float]]:
    """A model that was fitted with batches of eight, its layer, and the losses of the epochs."""
    with strategy.scope():
        layer = hub.KerasLayer(PATH, trainable=True, keras=KERAS)
        model = KERAS.Sequential([KERAS.Input([3]), layer])
        model.compile(KERAS.optimizers.SGD(rate, momentum=0.9), "mse")
    rows, targets = ROWS[: 8 * steps], TARGETS[: 8 * steps]
    history = model.fit(rows, targets, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return model, layer, history.history["loss"]


def values(module: Any) -> dict[str, np.ndarray]:
    """The values of a loaded module's variables by their names."""
    return {name: variable.numpy() for name, variable in zip(module.variable_names, module.variables, strict=True)}


def exported(source: Any) -> Any:
    """What a layer, or a loaded module, exports, loaded anew."""
    path = tempfile.mkdtemp() + "/module"
    (getattr(source, "export_module", None) or source.export)(path)
    return hub.load(path)


def check_same(first: dict[str, np.ndarray], second: dict[str, np.ndarray], **tolerance: float) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], err_msg=name, **tolerance)
