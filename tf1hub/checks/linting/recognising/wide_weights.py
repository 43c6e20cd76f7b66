"""Recognising the weights of a wide part: a linear model of sparse features, such as that of a wide and deep model.

Rows of such a variable are looked up and added, and the sums are the logits. What tells it from an embedding is what comes
after the lookup: an embedding is multiplied with other weights, or goes through an activation.
"""

import re
from collections.abc import Collection

from tf1hub.checks.linting.dataflow.expansion import BRANCH_RESULT, LOOP_VARIABLE, FlowNode
from tf1hub.checks.linting.dataflow.flow import PASSING, Flow

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
_SUMS = frozenset({"Add", "AddN", "AddV2", "BiasAdd", "Mean", "SegmentMean", "SegmentSum", "Sum", "UnsortedSegmentSum"})
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


def is_wide(flow: Flow, variable: str) -> bool:
    """Whether a variable's rows are looked up, and nothing but added up from there on."""
    return _Walk(flow, variable).is_wide()


class _Walk:
    """Where a variable's values go. Gradients are left out: they take values up where those are computed."""

    def __init__(self, flow: Flow, variable: str):
        self._flow = flow
        self._variable = variable
        self._shapes = {node.name for node in flow.of_ops(_SHAPES)}

    def is_wide(self) -> bool:
        read = self._reached([self._variable], PASSING | {"Cast"})
        uses = [use for use in self._consumers(read) if use[0].name not in read]
        lookups = [node.name for node, place in uses if _LOOKUPS.get(node.op) == place]
        if not lookups or any(node.op in _DEEP for node, _ in uses):
            return False
        sums = self._reached(lookups, _LINEAR)
        return not any(self._is_deep(node, place) for node, place in self._consumers(sums))

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
