"""Cases of the rule about attached messages."""

from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, rows, written
from tests.checks.linting.cases.registry import breaks, keeps
from tests.graphs import edited_saved_model

RULE = "attached-message-malformed"


def _features(attach: Any, size: tuple[int | None, int | None] = (8, 8)) -> hub.ModuleSpec:
    """Feature vectors of images; `attach` attaches messages."""

    def module_fn():
        images = tf.placeholder(tf.float32, [None, *size, 3], name="images")
        features = dense(tf.reduce_mean(images, axis=[1, 2]), 4)
        for name in (None, "image_feature_vector"):
            hub.add_signature(name, inputs={"images": images}, outputs=features)
        attach()

    return hub.create_module_spec(module_fn)


def _info(height: int | None = None, width: int | None = None) -> hub.ImageModuleInfo:
    info = hub.ImageModuleInfo()
    if height is not None:
        info.default_image_size.height = height
    if width is not None:
        info.default_image_size.width = width
    return info


@breaks(RULE)
def _a_message_of_another_type(folder: Path) -> hub.ModuleSpec:
    return _features(lambda: hub.attach_message("image_module_info", tf.train.BytesList(value=[b"224x224"])))


@breaks(RULE)
def _one_that_parses_and_says_nothing(folder: Path) -> str:
    """What it holds is in a field that the type does not have."""
    other = tf.train.Feature(float_list=tf.train.FloatList(value=[224.0]))
    return written(_features(lambda: hub.attach_message("image_module_info", other)), folder)


@breaks(RULE)
def _cut_short(folder: Path) -> str:
    path = written(_features(lambda: hub.attach_image_module_info(_info(8, 8))), folder)
    with edited_saved_model(path) as saved_model:
        attached = saved_model.meta_graphs[0].collection_def["hub_module_attachments"].bytes_list
        attached.value[0] = attached.value[0][:-3]
    return path


@breaks(RULE)
def _another_size_than_that_of_the_input(folder: Path) -> hub.ModuleSpec:
    return _features(lambda: hub.attach_image_module_info(_info(224, 224)))


@keeps(RULE)
def _the_size_of_one_of_two_inputs(folder: Path) -> hub.ModuleSpec:
    def module_fn():
        for name, size in ((None, 8), ("image_feature_vector", 8), ("large", 16)):
            images = tf.placeholder(tf.float32, [None, size, size, 3])
            with tf.variable_scope("features", reuse=tf.AUTO_REUSE):
                features = dense(tf.reduce_mean(images, axis=[1, 2]), 4, regularized=name is None)
            hub.add_signature(name, inputs={"images": images}, outputs=features)
        hub.attach_image_module_info(_info(8, 8))

    return hub.create_module_spec(module_fn)


@breaks(RULE)
def _a_height_without_a_width(folder: Path) -> hub.ModuleSpec:
    return _features(lambda: hub.attach_image_module_info(_info(height=8)))


@keeps(RULE)
def _a_size(folder: Path) -> hub.ModuleSpec:
    return _features(lambda: hub.attach_image_module_info(_info(224, 224)), size=(None, None))


@keeps(RULE)
def _no_size_where_the_shape_tells_it(folder: Path) -> str:
    return written(_features(lambda: hub.attach_image_module_info(_info())), folder)


@keeps(RULE)
def _the_publishers_own_message(folder: Path) -> str:
    def module_fn():
        given = rows()
        hub.add_signature(inputs=given, outputs=dense(given, 4))
        hub.attach_message("words", tf.train.BytesList(value=[b"a", b"\xff\x00"]))

    return written(hub.create_module_spec(module_fn), folder)
