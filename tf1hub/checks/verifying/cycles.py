"""Nodes that need each other. Only TensorFlow 1's loops may do so, through the op NextIteration."""

from collections.abc import Iterable, Mapping

from tf1hub.format import protos
from tf1hub.names import node_name

_LOOPS = frozenset({"NextIteration", "RefNextIteration"})


def find_cycle(nodes: Mapping[str, protos.NodeDef]) -> list[str]:
    """The nodes of a cycle outside of loops, each of which is an input of the next one; [] when there is none."""
    users: dict[str, list[str]] = {}
    waiting = {}
    for name in nodes:
        sources = _sources(name, nodes)
        waiting[name] = len(sources)
        for source in sources:
            users.setdefault(source, []).append(name)
    ready = [name for name, count in waiting.items() if not count]
    while ready:
        name = ready.pop()
        del waiting[name]
        for user in users.pop(name, ()):
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    return _walk_back(waiting, nodes) if waiting else []


def _sources(name: str, nodes: Mapping[str, protos.NodeDef]) -> list[str]:
    """The nodes that have to run before a node: its inputs, but for those that are missing and those of loops."""
    found = dict.fromkeys(map(node_name, nodes[name].input))
    return [source for source in found if source in nodes and nodes[source].op not in _LOOPS]


def _walk_back(waiting: Iterable[str], nodes: Mapping[str, protos.NodeDef]) -> list[str]:
    """A cycle that is met on the way back from one of the nodes that wait for ever."""
    left = set(waiting)
    name = next(iter(waiting))
    path: dict[str, None] = {}
    while name not in path:
        path[name] = None
        name = next(source for source in _sources(name, nodes) if source in left)
    walked = list(path)
    return walked[walked.index(name) :][::-1]
