"""Which tensors of a graph are references, of which variable or table, and what writes to a variable before what.

Who took a reference saw the variable as it was when he ran. So did who took an Identity of it, or a Switch of that: these
shared the variable's memory, and what was written in the meantime showed through.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tf1hub.format import protos
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.reference_ops import COUNTERPARTS, PASSING, TABLES, VARIABLES
from tf1hub.names import is_control_input, node_name, tensor_name

# Where all take values from such a node, and none a reference, it can join values. The other ops that hand references on
# always hand on the resource, so that it is read by each consumer, when that runs.
_JOINING = frozenset({"RefMerge", "RefExit", "RefNextIteration"})
_SHARING = frozenset({"Identity", "Switch"})
_TRACED = frozenset([*VARIABLES, *TABLES, *PASSING, *COUNTERPARTS, *_SHARING])


@dataclass(frozen=True)
class Reference:
    """What a reference speaks of, or a value that shares a variable's memory.

    Attributes:
      source: the node of the variable or table.
      handle: what has the resource where this had the reference, as nodes name their inputs.
      dtype: the variable's DataType; None for a table.
      after: the node that comes first: an assignment whose output this is, or the one that shares the memory.
    """

    source: str
    handle: str
    dtype: int | None
    after: str | None = None


class References:
    """The references of a graph.

    Attributes:
      found: what each reference speaks of, by the tensor's name.
      shared: the same for the values that share a variable's memory.
      twins: nodes that do not exist, whose outputs `shared` speaks of: the name of the Switch that each is to be like,
        and the handle that it is to take.
      plain: the nodes that handed references on and shall hand on values.
    """

    def __init__(self, index: GraphIndex):
        self._nodes = index.nodes
        self._consumers = _consumers(index.nodes.values())
        self._passing = _nodes_that_hand_on(index.nodes)
        self.found: dict[str, Reference] = {}
        self.shared: dict[str, Reference] = {}
        self.twins: dict[str, tuple[str, str]] = {}
        self.plain: set[str] = set()
        self._trace()
        self._writers: dict[str, int] = {}
        self._writes_before: dict[str, int] = {}
        self._order_writes()

    def of(self, name: str) -> Reference | None:
        """What a node's input speaks of when it is a reference; None for any other."""
        return None if is_control_input(name) else self.found.get(tensor_name(name))

    def written_before(self, consumer: str, reference: Reference) -> list[str]:
        """Nodes that a consumer waits for and that wait for an assignment which `reference` does not wait for itself."""
        if self._nodes[consumer].op in ("Merge", "RefMerge"):  # it waits for one input only
            return []
        known = self._writes_before.get(reference.after, 0) if reference.after else 0
        new = self._writers.get(reference.source, 0) & ~known
        if not self._writes_before.get(consumer, 0) & new:
            return []
        names = dict.fromkeys(node_name(name) for name in self._nodes[consumer].input)
        return [name for name in names if self._writes_before.get(name, 0) & new]

    def _trace(self) -> None:
        todo = [name for name, node in self._nodes.items() if node.op in VARIABLES or node.op in TABLES]
        while todo:
            node = self._nodes[todo.pop()]
            if node.op in _TRACED and self._trace_outputs(node):
                todo.extend(self._consumers.get(node.name, ()))

    def _trace_outputs(self, node: protos.NodeDef) -> bool:
        """Whether this found out something new."""
        name, output = node.name, tensor_name(node.name)
        if output in self.found or output in self.shared or name in self.plain:
            return False
        inputs = [tensor_name(each) for each in node.input if not is_control_input(each)]
        reference = next((self.found[each] for each in inputs if each in self.found), None)
        if node.op in VARIABLES or node.op in TABLES:
            dtype = node.attr["dtype"].type if node.op in VARIABLES else None
            self.found[output] = Reference(name, name, dtype)
        elif node.op in PASSING:
            return self._trace_passing(node, reference, inputs)
        elif node.op in COUNTERPARTS and inputs[0] in self.found and COUNTERPARTS[node.op].returns:
            self.found[output] = replace(self.found[inputs[0]], after=name)
        elif node.op == "Identity" and reference is not None:
            self.shared[output] = replace(reference, after=name)
        elif node.op in _SHARING and inputs[0] in self.shared:
            self._trace_sharing(node, self.shared[inputs[0]])
        else:
            return False
        return True

    def _trace_passing(self, node: protos.NodeDef, reference: Reference | None, inputs: list[str]) -> bool:
        handled = reference is not None and (node.op not in _JOINING or node.name in self._passing)
        if handled and reference is not None:
            for i in range(2 if node.op == "RefSwitch" else 1):
                handle = f"{node.name}:{i}" if i else node.name
                self.found[tensor_name(handle)] = replace(reference, handle=handle, after=None)
        elif reference is not None or any(node_name(each) in self.plain for each in inputs):
            self.plain.add(node.name)
        else:
            return False
        return True

    def _trace_sharing(self, node: protos.NodeDef, shared: Reference) -> None:
        if node.op == "Identity":
            self.shared[tensor_name(node.name)] = replace(shared, after=node.name)
            return
        twin = f"{node.name}/resource"
        while twin in self._nodes:
            twin += "_"
        self.twins[twin] = node.name, shared.handle
        for i in range(2):
            self.shared[f"{node.name}:{i}"] = replace(shared, handle=f"{twin}:{i}" if i else twin, after=node.name)

    def _order_writes(self) -> None:
        """Gives each assignment a bit, and each node the bits of those that it waits for."""
        todo: list[str] = []
        for output, reference in self.found.items():
            if reference.after is not None:
                bit = 1 << len(todo)
                self._writers[reference.source] = self._writers.get(reference.source, 0) | bit
                self._writes_before[node_name(output)] = bit
                todo.append(node_name(output))
        while todo:
            name = todo.pop()
            bits = self._writes_before[name]
            for consumer in self._consumers.get(name, ()):
                if bits & ~self._writes_before.get(consumer, 0):
                    self._writes_before[consumer] = self._writes_before.get(consumer, 0) | bits
                    todo.append(consumer)


def _consumers(nodes: Iterable[protos.NodeDef]) -> dict[str, list[str]]:
    consumers: dict[str, list[str]] = {}
    for node in nodes:
        for each in dict.fromkeys(node_name(name) for name in node.input):
            consumers.setdefault(each, []).append(node.name)
    return consumers


def _nodes_that_hand_on(nodes: dict[str, protos.NodeDef]) -> set[str]:
    """The nodes from which, directly or through each other, some op takes a reference that is no mere value to it."""
    todo = []
    for node in nodes.values():
        if node.op in COUNTERPARTS:
            todo.extend(node.input[: COUNTERPARTS[node.op].references])
    found: set[str] = set()
    while todo:
        node = nodes.get(node_name(todo.pop()), protos.NodeDef())
        if node.op in PASSING and node.name not in found:
            found.add(node.name)
            todo.extend(name for name in node.input if not is_control_input(name))
    return found
