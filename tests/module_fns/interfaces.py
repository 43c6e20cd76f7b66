"""Kinds of signatures: names, keys, several of them, none or constant inputs, sparse, ragged, attachments."""

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from tests.module_fns.registry import kind, numbers

SPARSE = tf.SparseTensorValue(
    indices=np.array([[0, 1], [2, 0], [2, 3]], np.int64),
    values=np.array([1.0, 2.0, 3.0], np.float32),
    dense_shape=np.array([3, 4], np.int64),
)
RAGGED = tf.ragged.RaggedTensorValue(
    values=np.array([1.0, 2.0, 3.0, 4.0], np.float32), row_splits=np.array([0, 3, 3, 4], np.int64)
)


@kind(inputs={"default": {"default": numbers(4, 3)}}, trains=True)
def dense(hub: Any) -> tuple:
    def module_fn():
        inputs = tf.placeholder(tf.float32, [None, 3])
        kernel = tf.get_variable("kernel", [3, 2])
        bias = tf.get_variable("bias", [2], initializer=tf.zeros_initializer())
        hub.add_signature(inputs=inputs, outputs=tf.nn.tanh(tf.matmul(inputs, kernel) + bias))

    return module_fn, None, None


@kind(
    inputs={
        "default": {"default": numbers(2, 3)},
        "full-projection": {"x": numbers(5, 3, seed=1)},
        "add": {"a": numbers(3, seed=2), "b": numbers(3, seed=3)},
    },
    trains=True,
)
def several_signatures(hub: Any) -> tuple:
    def module_fn():
        kernel = tf.get_variable("projection/kernel", [3, 2])
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        hub.add_signature(inputs=x, outputs=tf.matmul(x, kernel))
        y = tf.placeholder(tf.float32, [None, 3], name="y")
        hub.add_signature("full-projection", inputs={"x": y}, outputs=tf.nn.relu(tf.matmul(y, kernel)))
        a, b = tf.placeholder(tf.float32, [3]), tf.placeholder(tf.float32, [3])
        hub.add_signature("add", inputs={"a": a, "b": b}, outputs={"default": a + b, "scaled": (a - b) * kernel[0, 0]})

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(4, 3)}}, trains=True)
def several_outputs(hub: Any) -> tuple:
    def module_fn():
        inputs = tf.placeholder(tf.float32, [None, 3])
        hidden = tf.nn.relu(tf.matmul(inputs, tf.get_variable("hidden/w", [3, 5])), name="hidden_relu")
        outputs = tf.matmul(hidden, tf.get_variable("output/w", [5, 2]))
        split_first, split_second = tf.split(hidden, [2, 3], axis=1)
        hub.add_signature(
            inputs=inputs,
            outputs={"default": outputs, "hidden": hidden, "first": split_first, "second": split_second},
        )

    return module_fn, None, None


@kind(
    inputs={"default": {"$": numbers(2), "a/b": numbers(2, seed=1), "0": numbers(2, seed=2)},
            "Image.features-2_x": {"a b": numbers(2)}}
)  # fmt: skip
def odd_keys(hub: Any) -> tuple:
    def module_fn():
        scale = tf.get_variable("scale", [])
        keys = ["$", "a/b", "0"]
        inputs = {key: tf.placeholder(tf.float32, [2], name=f"in_{place}") for place, key in enumerate(keys)}
        outputs = {key: inputs[key] * scale for key in keys}
        hub.add_signature(inputs=inputs, outputs={**outputs, "default": tf.add_n(list(inputs.values()))})
        other = tf.placeholder(tf.float32, [2])
        hub.add_signature("Image.features-2_x", inputs={"a b": other}, outputs={"out put": other + scale})

    return module_fn, None, None


@kind(
    inputs={"resnet_v2_50/block1": {"default": numbers(2, 2)}},
    trains=True,
    predecessor_fails="it cannot apply a signature whose name holds a slash in a module with variables",
)
def signature_with_a_slash(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 2])
        hub.add_signature("resnet_v2_50/block1", inputs=x, outputs=x * tf.get_variable("scale", []))

    return module_fn, None, None


@kind(inputs={"default": {}})
def no_inputs(hub: Any) -> tuple:
    def module_fn():
        table = tf.get_variable("table", [4, 2])
        hub.add_signature(outputs={"default": table * 2.0, "constant": tf.constant([1, 2, 3])})

    return module_fn, None, None


@kind(inputs={"default": {"default": [3.0, 4.0]}})
def constant_inputs(hub: Any) -> tuple:
    def module_fn():
        inputs = tf.constant([1.0, 2.0], name="inputs")
        hub.add_signature(inputs=inputs, outputs=inputs * tf.get_variable("w", [2]))

    return module_fn, None, None


@kind(inputs={"default": {"x": numbers(2, 2), "rate": 0.5}}, trains=True)
def placeholders_with_defaults(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 2])
        rate = tf.placeholder_with_default(2.0, [])
        hub.add_signature(inputs={"x": x, "rate": rate}, outputs=x * rate * tf.get_variable("w", [2]))

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(2, 2)}})
def passed_through(hub: Any) -> tuple:
    """Outputs that are an input, a variable's value, or a constant."""

    def module_fn():
        inputs = tf.placeholder(tf.float32, [None, 2])
        variable = tf.get_variable("v", [3])
        outputs = {"default": inputs, "variable": variable.read_value(), "constant": tf.constant(5)}
        hub.add_signature(inputs=inputs, outputs=outputs)

    return module_fn, None, None


@kind(inputs={"default": {"default": SPARSE}}, trains=True)
def sparse_in(hub: Any) -> tuple:
    def module_fn():
        inputs = tf.sparse_placeholder(tf.float32, [None, 4])
        kernel = tf.get_variable("kernel", [4, 2])
        hub.add_signature(inputs=inputs, outputs=tf.sparse_tensor_dense_matmul(inputs, kernel))

    return module_fn, None, None


@kind(inputs={"default": {"ids": SPARSE, "factor": 3.0}})
def sparse_in_and_out(hub: Any) -> tuple:
    def module_fn():
        ids = tf.sparse_placeholder(tf.float32)
        factor = tf.placeholder(tf.float32, [])
        scaled = tf.SparseTensor(ids.indices, ids.values * factor * tf.get_variable("w", []), ids.dense_shape)
        outputs = {"default": scaled, "same": ids, "dense": tf.sparse_reduce_sum(scaled)}
        hub.add_signature(inputs={"ids": ids, "factor": factor}, outputs=outputs)

    return module_fn, None, None


@kind(inputs={"default": {"default": RAGGED}}, trains=True)
def ragged_in(hub: Any) -> tuple:
    def module_fn():
        inputs = tf.ragged.placeholder(tf.float32, ragged_rank=1)
        hub.add_signature(inputs=inputs, outputs=tf.reduce_sum(inputs, axis=1) * tf.get_variable("w", []))

    return module_fn, None, None


@kind(inputs={"default": {"rows": RAGGED, "offset": 1.5}})
def ragged_in_and_out(hub: Any) -> tuple:
    def module_fn():
        rows = tf.ragged.placeholder(tf.float32, ragged_rank=1, value_shape=[])
        offset = tf.placeholder(tf.float32, [])
        moved = rows + offset * tf.get_variable("w", [])
        outputs = {"default": moved, "lengths": rows.row_lengths()}
        hub.add_signature(inputs={"rows": rows, "offset": offset}, outputs=outputs)

    return module_fn, None, None


@kind(inputs={"default": {"images": numbers(1, 4, 6, 3)}}, trains=True)
def image(hub: Any) -> tuple:
    def module_fn():
        images = tf.placeholder(tf.float32, [None, 4, 6, 3])
        filters = tf.get_variable("conv/w", [2, 2, 3, 2])
        features = tf.nn.conv2d(images, filters, strides=[1, 1, 1, 1], padding="SAME")
        hub.add_signature(inputs={"images": images}, outputs=tf.reduce_mean(features, axis=[1, 2]))
        hub.attach_image_module_info(hub.ImageModuleInfo())

    return module_fn, None, None


@kind(inputs={"default": {"images": numbers(1, 4, 6, 1)}})
def image_of_declared_size(hub: Any) -> tuple:
    def module_fn():
        images = tf.placeholder(tf.float32, [None, None, None, 1])
        hub.add_signature(inputs={"images": images}, outputs=tf.reduce_mean(images, axis=[1, 2]))
        info = hub.ImageModuleInfo()
        info.default_image_size.height = 4
        info.default_image_size.width = 6
        hub.attach_image_module_info(info)

    return module_fn, None, None


@kind(
    inputs={"default": {"default": numbers(2)}},
    attachments={"numbers": tf.train.Int64List, "words": tf.train.BytesList},
)
def attached_messages(hub: Any) -> tuple:
    def module_fn():
        inputs = tf.placeholder(tf.float32, [2])
        hub.add_signature(inputs=inputs, outputs=inputs + 1.0)
        hub.attach_message("numbers", tf.train.Int64List(value=[1, 2, 3]))
        hub.attach_message("words", tf.train.BytesList(value=[b"a", b"\xff\x00"]))

    return module_fn, None, None


@kind(inputs={"default": {"x": numbers(3), "n": [1, 2], "s": [b"a", b"bc"], "b": [True, False],
                          "h": numbers(2, dtype=np.float16), "d": numbers(2, dtype=np.float64),
                          "l": np.array([5, 6], np.int64)}})  # fmt: skip
def inputs_of_all_types(hub: Any) -> tuple:
    def module_fn():
        types = {"x": tf.float32, "n": tf.int32, "s": tf.string, "b": tf.bool, "h": tf.half, "d": tf.double,
                 "l": tf.int64}  # fmt: skip
        inputs = {key: tf.placeholder(dtype, [None]) for key, dtype in types.items()}
        hub.add_signature(inputs=inputs, outputs={key: tf.tile(inputs[key], [2]) for key in types})

    return module_fn, None, None
