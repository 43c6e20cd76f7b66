"""Which variables of a graph are weight matrices: what a matrix product or a convolution is computed with."""

from tf1hub.checks.linting.dataflow.expansion import FlowNode
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.dataflow.ops import PASSING
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
_SCALING = frozenset({"Mul", "RealDiv", "Div"})


def find_weight_matrices(variant: Variant) -> list[str]:
    """The nodes of the trainable variables that are weight matrices, sorted. A table that rows are looked up in is none."""
    flow = variant.flow
    trainable = sorted(name for name in variant.trainable if name in flow.nodes)
    return [name for name in trainable if _rank(flow, name) >= 2 and _is_multiplied(variant, name)]


def _rank(flow: Flow, variable: str) -> int:
    return len(flow.nodes[variable].attr("shape").shape.dim)


def _is_multiplied(variant: Variant, variable: str) -> bool:
    """Whether a product takes the variable, in whatever form, or scaled by a number."""
    flow = variant.flow
    seen, todo = {variable}, [variable]
    while todo:
        for consumer, place in flow.consumers.get(todo.pop(), ()):
            node = flow.nodes[consumer]
            if node.op in _PRODUCTS:
                return True
            if consumer not in seen and (node.op in _FORMS or _is_scaled(variant, node, place)):
                seen.add(consumer)
                todo.append(consumer)
    return False


def _is_scaled(variant: Variant, node: FlowNode, place: int) -> bool:
    """Whether a node scales one of its inputs by a number that is constant."""
    if node.op not in _SCALING or len(node.inputs) != 2:
        return False
    return variant.liveness.constant(node.inputs[1 - place]) is not None
