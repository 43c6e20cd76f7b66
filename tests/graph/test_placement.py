"""State that is colocated with what holds none."""

from tests.graph.graphs import index, node
from tf1hub.graph.placement import find_misplaced_state


def test_state_beside_state_is_well_placed():
    assert find_misplaced_state(index(node("a", "VarHandleOp", near=["b"]), node("b", "VarHandleOp"))) == {}


def test_state_beside_other_nodes_is_found_with_them():
    graph = index(node("in", "Placeholder"), node("v", "VarHandleOp", near=["in", "w", "x"]), node("w", "VarHandleOp"))
    assert find_misplaced_state(graph) == {"v": ["in", "x"]}


def test_other_nodes_may_stand_anywhere():
    assert find_misplaced_state(index(node("v", "VarHandleOp"), node("x", near=["v", "y"]), node("y"))) == {}
