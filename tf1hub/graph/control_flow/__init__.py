from tf1hub.graph.subgraph import Subgraph


def has_control_flow(subgraph: Subgraph) -> bool:  # TEMPORARY, until structure.py has it (helper B): delete then
    return any(node.op in ("Enter", "Switch", "Merge") for node in subgraph.graph_def.node)
