"""What an image module says of its images."""

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import export, spec_of


def image_spec(shape, size=None, name="images"):
    def module_fn():
        images = tf.placeholder(tf.float32, shape)
        hub.add_signature(inputs={name: images}, outputs=tf.identity(images))
        hub.add_signature("other", inputs={"photos": images}, outputs=tf.identity(images))
        if size is not None:
            info = hub.ImageModuleInfo()
            info.default_image_size.height, info.default_image_size.width = size
            hub.attach_image_module_info(info)

    return hub.create_module_spec(module_fn)


@pytest.mark.parametrize("kind", ["image", "image_of_declared_size"])
def test_the_size_comes_from_the_shape_or_the_attached_message(kind, tmp_path):
    for asked in (spec_of(kind), hub.Module(export(spec_of(kind), tmp_path / "module"))):
        assert hub.get_expected_image_size(asked) == [4, 6]


def test_the_attached_size_goes_before_the_shape():
    assert hub.get_expected_image_size(image_spec([None, 8, 9, 3], (4, 6))) == [4, 6]


def test_the_number_of_channels_comes_from_the_shape():
    assert hub.get_num_image_channels(image_spec([None, None, None, 3])) == 3
    assert hub.get_num_image_channels(hub.Module(image_spec([None, 2, 2, 1]))) == 1


def test_another_signature_and_input():
    spec = image_spec([None, 8, 9, 3])
    assert hub.get_expected_image_size(spec, signature="other", input_name="photos") == [8, 9]
    assert hub.get_num_image_channels(spec, signature="other", input_name="photos") == 3


@pytest.mark.parametrize("shape", [None, [None, None, None, None], [None, 8, None, 3], [8, 9, 3]])
def test_a_size_that_nothing_tells(shape):
    with pytest.raises(ValueError, match=r"does not tell height and width.*no ImageModuleInfo is attached"):
        hub.get_expected_image_size(image_spec(shape))


@pytest.mark.parametrize("shape", [None, [None, 8, 8, None], [8, 9, 3]])
def test_a_number_of_channels_that_nothing_tells(shape):
    with pytest.raises(ValueError, match="does not tell the number of channels"):
        hub.get_num_image_channels(image_spec(shape))


@pytest.mark.parametrize("ask", [hub.get_expected_image_size, hub.get_num_image_channels])
def test_a_module_without_images(ask):
    with pytest.raises(ValueError, match=r"'default' has no input 'images'.*It has: \['photo'\]"):
        ask(image_spec([None, 8, 8, 3], name="photo"))
    with pytest.raises(ValueError, match="no signature 'nothing'"):
        ask(image_spec([None, 8, 8, 3]), signature="nothing")
