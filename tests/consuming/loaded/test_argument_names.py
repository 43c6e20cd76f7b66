"""Arguments for inputs of any name."""

import pytest

from tf1hub.consuming.loaded.argument_names import argument_names


@pytest.mark.parametrize(
    ("inputs", "arguments"),
    [
        (["x", "images", "a1"], ["x", "images", "a1"]),
        (["a/b", "a b", "Image.x-2"], ["a_b", "a_b_", "Image_x_2"]),
        (["a/b", "a_b"], ["a_b_", "a_b"]),
        (["$", "0", "_x", ""], ["arg__", "arg_0", "arg__x", "arg_"]),
        (["class", "self", "cls", "None"], ["class_", "self_", "cls_", "None_"]),
        (["größe", "n"], ["größe", "n"]),
    ],
)
def test_each_input_has_an_argument_of_its_own(inputs, arguments):
    assert argument_names(inputs) == dict(zip(inputs, arguments, strict=True))
