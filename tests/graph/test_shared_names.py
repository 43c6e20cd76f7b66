"""Keeping the resources of two instances apart."""

from tests.graph.graphs import by_name, node
from tf1hub.format import protos
from tf1hub.graph.shared_names import has_shared_names, with_scoped_shared_names

NAMED = protos.GraphDef(node=[node("t", "HashTableV2", shared_name=b"words"), node("u", "V", shared_name=b"")])


def test_a_shared_name_goes_under_the_scope_and_an_empty_one_stays_empty():
    nodes = by_name(with_scoped_shared_names(NAMED, "a/module"))
    assert [nodes[name].attr["shared_name"].s for name in "tu"] == [b"a/module/words", b""]


def test_the_graph_itself_is_not_changed():
    with_scoped_shared_names(NAMED, "module")
    assert by_name(NAMED)["t"].attr["shared_name"].s == b"words"


def test_graphs_without_shared_names_are_known():
    assert has_shared_names(NAMED)
    assert not has_shared_names(protos.GraphDef(node=[NAMED.node[1], node("x")]))
    assert list(node("x").attr) == []
