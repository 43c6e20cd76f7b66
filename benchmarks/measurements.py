"""What is measured, each in a fresh process of the library's own environment.

`python -m benchmarks.measurements NAME LIBRARY MODULE_DIR` runs one measurement and prints its figures as one
line of JSON. Times are in seconds unless the figure's name says otherwise; `cpu` is the time of all threads
together, `wall` what a clock on the wall says.

Importing is measured by itself. Before any other clock starts, TensorFlow has been imported and has run a
session, and the library's names that are used have been looked up. Only `apply` and `export` read the
module's spec before their clock starts.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.modules import EARLY_ACTIVATION, VOCABULARY

APPLICATIONS = 50
TOKENS = 128

Figures = dict[str, float]


class Clock:
    """The CPU and wall seconds since it was made."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def cpu(self) -> float:
        return time.process_time() - self._cpu

    def wall(self) -> float:
        return time.perf_counter() - self._wall


def _prepare(library: str, *names: str) -> tuple[Any, Any]:
    """TensorFlow, which has run a session, and the library, whose names have been looked up."""
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        session.run(tf.constant(1))
    hub = importlib.import_module(library)
    for name in names:
        getattr(hub, name)
    return tf, hub


def module_name(module_dir: str) -> str:
    """Which of the benchmarks' modules it is."""
    return module_dir.rstrip("/").rsplit("/", 1)[-1]


def _placeholders(tf: Any, module_dir: str) -> Any:
    """What the default signature is applied to in a graph."""
    v1, name = tf.compat.v1, module_name(module_dir)
    if name == "c":
        inputs = ("input_ids", "input_mask", "segment_ids")
        return {key: v1.placeholder(tf.int32, [None, TOKENS], key) for key in inputs}
    if name == "d":
        return v1.placeholder(tf.float32, [None, 224, 224, 3])
    return v1.placeholder(tf.float32, [None, 16])


def _arrays(module_dir: str) -> Any:
    """What the default signature is fed with: a batch of one."""
    import numpy as np

    if module_name(module_dir) == "c":
        ids = np.arange(TOKENS, dtype=np.int32)[None] % VOCABULARY
        return {"input_ids": ids, "input_mask": np.ones_like(ids), "segment_ids": np.zeros_like(ids)}
    return np.linspace(0, 1, 224 * 224 * 3, dtype=np.float32).reshape(1, 224, 224, 3)


def instantiate(library: str, module_dir: str) -> Figures:
    """`Module(path)` in an empty graph: reading the spec and adding the state."""
    tf, hub = _prepare(library, "Module", "load_module_spec")
    with tf.Graph().as_default() as graph:
        clock = Clock()
        hub.Module(hub.load_module_spec(module_dir))
        return {"cpu": clock.cpu(), "wall": clock.wall(), "nodes": len(graph.get_operations())}


def apply(library: str, module_dir: str) -> Figures:
    """Applying one module again and again in one graph."""
    tf, hub = _prepare(library, "Module")
    with tf.Graph().as_default() as graph:
        x = _placeholders(tf, module_dir)
        module = hub.Module(module_dir)
        whole, times = Clock(), []
        for _ in range(APPLICATIONS):
            clock = Clock()
            module(x)
            times.append(clock.cpu())
        return {
            "cpu_1st": times[0],
            "cpu_10th": times[9],
            "cpu_50th": times[49],
            "growth": times[49] / times[0],
            "wall": whole.wall(),
            "nodes": len(graph.get_operations()),
            "peak_rss_mb": peak_rss_mb(),
        }


def peak_rss_mb() -> float:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def eval_function(library: str, module_dir: str) -> Figures:
    """Setting up a function of arrays, and its first answer, which is timed from the beginning too."""
    _, hub = _prepare(library, "eval_function_for_module")
    x = _arrays(module_dir)
    clock = Clock()
    with hub.eval_function_for_module(module_dir) as function:
        set_up = clock.cpu()
        function(x)
        return {"cpu_set_up": set_up, "wall_first_answer": clock.wall()}


def early_output(library: str, module_dir: str) -> Figures:
    """One early output of a signature with many, in the steady state."""
    _, hub = _prepare(library, "eval_function_for_module")
    x, name = _arrays(module_dir), EARLY_ACTIVATION
    with hub.eval_function_for_module(module_dir) as function:

        def ask_for_it_alone() -> Any:
            return function(x, signature="features", outputs=[name])[name]

        def ask_for_all() -> Any:
            return function(x, signature="features", as_dict=True)[name]

        try:
            ask_for_it_alone()
            ask, alone = ask_for_it_alone, 1
        except TypeError:  # tensorflow_hub has no `outputs`
            ask, alone = ask_for_all, 0
        return {"wall_ms": _steady_wall_ms(ask), "asked_alone": alone}


def _steady_wall_ms(function: Callable[[], Any], warm_up: int = 3, repeats: int = 15) -> float:
    for _ in range(warm_up):
        function()
    times = []
    for _ in range(repeats):
        clock = Clock()
        function()
        times.append(clock.wall() * 1000)
    return statistics.median(times)


def export(library: str, module_dir: str) -> Figures:
    """`module.export(path, session)`."""
    tf, hub = _prepare(library, "Module")
    with tf.Graph().as_default(), tempfile.TemporaryDirectory() as folder:
        module = hub.Module(module_dir)
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            clock = Clock()
            module.export(f"{folder}/exported", session)
            return {"cpu": clock.cpu(), "wall": clock.wall()}


def estimator_export(library: str, module_dir: str) -> Figures:
    """An Estimator's first training step with a trainable module, and its LatestModuleExporter's export after it."""
    tf, hub = _prepare(library, "Module", "LatestModuleExporter", "register_module_for_export")
    estimators = tf.estimator if library == "tensorflow_hub" else importlib.import_module(f"{library}.estimator")
    v1, x = tf.compat.v1, _arrays(module_dir)

    def model_fn(features: Any, mode: str) -> Any:
        module = hub.Module(module_dir, trainable=True, tags={"train"} if mode == "train" else None)
        hub.register_module_for_export(module, "module")
        y = module(features)
        if mode != "train":
            return estimators.EstimatorSpec(mode, predictions=y)
        loss = tf.reduce_mean(y * y)
        train_op = v1.train.GradientDescentOptimizer(0.0).minimize(loss, v1.train.get_global_step())
        return estimators.EstimatorSpec(mode, loss=loss, train_op=train_op)

    def serving_input_fn() -> Any:
        features, export = _placeholders(tf, module_dir), estimators.export
        receiver = export.ServingInputReceiver if isinstance(features, dict) else export.TensorServingInputReceiver
        return receiver(features, features)

    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        model = estimators.Estimator(model_fn, f"{folder}/model")
        model.train(lambda: tf.data.Dataset.from_tensors(x), steps=1)
        wall_train = clock.wall()
        clock = Clock()
        assert hub.LatestModuleExporter("latest", serving_input_fn).export(model, f"{folder}/export")
        return {"wall_train": wall_train, "cpu": clock.cpu(), "wall": clock.wall()}


def import_library(library: str, module_dir: str) -> Figures:
    """`import library`, and going on to its name `Module`, which brings in what a library loads late."""
    del module_dir
    clock = Clock()
    hub = importlib.import_module(library)
    figures = {
        "cpu": clock.cpu(),
        "wall": clock.wall(),
        "loads_tensorflow": float("tensorflow" in sys.modules),
    }
    assert hub.Module
    return {**figures, "wall_with_name": clock.wall()}


MEASUREMENTS: dict[str, Callable[[str, str], Figures]] = {
    "import": import_library,
    "instantiate": instantiate,
    "apply": apply,
    "eval_function": eval_function,
    "early_output": early_output,
    "export": export,
    "estimator_export": estimator_export,
}


def main(measurements: Mapping[str, Callable[[str, str], Figures]]) -> None:
    """Run one measurement and print its figures, and TensorFlow's version, as one line of JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("name", choices=list(measurements))
    parser.add_argument("library", help="what is measured, such as the module to import: tensorflow_hub or tf1hub")
    parser.add_argument("module_dir", help="the module that it is measured on")
    arguments = parser.parse_args()
    figures = measurements[arguments.name](arguments.library, arguments.module_dir)
    print(json.dumps({"figures": figures, "tensorflow": importlib.metadata.version("tensorflow")}))


if __name__ == "__main__":
    main(MEASUREMENTS)
