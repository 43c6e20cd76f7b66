"""The frames of TF1 loops: which nodes run in which loop, and what is what in a loop.

A loop variable is a cycle of nodes, all in the loop's frame:

    Enter ──▶ Merge ──▶ Switch ──(condition holds)──▶ body ──▶ NextIteration ──▶ back to the Merge
                           └────(it does not)───────▶ Exit
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.names import is_control_input, node_name

NodesByName = Mapping[str, protos.NodeDef]


@dataclass(eq=False)
class Frame:
    """The frame of one loop, or the graph itself, which has no parent.

    Attributes:
      enters: the Enter nodes that lead into it. They run in the parent.
      nodes: what runs in it.
    """

    name: str
    parent: "Frame | None" = None
    enters: list[protos.NodeDef] = field(default_factory=list)
    nodes: dict[str, protos.NodeDef] = field(default_factory=dict)
    depth: int = 0


class Frames:
    """All frames of a graph.

    Attributes:
      nodes: the graph's nodes by name.
      order: their names, each after those that it takes its inputs from, but for the inputs from a NextIteration.
      frame_of: for each node the frame that its outputs are in. An Exit's are in the loop's parent.
      all: the frames, each after its parent. The first one is the graph.
    """

    def __init__(self, nodes: NodesByName):
        self.nodes = nodes
        self.order = _in_order(nodes)
        graph = Frame("")
        self.all = [graph]
        self.frame_of: dict[str, Frame] = {}
        known: dict[tuple[Frame, str], Frame] = {}
        for name in self.order:
            node = nodes[name]
            frame = max((self.frame_of[one] for one in self._sources(node)), key=lambda one: one.depth, default=graph)
            frame.nodes[name] = node
            if node.op == "Enter":
                key = (frame, node.attr["frame_name"].s.decode("utf-8", "replace"))
                if key not in known:
                    known[key] = Frame(key[1], frame, depth=frame.depth + 1)
                    self.all.append(known[key])
                frame = known[key]
                frame.enters.append(node)
            elif node.op == "Exit":
                if frame.parent is None:
                    raise GraphError(f"The Exit {name!r} is in no loop: no Enter leads to it. The module is damaged.")
                frame = frame.parent
            self.frame_of[name] = frame

    def _sources(self, node: protos.NodeDef) -> Iterable[str]:
        return (one for name in node.input if (one := node_name(name)) in self.frame_of)


def _in_order(nodes: NodesByName) -> list[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for node in nodes.values():
        sources = (one for name in node.input if (one := node_name(name)) in nodes)
        sorter.add(node.name, *(one for one in sources if not is_back_edge(nodes[one], node)))
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise GraphError(f"The nodes {_quoted(error.args[1])} need each other. The module is damaged.") from None


def is_back_edge(source: protos.NodeDef, target: protos.NodeDef) -> bool:
    """Whether an edge leads from the end of a loop to its beginning."""
    return source.op == "NextIteration" and target.op == "Merge"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(set(names)))


@dataclass(frozen=True, eq=False)
class Cycle:
    """A loop variable's nodes."""

    enter: protos.NodeDef
    merge: protos.NodeDef
    next: protos.NodeDef
    exits: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class LoopNodes:
    """The nodes that make a frame a loop."""

    condition: protos.NodeDef
    cycles: tuple[Cycle, ...]


def find_loop(frame: Frame, frames: Frames) -> LoopNodes:
    """What is what in a loop's frame.

    Raises:
      GraphError: the nodes make no loop.
    """
    conditions = [node for node in frame.nodes.values() if node.op == "LoopCond"]
    if len(conditions) != 1:
        raise GraphError(
            f"The loop {frame.name!r} has {len(conditions)} LoopCond nodes, {_quoted(node.name for node in conditions)},"
            " and not one. It cannot be made into a TensorFlow 2 loop."
        )
    exits: dict[str, list[str]] = {}
    for node in frame.nodes.values():
        if node.op == "Exit":
            exits.setdefault(_variable_of(node, conditions[0], frames), []).append(node.name)
    cycles = []
    for merge in frame.nodes.values():
        if merge.op == "Merge" and any(name in frames.nodes for name in _next_iterations(merge, frames.nodes)):
            enter, next_ = _ends(merge, frame, frames)
            cycles.append(Cycle(enter, merge, next_, tuple(exits.pop(merge.name, ()))))
    if exits:
        names = _quoted(name for some in exits.values() for name in some)
        raise GraphError(f"The Exits {names} of the loop {frame.name!r} give no loop variable.")
    return LoopNodes(conditions[0], tuple(cycles))


def _next_iterations(merge: protos.NodeDef, nodes: NodesByName) -> list[str]:
    inputs = (node_name(name) for name in merge.input if not is_control_input(name))
    return [name for name in inputs if name in nodes and nodes[name].op == "NextIteration"]


def _ends(merge: protos.NodeDef, frame: Frame, frames: Frames) -> tuple[protos.NodeDef, protos.NodeDef]:
    """Where a loop variable comes from at first, and from then on."""
    sources = [frames.nodes.get(node_name(name)) for name in merge.input if not is_control_input(name)]
    enters = [node for node in sources if node is not None and node in frame.enters]
    nexts = [node for node in sources if node is not None and node.op == "NextIteration"]
    if len(sources) != 2 or len(enters) != 1 or len(nexts) != 1:
        raise GraphError(
            f"The Merge {merge.name!r} in the loop {frame.name!r} takes {_quoted(merge.input)}, and not an Enter and a"
            " NextIteration. The loop cannot be made into a TensorFlow 2 loop."
        )
    return enters[0], nexts[0]


def _variable_of(exit_: protos.NodeDef, condition: protos.NodeDef, frames: Frames) -> str:
    """The Merge of the loop variable that an Exit gives."""
    switch = frames.nodes.get(node_name(exit_.input[0]))
    if switch is None or switch.op != "Switch" or node_name(switch.input[1]) != condition.name:
        raise GraphError(
            f"The Exit {exit_.name!r} takes {exit_.input[0]!r}, which is no loop variable when the loop ends. The loop cannot"
            " be made into a TensorFlow 2 loop."
        )
    return node_name(switch.input[0])
