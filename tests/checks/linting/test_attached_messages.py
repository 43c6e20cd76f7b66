"""What is said of attached messages that are not of their key's type."""

import pytest

import tf1hub as hub
from tests.checks.comparison_modules import variant, write_module
from tests.graph.graphs import FLOAT, node, shape
from tf1hub.format import protos


def findings_of(tmp_path, *attached, size=(None, None)):
    """What is said of a module with a signature of images, and with messages as (key, bytes)."""
    graph = variant(node("images", "Placeholder"), tags=("train",))
    sizes = [-1, *(-1 if side is None else side for side in size), 3]
    info = protos.TensorInfo(name="images:0", dtype=FLOAT, tensor_shape=shape(sizes))
    graph.signature_def["default"].inputs["images"].CopyFrom(info)
    messages = graph.collection_def["hub_module_attachments"].bytes_list.value
    for key, value in attached:
        messages.append(protos.ModuleAttachment(key=key, value=value).SerializeToString())
    path = write_module(tmp_path / "m", graph)
    return [(each.tags, each.reason) for each in hub.lint(path, select=["attached-message-malformed"]).findings]


def info(**size):
    return protos.ImageModuleInfo(default_image_size=size).SerializeToString()


def test_bytes_that_do_not_parse_are_told_with_their_key(tmp_path):
    [(tags, reason)] = findings_of(tmp_path, ("image_module_info", b"\x0a\xff"))
    assert tags == ("train",)
    assert reason == (
        "The message that is attached as 'image_module_info' (2 bytes) is no ImageModuleInfo, which is what everyone"
        " reads it as."
    )


def test_fields_that_the_type_does_not_have_are_another_message(tmp_path):
    [(_, reason)] = findings_of(tmp_path, ("image_module_info", b"\x12\x03abc"))
    assert "is no ImageModuleInfo" in reason


@pytest.mark.parametrize("size", [{"height": 8}, {"width": 8}, {"height": 0, "width": 0}, {"height": -1, "width": 8}])
def test_a_size_of_nothing_is_none(tmp_path, size):
    [(_, reason)] = findings_of(tmp_path, ("image_module_info", info(**size)))
    assert f"is {size.get('height', 0)} x {size.get('width', 0)} pixels" in reason


def test_a_message_without_a_size_needs_a_shape_that_tells_it(tmp_path):
    [(_, reason)] = findings_of(tmp_path, ("image_module_info", b""))
    assert "the shape of 'images' in the signature 'default' does not tell it" in reason
    (tmp_path / "other").mkdir()
    assert findings_of(tmp_path / "other", ("image_module_info", b""), size=(8, 8)) == []


def test_a_message_without_a_key_is_found_by_its_place(tmp_path):
    [(_, reason)] = findings_of(tmp_path, ("mine", b"x"), ("", b"x"))
    assert reason.startswith("The attached message number 2 (3 bytes) has no key that can be read")


def test_other_keys_are_their_publishers_business(tmp_path):
    assert findings_of(tmp_path, ("mine", b"\xff"), ("image_module_info", info(height=8, width=8))) == []
