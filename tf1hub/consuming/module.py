"""`hub.Module`: a module in a TensorFlow graph."""

import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf

from tf1hub.consuming.importing import ImportedGraph, add_to_collection, import_subgraph
from tf1hub.consuming.instance import Instance, free_scope, state_context
from tf1hub.consuming.values import chosen_outputs, components, composed, converted, named_inputs
from tf1hub.consuming.writing import write_variables
from tf1hub.errors import WrongGraphError
from tf1hub.graph import collections
from tf1hub.names import last_part, parent_scope
from tf1hub.spec import ModuleSpec, Tags, as_module_spec, as_tags
from tf1hub.tensor_info import TensorInfo
from tf1hub.tensorflow_private import enclosing_graphs, not_converted, provide_tf_layers

_NOT_IN_SCOPES = re.compile(r"[^A-Za-z0-9_./>-]")


class Module:
    """A part of a TensorFlow graph that comes with its variables: instantiated once, applied as often as you like.

    The constructor adds the module's variables and tables to the current graph, in the current variable scope; each call
    adds what one signature computes, in the current name scope. All calls share the variables.

    Args:
      spec: a module spec, or the path of a module on disk. With a path, or a spec that was loaded from one, the variables
        are initialized with the values on disk; otherwise by their own initializers.
      trainable: whether the variables may be trained: then they are in TRAINABLE_VARIABLES, the module's regularization
        losses in REGULARIZATION_LOSSES, and each call adds the update ops to UPDATE_OPS. Without it, none of these.
      name: the scope of the variables; a number is appended when it is taken.
      tags: the tags of the graph variant to use, such as `{"train"}`; none for the one without tags.
      prune: whether nodes that nothing needs are left out. With False each import brings the whole graph, for programs that
        fetch nodes which no signature leads to.

    Raises:
      MissingModuleError: no module at the path (an `OSError`, also a `tf.errors.NotFoundError`).
      TagsError: no variant has these tags (a `ValueError`).
      CheckpointError: the module lacks values for some of the variant's variables (a `ValueError`).
      WrongGraphError: the name is taken by nodes, or there is no graph (a `RuntimeError`).

    >>> with tf.Graph().as_default():
    ...     module = hub.Module(path)
    ...     embeddings = module(["a sentence", "another"])
    """

    @not_converted
    def __init__(
        self,
        spec: ModuleSpec | str | os.PathLike[str],
        trainable: bool = False,
        name: str = "module",
        tags: Tags = None,
        prune: bool = True,
    ):
        provide_tf_layers()
        if tf.executing_eagerly():
            raise WrongGraphError(
                "hub.Module adds to a graph, and none is being built: eager execution is on. Put it under `with"
                " tf.Graph().as_default():`, or turn eager execution off with `tf.compat.v1.disable_eager_execution()`."
            )
        self._spec = as_module_spec(spec)
        self._trainable = trainable
        self._tags = as_tags(tags)
        self._everything = not prune
        self._spec.check_files(self._tags)  # before the module's name is taken
        with state_context():
            scope = free_scope(name)
            self._name = last_part(scope)
            with tf.compat.v1.name_scope(parent_scope(scope)):
                self._instance = Instance(self._spec, self._tags, trainable, self._name, self._everything)
        self._graph = self._instance.graph

    @not_converted
    def __call__(
        self,
        inputs: Any = None,
        _sentinel: Any = None,
        signature: str | None = None,
        as_dict: bool | None = None,
        outputs: str | Iterable[str] | None = None,
    ) -> Any:
        """Applies a signature of the module and adds what it computes to the graph.

        Args:
          inputs: a value for the signature's only input, or a dict of values by name; none when it takes none. A value is a
            tensor, a sparse or ragged tensor, or what TensorFlow converts to one.
          signature: the signature's name; "default" when left out.
          as_dict: whether all outputs are returned as a dict by name, instead of the one called "default".
          outputs: the names of the only outputs to compute, returned as a dict by name; what just other outputs need is left
            out of the graph. Not in tensorflow_hub 0.15.0.

        Returns:
          The tensor of the output "default", or a dict of tensors.

        Raises:
          SignatureError: no such signature (a `ValueError`).
          InputError: inputs that the signature does not take, or no output "default" (a `TypeError`).
          WrongGraphError: another graph is being built than the module's (a `RuntimeError`).
        """
        if _sentinel is not None:
            warnings.warn(f"The second argument {_sentinel!r} has no effect; pass `signature` by name.", stacklevel=2)
        self._check_graph("applied")
        signature = signature or "default"
        infos = self.get_input_info_dict(signature)
        made = self.get_output_info_dict(signature)
        wanted = chosen_outputs(signature, list(made), as_dict, outputs)
        tensors = converted(named_inputs(inputs, infos, signature), infos, signature)
        computed = list(made) if outputs is None else wanted
        imported = self._apply(signature, computed, {**self._instance.tensors, **components(tensors, infos)})
        results = {
            key: composed(made[key], [imported.tensor(name) for name in made[key].component_names()]) for key in wanted
        }
        return results if as_dict or outputs is not None else results["default"]

    def _apply(self, signature: str, outputs: list[str], feeds: dict[str, Any]) -> ImportedGraph:
        application = self._spec.application(self._tags, signature, outputs, self._trainable, self._everything)
        name = f"{self._name}_apply_{_NOT_IN_SCOPES.sub('_', signature)}"
        imported = import_subgraph(application.subgraph, name, feeds)
        for key, names in (
            (collections.UPDATE_OPS, application.update_ops),
            (collections.ASSET_FILEPATHS, application.asset_filepaths),
        ):
            add_to_collection(key, [imported.element(name) for name in names])
        return imported

    def export(self, path: str | os.PathLike[str], session: Any) -> None:
        """Writes the module with the values that its variables have in a session: once trained, or fine-tuned.

        Args:
          path: the module's directory. It is there whole or not at all; nothing that is there is replaced.
          session: a `tf.compat.v1.Session` on the module's graph, or a MonitoredSession, in which the variables are
            initialized. Nothing is added to the graph, so it may be finalized.

        Raises:
          ModuleExistsError: there is a module at `path` (a `tf.errors.AlreadyExistsError`).
          WrongGraphError: another graph is current, or is the session's (a `RuntimeError`).
          tf.errors.FailedPreconditionError: a variable is not initialized.
        """
        if getattr(session, "graph", self._graph) is not self._graph:
            raise WrongGraphError(
                "The session runs another graph than the one that the module was instantiated in. Pass a session of the"
                " module's graph."
            )
        self._check_graph("exported")
        stored = self._instance.stored_with_variables()
        self._spec.write(path, lambda prefix: write_variables(prefix, stored, session))

    def get_signature_names(self) -> list[str]:
        """The names of the signatures, sorted."""
        return self._spec.get_signature_names(tags=self._tags)

    def get_input_info_dict(self, signature: str | None = None) -> dict[str, TensorInfo]:
        """What a signature takes: an info with `dtype` and `get_shape()` for each input."""
        return self._spec.get_input_info_dict(signature, tags=self._tags)

    def get_output_info_dict(self, signature: str | None = None) -> dict[str, TensorInfo]:
        """What a signature gives: an info with `dtype` and `get_shape()` for each output."""
        return self._spec.get_output_info_dict(signature, tags=self._tags)

    def get_attached_message(self, key: str, message_type: Callable[[], Any], required: bool = False) -> Any:
        """A message that the publisher attached; see `ModuleSpec.get_attached_message`."""
        return self._spec.get_attached_message(key, message_type, tags=self._tags, required=required)

    @property
    def variable_map(self) -> dict[str, Any]:
        """The variables by their names in the module, a partitioned one as the list of its parts.

        It fits `tf.compat.v1.train.Saver` and `tf.compat.v1.train.init_from_checkpoint`.
        """
        return dict(self._instance.variable_map)

    @property
    def variables(self) -> list[Any]:
        """All variables of the module by their names, each part of a partitioned one too."""
        return list(_flat(variable for _, variable in sorted(self._instance.variable_map.items())))

    def _check_graph(self, what: str) -> None:
        current = tf.compat.v1.get_default_graph()
        around = list(enclosing_graphs(current)) if what == "applied" else [current]
        if not any(graph is self._graph for graph in around):
            raise WrongGraphError(
                f"The module {self._name!r} can only be {what} while the graph that it was instantiated in is the current"
                " one. Put the call under `with that_graph.as_default():`, or instantiate the module in this graph."
            )


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from value
        else:
            yield value
