"""Leaving out attributes that go without saying."""

from tests.graph.graphs import FLOAT, STRING, meta_graph, node
from tf1hub.format import protos
from tf1hub.graph.defaults import strip_default_attrs

DTYPE = protos.OpDef.AttrDef(name="T", default_value=protos.AttrValue(type=FLOAT))
NEEDED = protos.OpDef.AttrDef(name="N")
OPS = [protos.OpDef(name="Op", attr=[DTYPE, NEEDED])]


def stripped(*nodes, done=False):
    graph = meta_graph(*nodes, ops=OPS)
    graph.meta_info_def.stripped_default_attrs = done
    strip_default_attrs(graph)
    assert graph.meta_info_def.stripped_default_attrs
    return [sorted(each.attr) for each in graph.graph_def.node]


def test_only_attributes_that_equal_the_default_go():
    nodes = [node("a", "Op", T=FLOAT, N=FLOAT), node("b", "Op", T=STRING), node("c", "Other", T=FLOAT)]
    assert stripped(*nodes) == [["N"], ["T"], ["T"]]


def test_nothing_is_added_to_a_node():
    assert stripped(node("a", "Op")) == [[]]


def test_a_graph_that_is_stripped_already_is_left_alone():
    assert stripped(node("a", "Op", T=FLOAT), done=True) == [["T"]]
