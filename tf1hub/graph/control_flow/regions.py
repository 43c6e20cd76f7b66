"""The tree of regions that a graph of TF1 control flow computes: see `structure`.

requires  a graph without reference types and without TensorArrays
ensures   what the targets need runs, under the predicates that it hung on, and in the order that its inputs ask for
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from tf1hub.format import protos
from tf1hub.graph.control_flow.branches import Branches
from tf1hub.graph.control_flow.frames import Frame
from tf1hub.graph.control_flow.iterations import find_limit
from tf1hub.graph.control_flow.sources import Sources
from tf1hub.graph.control_flow.structure import Loop, LoopVariable, Region, control_nodes
from tf1hub.graph.control_flow.units import Units
from tf1hub.graph.control_flow.variable_reads import with_reads_before_loops
from tf1hub.graph.subgraph import Subgraph
from tf1hub.graph.tensor_lists import uses_tensor_arrays, with_tensor_lists
from tf1hub.names import is_control_input, node_name, tensor_name

_CONTROL_FLOW = frozenset(("Enter", "Exit", "Switch", "Merge", "NextIteration", "LoopCond"))


def has_control_flow(subgraph: Subgraph) -> bool:
    """Whether there are TF1 loops, branches or TensorArrays in it."""
    nodes = subgraph.graph_def.node
    return any(node.op.removeprefix("Ref") in _CONTROL_FLOW for node in nodes) or uses_tensor_arrays(nodes)


def structured(nodes: Collection[protos.NodeDef], targets: Iterable[str]) -> Region:
    """The tree of regions that computes what is wanted.

    Args:
      nodes: a graph; names that are none of its nodes come from outside.
      targets: names of the tensors and nodes that are wanted.

    Raises:
      GraphError: its control flow is none that TF1's loops and branches make; or it has gradients of TensorArrays.
    """
    by_name = {node.name: node for node in with_tensor_lists(nodes)}
    targets = [name for name in targets if node_name(name) in by_name]
    sources = Sources(with_reads_before_loops(_needed(by_name, targets)))
    return _Regions(sources).region(sources.frames.all[0], (), targets)


def _needed(nodes: Mapping[str, protos.NodeDef], targets: Iterable[str]) -> dict[str, protos.NodeDef]:
    needed: dict[str, protos.NodeDef] = {}
    todo = list(targets)
    while todo:
        name = node_name(todo.pop())
        if name in nodes and name not in needed:
            needed[name] = nodes[name]
            todo.extend(nodes[name].input)
    return needed


class _Regions:
    def __init__(self, sources: Sources):
        self._sources = sources

    def region(self, frame: Frame, results: Sequence[str], after: Sequence[str]) -> Region:
        """What gives some tensors of a frame, once some nodes of it have run."""
        units = Units(self._sources, frame, [*results, *after])
        return Branches(self._sources, units, self.loop).region(units.all, 0, results, after)

    def loop(self, frame: Frame) -> Loop:
        """The loop of a frame."""
        sources, nodes = self._sources, self._sources.loops[frame]
        ends = [cycle.next for cycle in nodes.cycles]
        condition = self.region(frame, nodes.condition.input[:1], nodes.condition.input[1:])
        body = self.region(frame, [end.input[0] for end in ends], [name for end in ends for name in end.input[1:]])
        variables = [
            LoopVariable(tensor_name(cycle.merge.name), sources.resolved(cycle.enter.input[0]), cycle.exits)
            for cycle in nodes.cycles
        ]
        outside = (sources.resolved(name) for name in sources.inputs_of_loop(frame) if is_control_input(name))
        controls = {*control_nodes(condition), *control_nodes(body), *map(node_name, outside)}
        return Loop(
            frame.name,
            tuple(variables),
            condition,
            body,
            find_limit(nodes, sources),
            tuple(sorted(name for name in controls if not _is_within(sources.runs_in.get(name), frame))),
            max((enter.attr["parallel_iterations"].i for enter in frame.enters), default=0) or 10,
        )


def _is_within(frame: Frame | None, other: Frame) -> bool:
    while frame is not None and frame is not other:
        frame = frame.parent
    return frame is not None
