"""The state of one instance of a module in a graph: its variables and tables."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tf1hub.consuming.importing import ImportedGraph, add_to_collection, check_free, import_subgraph
from tf1hub.errors import WrongGraphError
from tf1hub.format import protos
from tf1hub.graph import collections
from tf1hub.graph.state import State
from tf1hub.graph.variables import StoredVariable
from tf1hub.names import in_scope, node_name
from tf1hub.spec import ModuleSpec, Tags
from tf1hub.tensorflow_private import enclosing_graphs, is_function_graph, python_object

_SCOPE = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")


class Instance:
    """The state of a variant, imported once under a scope and shared by all applications.

    Attributes:
      graph: the graph that it lies in.
      tensors: for each state node of the module its tensor here, by the name in the module's graph.
      variable_map: the variables by their names in the module; a partitioned one is the list of its parts.
    """

    def __init__(self, spec: ModuleSpec, tags: Tags, trainable: bool, name: str, everything: bool):
        """Imports the state under the scope `name` of the current name scope, which must be free."""
        self.stored = spec.stored_variables(tags)
        state = spec.state(tags, trainable, everything)
        self.graph = tf.compat.v1.get_default_graph()
        check_free(state.subgraph, name)
        imported = import_subgraph(state.subgraph, name)
        self.tensors = {f"{node}:0": imported.tensor(node) for node in state.nodes}
        self._variables = _make_variables(state, imported.scope)
        self.variable_map = self._variable_map()
        _fill_collections(state, imported)
        if spec.checkpoint is not None:
            self._tell_shapes()

    def _tell_shapes(self) -> None:
        """Gives initial values the shapes that the restore op does not know; averages and copies are made by them."""
        for one, variable in self.stored_with_variables():
            if one.shape is not None:
                variable.initial_value.set_shape(one.shape)

    def _variable_map(self) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for one, variable in self.stored_with_variables():
            if one.offset is None:
                result[one.checkpoint_name] = variable
            else:
                result.setdefault(one.checkpoint_name, []).append((one.offset, variable))
        for name, value in result.items():
            if isinstance(value, list):
                result[name] = [part for _, part in sorted(value, key=lambda pair: pair[0])]
        return result

    def stored_with_variables(self) -> list[tuple[StoredVariable, Any]]:
        """Each variable of the graph with how a checkpoint stores it."""
        return [(one, self._variables[one.node]) for one in self.stored if one.node in self._variables]


@contextmanager
def state_context() -> Iterator[None]:
    """Where state belongs: outside of loops, branches and control dependencies, and of functions if a graph is around."""
    graph = tf.compat.v1.get_default_graph()
    outermost = list(enclosing_graphs(graph))[-1]
    if is_function_graph(graph) and not is_function_graph(outermost) and not _eager_outside():
        with tf.init_scope():
            yield
    else:
        with tf.control_dependencies(None):
            yield


def _eager_outside() -> bool:
    with tf.init_scope():
        return bool(tf.executing_eagerly())


def free_scope(name: str) -> str:
    """An absolute scope for a module's state, "outer/name/", that is free for variables and for nodes alike.

    It lies in the current variable scope, whatever the name scope is.

    Raises:
      WrongGraphError: free for variables but taken for nodes (a `RuntimeError`).
      ValueError: the name is no name of a scope.
    """
    if not isinstance(name, str) or not _SCOPE.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name for a module: it is made of letters, digits and the characters _ . - / and starts with a"
            " letter or digit."
        )
    outer = tf.compat.v1.get_variable_scope().name
    with tf.compat.v1.name_scope(f"{outer}/" if outer else ""):
        with tf.compat.v1.variable_scope(None, default_name=name, auxiliary_name_scope=False) as scope:
            wanted = f"{scope.name}/"
        free = tf.compat.v1.get_default_graph().unique_name(name, mark_as_used=False) + "/"
    if free != wanted:
        raise WrongGraphError(
            f"The name {wanted.rstrip('/')!r} is free for a module's variables but taken for nodes: something else in the"
            " graph has it. Give the module another name: hub.Module(..., name=...)."
        )
    return wanted


def _make_variables(state: State, scope: str) -> dict[str, Any]:
    """One variable object for each variable, by its node's name in the module; added to the variables' collections."""
    made: dict[str, Any] = {}
    for key, definitions in state.variables.items():
        for definition in definitions:
            name = node_name(definition.variable_name)
            if name not in made:
                message = _scoped_definition(definition, scope).SerializeToString()
                made[name] = python_object(collections.GLOBAL_VARIABLES, message)
            add_to_collection(key, [made[name]])
    return made


def _scoped_definition(definition: protos.VariableDef, scope: str) -> protos.VariableDef:
    scoped = protos.VariableDef()
    scoped.CopyFrom(definition)
    for field in ("variable_name", "initializer_name", "initial_value_name", "snapshot_name"):
        if value := getattr(scoped, field):
            setattr(scoped, field, in_scope(value, scope))
    if scoped.HasField("save_slice_info_def"):
        scoped.save_slice_info_def.full_name = in_scope(scoped.save_slice_info_def.full_name, scope)
    return scoped


def _fill_collections(state: State, imported: ImportedGraph) -> None:
    for key, names in (
        (collections.TABLE_INITIALIZERS, state.table_initializers),
        (collections.REGULARIZATION_LOSSES, state.regularization_losses),
        (collections.ASSET_FILEPATHS, state.asset_filepaths),
    ):
        add_to_collection(key, [imported.element(name) for name in names])
