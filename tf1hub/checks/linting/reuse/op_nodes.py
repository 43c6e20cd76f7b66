"""The nodes of a variant by their ops, those of all functions included."""

from collections.abc import Container, Mapping

from tf1hub.checks.linting.dataflow.expansion import FlowNode
from tf1hub.checks.linting.linted_module import Variant


def nodes_by_op(variant: Variant) -> Mapping[str, list[FlowNode]]:
    """The nodes of each op. Functions that only datasets call are no part of the dataflow, but count here."""
    return variant.kept(_nodes_by_op)


def _nodes_by_op(variant: Variant) -> Mapping[str, list[FlowNode]]:
    flow, library = variant.flow, variant.index.meta_graph.graph_def.library
    # In old graphs, a node that calls a function has the function's name as its op.
    functions = {function.signature.name for function in library.function}
    expanded = {node.function for node in flow.nodes.values()} if functions else set()
    found = {
        op: list(nodes) for op, nodes in flow.by_op.items() if nodes[0].definition is not None and op not in functions
    }
    for function in library.function:
        name = function.signature.name
        for node in function.node_def if name not in expanded else ():
            if node.op not in functions:
                found.setdefault(node.op, []).append(FlowNode(f"{name}/{node.name}", node.op, (), (), node, name))
    return found


def nodes_of(variant: Variant, ops: Container[str]) -> list[FlowNode]:
    """The nodes of some ops, in no particular order."""
    return [node for op, nodes in nodes_by_op(variant).items() if op in ops for node in nodes]
