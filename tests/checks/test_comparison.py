"""What differs between two modules: variants, signatures, collections, messages, files, and what cannot be read."""

import json
import os

import numpy as np
import pytest

import tf1hub as hub
from tests.checks.comparison_modules import FLOAT, add_asset, compared, graphs_compared, named, variant, write_module
from tests.graph.graphs import definition, node
from tf1hub.errors import CorruptModuleError, MissingModuleError, TagsError, UnsupportedHandleError
from tf1hub.format import protos


def with_signature(shape=(3,), tensor="x:0", dtype=FLOAT, name="default"):
    graph = variant(node("x"), node("y"))
    info = graph.signature_def[name].inputs["x"]
    info.name, info.dtype = tensor, dtype
    info.tensor_shape.dim.extend(protos.TensorShapeProto.Dim(size=size) for size in shape)
    return graph


def test_a_module_does_not_differ_from_itself(tmp_path):
    files = {"assets/words.txt": b"a\n", "README": b"x"}
    path = write_module(tmp_path / "a", with_signature(), values={"w": np.ones(3, np.float32)}, files=files)
    comparison = hub.compare(path, str(path))
    assert comparison.is_same
    assert [each.status for each in comparison.variables] == ["same"]
    assert comparison.problems == ()


def test_variants_that_one_has(tmp_path):
    graphs = [variant(node("x")), variant(node("x"), node("y"), tags=("train", "big"))]
    comparison = compared(tmp_path, {"variants": graphs}, {"variants": graphs[:1]})
    assert named(comparison.variants) == {"big,train": ("0 signatures, 2 nodes", None)}
    assert not comparison.is_same


def test_the_order_of_variants_and_tags_is_no_difference(tmp_path):
    graphs = [variant(node("x")), variant(node("y"), tags=("train", "big"))]
    turned = [variant(node("y"), tags=("big", "train")), graphs[0]]
    assert compared(tmp_path, {"variants": graphs}, {"variants": turned}).is_same


def test_the_variant_with_given_tags_alone(tmp_path):
    a = write_module(tmp_path / "a", variant(node("x")), variant(node("x"), tags=("train",)))
    b = write_module(tmp_path / "b", variant(node("x")), variant(node("z"), tags=("train",)))
    assert hub.compare(a, b, tags=()).is_same
    assert not hub.compare(a, b, tags={"train"}).is_same
    with pytest.raises(TagsError, match=r"Neither module has .*\['big'\]. Their variants: \[\], \['train'\]"):
        hub.compare(a, b, tags=["big"])


def test_tags_choose_the_variables_too(tmp_path):
    graphs = [
        variant(node("w"), variables=[definition("w")]),
        variant(node("v"), tags=("train",), variables=[definition("v")]),
    ]
    values = {"w": np.ones(2), "v": np.ones(2)}
    a = write_module(tmp_path / "a", *graphs, values=values)
    b = write_module(tmp_path / "b", *graphs, values={**values, "v": np.zeros(2)})
    assert [(each.name, each.status) for each in hub.compare(a, b, ["train"]).variables] == [("v", "changed")]
    assert hub.compare(a, b, []).is_same


@pytest.mark.parametrize(
    ("other", "texts"),
    [
        (with_signature(shape=(3, -1)), ("dense float32 [3]", "dense float32 [3, None]")),
        (with_signature(dtype=7), ("dense float32 [3]", "dense string [3]")),
        (with_signature(tensor="y:0"), ("dense float32 [3] from x:0", "dense float32 [3] from y:0")),
    ],
)
def test_an_input_that_differs(tmp_path, other, texts):
    [change] = graphs_compared(tmp_path, with_signature(), other).signatures
    assert (change.name, named(change.parts)) == ("default", {"input x": texts})


def test_inputs_and_signatures_that_one_has(tmp_path):
    graph = with_signature()
    graph.signature_def["default"].outputs["y"].name = "y:0"
    graph.signature_def["other"].SetInParent()
    signatures = graphs_compared(tmp_path, with_signature(), graph).signatures
    assert named(signatures) == {
        "default": ("1 input, 0 outputs", "1 input, 1 output"),
        "other": (None, "0 inputs, 0 outputs"),
    }
    assert [part.name for part in signatures[0].parts] == ["output y"]


def test_a_sparse_input_is_told_from_a_dense_one(tmp_path):
    graph = with_signature()
    info = graph.signature_def["default"].inputs["x"]
    info.coo_sparse.values_tensor_name = "x:0"
    [change] = graphs_compared(tmp_path, with_signature(), graph).signatures
    assert named(change.parts) == {"input x": ("dense float32 [3]", "sparse float32 [3]")}


def test_attached_messages(tmp_path):
    def attached(**messages):
        return variant(
            hub_module_attachments=[protos.ModuleAttachment(key=key, value=value) for key, value in messages.items()]
        )

    differing = graphs_compared(tmp_path, attached(a=b"1", b=b"12", c=b"3"), attached(c=b"3", b=b"21", d=b""))
    assert named(differing.attached_messages) == {
        "a": ("1 byte", None),
        "b": ("2 bytes", "2 bytes, other contents"),
        "d": (None, "0 bytes"),
    }


def test_collections(tmp_path):
    a = variant(update_ops=["x", "y"], regularization_losses=["a:0", "b:0"], variables=[definition("w")])
    b = variant(
        update_ops=["x", "z"], regularization_losses=["b:0", "a:0"], variables=[definition("w", trainable=True)]
    )
    losses, updates, variables = graphs_compared(tmp_path, a, b).collections
    assert (losses.name, losses.b) == ("regularization_losses", "the same in another order")
    assert (updates.name, named(updates.parts)) == ("update_ops", {"y": ("", None), "z": (None, "")})
    assert (variables.name, [part.name for part in variables.parts]) == ("variables", ["w:0"])


def test_assets_by_their_contents(tmp_path):
    graph = variant()
    add_asset(graph, "p:0", "words.txt")
    comparison = compared(
        tmp_path,
        {"variants": [graph], "files": {"assets/words.txt": b"abc"}},
        {"variants": [graph], "files": {"assets/words.txt": b"abd"}},
    )
    assert named(comparison.assets) == {"words.txt": ("3 bytes", "3 bytes, other contents")}
    assert comparison.common_variants[0].is_same


def test_an_asset_of_another_name(tmp_path):
    a, b = variant(), variant()
    add_asset(a, "p:0", "words.txt")
    add_asset(b, "p:0", "tokens.txt")
    same = compared(
        tmp_path,
        {"variants": [a], "files": {"assets/words.txt": b"abc"}},
        {"variants": [b], "files": {"assets/tokens.txt": b"abc"}},
    )
    assert named(same.assets) == {"words.txt": ("3 bytes", "tokens.txt, the same contents")}


def test_an_asset_that_is_not_there(tmp_path):
    graph = variant()
    add_asset(graph, "p:0", "words.txt")
    comparison = compared(tmp_path, {"variants": [graph], "files": {"assets/words.txt": b"abc"}}, {"variants": [graph]})
    assert named(comparison.assets) == {"words.txt": ("3 bytes", None)}
    comparison = hub.compare(tmp_path / "b", tmp_path / "b")
    assert comparison.is_same
    assert "'words.txt' is listed but not there" in comparison.problems[0]


def test_other_files_and_not_what_hangs_readers(tmp_path):
    a = write_module(tmp_path / "a", files={"README": b"1", "sub/x": b"1", "same": b"1"})
    b = write_module(tmp_path / "b", files={"README": b"2", "y": b"", "same": b"1"})
    os.mkfifo(a / "pipe")
    assert named(hub.compare(a, b).other_files) == {
        "README": ("1 byte", "1 byte, other contents"),
        "sub/x": ("1 byte", None),
        "y": (None, "0 bytes"),
    }


def test_all_is_plain_data(tmp_path):
    graph = with_signature()
    values = {"w": np.array([1.0, np.nan]), "s": np.array([b"x"], object)}
    comparison = compared(
        tmp_path, {"variants": [graph], "values": values}, {"values": {"w": np.zeros(2), "v": np.ones(1)}}
    )
    plain = json.loads(json.dumps(comparison.as_dict(), allow_nan=False))
    assert plain["same"] is False
    assert [each["status"] for each in plain["variables"]] == ["only_in_a", "only_in_b", "changed"]
    assert plain["variables"][2]["difference"]["not_finite_a"] == 1


def test_a_missing_checkpoint_is_a_problem_and_the_rest_is_compared(tmp_path):
    graph = variant(node("w"), variables=[definition("w")])
    comparison = compared(
        tmp_path, {"variants": [graph], "values": {"w": np.ones(2)}}, {"variants": [graph], "files": {"x": b""}}
    )
    assert comparison.variables == ()
    assert named(comparison.other_files) == {"x": (None, "0 bytes")}
    assert "The variables are not compared: there is no checkpoint here" in comparison.problems[0]


def test_modules_without_variables_need_no_checkpoint(tmp_path):
    assert compared(tmp_path, {}, {"values": {}}).problems == ()


def test_a_variable_that_cannot_be_read_is_a_problem_of_its_own(tmp_path):
    values = {"a": np.ones(4), "b": np.ones(4), "c": np.ones(400)}
    paths = [write_module(tmp_path / name, values=values) for name in "ab"]
    data = paths[1] / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:100])
    comparison = hub.compare(*paths)
    assert [each.status for each in comparison.variables] == ["same", "same", "unread"]
    assert "the file ends at byte 100, inside the 3200 bytes of 'c'" in comparison.problems[0]


@pytest.mark.parametrize("damaged", [b"\x01" * 8, None])
def test_damaged_bytes_are_told_by_the_checksums(tmp_path, damaged):
    paths = [
        write_module(tmp_path / name, values={"w": np.zeros(1) if name == "a" or damaged else np.ones(1)})
        for name in "ab"
    ]
    data = paths[1] / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(damaged or bytes(8))
    [problem] = hub.compare(*paths).problems
    assert "checksums" in problem
    assert "tf1hub verify" in problem


def test_what_is_no_module_is_refused(tmp_path):
    path = write_module(tmp_path / "a")
    with pytest.raises(MissingModuleError):
        hub.compare(path, tmp_path / "b")
    with pytest.raises(UnsupportedHandleError):
        hub.compare(path, "gs://bucket/module")
    (path / "saved_model.pb").write_bytes(b"\xff")
    with pytest.raises(CorruptModuleError):
        hub.compare(path, path)
