"""How many iterations a loop makes at most, when that can be read off its condition."""

from tf1hub.format import protos
from tf1hub.graph.control_flow.frames import Cycle, LoopNodes
from tf1hub.graph.control_flow.sources import Sources
from tf1hub.graph.tensor_lists import scalar_of
from tf1hub.names import node_name, tensor_name


def find_limit(loop: LoopNodes, sources: Sources) -> str | None:
    """The tensor n of a loop that goes on only while `i < n`, where i counts from 0; None when there is no such thing.

    The tensor is one from outside of the loop, or a constant.
    """
    todo = [loop.condition.input[0]]
    while todo:
        node = _node(sources, todo.pop())
        if node is None:
            continue
        if node.op in ("Identity", "LogicalAnd"):
            todo.extend(node.input[:2])
        elif node.op == "Less" and any(_counts(cycle, node.input[0], sources) for cycle in loop.cycles):
            limit = sources.resolved(node.input[1])
            inside = sources.runs_in.get(node_name(limit)) is sources.runs_in[loop.condition.name]
            source = sources.nodes.get(node_name(limit))
            if not inside or (source is not None and source.op == "Const"):
                return limit
    return None


def _counts(cycle: Cycle, name: str, sources: Sources) -> bool:
    """Whether a tensor is a variable that starts as 0 and grows by 1."""
    if not _is_variable(cycle, name, sources) or scalar_of(_node(sources, cycle.enter.input[0])) != 0:
        return False
    step = _node(sources, cycle.next.input[0])
    if step is None or step.op not in ("Add", "AddV2"):
        return False
    ones = [scalar_of(_node(sources, one)) == 1 for one in step.input[:2]]
    return any(ones[1 - at] and _is_variable(cycle, step.input[at], sources) for at in (0, 1))


def _is_variable(cycle: Cycle, name: str, sources: Sources) -> bool:
    name = tensor_name(sources.resolved(name))
    while (node := sources.nodes.get(node_name(name))) is not None and node.op == "Identity":
        name = tensor_name(sources.resolved(node.input[0]))
    return name == tensor_name(cycle.merge.name)


def _node(sources: Sources, name: str) -> protos.NodeDef | None:
    return sources.nodes.get(node_name(sources.resolved(name)))
