"""TensorArrays made into lists, node by node."""

import pytest

from tests.graph.graphs import FLOAT, node
from tf1hub.errors import GraphError
from tf1hub.format import dtypes, protos
from tf1hub.graph.tensor_lists import uses_tensor_arrays, with_tensor_lists


def integer(name, value):
    return node(name, "Const", value=protos.AttrValue(tensor=protos.TensorProto(dtype=3, int_val=[value])))


ARRAY = [
    *(integer("n", 2), integer("zero", 0), integer("one", 1), node("x", "Placeholder")),
    node("array", "TensorArrayV3", "n", dtype=FLOAT, element_shape=(-1, 3)),
    node("write", "TensorArrayWriteV3", "array", "zero", "x", "array:1"),
    node("range", "Range", "zero", "n", "one"),
    node("gather", "TensorArrayGatherV3", "array", "range", "write"),
]


def rewritten(*more):
    nodes = [each for each in ARRAY if each.name not in {one.name for one in more}]
    return {each.name: each for each in with_tensor_lists([*nodes, *more])}


def test_each_op_becomes_one_on_lists():
    found = {name: each.op for name, each in rewritten().items()}
    assert (found["array"], found["write"], found["gather"]) == (
        "TensorListReserve",
        "TensorListSetItem",
        "TensorListStack",
    )
    assert uses_tensor_arrays(ARRAY)
    assert not uses_tensor_arrays(rewritten().values())


def test_the_flow_is_the_list():
    assert list(rewritten()["write"].input) == ["array", "zero", "x"]


def test_the_shape_of_elements_is_kept():
    found = rewritten()
    assert list(found[found["array"].input[0]].attr["value"].tensor.int_val) == [-1, 3]


def test_a_gather_of_some_elements_stays_one():
    assert rewritten(node("range", "Range", "one", "n", "one"))["gather"].op == "TensorListGather"


def test_what_passes_the_flow_on_passes_a_list_on():
    passing = node("identity", "Identity", "array:1", T=FLOAT)
    found = rewritten(passing, node("write", "TensorArrayWriteV3", "array", "zero", "x", "identity"))
    assert found["identity"].attr["T"].type == dtypes.VARIANT
    assert list(found["identity"].input) == ["array"]
    assert passing.attr["T"].type == FLOAT


def test_control_inputs_and_nodes_without_arrays_stay():
    found = rewritten(node("size", "TensorArraySizeV3", "array", "write", "^x"))
    assert list(found["size"].input) == ["write", "^x"]
    assert found["range"] is ARRAY[-2]


def test_a_flow_that_is_computed_with_is_refused():
    with pytest.raises(GraphError, match=r"'sum' \(Add\)"):
        rewritten(node("sum", "Add", "write", "x"))


@pytest.mark.parametrize("op", ["TensorArrayGradV3", "TensorArrayPack"])
def test_an_op_without_a_counterpart_is_refused(op):
    with pytest.raises(GraphError, match=op):
        rewritten(node("other", op, "array", "write"))


def test_an_array_from_elsewhere_is_refused():
    with pytest.raises(GraphError, match="'x', which makes none"):
        rewritten(node("size", "TensorArraySizeV3", "x", "write"))
