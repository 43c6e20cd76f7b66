"""Recognising the weights of a wide part: a linear model of sparse features, such as that of a wide and deep model.

Rows of such a variable are looked up and added, and the sums are the logits. What tells it from an embedding is what comes
after the lookup: an embedding is multiplied with other weights, or goes through an activation. A bias that is only added to
such sums is one of the weights: who trains them has one strength for all.
"""

import re
from collections.abc import Collection, Iterable

from tf1hub.checks.linting.dataflow.expansion import BRANCH_RESULT, LOOP_VARIABLE, FlowNode
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.ops import PASSING

# Each with the place of the table among its inputs.
_LOOKUPS = {
    **dict.fromkeys(("Gather", "GatherV2", "GatherNd", "ResourceGather", "ResourceGatherNd"), 0),
    **dict.fromkeys(("SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN"), 0),
    **dict.fromkeys(
        ("SparseSegmentSumWithNumSegments", "SparseSegmentMeanWithNumSegments", "SparseSegmentSqrtNWithNumSegments"), 0
    ),
    "SparseTensorDenseMatMul": 3,
}
_PRODUCTS = frozenset({"Mul", "RealDiv", "Div", "DivNoNan"})
_ADDITIONS = frozenset({"Add", "AddN", "AddV2", "BiasAdd"})
_SUMS = _ADDITIONS | {"Mean", "SegmentMean", "SegmentSum", "Sum", "UnsortedSegmentSum"}
_REARRANGEMENTS = frozenset(
    {"Cast", "Concat", "ConcatV2", "DynamicStitch", "ExpandDims", "Pack", "ParallelDynamicStitch", "Reshape", "Slice"}
    | {"Split", "SplitV", "Squeeze", "StridedSlice", "Tile", "Transpose", "Unpack"}
)
_CHOICES = frozenset({"Merge", "Select", "SelectV2", BRANCH_RESULT, LOOP_VARIABLE})
_LINEAR = PASSING | _SUMS | _REARRANGEMENTS | _CHOICES | _LOOKUPS.keys()
_DEEP = frozenset(
    {"BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Conv1D", "Conv2D", "Conv3D", "Einsum", "MatMul", "SparseMatMul"}
    | {"Elu", "Erf", "LeakyRelu", "Relu", "Relu6", "Selu", "Tanh"}
)

# What depends on a value's shape alone.
_SHAPES = frozenset({"Shape", "ShapeN", "Size", "Rank", "OnesLike", "ZerosLike"})
# The scopes that TensorFlow puts the nodes of gradients into.
_GRADIENT = re.compile(r"_grad/|\bgradient_tape/")


def find_wide(flow: Flow, variables: Iterable[str]) -> set[str]:
    """The variables of a wide part among some.

    Those whose rows are looked up and nothing but added up from there on, and those that are only added to these sums.
    """
    walks = {variable: _Walk(flow, variable) for variable in variables}
    sums = {variable: walk.sums() for variable, walk in walks.items()}
    all_sums = set().union(*sums.values())
    return {variable for variable, walk in walks.items() if sums[variable] or walk.is_bias_of(all_sums)}


class _Walk:
    """Where a variable's values go. Gradients are left out: they take values up where those are computed."""

    def __init__(self, flow: Flow, variable: str):
        self._flow = flow
        self._variable = variable
        self._shapes = {node.name for node in flow.of_ops(_SHAPES)}
        read = self._reached([variable], PASSING | {"Cast"})
        self._uses = [use for use in self._consumers(read) if use[0].name not in read]

    def sums(self) -> set[str]:
        """The nodes that look up rows of the variable, and add them up; none if they come to anything else."""
        lookups = [node.name for node, place in self._uses if _LOOKUPS.get(node.op) == place]
        if not lookups or any(node.op in _DEEP for node, _ in self._uses):
            return set()
        sums = self._reached(lookups, _LINEAR)
        return set() if any(self._is_deep(node, place) for node, place in self._consumers(sums)) else sums

    def is_bias_of(self, sums: Collection[str]) -> bool:
        """Whether the variable, a vector or a number, is added to some sums and to nothing else."""
        additions = {node.name for node, _ in self._uses if node.op in _ADDITIONS}
        if not additions or not additions <= set(sums) or any(self._is_deep(*use) for use in self._uses):
            return False
        return len(self._flow.nodes[self._variable].attr("shape").shape.dim) <= 1

    def _reached(self, start: list[str], ops: frozenset[str]) -> set[str]:
        """Some nodes, and those that their values reach through nodes of some ops."""
        found, todo = set(start), list(start)
        while todo:
            for node, place in self._consumers([todo.pop()]):
                scales = ops is _LINEAR and node.op in _PRODUCTS and not self._is_deep(node, place)
                if node.name not in found and (node.op in ops or scales):
                    found.add(node.name)
                    todo.append(node.name)
        return found

    def _consumers(self, names: Collection[str]) -> list[tuple[FlowNode, int]]:
        found = [use for name in names for use in self._flow.consumers.get(name, ())]
        return [(self._flow.nodes[name], place) for name, place in found if not _GRADIENT.search(name)]

    def _is_deep(self, node: FlowNode, place: int) -> bool:
        """Whether a node goes beyond sums of rows, and of rows that are scaled by what is no weight."""
        if node.op in _PRODUCTS:
            others = [ref for number, ref in enumerate(node.inputs) if number != place]
            return bool(self._flow.variables_behind(others, without=self._shapes))
        return node.op in _DEEP
