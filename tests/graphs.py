"""What tests of publishing and consuming share: small specs, exports, and values of tensors."""

import functools
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.module_fns import KINDS, assign_values
from tests.module_fns.registry import new_path
from tf1hub.format import protos

ROWS = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0]], np.float32)


@functools.cache
def spec_of(kind: str) -> hub.ModuleSpec:
    """The spec of one of the kinds in `tests.module_fns`. A spec is never changed, so it is made once."""
    return KINDS[kind].spec(hub)


def spec_with(outputs: Callable[[Any], Any], shape: Any = (None, 3), dtype: Any = tf.float32) -> hub.ModuleSpec:
    """The spec of a module with one input, whose outputs the function makes."""

    def module_fn():
        inputs = tf.placeholder(dtype, shape, name="inputs")
        hub.add_signature(inputs=inputs, outputs=outputs(inputs))

    return hub.create_module_spec(module_fn)


@functools.cache
def published(kind: str) -> str:
    """The path of a module of a kind, with values that follow from the variables' names. It is not to be changed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`", category=UserWarning)  # tf.layers are deprecated
        return export(spec_of(kind), new_path(kind), tags=KINDS[kind].exported, values=True)


@functools.cache
def scaling_spec() -> hub.ModuleSpec:
    """A module that multiplies rows of three by its variable `w`, which starts as 2, 2, 2."""
    return spec_with(lambda x: tf.multiply(x, tf.get_variable("w", [3], initializer=tf.constant_initializer(2.0))))


def initializers() -> list[Any]:
    """What makes variables and tables of the current graph ready."""
    return [tf.global_variables_initializer(), tf.tables_initializer()]


@contextmanager
def started_session() -> Iterator[Any]:
    """A session on the current graph, its variables and tables initialized. It has two CPUs if the tests made them."""
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
        session.run(initializers())
        yield session


def evaluate(fetches: Any, feed_dict: dict | None = None, after: Any = ()) -> Any:
    """The values in a new session, once each of the ops in `after` has run."""
    with started_session() as session:
        for step in after:
            session.run(step)
        return session.run(fetches, feed_dict)


def export(spec: Any, path: Path, tags: Any = None, values: bool = False) -> str:
    """Exports a module, its variables as they are initialized, or with values that follow from their names."""
    with tf.Graph().as_default():
        module = hub.Module(spec, tags=tags)
        with started_session() as session:
            if values:
                assign_values(module, session)
            module.export(path, session)
    return str(path)


def outputs_of(spec: Any, inputs: Any, tags: Any = None) -> Any:
    """What a module answers, in a graph of its own."""
    with tf.Graph().as_default():
        return evaluate(hub.Module(spec, tags=tags)(inputs))


@contextmanager
def edited_saved_model(path: str) -> Iterator[protos.SavedModel]:
    """The graphs of a module on disk, which are written back."""
    file = Path(path, "saved_model.pb")
    saved_model = protos.SavedModel.FromString(file.read_bytes())
    yield saved_model
    file.write_bytes(saved_model.SerializeToString())


def exported_bytes(path: Any) -> dict[str, bytes]:
    """All files under a path with their contents."""
    folder = Path(path)
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def op_types(graph: Any = None) -> list[str]:
    """The types of all ops in a graph."""
    return [op.type for op in (graph or tf.get_default_graph()).get_operations()]


def names(values: Any) -> list[str]:
    """The names of tensors, ops and variables, sorted."""
    return sorted(value.name for value in values)


def eagerly(action: Callable[[], Any]) -> Any:
    """The action's result, or exception, in a thread of its own: there no graph is the default one."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(action).result()
