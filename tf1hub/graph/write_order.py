"""Reading variables before update ops change them.

Nothing orders an update op of a module and a read of the variable that it changes, unless one needs the other: the answer
would hang on which comes first.

requires  a part of a graph, with resource variables
ensures   each write waits for the reads of its variable, but for those that wait for it themselves; what TF1 loops and
          branches read is not waited for
"""

from collections.abc import Iterable

from tf1hub.format import protos
from tf1hub.graph.reference_ops import COUNTERPARTS
from tf1hub.names import control_input, is_control_input, node_name

_WRITES = frozenset(one.op for one in COUNTERPARTS.values() if one.returns)
_NO_READS = frozenset({"VarIsInitializedOp", "Enter", "Switch", "Identity"})


def read_before_writing(graph_def: protos.GraphDef, variables: Iterable[str]) -> None:
    """Changes the graph in place. `variables` are the nodes of the variables, which need not be in it."""
    taken: dict[str, list[protos.NodeDef]] = {name: [] for name in variables}
    consumers: dict[str, list[str]] = {}
    for node in graph_def.node:
        for name in node.input:
            consumers.setdefault(node_name(name), []).append(node.name)
            if not is_control_input(name) and node_name(name) in taken:
                taken[node_name(name)].append(node)
    for nodes in taken.values():
        reads = [node.name for node in nodes if node.op not in _WRITES and node.op not in _NO_READS]
        for write in (node for node in nodes if node.op in _WRITES):
            later = _after(write.name, consumers)
            for read in reads:
                if read not in later and control_input(read) not in write.input:
                    write.input.append(control_input(read))
                    consumers.setdefault(read, []).append(write.name)


def _after(name: str, consumers: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        if (current := todo.pop()) not in found:
            found.add(current)
            todo.extend(consumers.get(current, ()))
    return found
