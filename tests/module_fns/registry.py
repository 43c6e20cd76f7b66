"""What a kind of module is to the tests: how to make it, what to feed it, and what it can do."""

import functools
import importlib.metadata
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

BASE = frozenset()
TRAIN = frozenset({"train"})

KINDS: dict[str, "Kind"] = {}


@dataclass(frozen=True)
class Kind:
    """One kind of module.

    `make(hub)` returns (module_fn, tags_and_args or None, drop_collections or None), the three arguments of
    `hub.create_module_spec`. `inputs` holds what to feed by signature and input. `tags` are its variants; the
    first one that has every variable is `exported`. `trains` says that three steps of SGD change its variables
    the same way every time. `attachments` maps keys of attached messages to their types.
    """

    name: str
    make: Callable[[Any], tuple]
    inputs: dict[str, dict[str, Any]]
    tags: tuple[frozenset, ...] = (BASE,)
    exported: frozenset = BASE
    trains: bool = False
    needs: str | None = None
    predecessor_fails: str | None = None
    """Why tensorflow_hub cannot use this kind, although tf1hub can."""
    tf1_gradients: bool = False
    """Its gradients can be made only while control flow v2 is off: TF1 loops with TensorArrays."""
    attachments: dict[str, type] = field(default_factory=dict)
    not_on_disk: tuple[frozenset, ...] = ()
    """Variants that need variables which the exported one does not have."""

    def spec(self, hub: Any) -> Any:
        module_fn, tags_and_args, drop_collections = self.make(hub)
        return hub.create_module_spec(module_fn, tags_and_args, drop_collections)

    def available(self) -> bool:
        return self.needs is None or is_installed(self.needs)


def is_installed(library: str) -> bool:
    """Whether a library is here that a kind needs.

    The Keras of TensorFlow 2.15 is what tf_keras is beside Keras 3. There `tf_slim.batch_norm` brings tf_keras, so it is not
    for a process that must do without (see tests/conftest.py).
    """
    if library == "tf_keras" and importlib.metadata.version("keras").startswith("2."):
        return True
    if library == "tf_slim.batch_norm" and sys.modules.get("tf_keras", "") is None:
        return False
    return importlib.util.find_spec(library.partition(".")[0]) is not None


def kind(**attributes: Any) -> Callable:
    """Registers the decorated function as the `make` of the kind that bears its name."""

    def register(make: Callable) -> Callable:
        KINDS[make.__name__] = Kind(name=make.__name__, make=make, **attributes)
        return make

    return register


def as_tensors(inputs: dict[str, Any]) -> dict[str, Any]:
    """What a signature is fed with, as the arguments of a call: constants, SparseTensors, RaggedTensors."""
    return {key: _as_tensor(value) for key, value in inputs.items()}


def _as_tensor(value: Any) -> Any:
    if isinstance(value, tf.SparseTensorValue):
        return tf.SparseTensor.from_value(value)
    if isinstance(value, tf.ragged.RaggedTensorValue):
        return tf.RaggedTensor.from_row_splits(as_tensor(value.values), value.row_splits)
    return tf.constant(value)


def as_tensor(value: Any) -> Any:
    return _as_tensor(value)


def numbers(*shape: int, dtype: Any = np.float32, seed: int = 0) -> np.ndarray:
    """Made-up values between -1 and 1, the same every time."""
    return np.random.RandomState(seed).uniform(-1.0, 1.0, shape).astype(dtype)


def assign_values(module: Any, session: Any) -> None:
    """Gives every variable of the module values that depend on nothing but its name, shape and type."""
    for name, variable in sorted(module.variable_map.items()):
        parts = variable if isinstance(variable, list) else [variable]
        for index, part in enumerate(parts):
            session.run(part.assign(value_for(f"{name}:{index}", part.dtype.base_dtype, part.shape.as_list())))


def value_for(name: str, dtype: Any, shape: list[int]) -> Any:
    seed = sum(ord(character) * (1 + place) for place, character in enumerate(name)) % 2**31
    values = np.random.RandomState(seed).uniform(-1.0, 1.0, shape)
    if dtype == tf.string:
        return np.vectorize(lambda value: f"{value:.3f}".encode(), otypes=[object])(values)
    if dtype == tf.bool:
        return np.asarray(values > 0)
    if dtype.is_integer:
        return np.asarray(values * 100).astype(dtype.as_numpy_dtype)
    return np.asarray(values).astype(dtype.as_numpy_dtype)


@contextmanager
def control_flow_v1() -> Iterator[None]:
    """TF1's while loops and conds, made of Enter, Switch and Merge."""
    was_v2 = tf.control_flow_v2_enabled()
    tf.disable_control_flow_v2()
    try:
        yield
    finally:
        if was_v2:
            tf.enable_control_flow_v2()


@contextmanager
def control_flow_v2() -> Iterator[None]:
    """While and If ops, whose bodies are functions in the graph's library."""
    was_v2 = tf.control_flow_v2_enabled()
    tf.enable_control_flow_v2()
    try:
        yield
    finally:
        if not was_v2:
            tf.disable_control_flow_v2()


@functools.cache
def _temporary_directory() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="tf1hub-module-fns-")


def text_file(name: str, lines: list[str], folder: str = "publisher") -> str:
    """The path of a file with these lines, in a directory that goes with the process."""
    directory = Path(_temporary_directory().name) / folder
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return str(path)


def new_path(name: str) -> str:
    """A path at which nothing lies yet, in a directory that goes with the process."""
    return tempfile.mkdtemp(prefix=name, dir=_temporary_directory().name) + "/module"
