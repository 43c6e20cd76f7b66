"""Where a value of a graph with TF1 control flow really comes from: past the nodes that only hand it on.

A Switch gives its input, an Enter of a loop invariant too, whoever takes it; what they add, the tree of regions says.
"""

from collections.abc import Mapping

from tf1hub.format import protos
from tf1hub.graph.control_flow.frames import Frame, Frames, LoopNodes, find_loop
from tf1hub.names import control_input, is_control_input, node_name, tensor_name


class Sources:
    """A graph's nodes, its frames, and what is behind a name."""

    def __init__(self, nodes: Mapping[str, protos.NodeDef]):
        self.nodes = nodes
        self.frames = Frames(nodes)
        self.runs_in: dict[str, Frame] = {name: frame for frame in self.frames.all for name in frame.nodes}
        self.loops: dict[Frame, LoopNodes] = {frame: find_loop(frame, self.frames) for frame in self.frames.all[1:]}
        cycles = [cycle for loop in self.loops.values() for cycle in loop.cycles]
        self._variable_enters = {cycle.enter.name for cycle in cycles}
        self._variable_merges = {cycle.merge.name for cycle in cycles}
        self._keys: dict[str, str] = {}
        self._conditions = {loop.condition.name for loop in self.loops.values()}

    def past_condition(self, name: str) -> str:
        """A name past the Switch of a loop variable, which hands on what the body gets, and past the loop's condition."""
        while (node := self.nodes.get(node_name(name))) is not None:
            ends_loop = node.op == "Switch" and node_name(node.input[1]) in self._conditions
            if not ends_loop and node.op != "LoopCond":
                break
            name = _as(name, node.input[0])
        return name

    def resolved(self, name: str) -> str:
        """A name past all that only hands on: what remains is a node that computes, a Merge or an Exit, or no node here."""
        while (node := self.nodes.get(node_name(name))) is not None and self._hands_on(node):
            name = _as(name, node.input[0])
        return name if is_control_input(name) else tensor_name(name)

    def _hands_on(self, node: protos.NodeDef) -> bool:
        return node.op in ("Switch", "LoopCond") or (node.op == "Enter" and node.name not in self._variable_enters)

    def is_computed_in(self, name: str, frame: Frame) -> bool:
        """Whether a node's value comes to be in this frame, and is not handed in: as an Enter or a loop variable."""
        if name not in self.nodes or self.nodes[name].op == "Enter" or name in self._variable_merges:
            return False
        return self.frames.frame_of[name] is frame

    def predicate_key(self, name: str) -> str:
        """What two names of the same predicate have in common."""
        name = tensor_name(name)
        if name not in self._keys:
            node, key = self.nodes.get(node_name(name)), name
            if node is not None and node.op in ("Identity", "Enter"):
                key = self.predicate_key(node.input[0])
            elif node is not None and node.op == "Switch" and node_name(node.input[1]) not in self._conditions:
                data, predicate = (self.predicate_key(one) for one in node.input[:2])
                key = f"{data} when {predicate} is {name.endswith(':1')}"
            self._keys[name] = key
        return self._keys[name]

    def inputs_of_loop(self, frame: Frame) -> tuple[str, ...]:
        """All that a loop takes from the frame around it."""
        return tuple(name for enter in frame.enters for name in enter.input)


def _as(name: str, source: str) -> str:
    """The source of a tensor, or, for a control input, one that waits for the source."""
    return control_input(node_name(source)) if is_control_input(name) else source
