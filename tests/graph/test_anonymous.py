"""Taking out of a graph what speaks of the machine it was made on."""

from tests.graph.graphs import by_name, function, meta_graph, node
from tf1hub.graph.anonymous import make_anonymous


def table(name, shared_name, op="HashTableV2"):
    return node(name, op, shared_name=shared_name)


def anonymous(*nodes, functions=(), **assets):
    graph = meta_graph(*nodes, functions=functions)
    make_anonymous(graph, {f"/home/{name}": name for name in assets})
    return by_name(graph.graph_def), graph


def test_devices_are_taken_out_of_nodes_and_functions():
    inner = function("F", node("y", device="/job:me"))
    nodes, graph = anonymous(node("x", device="/job:me"), functions=[inner])
    assert nodes["x"].device == graph.graph_def.library.function[0].node_def[0].device == ""


def test_debug_names_are_taken_out():
    nodes, _ = anonymous(node("v", "VarHandleOp", debug_name=b"v/", shared_name=b"v"))
    assert list(nodes["v"].attr) == ["shared_name"]


def test_paths_of_assets_become_their_names_the_longest_first():
    nodes, _ = anonymous(node("x", op_path=b"/home/words.txt", both=b"/home/words:/home/words.txt"),
                         **{"words": 1, "words.txt": 1})  # fmt: skip
    assert nodes["x"].attr["op_path"].s == b"words.txt"
    assert nodes["x"].attr["both"].s == b"words:words.txt"


def test_a_tables_shared_name_loses_its_folder():
    nodes, _ = anonymous(table("t", b"hash_table_/old/home/words.txt_-2_-1"), table("w", b"C:\\home\\words_1"))
    assert [nodes[name].attr["shared_name"].s for name in "tw"] == [b"words.txt_-2_-1", b"words_1"]


def test_tables_share_a_name_afterwards_exactly_if_they_did_before():
    nodes, _ = anonymous(table("a", b"/x/words"), table("b", b"/y/words"), table("c", b"/x/words"))
    shared = [nodes[name].attr["shared_name"].s for name in "abc"]
    assert shared == [b"words", b"words_1", b"words"]


def test_a_variables_shared_name_stays():
    nodes, _ = anonymous(table("v", b"scope/v", "VarHandleOp"))
    assert nodes["v"].attr["shared_name"].s == b"scope/v"
