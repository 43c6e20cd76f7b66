"""What a loaded module holds beside its variables: tables and other resources, outside of any graph."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import tensorflow as tf

from tf1hub.consuming.importing import import_subgraph
from tf1hub.format import protos
from tf1hub.graph import collections
from tf1hub.graph.application import tensors_of
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.subgraph import Boundary, Subgraph, cut, needed_nodes
from tf1hub.names import node_name

# Gives the tensors that a subgraph takes from outside.
Feeds: TypeAlias = Callable[[Subgraph], Mapping[str, Any]]


class Resource(tf.saved_model.experimental.TrackableResource):  # type: ignore[misc]
    """A node that holds state, such as a hash table, and what fills it.

    When a SavedModel is written with it, TensorFlow traces the methods that begin with an underscore.

    Args:
      node: the node as a graph.
      initializers: the names of the ops that initialize it.
      fill: what these need, as a graph.
      feeds: gives what `fill` takes from outside.
    """

    def __init__(self, node: Subgraph, initializers: list[str], fill: Subgraph, feeds: Feeds):
        super().__init__()
        self._node = node
        self._initializers = initializers
        self._fill = fill
        self._feeds = feeds

    def _create_resource(self) -> Any:
        # A name of its own each time: a saved copy must not share the resource with what it was made from.
        node = self._node.graph_def.node[0]
        node.attr["shared_name"].s = f"tf1hub_{uuid.uuid4()}".encode()
        return run_now(lambda: import_subgraph(self._node, "resource").tensor(node.name))

    def _initialize(self) -> None:
        if self._initializers:
            run_now(self._filled)

    def _destroy_resource(self) -> None:
        tf.raw_ops.DestroyResourceOp(resource=self.resource_handle, ignore_lookup_error=True)

    def fill(self) -> None:
        """Makes the resource and runs its initializers, now."""
        assert self.resource_handle is not None
        self._initialize()

    def _filled(self) -> Any:
        imported = import_subgraph(self._fill, "initializer", self._feeds(self._fill))
        with tf.control_dependencies([imported.element(name) for name in self._initializers]):
            return tf.constant(True)


class ResourcePool:
    """The resources of all variants of a loaded module. What is the same in two of them is there once."""

    def __init__(self) -> None:
        self.all: list[Resource] = []
        self._made: dict[tuple[bytes, ...], Resource] = {}

    def resources_of(self, index: GraphIndex, others: Iterable[str], feeds: Feeds) -> dict[str, Resource]:
        """The resources of a variant by their nodes' names. New ones are yet to be filled.

        Args:
          index: the variant.
          others: state nodes that are no resources: variables and assets.
          feeds: gives what a subgraph of this variant takes from outside.
        """
        wanted = index.state_nodes - set(others)
        wanted &= _reached_state(index) if wanted else set()
        initializers = _initializers(index, sorted(wanted))
        return {name: self._resource(index, name, initializers.get(name, []), feeds) for name in sorted(wanted)}

    def _resource(self, index: GraphIndex, name: str, initializers: list[str], feeds: Feeds) -> Resource:
        node, fill = cut(index, [name]), cut(index, initializers, Boundary(nodes=index.state_nodes))
        others = [index.nodes[node_name(each)] for each in sorted(fill.crossing)]
        key = tuple(_description(each) for each in [*node.graph_def.node, *fill.graph_def.node, *others])
        if key not in self._made:
            self._made[key] = Resource(node, initializers, fill, feeds)
            self.all.append(self._made[key])
        return self._made[key]


def _description(node: protos.NodeDef) -> bytes:
    """A node as it is in every variant: TensorFlow gives each variant's table a shared name of its own."""
    described = protos.NodeDef()
    described.CopyFrom(node)
    described.attr.pop("shared_name", None)
    return described.SerializeToString(deterministic=True)


def _reached_state(index: GraphIndex) -> set[str]:
    """The state nodes that any signature, loss or initializer needs; others may need ops that nobody has."""
    definitions = index.meta_graph.signature_def.values()
    targets = [name for definition in definitions for name in tensors_of(definition.outputs.values())]
    for key in (collections.TABLE_INITIALIZERS, collections.UPDATE_OPS, collections.REGULARIZATION_LOSSES):
        targets += index.collection_nodes(key)
    return needed_nodes(index, targets, Boundary()) & index.state_nodes


def _initializers(index: GraphIndex, resources: Iterable[str]) -> dict[str, list[str]]:
    """The ops that initialize a resource, each once: one for several belongs to the last of them."""
    found: dict[str, list[str]] = {}
    for initializer in index.collection_nodes(collections.TABLE_INITIALIZERS):
        touched = needed_nodes(index, [initializer], Boundary())
        if of := [name for name in resources if name in touched]:
            found.setdefault(of[-1], []).append(initializer)
    return found


def run_now(build: Callable[[], Any]) -> Any:
    """Adds what `build` builds to the graph that is being traced; where none is, runs it."""
    if not tf.executing_eagerly():
        return build()
    return tf.compat.v1.wrap_function(build, [])()
