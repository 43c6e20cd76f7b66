"""Initializing variables from a checkpoint."""

from tests.graph.graphs import FLOAT, by_name, definition, meta_graph, node, variable
from tf1hub.format import protos
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.restoring import with_restored_variables


def restored(*nodes, **collections):
    return with_restored_variables(meta_graph(*nodes, **collections), "/m/variables")


def strings(each):
    return [value.decode() for value in each.attr["value"].tensor.string_val]


def test_one_op_restores_all_variables_by_their_names():
    nodes = by_name(restored(*variable("a"), *variable("b"), variables=[definition("a"), definition("b")]).graph_def)
    restore = nodes["checkpoint_initializer"]
    assert (restore.op, list(restore.attr["dtypes"].list.type)) == ("RestoreV2", [FLOAT, FLOAT])
    assert [strings(nodes[name]) for name in restore.input] == [["/m/variables"], ["a", "b"], ["", ""]]
    assert not nodes[restore.input[0]].attr["value"].tensor.tensor_shape.dim
    assert list(nodes["b/Assign"].input) == ["b", "checkpoint_initializer:1"]


def test_the_definitions_in_all_collections_speak_of_the_new_values():
    result = restored(*variable("a"), variables=[definition("a")], trainable_variables=[definition("a")])
    for key in ("variables", "trainable_variables"):
        [found] = GraphIndex(result).variables(key)
        assert (found.initial_value_name, found.initializer_name) == ("checkpoint_initializer:0", "a/Assign")


def test_a_part_of_a_variable_is_read_as_a_slice():
    part = protos.SaveSliceInfoDef(full_name="w", full_shape=[4, 3], var_offset=[2, 0], var_shape=[2, 3])
    result = restored(*variable("w/part_1", (2, 3)), variables=[definition("w/part_1", save_slice_info_def=part)])
    nodes = by_name(result.graph_def)
    assert strings(nodes["checkpoint_initializer/tensor_names"]) == ["w"]
    assert strings(nodes["checkpoint_initializer/shape_and_slices"]) == ["4 3 2,2:0,3"]


def test_names_that_are_taken_are_not_used_again():
    result = restored(*variable("a"), node("checkpoint_initializer/x"), variables=[definition("a")])
    assert list(by_name(result.graph_def)["a/Assign"].input) == ["a", "checkpoint_initializer_1:0"]


def test_a_variable_without_an_assignment_gets_one():
    result = restored(node("a", "VariableV2", dtype=FLOAT, device="/gpu:0"), variables=[definition("a")])
    assign = by_name(result.graph_def)["a/Assign"]
    assert (assign.op, list(assign.input), assign.device) == ("Assign", ["a", "checkpoint_initializer:0"], "/gpu:0")
    assert assign.attr["T"].type == FLOAT


def test_an_assignment_of_something_else_is_left_alone():
    nodes = [node("a", "VarHandleOp", dtype=FLOAT), node("a/Assign", "AssignVariableOp", "b", "x")]
    result = restored(*nodes, node("b"), node("x"), variables=[definition("a")])
    found = by_name(result.graph_def)
    assert list(found["a/Assign"].input) == ["b", "x"]
    [changed] = GraphIndex(result).variables("variables")
    assert list(found[changed.initializer_name].input) == ["a", "checkpoint_initializer:0"]


def test_a_graph_without_variables_stays_as_it_is_and_none_is_changed():
    graph = meta_graph(*variable("a"))
    assert with_restored_variables(graph, "/m") == graph
    graph = meta_graph(*variable("a"), variables=[definition("a")])
    before = graph.SerializeToString(deterministic=True)
    with_restored_variables(graph, "/m")
    assert graph.SerializeToString(deterministic=True) == before


def test_other_collections_of_bytes_are_left_alone():
    attached = protos.ModuleAttachment(key="k", value=b"v")
    result = restored(*variable("a"), variables=[definition("a")], hub_module_attachments=[attached])
    assert result.collection_def["hub_module_attachments"].bytes_list.value[0] == attached.SerializeToString()
