"""Taking out of a graph what speaks of the machine it was made on."""

from tests.graph.graphs import by_name, function, meta_graph, node
from tf1hub.graph.anonymous import make_anonymous


def table(name, shared_name, op="HashTableV2"):
    return node(name, op, shared_name=shared_name)


def anonymous(*nodes, functions=()):
    graph = meta_graph(*nodes, functions=functions)
    make_anonymous(graph, {})
    return by_name(graph.graph_def), graph


def test_devices_are_taken_out_of_nodes_and_functions():
    inner = function("F", node("y", device="/job:me"))
    nodes, graph = anonymous(node("x", device="/job:me"), functions=[inner])
    assert nodes["x"].device == graph.graph_def.library.function[0].node_def[0].device == ""


def test_debug_names_are_taken_out():
    nodes, _ = anonymous(node("v", "VarHandleOp", debug_name=b"v/", shared_name=b"v"))
    assert list(nodes["v"].attr) == ["shared_name"]


def test_resources_are_not_named_by_the_paths_of_assets():
    graph = meta_graph(node("x", "V", shared_name=b"of_/home/a.txt", container=b"/home/a"))
    make_anonymous(graph, {"/home/a": "short", "/home/a.txt": "long"})
    attrs = by_name(graph.graph_def)["x"].attr
    assert (attrs["shared_name"].s, attrs["container"].s) == (b"of_long", b"short")


def test_other_attributes_are_left_alone_whatever_assets_are_called():
    graph = meta_graph(node("x", "Conv2D", padding=b"VALID", frame_name=b"while"))
    make_anonymous(graph, {"VALID": "VALID_1", "while": "while_1"})
    attrs = by_name(graph.graph_def)["x"].attr
    assert (attrs["padding"].s, attrs["frame_name"].s) == (b"VALID", b"while")


def test_tables_stay_apart_when_the_name_of_one_is_the_relative_path_of_another():
    graph = meta_graph(table("a", b"table_sub/words.txt"), table("b", b"table_words.txt"))
    make_anonymous(graph, {"sub/words.txt": "words.txt", "words.txt": "words_1.txt"})
    nodes = by_name(graph.graph_def)
    assert nodes["a"].attr["shared_name"].s != nodes["b"].attr["shared_name"].s


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
