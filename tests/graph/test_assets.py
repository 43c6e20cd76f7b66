"""Assets, as constants in memory and as a list on disk."""

import pytest

from tests.graph.graphs import by_name, meta_graph, node, text
from tf1hub.errors import CorruptModuleError, GraphError, UnsupportedModuleError
from tf1hub.format import protos
from tf1hub.graph import assets


def graph_with(**paths):
    nodes = [text(name, path) for name, path in paths.items()]
    return meta_graph(*nodes, asset_filepaths=[f"{name}:0" for name in paths])


def on_disk(filename, tensor="a:0"):
    graph = meta_graph(text("a", "placeholder"))
    asset = protos.AssetFileDef(filename=filename, tensor_info=protos.TensorInfo(name=tensor))
    graph.collection_def["saved_model_assets"].any_list.value.add(value=asset.SerializeToString())
    return graph


def test_unfolding_takes_the_paths_out_and_folding_puts_new_ones_in():
    graph = graph_with(a="/home/me/a.txt", b="/home/me/b.txt")
    assets.unfold_assets(graph, {"/home/me/a.txt": "a.txt", "/home/me/b.txt": "b.txt"})
    assert b"/home/me" not in graph.SerializeToString()
    assert list(graph.collection_def["asset_filepaths"].node_list.value) == ["a:0", "b:0"]
    assets.fold_assets(graph, "/there")
    assert assets.asset_paths(graph) == {"a:0": "/there/assets/a.txt", "b:0": "/there/assets/b.txt"}
    assert "saved_model_assets" not in graph.collection_def


def test_a_constant_with_the_path_of_an_asset_is_listed_as_that_asset():
    graph = graph_with(a="/home/me/a.txt")
    graph.graph_def.node.append(text("unlisted", "/home/me/a.txt"))
    assets.unfold_assets(graph, {"/home/me/a.txt": "a.txt"})
    assert [asset.tensor_info.name for asset in assets.assets_on_disk(graph)] == ["a:0", "unlisted:0"]


def test_a_damaged_list_of_assets_is_refused():
    graph = meta_graph(text("a", "placeholder"))
    graph.collection_def["saved_model_assets"].any_list.value.add(value=b"\xff\xff")
    with pytest.raises(CorruptModuleError, match="cannot be parsed"):
        assets.fold_assets(graph, "/there")


def test_a_graph_without_assets_stays_without():
    graph = meta_graph(node("x"))
    assets.unfold_assets(graph, {})
    assets.fold_assets(graph, "/there")
    assert graph == meta_graph(node("x"))
    assert assets.asset_paths(graph) == {}


def test_assets_may_stand_in_the_field_of_todays_saved_models():
    graph = meta_graph(text("a", ""))
    graph.asset_file_def.add(filename="a.txt").tensor_info.name = "a:0"
    assets.fold_assets(graph, "/there")
    assert assets.asset_paths(graph) == {"a:0": "/there/assets/a.txt"}


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/a/t.txt", "/b/t.txt", "/a/t.txt"], ["t.txt", "t_1.txt"]),
        (["/a/t.txt", "/b/T.TXT"], ["t.txt", "T_1.TXT"]),
        (["/a/t.txt", "/b/t_1.txt", "/c/t.txt"], ["t.txt", "t_1.txt", "t_2.txt"]),
        (["C:\\a\\t.txt", "gs://b/a/t.txt"], ["t.txt", "t_1.txt"]),
        (["/a/vocab", "/b/vocab", "/c/.hidden"], ["vocab", "vocab_1", ".hidden"]),
    ],
)
def test_files_of_one_name_get_numbers(paths, names):
    assert list(assets.file_names(paths).values()) == names


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "\\a", "a\\..\\..\\b", "", "C:\\a", "a\0b", ".."])
def test_names_that_lead_out_of_the_folder_are_refused(name):
    with pytest.raises(UnsupportedModuleError, match=r"leads out of its assets/ folder"):
        assets.fold_assets(on_disk(name), "/there")


@pytest.mark.parametrize("name", ["a", "sub/a.txt", "a..b", "ü:x/y"[2:], ".hidden"])
def test_names_inside_the_folder_are_taken(name):
    graph = on_disk(name)
    assets.fold_assets(graph, "/there")
    assert by_name(graph.graph_def)["a"].attr["value"].tensor.string_val[0].decode() == f"/there/assets/{name}"


@pytest.mark.parametrize("nodes", [[], [node("a", "Placeholder")]])
def test_what_is_no_constant_cannot_be_an_asset(nodes):
    with pytest.raises(GraphError, match=r"lists 'a:0', which is (no such node|a Placeholder node)"):
        assets.asset_paths(meta_graph(*nodes, asset_filepaths=["a:0"]))


def test_an_asset_without_its_constant_is_refused():
    with pytest.raises(GraphError, match=r"no constant 'gone:0' for its asset 'a.txt'"):
        assets.fold_assets(on_disk("a.txt", "gone:0"), "/there")


def test_a_path_within_a_function_is_found():
    graph = graph_with(a="/home/me/a.txt")
    function = graph.graph_def.library.function.add()
    function.signature.name = "read"
    function.node_def.append(text("path", "/home/me/a.txt"))
    assert assets.paths_in_functions(graph, {"/home/me/a.txt"}) == [("read", "path", "/home/me/a.txt")]
    assert assets.paths_in_functions(graph, {"/home/me/b.txt"}) == []


def test_a_relative_path_that_is_text_elsewhere_stays_text():
    graph = graph_with(a="labels")
    graph.graph_def.node.append(text("unlisted", "labels"))
    assets.unfold_assets(graph, {"labels": "labels"})
    assert [asset.tensor_info.name for asset in assets.assets_on_disk(graph)] == ["a:0"]
    assert by_name(graph.graph_def)["unlisted"].attr["value"].tensor.string_val[0] == b"labels"


def test_a_colon_is_refused_only_as_a_drive_or_a_scheme():
    assets.check_file_name("vocab:en.txt")
    for name in ("c:words.txt", "file://words.txt"):
        with pytest.raises(UnsupportedModuleError, match="leads out of"):
            assets.check_file_name(name)
