"""The tree of regions of small graphs, built node by node."""

import pytest

from tests.graph.graphs import FLOAT, index, node
from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.graph.control_flow.regions import has_control_flow, structured
from tf1hub.graph.control_flow.structure import Branch, Loop, Segment
from tf1hub.graph.subgraph import cut


def integer(name, value, *controls):
    tensor = protos.TensorProto(dtype=3, int_val=[value])
    return node(name, "Const", *controls, value=protos.AttrValue(tensor=tensor))


BRANCH = [
    *(node("x", "Placeholder"), node("p", "Placeholder"), node("switch", "Switch", "x", "p")),
    *(node("negated", "Neg", "switch"), node("squared", "Square", "switch:1")),
    *(node("merge", "Merge", "negated", "squared"), node("y", "Exp", "merge")),
]


def enter(name, source, **attrs):
    return node(name, "Enter", source, frame_name=b"loop", **attrs)


LOOP = [
    *(node("x", "Placeholder"), node("n", "Placeholder"), integer("zero", 0)),
    *(enter("i/enter", "zero"), enter("x/enter", "x"), enter("n/enter", "n")),
    *(node("i", "Merge", "i/enter", "i/next"), node("v", "Merge", "x/enter", "v/next")),
    *(node("less", "Less", "i", "n/enter"), node("condition", "LoopCond", "less")),
    *(node("i/switch", "Switch", "i", "condition"), node("v/switch", "Switch", "v", "condition")),
    *(integer("one", 1, "^i/switch"), node("add", "Add", "i/switch:1", "one"), node("exp", "Exp", "v/switch:1")),
    *(node("i/next", "NextIteration", "add"), node("v/next", "NextIteration", "exp")),
    *(node("exit", "Exit", "v/switch"), node("y", "Neg", "exit")),
]


def tree(nodes, *targets):
    return structured(nodes, targets or ["y"])


def ops(region):
    return sorted(each.op for step in region.steps if isinstance(step, Segment) for each in step.nodes)


def only(kind, region):
    (step,) = (step for step in region.steps if isinstance(step, kind))
    return step


def with_node(nodes, *new):
    return [*(each for each in nodes if each.name not in {one.name for one in new}), *new]


def test_a_graph_without_loops_and_branches_is_one_segment():
    nodes = [node("x", "Placeholder"), node("y", "Neg", "x")]
    (segment,) = tree(nodes).steps
    assert [each.name for each in segment.nodes] == ["x", "y"]
    assert not has_control_flow(cut(index(*nodes), ["y"]))


def test_a_branch_has_the_nodes_that_hang_on_its_predicate():
    region = tree(BRANCH)
    branch = only(Branch, region)
    assert (branch.predicate, [merge.node for merge in branch.merges]) == ("p:0", ["merge"])
    assert (ops(branch.taken), ops(branch.otherwise)) == (["Square"], ["Neg"])
    assert (branch.taken.results, branch.otherwise.results) == (("squared:0",), ("negated:0",))
    assert has_control_flow(cut(index(*BRANCH), ["y"]))


def test_nodes_in_a_branch_take_their_inputs_past_the_switches():
    (segment,) = only(Branch, tree(BRANCH)).taken.steps
    assert list(segment.nodes[0].input) == ["x:0"]


def test_what_nobody_needs_is_left_out():
    assert ops(only(Branch, tree([*BRANCH, node("unwanted", "Print", "switch:1")])).taken) == ["Square"]


def test_a_wanted_node_in_a_branch_runs_there():
    region = tree([*BRANCH, node("update", "Assign", "squared")], "y", "update")
    branch = only(Branch, region)
    assert branch.taken.after == ("update",)
    assert {"update", "squared", "negated"} == branch.inside


def test_a_branch_waits_for_what_a_node_in_it_waits_for():
    nodes = with_node(BRANCH, node("first", "NoOp"), node("squared", "Square", "switch:1", "^first"))
    assert only(Branch, tree(nodes)).controls == ("first",)


def test_a_loop_has_variables_a_condition_and_a_body():
    loop = only(Loop, tree(LOOP))
    assert {(one.inside, one.start, one.exits) for one in loop.variables} == {
        ("i:0", "zero:0", ()),
        ("v:0", "x:0", ("exit",)),
    }
    assert ops(loop.condition) == ["Less"]
    assert ops(loop.body) == ["Add", "Const", "Exp"]


def test_the_limit_of_a_loop_is_what_its_counter_stays_below():
    assert only(Loop, tree(LOOP)).limit == "n:0"


@pytest.mark.parametrize(
    "changed", [integer("zero", 2), integer("one", 2, "^i/switch"), node("less", "Less", "v", "n")]
)
def test_a_loop_that_does_not_count_from_zero_has_no_known_limit(changed):
    assert only(Loop, tree(with_node(LOOP, changed))).limit is None


def test_small_constants_are_in_each_region_that_takes_them():
    nodes = with_node(LOOP, integer("two", 2), enter("two/enter", "two"), node("exp", "Pow", "v/switch:1", "two/enter"))
    assert ops(only(Loop, tree(nodes)).body) == ["Add", "Const", "Const", "Pow"]


def test_a_variable_is_read_before_a_loop():
    read = node("read", "ReadVariableOp", "w/enter", dtype=FLOAT)
    new = [node("w", "VarHandleOp"), enter("w/enter", "w"), read, node("exp", "Mul", "v/switch:1", "read")]
    region = tree(with_node(LOOP, *new))
    assert "ReadVariableOp" in ops(region)
    assert ops(only(Loop, region).body) == ["Add", "Const", "Identity", "Mul"]


def test_a_variable_that_is_written_is_read_where_it_was():
    read = node("read", "ReadVariableOp", "w/enter", "^write", dtype=FLOAT)
    write = node("write", "AssignAddVariableOp", "w/enter", "v/switch:1")
    new = [node("w", "VarHandleOp"), enter("w/enter", "w"), read, write, node("exp", "Mul", "v/switch:1", "read")]
    assert "ReadVariableOp" in ops(only(Loop, tree(with_node(LOOP, *new))).body)


def test_a_merge_of_two_predicates_is_refused():
    nodes = with_node(
        BRANCH, node("q", "Placeholder"), node("other", "Switch", "x", "q"), node("squared", "Square", "other:1")
    )
    with pytest.raises(GraphError, match=r"'merge'.*'q:0' is True"):
        tree(nodes)


def test_an_exit_without_a_loop_is_refused():
    with pytest.raises(GraphError, match="'y' is in no loop"):
        tree([node("x", "Placeholder"), node("y", "Exit", "x")])


def test_a_loop_without_a_condition_is_refused():
    nodes = with_node(LOOP, node("condition", "Identity", "less"))
    with pytest.raises(GraphError, match="'loop' has 0 LoopCond"):
        tree(nodes)


def test_nodes_that_need_each_other_are_refused():
    with pytest.raises(GraphError, match="'a', 'b' need each other"):
        tree([node("a", "Neg", "b"), node("b", "Neg", "a")], "a")
