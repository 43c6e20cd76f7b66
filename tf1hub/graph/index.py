"""A graph's nodes and ops by name."""

import copy
from collections.abc import Iterable

from tf1hub.format import protos
from tf1hub.format.messages import parse_message
from tf1hub.names import node_name

# Ops that hold state, for graphs whose list of op definitions was lost.
_KNOWN_STATE_OPS = frozenset(
    {"VarHandleOp", "Variable", "VariableV2", "HashTable", "HashTableV2", "MutableHashTable", "MutableHashTableV2"}
    | {"MutableHashTableOfTensors", "MutableHashTableOfTensorsV2"}
)


class GraphIndex:
    """What is where in a MetaGraphDef. Reads it, never changes it."""

    def __init__(self, meta_graph: protos.MetaGraphDef):
        self.meta_graph = meta_graph
        self.nodes: dict[str, protos.NodeDef] = {node.name: node for node in meta_graph.graph_def.node}
        ops = _ops_with_state(meta_graph.meta_info_def.stripped_op_list)
        self.state_nodes = frozenset(name for name, node in self.nodes.items() if node.op in ops)

    def with_nodes(self, nodes: Iterable[protos.NodeDef]) -> "GraphIndex":
        """The same graph with some nodes more, or in the place of those of the same name."""
        changed = copy.copy(self)
        changed.nodes = {**self.nodes, **{node.name: node for node in nodes}}
        return changed

    def with_state(self, nodes: Iterable[str]) -> "GraphIndex":
        """The same graph with some nodes more that count as state: they come in once, not with each application."""
        changed = copy.copy(self)
        changed.state_nodes = self.state_nodes | set(nodes)
        return changed

    def has(self, name: str) -> bool:
        """Whether there is a node for this node or tensor name."""
        return node_name(name) in self.nodes

    def collection_nodes(self, key: str) -> list[str]:
        """The names in a collection of tensors or ops; [] when there is none."""
        if key not in self.meta_graph.collection_def:
            return []
        return list(self.meta_graph.collection_def[key].node_list.value)

    def collection_bytes(self, key: str) -> list[bytes]:
        """The messages in a collection of messages; [] when there is none."""
        if key not in self.meta_graph.collection_def:
            return []
        return list(self.meta_graph.collection_def[key].bytes_list.value)

    def variables(self, key: str) -> list[protos.VariableDef]:
        """The variables of a collection, in its order."""
        what = f"A variable in the collection {key!r}"
        return [parse_message(protos.VariableDef, value, what) for value in self.collection_bytes(key)]


def _ops_with_state(definitions: protos.OpList) -> set[str]:
    """The ops that are stateful and take no inputs: variables, tables, queues."""
    defined = {op.name: op.is_stateful and not op.input_arg for op in definitions.op}
    return {op for op, holds_state in defined.items() if holds_state} | (_KNOWN_STATE_OPS - defined.keys())


def tags_of(meta_graph: protos.MetaGraphDef) -> frozenset[str]:
    """The tags of a variant."""
    return frozenset(tag for tag in meta_graph.meta_info_def.tags if tag)
