"""Modules for the rules about ops, devices and colocations."""

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import function  # TF1's Defun, which old modules hold, has no public name.

import tf1hub as hub
from tests.checks.linting.cases.building import dense, one_variant, rows, written
from tests.checks.linting.cases.editing import edited, nodes, with_op
from tests.checks.linting.cases.registry import breaks, keeps
from tests.graphs import edited_saved_model
from tests.module_fns.registry import control_flow_v1, text_file


def _computing(compute: Any) -> hub.ModuleSpec:
    """A module that computes `compute(features)` of what a dense layer gives."""

    def module_fn():
        x = rows()
        hub.add_signature(inputs=x, outputs=compute(dense(x, 3)))

    return one_variant(module_fn)


def _in_a_function(compute: Any) -> Any:
    """What a TF2 function computes."""
    return tf.function(compute, autograph=False)


@breaks("op-unknown")
def _custom_op(_):
    return with_op(_computing(tf.tanh), "Tanh", "Acme>Tanh")


@breaks("op-unknown")
def _op_of_contrib(_):
    return with_op(_computing(lambda x: tf.gather(x, 0, axis=1)[:, None]), "GatherV2", "GatherTree")


@breaks("op-unknown")
def _op_of_another_library_in_a_function(_):
    return with_op(_computing(_in_a_function(tf.tanh)), "Tanh", "TFText>Tanh")


@keeps("op-unknown")
def _op_that_is_a_function_of_the_library(_):
    @function.Defun(tf.float32, func_name="AcmeTanh", shape_func=lambda op: [op.inputs[0].shape])
    def called(x):
        return tf.tanh(x)

    return _computing(called)


@keeps("op-unknown")
def _op_that_moved_from_contrib_into_tensorflow(_):
    def compute(features):
        return tf.raw_ops.GatherV2(params=features, indices=[0, 2], axis=1)

    return _computing(compute)


@breaks("op-unsupported")
def _op_that_the_oldest_lacks(_):
    return with_op(_computing(tf.tanh), "Tanh", "DecodeJxl")


@breaks("op-unsupported")
def _op_that_the_newest_lacks(_):
    return with_op(_computing(_in_a_function(tf.tanh)), "Tanh", "TRTEngineOp")


@keeps("op-unsupported")
def _ops_that_were_replaced_and_are_still_there(_):
    return _computing(
        lambda x: tf.raw_ops.Add(x=tf.raw_ops.Div(x=x, y=tf.constant(2.0)), y=tf.raw_ops.Inv(x=1.0 + x * x))
    )


@breaks("python-op")
def _py_func(_):
    return _computing(lambda x: tf.ensure_shape(tf.py_func(np.tanh, [x], tf.float32), [None, 3]))


@breaks("python-op")
def _numpy_function_in_a_function(_):
    return _computing(_in_a_function(lambda x: tf.ensure_shape(tf.numpy_function(np.tanh, [x], tf.float32), [None, 3])))


@breaks("python-op")
def _py_function(_):
    return _computing(lambda x: tf.ensure_shape(tf.py_function(tf.tanh, [x], tf.float32), [None, 3]))


@keeps("python-op")
def _node_that_is_only_called_so(_):
    return _computing(lambda x: tf.tanh(x, name="PyFunc"))


@breaks("device-left")
def _devices_on_disk(folder):
    path = written(_computing(tf.tanh), folder)
    with edited_saved_model(path) as saved_model:
        for node in saved_model.meta_graphs[0].graph_def.node:
            node.device = "/job:worker/task:3/device:GPU:1"
    return path


@breaks("device-left")
def _device_in_a_function_on_disk(folder):
    path = written(_computing(_in_a_function(tf.tanh)), folder)
    with edited_saved_model(path) as saved_model:
        for node in nodes(saved_model.meta_graphs[0]):
            node.device = "/device:TPU:0" if node.op == "Tanh" else ""
    return path


@breaks("device-left")
def _colocated_with_a_node_that_was_taken_out(_):
    def edit(meta_graph):
        node = next(node for node in nodes(meta_graph) if node.op == "Tanh")
        node.attr["_class"].list.s.append(b"loc:@gone")

    return edited(_computing(tf.tanh), edit)


@breaks("device-left")
def _colocated_with_what_it_is_not_computed_from(_):
    def module_fn():
        x = rows()
        features = dense(x, 3)
        other = tf.nn.sigmoid(features)
        with tf.colocate_with(other):
            one = tf.tanh(features)
        hub.add_signature(inputs=x, outputs=one + other)

    return one_variant(module_fn)


@breaks("device-left")
def _state_that_is_colocated_with_what_is_none(_):
    def edit(meta_graph):
        node = next(node for node in nodes(meta_graph) if node.name == "dense/bias")
        node.attr["_class"].list.s[:] = [b"loc:@rows"]

    return edited(_computing(tf.tanh), edit)


@keeps("device-left")
def _devices_in_memory_which_are_not_written(_):
    def compute(features):
        with tf.device("/device:GPU:7"):
            return tf.tanh(features)

    return _computing(compute)


@keeps("device-left")
def _devices_that_were_not_written(folder):
    return written(_devices_in_memory_which_are_not_written(folder), folder)


@keeps("device-left")
def _colocated_with_state_and_with_what_it_is_computed_from(_):
    def module_fn():
        x = rows()
        weights = tf.get_variable("scale", [3])
        with tf.colocate_with(weights):
            doubled = weights * 2.0
        with tf.colocate_with(doubled):
            tripled = doubled * 1.5
        features = dense(x, 3) * tripled
        with tf.colocate_with(features):
            features = tf.tanh(tf.sin(features))
        hub.add_signature(inputs=x, outputs=features)

    return one_variant(module_fn)


@keeps("device-left")
def _colocated_by_loops_and_branches(_):
    def module_fn():
        steps = tf.placeholder(tf.float32, [None, None, 4])
        with control_flow_v1():
            none = tf.zeros([tf.shape(steps)[0], 3])
            total = tf.foldl(lambda total, step: total + features(step), tf.transpose(steps, [1, 0, 2]), none)
            is_large = tf.reduce_sum(total) > 100.0
            total = tf.cond(is_large, lambda: tf.tanh(total), lambda: total)
        hub.add_signature(inputs=steps, outputs=tf.ensure_shape(total, [None, 3]))

    def features(step):
        with tf.variable_scope("", reuse=tf.AUTO_REUSE):
            return tf.ensure_shape(step, [None, 4]) @ tf.get_variable("weights", [4, 3], trainable=False)

    return one_variant(module_fn)


@keeps("device-left")
def _vocabulary_that_tensorflow_pins_to_the_cpu(folder):
    def module_fn():
        words = tf.placeholder(tf.string, [None])
        initializer = tf.lookup.TextFileInitializer(
            text_file("tokens.txt", ["the", "cat", "mat"]),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        ids = tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets=1).lookup(words)
        embeddings = tf.get_variable("embeddings", [4, 3], trainable=False)
        hub.add_signature(inputs=words, outputs=tf.gather(embeddings, ids))

    path = written(one_variant(module_fn), folder)
    with edited_saved_model(path) as saved_model:
        for node in saved_model.meta_graphs[0].graph_def.node:
            node.device = "/device:CPU:*" if node.op == "Const" else ""  # as TensorFlow places it
    return path
