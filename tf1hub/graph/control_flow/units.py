"""What runs in one frame, and which predicates it hangs on.

A Switch hands a tensor on to one of its two outputs, and what takes the other one does not run. So each node hangs on the
predicates of the Switches before it, up to the Merge that joins both sides again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.graph.control_flow.frames import Frame
from tf1hub.graph.control_flow.sources import Sources
from tf1hub.names import is_control_input, node_name

# The predicates that something hangs on, from the outside in, and how each must turn out.
Path: TypeAlias = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, eq=False)
class Unit:
    """A node, or a whole loop as one: then it has a frame, and no op."""

    name: str
    op: str
    inputs: tuple[str, ...]
    path: Path
    frame: Frame | None = None


class Units:
    """What runs in a frame for the sake of some tensors and nodes.

    Attributes:
      all: the units, each after those that it needs.
    """

    def __init__(self, sources: Sources, frame: Frame, wanted: Iterable[str]):
        self._sources = sources
        self._units: dict[str | Frame, Unit] = {}
        needed = self._needed(frame, wanted)
        for name in sources.frames.order:
            key = self._key(name)
            if name in needed and key not in self._units:
                self._units[key] = self._unit(name)
        self.all = list(self._units.values())

    def source(self, name: str) -> Unit | None:
        """What gives this tensor, or is this control input; None when it comes from outside."""
        return self._units.get(self._key(node_name(self._sources.past_condition(name))))

    def path(self, name: str) -> Path:
        """The predicates that a tensor or control input hangs on."""
        unit = self.source(name)
        if unit is None:
            return ()
        if unit.op == "Switch" and not is_control_input(name):
            taken = self._sources.past_condition(name).endswith(":1")
            return (*unit.path, (self._sources.predicate_key(unit.inputs[1]), taken))
        return unit.path

    def _key(self, name: str) -> str | Frame:
        """A node's own name, or, for an Exit, its loop."""
        node = self._sources.nodes.get(name)
        return self._sources.runs_in[name] if node is not None and node.op == "Exit" else name

    def _unit(self, name: str) -> Unit:
        node = self._sources.nodes[name]
        if node.op == "Exit":
            frame = self._sources.runs_in[name]
            inputs = self._sources.inputs_of_loop(frame)
            return Unit(frame.name, "", inputs, self._joined_paths(inputs), frame)
        inputs = tuple(node.input)
        if node.op == "Merge":
            path = self._path_of_merge(node)
        elif node.op == "ControlTrigger":  # it runs whatever its inputs hang on
            path = ()
        else:
            path = self._joined_paths(inputs)
        return Unit(name, node.op, inputs, path)

    def _joined_paths(self, inputs: Sequence[str]) -> Path:
        """What hangs on each of the inputs hangs on all their predicates."""
        longest: Path = ()
        for path in sorted(map(self.path, inputs), key=len, reverse=True):
            longest += tuple(one for one in path if one not in longest)
        return longest

    def _path_of_merge(self, merge: protos.NodeDef) -> Path:
        paths = [self.path(name) for name in merge.input if not is_control_input(name)]
        if len(paths) == 2 and paths[0] and paths[1]:
            (one, taken), (other, other_taken) = paths[0][-1], paths[1][-1]
            if paths[0][:-1] == paths[1][:-1] and one == other and taken != other_taken:
                return paths[0][:-1]
        raise GraphError(
            f"The Merge {merge.name!r} takes {_described(merge.input, paths)}. These are not the two sides of one predicate,"
            " so they cannot be made into a TensorFlow 2 branch. Use the module in a TF1 graph: hub.Module(...)."
        )

    def _needed(self, frame: Frame, wanted: Iterable[str]) -> set[str]:
        sources = self._sources
        needed: set[str] = set()
        loops: set[Frame] = set()
        todo = list(wanted)
        while todo:
            name = node_name(sources.past_condition(todo.pop()))
            if name in needed or not sources.is_computed_in(name, frame):
                continue
            needed.add(name)
            if sources.nodes[name].op != "Exit":
                todo.extend(sources.nodes[name].input)
            elif (loop := sources.runs_in[name]) not in loops:
                loops.add(loop)
                todo.extend(sources.inputs_of_loop(loop))
        return needed


def _described(inputs: Iterable[str], paths: Sequence[Path]) -> str:
    data = [name for name in inputs if not is_control_input(name)]
    hangs_on = [" and ".join(f"{key!r} is {taken}" for key, taken in path) or "nothing" for path in paths]
    return ", and ".join(f"{name!r}, which hangs on: {on}" for name, on in zip(data, hangs_on, strict=True))
