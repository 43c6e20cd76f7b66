"""An order for the steps of a region, with as few segments of plain nodes as can be."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from tf1hub.format import protos
from tf1hub.graph.control_flow.structure import Branch, Loop, Segment, Step, given_names, needed_nodes
from tf1hub.names import node_name

_Part: TypeAlias = protos.NodeDef | Branch | Loop


def scheduled(nodes: Sequence[protos.NodeDef], steps: Sequence[Branch | Loop]) -> tuple[Step, ...] | None:
    """The nodes, put together into segments, and the other steps, in an order in which each has what it needs.

    None when there is no such order.
    """
    parts: list[_Part] = [*nodes, *steps]
    waiting, consumers = _dependencies(parts)
    ready_nodes = [at for at in range(len(nodes)) if not waiting[at]]
    ready_steps = [at for at in range(len(nodes), len(parts)) if not waiting[at]]
    result: list[Step] = []
    done = 0
    while ready_nodes or ready_steps:
        turn, ready_nodes = list(ready_nodes), []
        segment = []
        while turn:
            segment.append(nodes[at := turn.pop()])
            done += 1
            for consumer in consumers[at]:
                waiting[consumer] -= 1
                if not waiting[consumer]:
                    (turn if consumer < len(nodes) else ready_steps).append(consumer)
        if segment:
            result.append(Segment(tuple(segment)))
        while ready_steps:
            result.append(steps[(at := ready_steps.pop()) - len(nodes)])
            done += 1
            for consumer in consumers[at]:
                waiting[consumer] -= 1
                if not waiting[consumer]:
                    (ready_nodes if consumer < len(nodes) else ready_steps).append(consumer)
    return tuple(result) if done == len(parts) else None


def _dependencies(parts: Sequence[_Part]) -> tuple[list[int], list[list[int]]]:
    """For each part how many others it waits for, and which wait for it."""
    giver = {name: at for at, part in enumerate(parts) for name in _gives(part)}
    waiting = [0] * len(parts)
    consumers: list[list[int]] = [[] for _ in parts]
    for at, part in enumerate(parts):
        for source in {giver[name] for name in _needs(part) if name in giver} - {at}:
            waiting[at] += 1
            consumers[source].append(at)
    return waiting, consumers


def _gives(part: _Part) -> Iterable[str]:
    return (part.name,) if isinstance(part, protos.NodeDef) else given_names(part)


def _needs(part: _Part) -> Iterable[str]:
    return map(node_name, part.input) if isinstance(part, protos.NodeDef) else needed_nodes(part)
