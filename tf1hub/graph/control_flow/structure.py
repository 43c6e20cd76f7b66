"""What a graph of TF1 control flow computes, as a tree: steps that follow each other, loops and branches of steps.

Names are the graph's. In the nodes of a segment an input names what gives the value, past all Switch, Enter and the like:
another node, a Merge (the result of a branch, or the variable of a loop), or an Exit (the result of a loop).
"""

from dataclasses import dataclass
from typing import TypeAlias

from tf1hub.format import protos
from tf1hub.names import is_control_input, node_name


@dataclass(frozen=True, eq=False)
class Segment:
    """Nodes without control flow."""

    nodes: tuple[protos.NodeDef, ...]


@dataclass(frozen=True, eq=False)
class Region:
    """Steps to run in this order.

    `results` are tensors that it gives, and `after` nodes that must have run before it gives any.
    """

    steps: tuple["Step", ...]
    results: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Branch:
    """One of two regions, whichever a predicate says. Its results are those of the Merge nodes in `merges`, in their order.

    `controls` are nodes outside that must have run before. `inside` are all nodes that run in one of the two.
    """

    predicate: str
    merges: tuple["Merge", ...]
    taken: Region
    otherwise: Region
    controls: tuple[str, ...]
    inside: frozenset[str]


@dataclass(frozen=True)
class Merge:
    """A result of a branch: a Merge node, and which of its inputs comes from where."""

    node: str
    taken_input: int
    otherwise_input: int


@dataclass(frozen=True, eq=False)
class Loop:
    """A while loop. `condition` gives one boolean, `body` the next value of each variable.

    `limit` is a tensor, at most so many iterations can be; None when that is not known.
    """

    frame: str
    variables: tuple["LoopVariable", ...]
    condition: Region
    body: Region
    limit: str | None
    controls: tuple[str, ...]
    parallel_iterations: int


@dataclass(frozen=True)
class LoopVariable:
    """`inside` is the tensor that stands for it in the condition and the body; `exits` are nodes that give its last value."""

    inside: str
    start: str
    exits: tuple[str, ...]


Step: TypeAlias = Segment | Branch | Loop


def given_names(step: Branch | Loop) -> set[str]:
    """The nodes that a step stands for to those after it."""
    if isinstance(step, Loop):
        return {name for variable in step.variables for name in variable.exits}
    return {merge.node for merge in step.merges} | step.inside


def step_names(step: Branch | Loop) -> list[str]:
    """The tensors that a step itself takes, not what is in its regions."""
    if isinstance(step, Branch):
        return [step.predicate]
    return [*(variable.start for variable in step.variables), *([step.limit] if step.limit else [])]


def needed_nodes(step: Branch | Loop) -> set[str]:
    """The nodes that a step needs, some of them its own."""
    needed = {*map(node_name, step_names(step)), *step.controls}
    for region in _regions(step):
        needed.update(map(node_name, region.results))
        for inner in region.steps:
            if isinstance(inner, Segment):
                needed.update(node_name(name) for node in inner.nodes for name in node.input)
            else:
                needed |= needed_nodes(inner)
    return needed


def control_nodes(region: Region) -> set[str]:
    """The nodes that a region's control inputs name, some of them its own."""
    controls: set[str] = set()
    for step in region.steps:
        if isinstance(step, Segment):
            controls.update(node_name(name) for node in step.nodes for name in node.input if is_control_input(name))
        else:
            controls.update(step.controls)
    return controls


def _regions(step: Branch | Loop) -> tuple[Region, Region]:
    return (step.taken, step.otherwise) if isinstance(step, Branch) else (step.condition, step.body)
