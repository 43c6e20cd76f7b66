"""What the rules about assets say, and which texts are taken for paths."""

import pytest

import tf1hub as hub
from tests.checks.comparison_modules import add_asset, variant, write_module
from tests.graph.graphs import RESOURCE, STRING, function, meta_graph, node, text
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.checks.linting.reuse.machine_paths import iter_machine_paths
from tf1hub.graph.index import GraphIndex


def findings_of(path, rule):
    return hub.lint(path, select=[rule]).findings


def constant(name, value):
    """A constant of one string, as TensorFlow writes it."""
    made = text(name, value)
    made.attr["dtype"].type = STRING
    return made


def paths_in(*nodes, in_memory=False, **options):
    found = iter_machine_paths(Variant((), GraphIndex(meta_graph(*nodes, **options))), in_memory)
    return [(each.node, each.path, each.is_opened) for each in found]


def test_an_asset_that_nothing_reads_is_named_with_its_constant(tmp_path):
    graph = variant(node("x", "Placeholder"), tags=("train",))
    add_asset(graph, "path:0", "tokens.txt")
    [found] = findings_of(write_module(tmp_path / "m", graph, files={"assets/tokens.txt": b"a\n"}), "asset-unread")
    assert found.reason == (
        "No op uses the asset 'assets/tokens.txt', and no output gives its path, so everyone who fetches the module fetches"
        " a file that does nothing."
    )
    assert (found.tags, found.node, found.file) == (("train",), "path", "assets/tokens.txt")


def test_files_that_no_graph_lists_are_one_finding(tmp_path):
    files = {f"assets/{name}": b"x" for name in "abcdefg"}
    [found] = findings_of(write_module(tmp_path / "m", files=files), "asset-unread")
    assert found.reason.startswith("7 files in assets/ belong to no graph variant: 'a', 'b', 'c', 'd', 'e' and 2 more;")
    assert found.file == "assets/a"


def test_a_damaged_list_of_assets_is_no_asset(tmp_path):
    graph = variant(node("x", "Placeholder"), asset_filepaths=["x:0", "gone:0"])
    assert findings_of(write_module(tmp_path / "m", graph), "asset-unread") == []


@pytest.mark.parametrize(
    "path",
    [
        "/home/me/x.txt",
        "/data/x",
        "C:\\work\\x.txt",
        "D:/work/x.txt",
        "\\\\server\\share\\x",
        "gs://bucket/x",
        "file:///x",
    ],
)
def test_a_path_of_another_machine_is_one_wherever_it_stands(path):
    assert paths_in(constant("c", path), node("x", "Identity", "c")) == [("c", path, False)]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "/",
        "//",
        "/m/01yrx",
        "/a",
        "</s>",
        "a/b",
        "data/x.txt",
        "https://x.org/data/y",
        "C:",
        "c: 12",
        "/home",
        "\\d+\\w",
    ],
)
def test_a_text_that_only_looks_like_a_path_is_none(value):
    assert paths_in(constant("c", value), node("x", "Identity", "c")) == []


@pytest.mark.parametrize(("op", "is_opened"), [("ReadFile", True), ("Identity", False), ("MyReader", False)])
def test_what_an_op_opens_is_told_apart_from_what_only_lies_there(op, is_opened):
    assert paths_in(constant("c", "/home/x"), node("read", op, "c")) == [("c", "/home/x", is_opened)]


def test_any_absolute_path_counts_where_an_op_opens_it():
    nodes = constant("c", "/m/01yrx"), node("same", "Identity", "c"), node("read", "ReadFile", "same")
    assert paths_in(*nodes) == [("c", "/m/01yrx", True)]


def test_a_path_in_a_function_that_is_called_is_found():
    read = function("f", constant("c", "/home/x"), node("read", "ReadFile", "c:output:0"))
    call = node("call", "f")
    assert paths_in(call, functions=[read]) == [("call/c", "/home/x", True)]


def test_the_checkpoint_of_a_nested_module_is_left_out_when_the_module_is_written():
    nodes = constant("c", "/home/x/variables"), node("restore", "RestoreV2", "c")
    assert paths_in(*nodes, in_memory=True) == []
    assert paths_in(*nodes) == [("c", "/home/x/variables", True)]


def test_the_name_of_a_table_is_left_out_when_the_module_is_written():
    table = node("table", "HashTableV2", shared_name=b"hash_table_/x/tokens.txt_-2_-1", dtype=RESOURCE)
    assert paths_in(table, in_memory=True) == []
    assert paths_in(table) == [("table", "/x/tokens.txt", False)]
    sized = node("table", "HashTableV2", shared_name=b"hash_table_/x/tokens.txt_995_-2_-1", dtype=RESOURCE)
    assert paths_in(sized) == [("table", "/x/tokens.txt", False)]
    assert paths_in(node("table", "HashTableV2", shared_name=b"hash_table_x/tokens.txt_-2_-1")) == []


def test_a_file_in_an_attribute_is_opened():
    assert paths_in(node("tokenize", "SentencepieceOp", filename=b"/x/sp.model")) == [("tokenize", "/x/sp.model", True)]


def test_paths_of_one_variant_are_two_findings_at_most(tmp_path):
    nodes = [constant(f"c{place}", f"/x/{place}") for place in range(7)]
    reads = [node(f"read{place}", "ReadFile", f"c{place}") for place in range(7)]
    module = write_module(tmp_path / "m", variant(*nodes, *reads, constant("trace", "/home/me/run-17")))
    opened, traces = findings_of(module, "absolute-path")
    assert opened.reason == (
        "The nodes 'c0', 'c1', 'c2', 'c3', 'c4' and 2 more hold an absolute path by which an op opens a file: '/x/0', '/x/1',"
        " '/x/2', '/x/3', '/x/4' and 2 more; on other machines there is no such file, so what needs it fails."
    )
    assert (traces.node, traces.tags) == ("trace", ())
    assert "'/home/me/run-17'" in traces.reason
