"""The variables of a loaded module: one set, which all its variants share."""

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from tf1hub.checkpoints import local_checkpoint
from tf1hub.consuming.loaded.replicas import Replicas
from tf1hub.consuming.module import Module
from tf1hub.errors import GraphError
from tf1hub.format.close_names import find_close_names
from tf1hub.graph import collections
from tf1hub.graph.variables import StoredVariable
from tf1hub.names import node_name
from tf1hub.spec import ModuleSpec
from tf1hub.tensorflow_private import named_variable, set_trainable

# What tells two variables of a module apart: the name in the checkpoint, and where a part begins.
Key: TypeAlias = tuple[str, tuple[int, ...] | None]


class LoadedVariables:
    """A module's variables as `tf.Variable`s, with the values of its checkpoint, or fresh ones when it has none.

    Under the scope of a distribution strategy they are distributed variables: trainable ones mirrored, and the others, which
    update ops change on each replica, averaged when they are read.

    Attributes:
      stored: how a checkpoint stores each, in order: those that can be trained, then the others.
      all: the `tf.Variable` of each, in the same order.
      names: the name of each in the module, in the same order.
      trainable: for each whether the publisher meant it to be trained.
      trained: for each whether it is, and not frozen.
      replicas: the copies of them that a distribution strategy keeps.
    """

    def __init__(self, spec: ModuleSpec, variants: Sequence[frozenset[str]], training: frozenset[str]):
        found: dict[Key, StoredVariable] = {}
        values: dict[Key, Any] = {}
        for tags in variants:
            spec.check_files(tags)
            new = [one for one in spec.stored_variables(tags) if _key(one) not in found]
            _check_parts(found.values(), new)
            found.update({_key(one): one for one in new})
            values.update(zip(map(_key, new), initial_values(spec, tags, new), strict=True))
        collected = spec.variant(training).variables(collections.TRAINABLE_VARIABLES)
        trained = {node_name(variable.variable_name) for variable in collected}
        keys = {_key(one) for one in spec.stored_variables(training) if one.node in trained}
        # Those that can be trained come first, as in a Keras layer's weights: there the order must not hang on what is frozen.
        found = dict(sorted(found.items(), key=lambda item: item[0] not in keys))
        self.stored = list(found.values())
        self.names = [one.node for one in self.stored]
        self.trainable = [key in keys for key in found]
        self.all = [
            _variable(one, values.pop(key), flag)
            for (key, one), flag in zip(found.items(), self.trainable, strict=True)
        ]
        self.trained = list(self.trainable)
        self.replicas = Replicas(v for v, trainable in zip(self.all, self.trainable, strict=True) if not trainable)
        self._by_key = dict(zip(found, self.all, strict=True))

    def of_variant(self, stored: Iterable[StoredVariable]) -> dict[str, Any]:
        """The variables of a variant by the names of their nodes there."""
        return {one.node: self._by_key[_key(one)] for one in stored}

    def check_patterns(self, patterns: Iterable[str]) -> None:
        """Refuses a pattern of names, such as "encoder/*", that matches no trainable variable.

        Raises:
          ValueError: there is such a pattern.
        """
        names = [name for name, trainable in zip(self.names, self.trainable, strict=True) if trainable]
        for pattern in patterns:
            if not fnmatch.filter(names, pattern):
                raise ValueError(_no_match(pattern, names))

    def train(self, trained: bool, patterns: Iterable[str]) -> None:
        """Freezes or thaws the trainable variables whose names match one of the patterns."""
        matched = [any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns) for name in self.names]
        self.set_trained([trained if each else was for each, was in zip(matched, self.trained, strict=True)])

    def set_trained(self, trained: Sequence[bool]) -> None:
        """Says of each variable whether it is trained. What the publisher did not mean to be trained never is."""
        for i, variable in enumerate(self.all):
            self.trained[i] = self.trainable[i] and trained[i]
            set_trainable(variable, self.trained[i])  # tapes shall lose no time on frozen ones


def _key(one: StoredVariable) -> Key:
    return one.checkpoint_name, one.offset


def _no_match(pattern: str, names: list[str]) -> str:
    if not names:
        return "The module has no trainable variables: its publisher declared none. It can be used, not trained."
    shown = ", ".join(repr(name) for name in (find_close_names(pattern, names) or names)[:5])
    return f"No trainable variable of the module matches {pattern!r}. It has {len(names)}, such as {shown}."


def _check_parts(known: Iterable[StoredVariable], new: Iterable[StoredVariable]) -> None:
    """Refuses variants that cut a variable into different parts: they could not share it."""
    cut = {one.checkpoint_name: one.node for one in known}
    for one in new:
        if one.checkpoint_name in cut:
            raise GraphError(
                f"The module's variants cut the variable {one.checkpoint_name!r} into different parts"
                f" ({cut[one.checkpoint_name]!r} and {one.node!r}), so they cannot share it. Pass the tags of one variant as"
                " `tags` and `training_tags`."
            )


def initial_values(spec: ModuleSpec, tags: frozenset[str], stored: Sequence[StoredVariable]) -> list[Any]:
    """The values of a variant's variables on disk, or, when the spec has none, those that their own initializers give."""
    if not stored:
        return []
    if spec.checkpoint is None:
        return _fresh_values(spec, tags, stored)
    with local_checkpoint(spec.checkpoint) as prefix:
        values: list[Any] = tf.raw_ops.RestoreV2(
            prefix=prefix,
            tensor_names=[one.checkpoint_name for one in stored],
            shape_and_slices=[one.slice_spec for one in stored],
            dtypes=[tf.as_dtype(one.dtype) for one in stored],
        )
    return values


def _fresh_values(spec: ModuleSpec, tags: frozenset[str], stored: Sequence[StoredVariable]) -> list[Any]:
    """What the variables' own initializers give."""
    parts: dict[str, list[Any]] = {}
    for one in spec.stored_variables(tags):
        parts.setdefault(one.checkpoint_name, []).append(one.offset)
    with tf.Graph().as_default() as graph:
        made = Module(spec, tags=tags, trainable=True).variable_map
        variables = [made[one.checkpoint_name] for one in stored]
        for i, one in enumerate(stored):
            if one.offset is not None:  # there the parts are a list, in order
                variables[i] = variables[i][sorted(parts[one.checkpoint_name]).index(one.offset)]
        with tf.compat.v1.Session(graph=graph) as session:
            session.run([tf.compat.v1.global_variables_initializer(), tf.compat.v1.tables_initializer()])
            values: list[Any] = session.run(variables)
    return values


def _variable(one: StoredVariable, value: Any, trainable: bool) -> Any:
    """A variable in the current distribution strategy's scope."""
    shape, dtype = tf.TensorShape(one.shape), tf.as_dtype(one.dtype)
    if not tf.distribute.has_strategy():
        return named_variable(one.node, value, trainable=trainable, dtype=dtype, shape=shape)
    settings: Mapping[str, Any] = {}
    if not trainable:
        averaged = dtype.is_floating
        settings = {
            "synchronization": tf.VariableSynchronization.ON_READ,
            "aggregation": tf.VariableAggregation.MEAN if averaged else tf.VariableAggregation.ONLY_FIRST_REPLICA,
        }
    return tf.Variable(value, trainable=trainable, name=one.node, dtype=dtype, shape=shape, **settings)
