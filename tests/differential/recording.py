"""Scenarios and what they record: a registry, and helpers that turn what a library does into plain data."""

import os
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

SCENARIOS: dict[str, "Scenario"] = {}

EXCEPTIONS = [
    ValueError, TypeError, KeyError, RuntimeError, AttributeError, NotImplementedError, IndexError, LookupError,
    OSError, AssertionError, tf.errors.OpError, tf.errors.NotFoundError, tf.errors.AlreadyExistsError,
    tf.errors.InvalidArgumentError, tf.errors.FailedPreconditionError, tf.errors.UnimplementedError,
    tf.errors.DataLossError,
]  # fmt: skip


@dataclass(frozen=True)
class Deliberate:
    """A place where tf1hub does something else on purpose: why, and what each library does."""

    reason: str
    theirs: Any
    ours: Any


def differs(reason: str, places: dict[str, tuple[Any, Any]]) -> dict[str, Deliberate]:
    """Places where the libraries differ for one reason, each with their result and ours."""
    return {place: Deliberate(reason, *results) for place, results in places.items()}


def raised(*classes: str) -> dict[str, Any]:
    """The outcome of an action that raised an exception of these classes."""
    return {"raised": list(classes), "type": classes[0] if classes else "an error"}


def returned(value: Any) -> dict[str, Any]:
    """The outcome of an action that returned."""
    return {"returned": value}


@dataclass(frozen=True)
class Scenario:
    """`run(hub, tf)` returns what the library did; `deliberate` maps places in that to what differs there."""

    name: str
    run: Callable[[Any, Any], Any]
    deliberate: dict[str, Deliberate]


def scenario(run: Callable | None = None, *, deliberate: dict[str, Deliberate] | None = None) -> Callable:
    """Registers a scenario. A place is written as in the messages of `equal`: `key/key[index]`."""

    def register(function: Callable) -> Callable:
        assert function.__name__ not in SCENARIOS, function.__name__
        SCENARIOS[function.__name__] = Scenario(function.__name__, function, deliberate or {})
        return function

    return register(run) if run else register


def equal(ours: Any, theirs: Any, except_at: set[str] = frozenset(), place: str = "") -> list[str]:
    """Every place where the results differ, but for those in `except_at`."""
    if place in except_at:
        return []
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if "raised" in theirs and "raised" in ours:
            missing = set(theirs["raised"]) - set(ours["raised"])
            return [f"{place}: raised {ours['type']}, which is no {sorted(missing)}"] if missing else []
        return [
            finding
            for key in {**theirs, **ours}
            for finding in equal(ours.get(key, "nothing"), theirs.get(key, "nothing"), except_at, f"{place}/{key}")
        ]
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return [
            finding
            for index, pair in enumerate(zip(ours, theirs, strict=True))
            for finding in equal(*pair, except_at, f"{place}[{index}]")
        ]
    return [] if ours == theirs else [f"{place}: here {ours!r}, there {theirs!r}"]


def pick(result: Any, place: str) -> Any:
    """What stands at a place."""
    for key in re.findall(r"/([^/[]+)|\[(\d+)\]", place):
        result = result[key[0]] if key[0] else result[int(key[1])]
    return result


def outcome(action: Callable[[], Any]) -> dict[str, Any]:
    """What the action returned, or which of the usual exception classes its exception belongs to."""
    try:
        return {"returned": as_json(action())}
    except Exception as error:
        is_a = sorted(cls.__name__ for cls in EXCEPTIONS if isinstance(error, cls))
        return {"raised": is_a, "type": type(error).__name__, "message": shortened(str(error))}


def outcomes(**actions: Callable[[], Any]) -> dict[str, Any]:
    """The outcome of each action, each in a graph of its own."""
    found = {}
    for name, action in actions.items():
        with tf.Graph().as_default():
            found[name] = outcome(action)
    return found


def shortened(message: str) -> str:
    return without_paths(message)[:300]


def without_paths(text: str) -> str:
    """The text with `DIR` for every temporary directory and for the process's counters."""
    text = re.sub(re.escape(tempfile.gettempdir()) + r"/[\w.-]+", "DIR", text)
    return re.sub(r"0x[0-9a-f]{6,}", "ADDRESS", text)


def as_json(value: Any) -> Any:
    """Plain data that says as much about the value as two libraries can be held to."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return {"set of": sorted(as_json(item) for item in value)}
    if isinstance(value, tf.SparseTensorValue):
        return {"sparse": as_json([value.indices, value.values, value.dense_shape])}
    if isinstance(value, tf.ragged.RaggedTensorValue):
        return {"ragged": value.to_list()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return as_json(value.tolist()) if value.dtype.kind != "f" else np.round(np.float64(value), 5).tolist()
    if isinstance(value, bytes):
        return without_paths(value.decode("latin-1"))
    if isinstance(value, tf.TensorShape):
        return str(value)
    if isinstance(value, tf.DType):
        return value.name
    if isinstance(value, tf.SparseTensor):
        return {"sparse": as_json([value.indices, value.values, value.dense_shape])}
    if isinstance(value, tf.RaggedTensor):
        return {"ragged": as_json([value.flat_values, *value.nested_row_splits])}
    if isinstance(value, tf.Operation | tf.Tensor | tf.Variable):
        return value.name
    if isinstance(value, str):
        return without_paths(value)
    if isinstance(value, float):
        return round(value, 5)
    if value is None or isinstance(value, bool | int):
        return value
    return without_paths(str(value))


def new_dir() -> str:
    return tempfile.mkdtemp()


def files_in(path: str) -> list[str]:
    found = []
    for folder, _, names in os.walk(path):
        found += [os.path.relpath(os.path.join(folder, name), path) for name in names]
    return sorted(found)


def evaluate(tensors: Any, feed_dict: dict | None = None) -> Any:
    """The values in a new session, after the variables and tables have been initialised."""
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        return session.run(tensors, feed_dict)


def ancestors(tensors: Iterable[Any]) -> dict[str, str]:
    """The nodes that these tensors are computed from, with their op types."""
    found, waiting = {}, [tensor.op for tensor in tensors]
    while waiting:
        op = waiting.pop()
        if op.name not in found:
            found[op.name] = op.type
            waiting += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    return dict(sorted(found.items()))


def collections(*keys: str) -> dict[str, list[str]]:
    keys = keys or (
        "variables", "trainable_variables", "model_variables", "local_variables", "regularization_losses",
        "update_ops", "table_initializer",
    )  # fmt: skip
    return {key: [item.name for item in tf.get_collection(key)] for key in keys}


def dense_spec(hub: Any, width: int = 3) -> Any:
    """The smallest module with a variable, whose values are ones."""

    def module_fn():
        x = tf.placeholder(tf.float32, [None, width])
        w = tf.get_variable("w", [width, 2], initializer=tf.ones_initializer())
        hub.add_signature(inputs=x, outputs=tf.matmul(x, w))

    return hub.create_module_spec(module_fn)


def exported(hub: Any, spec: Any, tags: Any = None, trainable: bool = False, path: str | None = None) -> str:
    """The path of the module, its variables with their initial values."""
    path = path or new_dir() + "/module"
    with tf.Graph().as_default():
        module = hub.Module(spec, tags=tags, trainable=trainable)
        with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
            session.run([tf.global_variables_initializer(), tf.tables_initializer()])
            module.export(path, session)
    return path
