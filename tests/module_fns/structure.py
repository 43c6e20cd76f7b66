"""Kinds of graph structure: devices, colocation, scopes, modules within modules."""

from typing import Any

import tensorflow.compat.v1 as tf

from tests.module_fns.registry import KINDS, as_tensors, assign_values, kind, new_path, numbers

ROWS = {"default": {"default": numbers(2, 3)}}


@kind(inputs=ROWS, trains=True)
def colocated(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3])
        w = tf.get_variable("w", [3])
        with tf.colocate_with(w):
            doubled = w * 2.0
        with tf.colocate_with(doubled):
            tripled = doubled * 1.5
        with tf.colocate_with(w.op):
            v = tf.get_variable("v", [3])
        hub.add_signature(inputs=x, outputs=x * tripled + v)

    return module_fn, None, None


@kind(inputs=ROWS, trains=True)
def on_devices(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3])
        with tf.device("/device:CPU:0"):
            w = tf.get_variable("w", [3])
        with tf.device("/device:CPU:1"):
            v = tf.get_variable("v", [3])
            y = x * w
        with tf.device("/device:GPU:7"):
            z = y + v
        hub.add_signature(inputs=x, outputs=z)

    return module_fn, None, None


@kind(inputs=ROWS, trains=True)
def scopes(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3], name="module/x")
        with tf.variable_scope("outer"), tf.name_scope("named"):
            w = tf.get_variable("w", [3])
            y = tf.multiply(x, w, name="product")
        with tf.variable_scope("outer", reuse=True):
            again = tf.get_variable("w", [3])
        with tf.variable_scope(None, default_name="outer"):
            other = tf.get_variable("w", [3])
        hub.add_signature(inputs=x, outputs=tf.identity(y + again + other, name="outer/named/product/y"))

    return module_fn, None, None


@kind(inputs=ROWS, trains=True)
def nested(hub: Any) -> tuple:
    """Two instances of one module within another, one of them trained."""

    def module_fn():
        spec = KINDS["several_outputs"].spec(hub)
        x = tf.placeholder(tf.float32, [None, 3])
        trained = hub.Module(spec, name="trained", trainable=True)
        fixed = hub.Module(spec)
        scale = tf.get_variable("scale", [2])
        hub.add_signature(inputs=x, outputs=trained(x) * scale + fixed(x) + fixed(x + 1.0))

    return module_fn, None, None


@kind(inputs={"default": {"default": ["the cat", "a mat", ""]}}, trains=True)
def nested_with_assets(hub: Any) -> tuple:
    """Two instances of one module with a vocabulary, read from disk."""
    path = _exported(hub, "text")

    def module_fn():
        sentences = tf.placeholder(tf.string, [None])
        trained = hub.Module(path, trainable=True, name="outer/text")
        fixed = hub.Module(path, name="fixed")
        hub.add_signature(inputs=sentences, outputs=tf.concat([trained(sentences), fixed(sentences)], 1))

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(4, 3)}}, trains=True)
def nested_with_regularizers_and_updates(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3])
        regularized = hub.Module(KINDS["regularized"].spec(hub), trainable=True, name="regularized")
        normalised = hub.Module(KINDS["batch_norm"].spec(hub), trainable=True, tags={"train"}, name="norm")
        hub.add_signature(inputs=x, outputs=tf.concat([regularized(x), normalised(x)], axis=1))

    return module_fn, None, None


@kind(inputs={"default": {"x": numbers(2, 3)}}, trains=True)
def nested_with_control_flow(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3])
        loop = hub.Module(KINDS["while_v1"].spec(hub), trainable=True)
        hub.add_signature(inputs={"x": x}, outputs=loop({"x": x, "n": 2}))

    return module_fn, None, None


def _exported(hub: Any, name: str) -> str:
    path = new_path(name)
    kind_ = KINDS[name]
    with tf.Graph().as_default():
        module = hub.Module(kind_.spec(hub))
        module(as_tensors(kind_.inputs["default"]), as_dict=True)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assign_values(module, session)
            module.export(path, session)
    return path
