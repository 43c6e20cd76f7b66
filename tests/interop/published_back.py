"""Modules that go from tensorflow_hub 0.15.0 to a TF2 object here and back, one step a run.

    PYTHON -m tests.interop.published_back STEP LIBRARY KIND MODULE RESULT

`write` exports the kind to MODULE with the library. `answer` applies MODULE in a graph, and `tune` takes ten steps of
gradient descent, its update ops with each; both write what they get to RESULT as JSON.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow.compat.v1 as tf

from tests.interop.exchange import as_data, write_module
from tests.module_fns import KINDS, TRAIN, Kind, as_tensors

STEPS, LEARNING_RATE = 10, 0.05


def training_tags(kind: Kind) -> frozenset:
    return TRAIN if TRAIN in kind.tags else frozenset()


def loss_of(outputs: dict[str, Any]) -> Any:
    """Something to make smaller: the mean square of all outputs that are numbers."""
    floats = [outputs[key] for key in sorted(outputs) if outputs[key].dtype.is_floating]
    return tf.add_n([tf.reduce_mean(tf.square(output)) for output in floats])


def tune_in_graph(hub: Any, kind: Kind, path: str) -> dict[str, Any]:
    """The variables after each step ran in a session: gradients, then the update ops of the same run, as 0.15.0's users."""
    with tf.Graph().as_default(), tf.Session() as session:
        module = hub.Module(path, trainable=True, tags=set(training_tags(kind)))
        outputs = module(as_tensors(kind.inputs["default"]), as_dict=True)
        loss = loss_of(outputs) + tf.losses.get_regularization_loss()
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        gradients = tf.gradients(loss, tf.trainable_variables())
        with tf.control_dependencies([*updates, *(tf.convert_to_tensor(g) for g in gradients if g is not None)]):
            pairs = list(zip(gradients, tf.trainable_variables(), strict=True))
            step = tf.train.GradientDescentOptimizer(LEARNING_RATE).apply_gradients(pairs)
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        for _ in range(STEPS):
            session.run(step)
        return variables_by_part(module, session)


def variables_by_part(module: Any, session: Any) -> dict[str, Any]:
    """Values by the names that a loaded module has for them, each part of a partitioned variable by itself."""
    values = {}
    for name, variable in module.variable_map.items():
        parts = variable if isinstance(variable, list) else [variable]
        for i, part in enumerate(parts):
            values[f"{name}/part_{i}" if isinstance(variable, list) else name] = session.run(part.read_value())
    return {name: as_data(value) for name, value in values.items()}


def answer(hub: Any, kind: Kind, path: str) -> dict[str, Any]:
    """What a module answers in a graph."""
    with tf.Graph().as_default(), tf.Session() as session:
        outputs = hub.Module(path)(as_tensors(kind.inputs["default"]), as_dict=True)
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        return {key: as_data(value) for key, value in session.run(outputs).items()}


STEPS_BY_NAME: dict[str, Callable[[Any, Kind, str], Any]] = {
    "write": write_module,
    "answer": answer,
    "tune": tune_in_graph,
}


def main(step: str, library: str, kinds: str, folder: str, result: str) -> None:
    """Does the step for each of some kinds, whose modules lie in FOLDER/KIND."""
    hub = importlib.import_module(library)
    done = {name: STEPS_BY_NAME[step](hub, KINDS[name], f"{folder}/{name}") for name in kinds.split(",")}
    Path(result).write_text(json.dumps(done), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
