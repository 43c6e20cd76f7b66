"""Masks that are drawn at random: each element is kept with the same chance.

    floor(chance + uniform)     1 with that chance
    uniform >= threshold        true with the chance 1 - threshold; likewise with >
    uniform < threshold         true with the chance threshold; likewise with <=

`uniform` are numbers between 0 and 1 that an op draws. They may have been scaled, cast or given another shape on the way.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tf1hub.checks.linting.dataflow.expansion import FlowNode, Ref
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.liveness import Liveness
from tf1hub.checks.linting.dataflow.ops import PASSING

_UNIFORM_OPS = frozenset({"RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2", "StatefulUniform"})
HANDING_ON = PASSING | {"Cast", "Reshape", "ExpandDims", "Squeeze", "BroadcastTo", "Tile"}
"""Ops whose output has the elements of their first input, maybe several times."""

ADDITIONS = frozenset({"Add", "AddV2"})
# Whether the mask is true where the number that is drawn is below the other operand; by op, for the number on the left.
_IS_BELOW = {"Less": True, "LessEqual": True, "Greater": False, "GreaterEqual": False}


class RandomMask(NamedTuple):
    """A mask.

    `node` computes it, `random` draws the numbers. An element is set with the chance `threshold`, or with the rest to 1 where
    `is_complement`.
    """

    node: str
    random: str
    threshold: Ref
    is_complement: bool


def iter_random_masks(flow: Flow, liveness: Liveness) -> Iterator[RandomMask]:
    """All masks of a graph."""
    for random in flow.of_ops(_UNIFORM_OPS):
        for value in _standard_uniforms(random.name, flow, liveness):
            for name, place in flow.consumers.get(value, ()):
                yield from _masks_of(flow.nodes[name], place, random.name, flow)


def _standard_uniforms(random: str, flow: Flow, liveness: Liveness) -> Iterator[str]:
    """The nodes whose output is what a node draws, as numbers from 0 to 1."""
    seen = set()
    todo = [(random, 0.0, 1.0)]
    while todo:
        name, low, high = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if (low, high) == (0, 1):
            yield name
        for consumer, place in flow.consumers.get(name, ()):
            node = flow.nodes[consumer]
            if node.op in HANDING_ON and place == 0:
                todo.append((consumer, low, high))
            elif node.op == "Mul" or node.op in ADDITIONS:
                other = liveness.constant(other_input(node, place))
                if other is not None:
                    scaled = (low * other, high * other) if node.op == "Mul" else (low + other, high + other)
                    todo.append((consumer, *scaled))


def _masks_of(node: FlowNode, place: int, random: str, flow: Flow) -> Iterator[RandomMask]:
    """The masks that a node makes of numbers from 0 to 1, or that are made of its sum."""
    if node.op in ADDITIONS:
        for consumer, _ in flow.consumers.get(node.name, ()):
            if flow.nodes[consumer].op == "Floor":
                yield RandomMask(consumer, random, other_input(node, place), False)
    elif node.op in _IS_BELOW and len(node.inputs) == 2:
        is_below = _IS_BELOW[node.op] == (place == 0)
        yield RandomMask(node.name, random, node.inputs[1 - place], not is_below)


def other_input(node: FlowNode, place: int) -> Ref:
    """Of a node with two inputs, the one that is not at a place."""
    return node.inputs[1 - place] if len(node.inputs) == 2 else ("", 0)
