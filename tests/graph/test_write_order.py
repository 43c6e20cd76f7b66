"""Reading variables before update ops change them."""

from tests.graph.graphs import by_name, meta_graph, node
from tf1hub.graph.write_order import read_before_writing


def ordered(*nodes, variables=("v", "w")):
    graph_def = meta_graph(*nodes).graph_def
    read_before_writing(graph_def, variables)
    return {name: list(each.input) for name, each in by_name(graph_def).items()}


def test_a_write_waits_for_the_reads_of_its_variable():
    nodes = [node("up", "AssignSubVariableOp", "v", "x"), node("now", "ReadVariableOp", "v"), node("other", "Sin", "w")]
    assert ordered(*nodes)["up"] == ["v", "x", "^now"]


def test_a_read_that_waits_for_the_write_goes_on_doing_so():
    nodes = [node("up", "AssignSubVariableOp", "v", "x"), node("then", "ReadVariableOp", "v", "^up")]
    assert ordered(*nodes)["up"] == ["v", "x"]


def test_two_writes_never_wait_for_each_other():
    nodes = [
        node("first", "AssignVariableOp", "v", "x"),
        node("second", "AssignVariableOp", "w", "x"),
        node("reads w", "ReadVariableOp", "w", "^first"),
        node("reads v", "ReadVariableOp", "v", "^second"),
    ]
    found = ordered(*nodes)
    assert found["first"] == ["v", "x", "^reads v"]
    assert found["second"] == ["w", "x"]


def test_what_a_loop_or_branch_takes_is_not_waited_for():
    nodes = [node("up", "AssignVariableOp", "v", "x"), node("in", "Enter", "v"), node("if", "Switch", "v", "p")]
    assert ordered(*nodes)["up"] == ["v", "x"]
