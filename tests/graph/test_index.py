"""A graph's nodes and ops by name."""

import pytest

from tests.graph.graphs import definition, index, node
from tf1hub.format import protos


def op(name, stateful=True, inputs=0):
    return protos.OpDef(name=name, is_stateful=stateful, input_arg=[protos.OpDef.ArgDef()] * inputs)


def test_state_is_stateful_and_takes_no_input():
    ops = [op("Queue"), op("Push", inputs=1), op("Const", stateful=False)]
    graph = index(node("q", "Queue"), node("p", "Push", "q"), node("c", "Const"), ops=ops)
    assert graph.state_nodes == {"q"}


@pytest.mark.parametrize("name", ["VarHandleOp", "VariableV2", "HashTableV2", "MutableHashTableOfTensorsV2"])
def test_known_ops_hold_state_where_their_definitions_were_lost(name):
    assert index(node("s", name), node("x", "Const")).state_nodes == {"s"}


def test_a_node_is_there_by_any_form_of_its_name():
    graph = index(node("a/b"))
    assert [graph.has(name) for name in ("a/b", "a/b:3", "^a/b", "a")] == [True, True, True, False]


def test_collections_that_are_not_there_are_empty_and_stay_away():
    graph = index(node("a"))
    assert (graph.collection_nodes("x"), graph.collection_bytes("x"), graph.variables("x")) == ([], [], [])
    assert not graph.meta_graph.collection_def


def test_collections_are_read_in_their_order():
    graph = index(variables=[definition("b"), definition("a")], update_ops=["z", "y"])
    assert [each.variable_name for each in graph.variables("variables")] == ["b:0", "a:0"]
    assert graph.collection_nodes("update_ops") == ["z", "y"]
