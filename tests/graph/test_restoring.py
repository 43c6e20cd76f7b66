"""Initializing variables from a checkpoint."""

from tests.graph.graphs import FLOAT, definition, meta_graph, node, variable
from tf1hub.format import protos
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.restoring import restored_from


def restored(*nodes, **collections):
    return restored_from(GraphIndex(meta_graph(*nodes, **collections)), "/m/variables")


def strings(each):
    return [value.decode() for value in each.attr["value"].tensor.string_val]


def test_one_op_restores_all_variables_by_their_names():
    nodes = restored(*variable("a"), *variable("b"), variables=[definition("a"), definition("b")]).index.nodes
    restore = nodes["checkpoint_initializer"]
    assert (restore.op, list(restore.attr["dtypes"].list.type)) == ("RestoreV2", [FLOAT, FLOAT])
    assert [strings(nodes[name]) for name in restore.input] == [["/m/variables"], ["a", "b"], ["", ""]]
    assert not nodes[restore.input[0]].attr["value"].tensor.tensor_shape.dim
    assert list(nodes["b/Assign"].input) == ["b", "checkpoint_initializer:1"]


def test_a_definition_speaks_of_the_new_value():
    found = restored(*variable("a"), variables=[definition("a")]).definition(definition("a"))
    assert (found.initial_value_name, found.initializer_name) == ("checkpoint_initializer:0", "a/Assign")


def test_a_part_of_a_variable_is_read_as_a_slice():
    part = protos.SaveSliceInfoDef(full_name="w", full_shape=[4, 3], var_offset=[2, 0], var_shape=[2, 3])
    result = restored(*variable("w/part_1", (2, 3)), variables=[definition("w/part_1", save_slice_info_def=part)])
    nodes = result.index.nodes
    assert strings(nodes["checkpoint_initializer/tensor_names"]) == ["w"]
    assert strings(nodes["checkpoint_initializer/shape_and_slices"]) == ["4 3 2,2:0,3"]


def test_names_that_are_taken_are_not_used_again():
    result = restored(*variable("a"), node("checkpoint_initializer/x"), variables=[definition("a")])
    assert list(result.index.nodes["a/Assign"].input) == ["a", "checkpoint_initializer_1:0"]


def test_a_variable_without_an_assignment_gets_one():
    result = restored(node("a", "VariableV2", dtype=FLOAT, device="/gpu:0"), variables=[definition("a")])
    assign = result.index.nodes["a/Assign"]
    assert (assign.op, list(assign.input), assign.device) == ("Assign", ["a", "checkpoint_initializer:0"], "/gpu:0")
    assert assign.attr["T"].type == FLOAT


def test_an_assignment_of_something_else_is_left_alone():
    nodes = [node("a", "VarHandleOp", dtype=FLOAT), node("a/Assign", "AssignVariableOp", "b", "x")]
    result = restored(*nodes, node("b"), node("x"), variables=[definition("a")])
    found = result.index.nodes
    assert list(found["a/Assign"].input) == ["b", "x"]
    assert list(found[result.initializers["a"]].input) == ["a", "checkpoint_initializer:0"]


def test_a_graph_without_variables_stays_as_it_is_and_none_is_changed():
    index = GraphIndex(meta_graph(*variable("a")))
    assert restored_from(index, "/m").index is index
    graph = meta_graph(*variable("a"), variables=[definition("a")])
    before = graph.SerializeToString(deterministic=True)
    restored_from(GraphIndex(graph), "/m")
    assert graph.SerializeToString(deterministic=True) == before
