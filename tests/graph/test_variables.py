"""What a checkpoint holds for each variable of a graph."""

import pytest

from tests.graph.graphs import FLOAT, definition, index, node, shape, variable
from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.graph.variables import static_shape, stored_variable, stored_variables


def stored(name, *nodes, **fields):
    return stored_variable(definition(name, **fields), index(*nodes))


def test_the_global_variables_are_stored_once_each():
    graph = index(
        *variable("a"),
        *variable("b"),
        *variable("c"),
        variables=[definition("b"), definition("a"), definition("b")],
        trainable_variables=[definition("c")],
    )
    assert [each.checkpoint_name for each in stored_variables(graph)] == ["b", "a"]


def test_a_variable_is_stored_by_the_name_of_its_node():
    found = stored("s/v", *variable("s/v", (2, 3)))
    assert (found.node, found.checkpoint_name, found.dtype) == ("s/v", "s/v", FLOAT)
    assert (found.shape, found.full_shape, found.offset, found.slice_spec) == ((2, 3), (2, 3), None, "")


def test_a_part_is_stored_as_a_slice_of_the_whole():
    part = protos.SaveSliceInfoDef(full_name="w", full_shape=[4, 3], var_offset=[2, 0], var_shape=[2, 3])
    found = stored("w/part_1", *variable("w/part_1", (2, 3)), save_slice_info_def=part)
    assert (found.checkpoint_name, found.full_shape, found.offset) == ("w", (4, 3), (2, 0))
    assert found.slice_spec == "4 3 2,2:0,3"


def test_a_shape_that_is_not_known_is_none():
    assert stored("v", node("v", "VarHandleOp", dtype=FLOAT, shape=(-1, 3))).shape is None
    assert static_shape(protos.TensorShapeProto(unknown_rank=True)) is None
    assert static_shape(shape(())) == ()


def test_a_variable_without_a_node_is_named():
    with pytest.raises(GraphError, match="no node 'v' for its variable 'v:0'"):
        stored("v")
