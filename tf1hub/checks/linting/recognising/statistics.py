"""Statistics of a batch, and the variables that keep averages of them: found behind a value, through plain arithmetic."""

from collections.abc import Iterable

from tf1hub.checks.linting.dataflow.expansion import BRANCH_RESULT, FlowNode, Ref
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.liveness import Liveness
from tf1hub.checks.linting.dataflow.ops import FUSED_BATCH_NORMS, MERGES, PASSING
from tf1hub.graph.constants import first_values

_REDUCTIONS = frozenset({"Mean", "Sum"})
_ARITHMETIC = frozenset(
    {"Add", "AddV2", "AddN", "Sub", "Mul", "Div", "RealDiv", "DivNoNan", "Neg", "Maximum", "Minimum", "Abs", "Relu"}
    | {"Square", "Sqrt", "Cast", "Reshape", "Squeeze", "ExpandDims", "BroadcastTo", "Tile", "Transpose"}
    # Averages over several devices.
    | {"CollectiveReduce", "CollectiveReduceV2", "NcclAllReduce", "CrossReplicaSum"}
)
_SELECTS = frozenset({"Select", "SelectV2"})
# A normalization's arithmetic is short. What is behind more nodes than this is something else.
_MOST_NODES = 80
_MOST_AXES = 8


def choices(node: FlowNode) -> tuple[Ref, ...]:
    """The values that a node hands on one of; none when it is no such node."""
    if node.op in MERGES:
        return node.inputs
    if node.op in _SELECTS:
        return node.inputs[1:]
    return node.inputs[:-1] if node.op == BRANCH_RESULT else ()


def live_choices(liveness: Liveness, node: FlowNode) -> tuple[Ref, ...]:
    """Those of them that it can hand on when nothing is fed that need not be."""
    if node.op in _SELECTS and node.inputs and (condition := liveness.constant(node.inputs[0])) is not None:
        return choices(node)[:1] if condition else choices(node)[1:]
    live = set(liveness.inputs(node))
    return tuple(ref for ref in choices(node) if ref in live)


def find_sources(flow: Flow, refs: Iterable[Ref], liveness: Liveness | None = None) -> tuple[set[str], set[Ref]]:
    """The variables and the statistics of a batch that values are made of by plain arithmetic.

    With a liveness only through the branches that are taken when nothing is fed that need not be, else through all.
    """
    variables: set[str] = set()
    statistics: set[Ref] = set()
    seen: set[Ref] = set()
    todo = list(refs)
    while todo and len(seen) < _MOST_NODES:
        ref = todo.pop()
        node = flow.nodes.get(ref[0])
        if node is None or ref in seen:
            continue
        seen.add(ref)
        if (variable := flow.variable_of(ref)) is not None:
            variables.add(variable)
        elif (statistic := _averaged_statistic(flow, node)) is not None:
            todo.append(statistic)
        elif is_batch_statistic(flow, node, ref[1]):
            statistics.add(ref)
        elif node.op in PASSING:
            todo.append(flow.origin(ref))
        elif choices(node):
            todo.extend(choices(node) if liveness is None else live_choices(liveness, node))
        elif node.op in _ARITHMETIC:
            todo.extend(node.inputs)
    return variables, statistics


def is_batch_statistic(flow: Flow, node: FlowNode, output: int) -> bool:
    """Whether an output of a node is an average over the examples of a batch."""
    if node.op in FUSED_BATCH_NORMS:
        return output in (1, 2) and is_for_training(node)
    return node.op in _REDUCTIONS and 0 in _axes(flow, node)


def _averaged_statistic(flow: Flow, node: FlowNode) -> Ref | None:
    """The statistic that a node is an average of, where each part of a batch has its own."""
    if node.op not in _REDUCTIONS or not node.inputs:
        return None
    ref = flow.origin(node.inputs[0])
    inner = flow.nodes.get(ref[0])
    return ref if inner is not None and is_batch_statistic(flow, inner, ref[1]) else None


def is_for_training(fused: FlowNode) -> bool:
    """Whether a fused batch normalization takes the batch's statistics. It does when it does not say."""
    return fused.definition is None or "is_training" not in fused.definition.attr or bool(fused.attr("is_training").b)


def _axes(flow: Flow, reduction: FlowNode) -> list[int]:
    """The axes that a node reduces, when they are constants."""
    node = flow.nodes.get(flow.origin(reduction.inputs[1])[0]) if len(reduction.inputs) > 1 else None
    if node is None or node.op != "Const":
        return []
    return first_values(node.attr("value").tensor, _MOST_AXES) or []
