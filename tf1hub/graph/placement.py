"""Whether a graph's colocations allow it to be taken apart into state and applications."""

from tf1hub.graph.index import GraphIndex
from tf1hub.names import COLOCATION_ATTR, colocated_node


def find_misplaced_state(index: GraphIndex) -> dict[str, list[str]]:
    """State nodes that are colocated with nodes which hold no state, and with which of them.

    State is instantiated once and everything else with each application, so it cannot be placed by one of those.
    """
    misplaced = {}
    for name in sorted(index.state_nodes):
        node = index.nodes[name]
        groups = node.attr[COLOCATION_ATTR].list.s if COLOCATION_ATTR in node.attr else []
        targets = [target for group in groups if (target := colocated_node(group)) is not None]
        if others := [target for target in targets if target not in index.state_nodes]:
            misplaced[name] = others
    return misplaced
