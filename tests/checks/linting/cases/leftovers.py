"""Modules for the rules about what programs leave in a graph."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, one_variant, rows, two_variants, written
from tests.checks.linting.cases.registry import breaks, keeps
from tests.graphs import edited_saved_model
from tests.module_fns.registry import control_flow_v1, new_path


def _leaving(leave: Any) -> hub.ModuleSpec:
    """A module with a dense layer; `leave(rows, features)` makes more nodes, or returns other outputs."""

    def module_fn():
        x = rows()
        features = dense(x, 3)
        outputs = leave(x, features)
        hub.add_signature(inputs=x, outputs=features if outputs is None else outputs)

    dropped = [
        tf.GraphKeys.SUMMARIES,
        tf.GraphKeys.QUEUE_RUNNERS,
        tf.GraphKeys.GLOBAL_STEP,
        tf.GraphKeys.TRAIN_OP,
    ]
    return hub.create_module_spec(module_fn, drop_collections=dropped)


@breaks("summary-op")
def _histogram_and_scalar(_):
    def leave(_, features):
        tf.summary.histogram("features", features)
        tf.summary.scalar("mean", tf.reduce_mean(tf.nn.softmax(features)))
        tf.summary.merge_all()

    return _leaving(leave)


@breaks("summary-op")
def _summary_in_a_function(_):
    @tf.function(autograph=False)
    def with_summary(features):
        with tf.control_dependencies([tf.raw_ops.HistogramSummary(tag="features", values=features)]):
            return tf.tanh(features)

    return _leaving(lambda _, features: with_summary(features))


@keeps("summary-op")
def _scope_that_is_called_summary(_):
    return _leaving(lambda _, features: tf.reduce_mean(features, 1, keepdims=True, name="summary/HistogramSummary"))


@breaks("queue-op")
def _queue(_):
    def leave(*_):
        queue = tf.queue.FIFOQueue(10, [tf.float32], [[4]])
        queue.enqueue([tf.zeros([4])])
        queue.dequeue_many(2)

    return _leaving(leave)


@breaks("queue-op")
def _reader_of_files(_):
    def leave(*_):
        files = tf.queue.FIFOQueue(10, [tf.string], [[]])
        tf.WholeFileReader().read(files)

    return _leaving(leave)


@breaks("queue-op")
def _iterator_of_a_dataset(_):
    def leave(*_):
        dataset = tf.data.Dataset.from_tensor_slices(np.zeros([8, 4], np.float32)).map(tf.tanh)
        element = {"output_types": [tf.float32], "output_shapes": [[4]]}
        iterator = tf.raw_ops.IteratorV2(shared_name="", container="", **element)
        tf.raw_ops.MakeIterator(dataset=tf.data.experimental.to_variant(dataset), iterator=iterator)
        tf.raw_ops.IteratorGetNext(iterator=iterator, **element)

    return _leaving(leave)


@breaks("queue-op")
def _dataset_that_nothing_uses(_):
    return _leaving(lambda *_: tf.data.Dataset.range(8).batch(2) and None)


@keeps("queue-op")
def _dataset_that_outputs_are_computed_with(_):
    def leave(_, features):
        batched = tf.data.Dataset.from_tensors(features).map(tf.tanh)
        return tf.ensure_shape(tf.data.experimental.get_single_element(batched), [None, 3])

    return _leaving(leave)


@breaks("save-restore-op")
def _saver(_):
    return _leaving(lambda *_: tf.train.Saver() and None)


@breaks("save-restore-op")
def _saver_that_tensorflow_placed_on_the_cpu(folder):
    path = written(_leaving(lambda *_: tf.train.Saver() and None), folder)
    with edited_saved_model(path) as saved_model:
        for node in saved_model.meta_graphs[0].graph_def.node:
            node.device = "/device:CPU:0" if node.name.startswith("save/") else ""
    return path


@breaks("save-restore-op")
def _values_that_are_read_from_a_checkpoint(_):
    def leave(_, features):
        scale = tf.raw_ops.RestoreV2(
            prefix="model.ckpt", tensor_names=["s"], shape_and_slices=[""], dtypes=[tf.float32]
        )
        return features * tf.ensure_shape(scale[0], [3])

    return _leaving(leave)


@keeps("save-restore-op")
def _module_within_a_module(_):
    inner = written(_leaving(lambda _, features: tf.tanh(features)), Path(new_path("inner")).parent)

    def module_fn():
        x = rows()
        hub.add_signature(inputs=x, outputs=hub.Module(inner, trainable=True)(x))

    return one_variant(module_fn)


@keeps("save-restore-op")
def _variables_that_are_initialized_from_a_checkpoint(folder):
    path = written(_leaving(lambda *_: None), folder)

    def leave(*_):
        tf.train.init_from_checkpoint(f"{path}/variables/variables", {"dense/": "dense/"})

    return _leaving(leave)


@breaks("unused-nodes")
def _loss_of_the_training(_):
    def leave(_, features):
        labels = tf.placeholder(tf.int64, [None], name="labels")
        tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=features), name="loss")

    return _leaving(leave)


@breaks("unused-nodes")
def _gradients(_):
    return _leaving(lambda _, features: tf.gradients(tf.tanh(features), tf.trainable_variables()) and None)


@breaks("unused-nodes")
def _keras_activation(_):
    return _leaving(lambda _, features: tf.keras.activations.softmax(features) is None or None)


@keeps("unused-nodes")
def _regularizers_which_tensorflow_calls_twice(_):
    def module_fn():
        x = rows()
        weights = tf.get_variable("weights", [4, 3], regularizer=lambda w: 0.01 * tf.nn.l2_loss(w))
        hub.add_signature(inputs=x, outputs=x @ weights)

    return one_variant(module_fn)


@keeps("unused-nodes")
def _loop_of_which_one_result_is_used(_):
    def leave(_, features):
        with control_flow_v1():
            body = lambda i, y, z: (i + 1, tf.tanh(y), z + y)  # noqa: E731
            return tf.while_loop(lambda i, *_: i < 3, body, [0, features, features])[1]

    return _leaving(leave)


@keeps("unused-nodes")
def _branch_that_another_branch_needs_for_what_is_not_used(_):
    """TensorFlow takes all of a branch or nothing; the later one, which is used, needs the earlier one."""

    def leave(_, features):
        with control_flow_v1():
            switch = tf.placeholder_with_default(False, [])
            both = lambda: (tf.sin(features), tf.cos(features))  # noqa: E731
            first, _ = tf.cond(switch, both, lambda: (features, features))
            return tf.cond(switch, lambda: (tf.tanh(features), tf.exp(first)), lambda: (features, features))[0]

    return _leaving(leave)


@keeps("unused-nodes")
def _shapes_and_assertions_that_nothing_waits_for(_):
    def leave(x, features):
        tf.shape(x)[0] * 2 + 1
        tf.fill(tf.shape(x), 0.5) * 2.0
        tf.Assert(tf.reduce_all(features > -1e9), [features]).mark_used()

    return _leaving(leave)


@keeps("unused-nodes")
def _layers_and_their_metadata(_):
    def module_fn():
        x = rows()
        penalty = lambda w: 0.01 * tf.nn.l2_loss(w)  # noqa: E731
        hidden = tf.layers.dense(x, 5, activation=tf.nn.relu, kernel_regularizer=penalty)
        hub.add_signature(inputs=x, outputs=tf.layers.dense(hidden, 3, kernel_regularizer=penalty))

    return one_variant(module_fn)


@breaks("unused-nodes")
def _second_loop_with_the_same_weights(_):
    def leave(x, features):
        weights = tf.get_variable("recurrent", [3, 3])
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(weights))
        with control_flow_v1():
            first, _ = (
                tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.tanh(y @ weights)), [0, start])[1]
                for start in (features, -features)
            )
        return first

    return _leaving(leave)


@breaks("unused-variables")
def _global_step(_):
    return _leaving(lambda *_: tf.train.get_or_create_global_step() is None or None)


@breaks("unused-variables")
def _variable_that_only_another_is_initialized_with(_):
    def leave(*_):
        first = tf.get_variable("first", [3], trainable=False)
        tf.Variable(first.initial_value * 2.0, name="second", trainable=False)

    return _leaving(leave)


@breaks("unused-variables", also=("unused-nodes",))
def _slots_of_an_optimizer(_):
    """An optimizer makes its slots only with the gradients, which are unused nodes."""

    def leave(_, features):
        tf.train.AdamOptimizer().minimize(tf.reduce_mean(tf.tanh(features)))

    return _leaving(leave)


@keeps("unused-variables")
def _variables_of_update_ops_losses_and_the_other_variant(_):
    def module_fn(is_training):
        x = rows()
        features = dense(x, 3)
        seen = tf.get_variable("seen", [], tf.int64, tf.zeros_initializer(), trainable=False)
        strength = tf.get_variable("strength", [], initializer=tf.ones_initializer(), trainable=False)
        scale = tf.get_variable("scale", [3])
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, strength * tf.nn.l2_loss(scale))
        if is_training:
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_add(seen, 1).op)
            features *= scale
        hub.add_signature(inputs=x, outputs=features)

    return two_variants(module_fn)


@keeps("unused-variables")
def _partitioned_variables(_):
    def module_fn():
        ids = tf.placeholder(tf.int64, [None])
        parts = tf.get_variable("embeddings", [7, 3], partitioner=tf.fixed_size_partitioner(3), trainable=False)
        hub.add_signature(inputs=ids, outputs=tf.nn.embedding_lookup(parts, ids, partition_strategy="div"))

    return one_variant(module_fn)


_LARGE = np.random.RandomState(0).uniform(size=[3, 100_000]).astype(np.float32)


@breaks("large-constant")
def _weights_in_the_graph(_):
    return _leaving(lambda _, features: features @ tf.constant(_LARGE))


@breaks("large-constant")
def _weights_in_a_function(_):
    return _leaving(lambda _, features: tf.function(lambda x: x @ tf.constant(_LARGE))(features))


@breaks("large-constant")
def _initial_value(_):
    return _leaving(lambda _, features: features @ tf.get_variable("frozen", initializer=_LARGE, trainable=False))


@breaks("large-constant")
def _words_in_the_graph(_):
    def module_fn():
        words = tf.placeholder(tf.string, [None])
        keys = [f"a word that is numbered {number}" for number in range(40_000)]
        initializer = tf.lookup.KeyValueTensorInitializer(keys, tf.range(40_000, dtype=tf.int64))
        ids = tf.lookup.StaticHashTable(initializer, default_value=0).lookup(words)
        embeddings = tf.get_variable("embeddings", [40_000, 2], trainable=False)
        hub.add_signature(inputs=words, outputs=tf.gather(embeddings, ids))

    return one_variant(module_fn)


@keeps("large-constant")
def _repeated_value_that_takes_no_room(_):
    return _leaving(lambda _, features: features @ tf.constant(0.5, shape=[3, 100_000]))


@keeps("large-constant")
def _large_variable(_):
    return _leaving(lambda _, features: features @ tf.get_variable("frozen", _LARGE.shape, trainable=False))


class _Claiming:
    """A graph that says it is larger than it is: a real one would take the tests gigabytes of memory."""

    def __init__(self, meta_graph: Any, size: int):
        self._meta_graph = meta_graph
        self._size = size

    def __getattr__(self, name: str) -> Any:
        return (lambda: self._size) if name == "ByteSize" else getattr(self._meta_graph, name)


def _of_bytes(size: int) -> hub.ModuleSpec:
    spec = two_variants(lambda is_training: hub.add_signature(inputs=(x := rows()), outputs=dense(x, 3)))
    for tags in spec.get_tags():
        index = spec.variant(tags)
        index.meta_graph = _Claiming(index.meta_graph, size)  # type: ignore[assignment]
    return spec


@breaks("graph-too-large")
def _two_variants_of_800_megabytes(_):
    return _of_bytes(800_000_000)


@keeps("graph-too-large")
def _two_variants_of_700_megabytes(_):
    return _of_bytes(700_000_000)
