"""Keeping two imports of the same nodes apart."""

from tests.graph.graphs import by_name, node
from tf1hub.format import protos
from tf1hub.graph.scoping import needs_scoping, scoped

NAMED = protos.GraphDef(
    node=[
        node("t", "HashTableV2", shared_name=b"words"),
        node("u", "V", shared_name=b""),
        node("e", "Enter", frame_name=b"while/ctx"),
    ]
)


def test_shared_names_and_frames_go_under_the_scope_and_empty_ones_stay_empty():
    nodes = by_name(scoped(NAMED, "a/module"))
    assert [nodes[name].attr["shared_name"].s for name in "tu"] == [b"a/module/words", b""]
    assert nodes["e"].attr["frame_name"].s == b"a/module/while/ctx"


def test_the_graph_itself_is_not_changed():
    scoped(NAMED, "module")
    assert by_name(NAMED)["t"].attr["shared_name"].s == b"words"


def test_a_graph_without_such_names_needs_none():
    plain = protos.GraphDef(node=[NAMED.node[1], node("x")])
    assert needs_scoping(NAMED)
    assert not needs_scoping(plain)
