"""What `python -m benchmarks.tf2` measures, each in a fresh process on the newest TensorFlow.

`python -m benchmarks.tf2_measurements NAME SIDE MODULE_DIR` runs one measurement and prints its figures as one line of
JSON, as benchmarks/measurements.py does. SIDE is a library, or for fine-tuning "native" or "graph". Before any clock starts
TensorFlow has run an op, and the library's names that are used have been looked up.
"""

from __future__ import annotations

import functools
import importlib
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.measurements import TOKENS, Clock, Figures, main, module_name, peak_rss_mb
from benchmarks.modules import EARLY_ACTIVATION, VOCABULARY

LARGE_BATCH = 256
TRAINING_BATCH = 8
LEARNING_RATE = 1e-3
STEADY_SECONDS = 3.0
"""For about how long calls are repeated."""


def _prepare(library: str) -> tuple[Any, Any]:
    """TensorFlow, which has run an op, and the library, whose `load` has been looked up."""
    import tensorflow as tf

    tf.add(1, 1)
    hub = importlib.import_module(library)
    getattr(hub, "load")  # noqa: B009  # brings in what a library loads late
    return tf, hub


def example_inputs(module_dir: str, batch: int) -> dict[str, Any]:
    """What the signature default is called with."""
    import tensorflow as tf

    name = module_name(module_dir)
    if name == "c":
        ids = tf.reshape(tf.range(batch * TOKENS) % VOCABULARY, [batch, TOKENS])
        return {"input_ids": ids, "input_mask": tf.ones_like(ids), "segment_ids": tf.zeros_like(ids)}
    if name == "d":
        return {"images": tf.random.stateless_normal([batch, 224, 224, 3], seed=[1, 2])}
    if name == "e":
        return {"default": tf.range(batch)}
    return {"default": tf.random.stateless_normal([batch, 16], seed=[1, 2])}


def _caller(library: str, loaded: Any, inputs: dict[str, Any], signature: str = "default") -> Callable[[], Any]:
    """A call as the library's users write it."""
    if library == "tensorflow_hub":
        return functools.partial(loaded.signatures[signature], **_renamed(loaded, inputs))
    value = next(iter(inputs.values())) if len(inputs) == 1 else inputs
    return functools.partial(loaded, value)


def _renamed(loaded: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """A module's only input is called as the predecessor calls it."""
    names = list(loaded.signatures["default"].structured_input_signature[1])
    return dict(zip(names, inputs.values(), strict=True)) if len(names) == 1 else inputs


def load(library: str, module_dir: str) -> Figures:
    """`hub.load(path)`."""
    _, hub = _prepare(library)
    before = peak_rss_mb()
    clock = Clock()
    loaded = hub.load(module_dir)
    figures = {
        "cpu": clock.cpu(),
        "wall": clock.wall(),
        "peak_rss_mb": peak_rss_mb(),
        "grown_mb": peak_rss_mb() - before,
    }
    del loaded
    return figures


def first_answer(library: str, module_dir: str) -> Figures:
    """`hub.load(path)` and a call with a batch of one."""
    _, hub = _prepare(library)
    inputs, before = example_inputs(module_dir, 1), peak_rss_mb()
    clock = Clock()
    _caller(library, hub.load(module_dir), inputs)()
    return {"cpu": clock.cpu(), "wall": clock.wall(), "grown_mb": peak_rss_mb() - before}


def call(library: str, module_dir: str, batch: int) -> Figures:
    """A call in the steady state."""
    _, hub = _prepare(library)
    figures = _steady(_caller(library, hub.load(module_dir), example_inputs(module_dir, batch)))
    return {**figures, "peak_rss_mb": peak_rss_mb()}


def _steady(function: Callable[[], Any]) -> Figures:
    """The median milliseconds of a call, by the clock on the wall, and its mean CPU milliseconds."""
    function()
    clock = Clock()
    function()
    count = max(3, min(3000, int(STEADY_SECONDS / clock.wall())))
    whole, times = Clock(), []
    for _ in range(count):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return {"wall_ms": 1000 * statistics.median(times), "cpu_ms": 1000 * whole.cpu() / count}


def early_output(library: str, module_dir: str) -> Figures:
    """One early output of a signature with many, in the steady state."""
    _, hub = _prepare(library)
    loaded, inputs = hub.load(module_dir), example_inputs(module_dir, 1)
    if library == "tensorflow_hub":
        return _steady(lambda: loaded.signatures["features"](**_renamed(loaded, inputs))[EARLY_ACTIVATION])
    x = inputs["images"]
    return _steady(lambda: loaded(x, signature="features", outputs=[EARLY_ACTIVATION]))


def train(side: str, module_dir: str, jit_compile: bool) -> Figures:
    """Steps of fine-tuning with a classifier on top, all variables trained, by stochastic gradient descent."""
    import tensorflow as tf

    tf.add(1, 1)
    inputs, labels = example_inputs(module_dir, TRAINING_BATCH), tf.range(TRAINING_BATCH) % 2
    x = inputs.get("images", inputs)
    before = peak_rss_mb()
    step = (
        _graph_step(module_dir, x, labels) if side == "graph" else _keras_step(side, module_dir, x, labels, jit_compile)
    )
    clock = Clock()
    step()
    first = clock.wall()
    return {**_steady(step), "first_wall": first, "peak_rss_mb": peak_rss_mb(), "grown_mb": peak_rss_mb() - before}


def _keras_step(side: str, module_dir: str, x: Any, labels: Any, jit_compile: bool) -> Callable[[], Any]:
    import keras
    import tensorflow as tf

    shapes = tf.nest.map_structure(lambda tensor: keras.Input(tensor.shape[1:], dtype=tensor.dtype.name), x)
    pooled = _pooling_layer(side, module_dir)(shapes)
    model = keras.Model(shapes, keras.layers.Dense(2)(pooled))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(LEARNING_RATE), loss, jit_compile=jit_compile)
    return functools.partial(model.train_on_batch, x, labels)


def _pooling_layer(side: str, module_dir: str) -> Any:
    if side == "native":
        from benchmarks.native_models import MODELS

        return MODELS[module_name(module_dir)]()
    hub = importlib.import_module(side)
    return hub.KerasLayer(module_dir, trainable=True)


def _graph_step(module_dir: str, x: Any, labels: Any) -> Callable[[], Any]:
    """A training step of `hub.Module` in a session."""
    import tensorflow as tf

    import tf1hub as hub

    v1, values = tf.compat.v1, [tensor.numpy() for tensor in tf.nest.flatten(x)]
    with tf.Graph().as_default() as graph:
        placeholders = [v1.placeholder(value.dtype, value.shape) for value in values]
        fed = tf.nest.pack_sequence_as(x, placeholders)
        pooled = hub.Module(module_dir, tags={"train"}, trainable=True)(fed)
        kernel = v1.get_variable("kernel", [pooled.shape[-1], 2])
        logits = tf.matmul(pooled, kernel) + v1.get_variable("bias", [2], initializer=tf.zeros_initializer())
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels.numpy(), logits)
        total = tf.add_n([tf.reduce_mean(losses), *v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)])
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            train_op = v1.train.GradientDescentOptimizer(LEARNING_RATE).minimize(total)
        session = v1.Session(graph=graph)
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
    return functools.partial(session.run, [train_op, total], dict(zip(placeholders, values, strict=True)))


MEASUREMENTS: dict[str, Callable[[str, str], Figures]] = {
    "load": load,
    "first_answer": first_answer,
    "call_1": functools.partial(call, batch=1),
    "call_256": functools.partial(call, batch=LARGE_BATCH),
    "early_output": early_output,
    "train": functools.partial(train, jit_compile=False),
    "train_jit": functools.partial(train, jit_compile=True),
}


if __name__ == "__main__":
    main(MEASUREMENTS)
