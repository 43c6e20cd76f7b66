"""One variant of a loaded module: its graph, ready to be put into functions, and its part of the state."""

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from tf1hub.consuming.loaded.resources import ResourcePool
from tf1hub.consuming.loaded.variables import LoadedVariables
from tf1hub.graph import collections
from tf1hub.graph.application import Application, application_of, tensors_of, unfed_nodes
from tf1hub.graph.assets import asset_paths
from tf1hub.graph.resource_variables import check_references, with_resource_variables
from tf1hub.graph.subgraph import Boundary, Subgraph, cut
from tf1hub.names import node_name, tensor_name
from tf1hub.spec import ModuleSpec
from tf1hub.tensorflow_private import watched_handle


class Variant:
    """A graph variant with the module's variables, tables and assets.

    Attributes:
      tags: its tags.
      index: its graph. Reference variables are resource variables here, and the constants of assets count as state.
      variables: the module's variables by the names of their nodes in this graph.
      replicas: the copies of the module's variables.
      assets: the assets by the names of their constants.
    """

    def __init__(
        self,
        spec: ModuleSpec,
        tags: frozenset[str],
        variables: LoadedVariables,
        pool: ResourcePool,
        assets: dict[str, Any],
    ):
        self.tags = tags
        index = with_resource_variables(spec.variant(tags))
        paths = asset_paths(index.meta_graph)
        self.index = index.with_state(node_name(name) for name in paths)
        self.replicas = variables.replicas
        self.variables = variables.of_variant(spec.stored_variables(tags))
        for path in paths.values():
            if path not in assets:
                assets[path] = tf.saved_model.Asset(path)
        self.assets = {node_name(name): assets[path] for name, path in paths.items()}
        self._tables = pool.resources_of(self.index, [*self.variables, *self.assets], self.feeds)

    def application(self, signature: str, outputs: list[str], training: bool) -> Application:
        """What computes some outputs of a signature, and with `training` its update ops."""
        definition = self.index.meta_graph.signature_def[signature]
        inputs = tensors_of(definition.inputs.values())
        application = application_of(
            self.index, inputs, tensors_of([definition.outputs[name] for name in outputs]), trainable=training
        )
        check_references(self.index, application.subgraph.nodes)
        return application

    def regularization_losses(self) -> tuple[list[str], list[str]]:
        """The losses that can be computed from the variables alone, and those that need an input that nobody feeds."""
        names = self.index.collection_nodes(collections.REGULARIZATION_LOSSES)
        unfed = unfed_nodes(self.index, names, self._boundary())
        return [n for n in names if node_name(n) not in unfed], [n for n in names if node_name(n) in unfed]

    def loss(self, name: str) -> Subgraph:
        """What computes a regularization loss."""
        return cut(self.index, [name], self._boundary())

    def feeds(self, subgraph: Subgraph, component: int = 0, wanted: Iterable[str] = ()) -> Mapping[str, Any]:
        """The state that a subgraph takes from outside, captured by the function that is being built.

        Args:
          subgraph: a part of this variant's graph.
          component: which replica's, of distributed variables.
          wanted: what is computed with it. That can be state itself: the path of an asset.
        """
        result = {}
        for node in {node_name(name) for name in [*subgraph.crossing, *wanted]}:
            if node in self.variables:
                result[tensor_name(node)] = self._handle(node, component)
            elif node in self._tables:
                result[tensor_name(node)] = self._tables[node].resource_handle
            elif node in self.assets:
                result[tensor_name(node)] = self.assets[node].asset_path
        return result

    def _handle(self, node: str, component: int) -> Any:
        """A variable's handle, such that gradient tapes know the function to depend on the variable."""
        return watched_handle(self.replicas.copy(self.variables[node], component))

    def tables_of(self, subgraph: Subgraph) -> list[str]:
        """The tables that a subgraph looks into."""
        return sorted({node_name(name) for name in subgraph.crossing} & self._tables.keys())

    def _boundary(self) -> Boundary:
        return Boundary(nodes=self.index.state_nodes)
