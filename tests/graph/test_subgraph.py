"""Cutting what some targets need out of a graph."""

import pytest

from tests.graph.graphs import by_name, function, index, names, node
from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.graph.subgraph import Boundary, cut

# in -> split -> (left, right); both -> out; aside hangs on nothing.
CHAIN = [
    node("in", "Placeholder"),
    node("split", "Split", "in"),
    node("left", "Identity", "split"),
    node("right", "Identity", "split:1"),
    node("out", "Add", "left", "right"),
    node("aside", "NoOp"),
]


def test_a_cut_keeps_what_the_targets_need_in_the_order_of_the_graph():
    subgraph = cut(index(*CHAIN), ["right:0", "left"])
    assert names(subgraph.graph_def) == ["in", "split", "left", "right"]
    assert subgraph.crossing == ()
    assert subgraph.keeps("right:0")
    assert not subgraph.keeps("out:0")


def test_a_cut_by_tensor_stops_there():
    subgraph = cut(index(*CHAIN), ["out"], Boundary(tensors=frozenset({"left:0", "right:0"})))
    assert names(subgraph.graph_def) == ["out"]
    assert subgraph.crossing == ("left:0", "right:0")


def test_a_cut_by_one_output_of_a_node_keeps_the_node_for_the_other():
    subgraph = cut(index(*CHAIN), ["out"], Boundary(tensors=frozenset({"split:1"})))
    assert names(subgraph.graph_def) == ["in", "split", "left", "right", "out"]
    assert subgraph.crossing == ("split:1",)


def test_a_cut_by_node_stops_at_all_of_its_outputs():
    subgraph = cut(index(*CHAIN), ["out"], Boundary(nodes=frozenset({"split"})))
    assert names(subgraph.graph_def) == ["left", "right", "out"]
    assert subgraph.crossing == ("split:0", "split:1")


def test_a_target_at_the_boundary_needs_nothing():
    assert names(cut(index(*CHAIN), ["in:0"], Boundary(tensors=frozenset({"in:0"}))).graph_def) == []


def test_control_inputs_are_needed_and_cross_as_such():
    graph = index(node("first", "NoOp"), node("x", "Const"), node("y", "Identity", "x", "^first"))
    assert names(cut(graph, ["y"]).graph_def) == ["first", "x", "y"]
    for boundary in (Boundary(nodes=frozenset({"first"})), Boundary(tensors=frozenset({"first:0"}))):
        subgraph = cut(graph, ["y"], boundary)
        assert names(subgraph.graph_def) == ["x", "y"]
        assert subgraph.crossing == ("^first",)


def test_everything_keeps_all_nodes_and_still_crosses():
    subgraph = cut(index(*CHAIN), ["out"], Boundary(tensors=frozenset({"left:0"})), everything=True)
    assert names(subgraph.graph_def) == names(protos.GraphDef(node=CHAIN))
    assert subgraph.crossing == ("left:0",)


def test_a_missing_node_is_named():
    with pytest.raises(GraphError, match="no node 'gone', which 'gone:1' names"):
        cut(index(node("x", "Identity", "gone:1")), ["x"])


def test_a_loop_is_followed_once():
    graph = index(node("merge", "Merge", "start", "next"), node("next", "NextIteration", "merge"), node("start"))
    assert set(names(cut(graph, ["merge"]).graph_def)) == {"merge", "next", "start"}


def test_the_functions_that_are_called_come_along():
    graph = index(node("x", "F"), node("y", "G"), functions=[function("F"), function("G")])
    assert [each.signature.name for each in cut(graph, ["x"]).graph_def.library.function] == ["F"]


def test_the_versions_of_the_graph_are_kept_and_the_graph_is_not_changed():
    graph = index(node("v"), node("x", "Identity", near=["v", "gone"]))
    graph.meta_graph.graph_def.versions.producer = 27
    before = graph.meta_graph.SerializeToString(deterministic=True)
    assert cut(graph, ["x"]).graph_def.versions.producer == 27
    assert graph.meta_graph.SerializeToString(deterministic=True) == before


def colocations(subgraph):
    return {each.name: list(each.attr["_class"].list.s) for each in subgraph.graph_def.node if "_class" in each.attr}


def test_colocations_inside_stay_and_those_across_are_listed():
    graph = index(node("v"), node("a"), node("b", "Add", "a", "v", near=["v", "a"]))
    subgraph = cut(graph, ["b"], Boundary(nodes=frozenset({"v"})))
    assert colocations(subgraph) == {"b": [b"loc:@a"]}
    assert subgraph.colocations == (("b", ("v",)),)


def test_nodes_placed_with_a_pruned_one_stay_together():
    graph = index(node("gone"), node("a", near=["gone"]), node("b", "Add", "a", near=["gone"]))
    assert colocations(cut(graph, ["b"])) == {"b": [b"loc:@a"]}


def test_classes_that_are_no_colocations_stay():
    plain = node("a")
    plain.attr["_class"].list.s.append(b"other")
    assert colocations(cut(index(plain), ["a"])) == {"a": [b"other"]}


COND = protos.CondContextDef(
    context_name="cond/c", pred_name="pred:0", pivot_name="pivot:0",
    values_def=protos.ValuesDef(values=["x:0", "inner:0"], external_values={"x:0": "switch:0"}),
)  # fmt: skip
COND_NODES = [
    node("x"), node("pred"), node("pivot", "Identity", "pred"), node("switch", "Switch", "x", "pred"),
    node("inner", "Identity", "switch"), node("out", "Merge", "inner"), node("aside"),
]  # fmt: skip


def test_a_context_comes_with_a_node_inside_it_and_all_that_it_names():
    subgraph = cut(index(*COND_NODES, cond_context=[COND]), ["inner"])
    assert set(names(subgraph.graph_def)) == {"x", "pred", "pivot", "switch", "inner"}
    assert subgraph.contexts == {"cond_context": [COND], "while_context": []}


def test_a_context_that_is_not_touched_stays_behind():
    graph = index(*COND_NODES, cond_context=[COND])
    subgraph = cut(graph, ["aside", "x"])
    assert names(subgraph.graph_def) == ["x", "aside"]
    assert subgraph.contexts["cond_context"] == []
    assert cut(graph, ["aside"], everything=True).contexts["cond_context"] == [COND]


def test_a_context_may_pull_in_another_one():
    loop = protos.WhileContextDef(
        context_name="loop", pivot_name="aside:0", values_def=protos.ValuesDef(values=["pivot:0"])
    )
    subgraph = cut(index(*COND_NODES, cond_context=[COND], while_context=[loop]), ["inner"])
    assert "aside" in by_name(subgraph.graph_def)
    assert subgraph.contexts == {"cond_context": [COND], "while_context": [loop]}
