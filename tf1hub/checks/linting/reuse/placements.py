"""The rule about devices and colocations that are left in a graph.

TensorFlow writes many colocations by itself: variables with their initializers, the parts of a TensorArray, a Switch with its
data, a lookup with its table of embeddings. Such a node is placed with state or with something that it is computed from.
"""

from collections import deque
from collections.abc import Iterator, Mapping

from tf1hub.checks.linting.dataflow.expansion import FlowNode
from tf1hub.checks.linting.findings import WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.reuse.op_nodes import nodes_by_op
from tf1hub.checks.linting.reuse.used_nodes import uses_of
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.placement import find_misplaced_state
from tf1hub.names import COLOCATION_ATTR, colocated_node, node_name

_LOST = "which the graph does not have: TensorFlow does not import such a graph"
_MISPLACED = "which holds no state: all applications share the state, and none of them can say where it lies"
_ODD = "which it is not computed from: that binds where a consumer can run it, for no reason that the graph shows"
# TensorFlow places these by itself, and on a CPU, which every consumer has.
_PLACED_ON_CPU = frozenset({"Const", "RestoreV2", "SaveV2"})
# Loops, branches, TensorArrays and gradients place these with nodes that they are not computed from.
_PLACED_BY_TENSORFLOW = frozenset({"Const", "Enter", "RefEnter", "Switch", "RefSwitch", "Range", "StackV2", "Stack"})
_FAR = 200


@rule("device-left", WARNING, "devices and colocations of the publisher's program")
def device_left(module: LintedModule) -> Iterator[Problem]:
    """Devices (of modules on disk: tf1hub takes them out when it writes one), and colocations that make no sense."""
    for variant in module.variants:
        if module.directory is not None:
            yield from _devices(variant)
        yield from _colocations(variant)


def _devices(variant: Variant) -> Iterator[Problem]:
    placed = [
        node
        for op, nodes in nodes_by_op(variant).items()
        for node in nodes
        if (device := _device(node)) and not (_is_cpu(device) and (op in _PLACED_ON_CPU or not _runs(variant, node)))
    ]
    if placed:
        devices = sorted({_device(node) for node in placed})
        are = "are" if len(placed) > 1 else "is"
        consequence = "a consumer without such devices gets an error or, at best, another placement than asked for"
        if all(map(_is_cpu, devices)):
            consequence = "a consumer with an accelerator cannot run them there"
        yield Problem(
            f"{counted(len(placed), 'node')} {are} placed on {named(devices)}; {consequence}.",
            "Build the module outside of `tf.device`; tf1hub also takes devices out when it writes a module.",
            tags=variant.tags,
            node=placed[0].name,
        )


def _runs(variant: Variant, node: FlowNode) -> bool:
    """Whether a consumer may run a node, which those of a Saver, placed on a CPU by TensorFlow itself, are not."""
    return bool(node.function) or node.name in uses_of(variant).used


def _is_cpu(device: str) -> bool:
    return "CPU" in device.upper()


def _device(node: FlowNode) -> str:
    return node.definition.device if node.definition is not None else ""


def _colocations(variant: Variant) -> Iterator[Problem]:
    misplaced = find_misplaced_state(variant.index)
    found: dict[str, list[tuple[str, str]]] = {}
    for name, targets in _colocated(variant).items():
        if lost := [each for each in targets if each not in variant.index.nodes]:
            found.setdefault(_LOST, []).append((name, lost[0]))
        elif name in misplaced:
            found.setdefault(_MISPLACED, []).append((name, misplaced[name][0]))
        elif odd := [each for each in targets if _is_odd(variant.index, name, each)]:
            found.setdefault(_ODD, []).append((name, odd[0]))
    for why, pairs in found.items():
        name, target = pairs[0]
        more = f" ({counted(len(pairs) - 1, 'other node')} alike)" if len(pairs) > 1 else ""
        yield Problem(
            f"The node {name!r} is colocated with {target!r}{more}, {why}.",
            "Make the nodes outside of `tf.colocate_with`, or take the attribute `_class` off them.",
            tags=variant.tags,
            node=name,
        )


def _colocated(variant: Variant) -> Mapping[str, list[str]]:
    """The nodes that are placed with others, and with which."""
    found = {}
    for name, node in variant.index.nodes.items():
        if COLOCATION_ATTR in node.attr:
            groups = map(colocated_node, node.attr[COLOCATION_ATTR].list.s)
            found[name] = [target for target in groups if target is not None and target != name]
    return found


def _is_odd(index: GraphIndex, name: str, target: str) -> bool:
    """Whether a node is placed with one that is no state, and that it is not computed from."""
    ops = index.nodes[name].op, index.nodes[target].op
    if target in index.state_nodes or ops[0] in _PLACED_BY_TENSORFLOW or any("TensorArray" in op for op in ops):
        return False
    seen, todo = {name}, deque([name])
    while todo and len(seen) < _FAR:
        node = index.nodes.get(todo.popleft())
        sources = set(map(node_name, node.input)) if node is not None else set()
        if target in sources:
            return False
        todo.extend(sources - seen)
        seen |= sources
    return not todo


RULES = (device_left,)
