"""TF1 control flow. (Helper B writes this.)"""

from tf1hub.graph.subgraph import Subgraph


def has_control_flow(subgraph: Subgraph) -> bool:
    return any(node.op in ("Enter", "Switch", "Merge") for node in subgraph.graph_def.node)
