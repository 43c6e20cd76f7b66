"""Which variables of a graph are weight matrices: what a matrix product or a convolution is computed with."""

from tf1hub.checks.linting.dataflow.flow import PASSING, Flow
from tf1hub.checks.linting.linted_module import Variant

_PRODUCTS = frozenset(
    {"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "SparseMatMul", "SparseTensorDenseMatMul", "Einsum"}
    | {"Conv", "Conv2D", "Conv3D", "DepthwiseConv2dNative"}
    | {"Conv2DBackpropInput", "Conv2DBackpropInputV2", "Conv3DBackpropInput", "Conv3DBackpropInputV2"}
    | {"BlockLSTM", "BlockLSTMV2", "LSTMBlockCell", "GRUBlockCell"}
)
# What a matrix may go through on its way: other forms of it, parts of it, and whole ones made of parts.
_FORMS = PASSING | {
    "Cast", "Reshape", "Transpose", "ExpandDims", "Squeeze", "Concat", "ConcatV2", "Split", "SplitV", "StridedSlice", "Slice",
    "FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel",
}  # fmt: skip


def find_weight_matrices(variant: Variant) -> list[str]:
    """The nodes of the trainable variables that are weight matrices, sorted. A table that rows are looked up in is none."""
    flow = variant.flow
    trainable = sorted(name for name in variant.trainable if name in flow.nodes)
    return [name for name in trainable if _rank(flow, name) >= 2 and _is_multiplied(flow, name)]


def _rank(flow: Flow, variable: str) -> int:
    return len(flow.nodes[variable].attr("shape").shape.dim)


def _is_multiplied(flow: Flow, variable: str) -> bool:
    """Whether a product takes the variable, in whatever form."""
    seen, todo = {variable}, [variable]
    while todo:
        for consumer, _ in flow.consumers.get(todo.pop(), ()):
            op = flow.nodes[consumer].op
            if op in _PRODUCTS:
                return True
            if op in _FORMS and consumer not in seen:
                seen.add(consumer)
                todo.append(consumer)
    return False
