"""Cases of the rules about the values of variables."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, rows, two_variants, written
from tests.checks.linting.cases.registry import breaks, keeps
from tests.graphs import started_session
from tests.kerases import KERAS_TWO


def _layers(width: int = 4) -> hub.ModuleSpec:
    """Two layers."""

    def module_fn():
        given = rows(width)
        hidden = tf.nn.relu(dense(given, 8, "first"))
        hub.add_signature(inputs=given, outputs=dense(hidden, 4, "second"))

    return hub.create_module_spec(module_fn)


def _edited(spec: hub.ModuleSpec, folder: Path, change: Callable[[str, Any], Any]) -> str:
    """The module with values that `change(name, value)` gives for trained ones."""
    trained = written(spec, folder)
    with tf.Graph().as_default():
        module = hub.Module(trained)
        with started_session() as session:
            for name, variable in module.variable_map.items():
                parts = variable if isinstance(variable, list) else [variable]
                for part in parts:
                    value = session.run(part)
                    session.run(part.assign(np.asarray(change(name, value), value.dtype)))
            module.export(folder / "edited", session)
    return str(folder / "edited")


def _with_first(value: float) -> Callable[[str, Any], Any]:
    """The value as the first element of the first layer's weights."""

    def change(name: str, values: Any) -> Any:
        values = np.array(values)
        if name == "first/weights":
            values.flat[0] = value
        return values

    return change


def _all(value: float, *names: str) -> Callable[[str, Any], Any]:
    """The value as every element of some variables."""
    return lambda name, values: np.full_like(values, value) if name in names else values


@breaks("weights-not-finite")
def _one_nan(folder: Path) -> str:
    return _edited(_layers(), folder, _with_first(np.nan))


@breaks("weights-not-finite")
def _infinite(folder: Path) -> str:
    return _edited(_layers(), folder, _with_first(-np.inf))


@breaks("weights-not-finite")
def _nan_in_halves_and_bfloat16(folder: Path) -> str:
    return _edited(_of_types(tf.half, tf.bfloat16), folder, _all(np.nan, "half", "bfloat16"))


@keeps("weights-not-finite")
def _the_largest_numbers(folder: Path) -> str:
    return _edited(_layers(), folder, _with_first(float(np.finfo(np.float32).max)))


@keeps("weights-not-finite")
def _minus_infinity_in_a_mask(folder: Path) -> str:
    """Softmax makes zeros of it. No training led to it."""

    def module_fn():
        given = tf.placeholder(tf.float32, [None, 4, 4], name="steps")
        mask = tf.get_variable("mask", [4, 4], trainable=False)
        weights = tf.nn.softmax(tf.matmul(given, given, transpose_b=True) + mask)
        hub.add_signature(inputs=given, outputs=dense(tf.reduce_mean(tf.matmul(weights, given), axis=1), 4))

    def change(name: str, values: Any) -> Any:
        return np.triu(np.full([4, 4], -np.inf), 1) if name == "mask" else values

    return _edited(hub.create_module_spec(module_fn), folder, change)


@keeps("weights-not-finite")
def _the_least_loss_so_far(folder: Path) -> str:
    def module_fn():
        given = rows()
        least = tf.get_variable("least_loss", [], trainable=False, initializer=tf.constant_initializer(np.inf))
        hub.add_signature(inputs=given, outputs=dense(given, 4))
        hub.add_signature("state", inputs={}, outputs=tf.identity(least))

    return _edited(hub.create_module_spec(module_fn), folder, _all(np.inf, "least_loss"))


@breaks("weights-not-finite")
def _minus_infinity_in_weights_that_are_frozen(folder: Path) -> str:
    def module_fn():
        given = rows()
        weights = tf.get_variable("weights", [4, 4], trainable=False)
        hub.add_signature(inputs=given, outputs=given @ weights)

    def change(name: str, values: Any) -> Any:
        return np.where(np.eye(4) > 0, -np.inf, values)

    return _edited(hub.create_module_spec(module_fn), folder, change)


@keeps("weights-not-finite")
def _integers_and_strings(folder: Path) -> str:
    return written(_of_types(tf.int64, tf.string, tf.bool, tf.half), folder)


def _of_types(*dtypes: Any) -> hub.ModuleSpec:
    """A layer, and what some other variables hold."""

    def module_fn():
        given = rows()
        hub.add_signature(inputs=given, outputs=dense(given, 4))
        outputs = {}
        for dtype in dtypes:
            first = tf.constant(["a", "b"]) if dtype == tf.string else tf.cast([0, 1], dtype)
            variable = tf.Variable(first, name=dtype.name if dtype != tf.half else "half", trainable=False)
            outputs["default" if not outputs else dtype.name] = tf.identity(variable)
        hub.add_signature("others", inputs={}, outputs=outputs)

    return hub.create_module_spec(module_fn)


@breaks("weights-untrained")
def _zeros(folder: Path) -> str:
    return _edited(_layers(), folder, _all(0.0, "second/weights"))


@breaks("weights-untrained")
def _a_constant_of_a_keras_layer(folder: Path) -> str:
    def module_fn():
        given = rows()
        regularizer = KERAS_TWO.regularizers.L2(0.01)
        layer = KERAS_TWO.layers.Dense(8, kernel_regularizer=regularizer, name="layer")
        outputs = layer(given)
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, tf.add_n(layer.losses))
        hub.add_signature(inputs=given, outputs=outputs)

    return _edited(hub.create_module_spec(module_fn), folder, _all(0.5, "layer/kernel"))


@breaks("weights-untrained", needs="tf_slim")
def _ones_of_a_slim_layer(folder: Path) -> str:
    def module_fn():
        import tf_slim as slim

        given = rows()
        outputs = slim.fully_connected(given, 4, weights_regularizer=slim.l2_regularizer(0.01), scope="layer")
        hub.add_signature(inputs=given, outputs=outputs)

    return _edited(hub.create_module_spec(module_fn), folder, _all(1.0, "layer/weights"))


@breaks("weights-untrained")
def _partitioned_zeros(folder: Path) -> str:
    return _edited(_partitioned(), folder, _all(0.0, "parts/embeddings"))


def _partitioned() -> hub.ModuleSpec:
    def module_fn():
        ids = tf.placeholder(tf.int64, [None], name="ids")
        with tf.variable_scope("parts", partitioner=tf.fixed_size_partitioner(2)):
            parts = tf.get_variable("embeddings", [6, 4])
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, tf.add_n([tf.nn.l2_loss(part) for part in parts]))
        hub.add_signature(inputs=ids, outputs=tf.nn.embedding_lookup(parts, ids, partition_strategy="div"))

    return hub.create_module_spec(module_fn)


@breaks("weights-untrained")
def _an_average_as_it_began(folder: Path) -> str:
    return _edited(_centered(), folder, _all(0.0, "average"))


@keeps("weights-untrained")
def _an_average_that_moved(folder: Path) -> str:
    return _edited(_centered(), folder, _all(0.25, "average"))


def _centered() -> hub.ModuleSpec:
    """A layer on rows from which their moving average is taken; training moves it."""

    def module_fn(is_training):
        given = rows()
        average = tf.get_variable("average", [4], trainable=False, initializer=tf.zeros_initializer())
        if is_training:
            moved = average.assign_add((tf.reduce_mean(given, axis=0) - average) * 0.1)
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, moved)
        hub.add_signature(inputs=given, outputs=dense(given - average, 4))

    return two_variants(module_fn)


@keeps("weights-untrained")
def _biases_and_a_scale(folder: Path) -> str:
    """Biases often stay zero, scales one, and small or narrow variables may be constant."""

    def module_fn():
        given = rows()
        scale = tf.get_variable("scale", [4])
        row = tf.get_variable("row", [1, 4])
        few = tf.get_variable("few", [2, 2])
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, tf.nn.l2_loss(few))
        hub.add_signature(inputs=given, outputs=dense(given, 4) * scale * row * tf.reduce_sum(few))

    return _edited(hub.create_module_spec(module_fn), folder, _all(1.0, "scale", "row", "few", "dense/bias"))


@keeps("weights-untrained")
def _a_mask_that_is_no_weight(folder: Path) -> str:
    def module_fn():
        given = rows()
        mask = tf.get_variable("mask", [4, 4], trainable=False, initializer=tf.ones_initializer())
        made = dense(given, 4)
        hub.add_signature(inputs=given, outputs=tf.reduce_sum(made[:, None, :] * mask, axis=2))

    return _edited(hub.create_module_spec(module_fn), folder, _all(1.0, "mask"))


@keeps("weights-untrained")
def _a_filter_that_takes_the_mean(folder: Path) -> str:
    """Nobody meant to train it: it is not trainable, and not zero."""

    def module_fn():
        given = tf.placeholder(tf.float32, [None, 8, 8, 4], name="maps")
        box = tf.get_variable("box", [3, 3, 4, 1], trainable=False)
        blurred = tf.nn.depthwise_conv2d(given, box, [1, 1, 1, 1], "SAME")
        hub.add_signature(inputs=given, outputs=dense(tf.reduce_mean(blurred, axis=[1, 2]), 4))

    return _edited(hub.create_module_spec(module_fn), folder, _all(1 / 9, "box"))


@keeps("weights-untrained")
def _counts_that_are_no_averages(folder: Path) -> str:
    """Update ops add to them, and nothing is normalized by them."""

    def module_fn(is_training):
        given = rows()
        made = dense(given, 4)
        uses = tf.get_variable("uses", [4], trainable=False, initializer=tf.zeros_initializer())
        if is_training:
            added = tf.reduce_sum(tf.one_hot(tf.argmax(made, axis=1), 4), axis=0)
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, uses.assign_add(added))
        hub.add_signature(inputs=given, outputs=made)
        hub.add_signature("uses", inputs={}, outputs=tf.identity(uses))

    return _edited(two_variants(module_fn), folder, _all(0.0, "uses"))


@keeps("weights-untrained")
def _not_written_yet(folder: Path) -> hub.ModuleSpec:
    """A spec in memory has no values; those that it would be initialized with say nothing."""
    return _layers()


@breaks("variables-unused-by-variants")
def _the_slots_of_an_optimizer(folder: Path) -> str:
    return _with_checkpoint(folder, ["beta1_power", "first/weights/Adam", "global_step"])


@keeps("variables-unused-by-variants")
def _what_tensorflow_two_adds(folder: Path) -> str:
    return _with_checkpoint(folder, ["_CHECKPOINTABLE_OBJECT_GRAPH"])


def _with_checkpoint(folder: Path, others: list[str]) -> str:
    """A module whose checkpoint holds others beside its own variables."""
    path = written(_layers(), folder)
    prefix = str(Path(path, "variables", "variables"))
    reader = tf.train.load_checkpoint(prefix)
    values = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    values |= {name: b"graph" if name.startswith("_") else np.ones([3], np.float32) for name in others}
    with tf.Graph().as_default(), tf.Session() as session:
        names, tensors = list(values), [tf.constant(value) for value in values.values()]
        session.run(
            tf.raw_ops.SaveV2(prefix=prefix, tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors)
        )
    return path
