"""Kinds of state: variables of all types, partitioned and reference variables, tables, assets, collections."""

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from tests.module_fns.registry import kind, numbers, text_file

TEXT = {"default": {"default": ["the cat", "a mat", "", "unknown words"]}}


@kind(inputs=TEXT, trains=True)
def text(hub: Any) -> tuple:
    """A vocabulary file, a lookup table and embeddings, as most text modules are."""

    def module_fn():
        vocabulary = text_file("tokens.txt", ["the", "cat", "mat", "a"])
        sentences = tf.placeholder(tf.string, [None])
        initializer = tf.lookup.TextFileInitializer(
            vocabulary, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
        )
        table = tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets=1)
        tokens = tf.strings.split(sentences)
        ids = tf.SparseTensor(tokens.indices, table.lookup(tokens.values), tokens.dense_shape)
        ids, _ = tf.sparse_fill_empty_rows(ids, tf.constant(4, tf.int64))
        embeddings = tf.get_variable("embeddings", [5, 3])
        hub.add_signature(inputs=sentences, outputs=tf.nn.embedding_lookup_sparse(embeddings, ids, None))

    return module_fn, None, None


@kind(inputs=TEXT)
def two_vocabularies(hub: Any) -> tuple:
    """Two assets with the same base name, one of them used twice."""

    def module_fn():
        words = tf.placeholder(tf.string, [None])
        outputs = {}
        for name, folder, lines in [("x", "first", ["a mat", "the cat"]), ("y", "second", ["b", "the cat"])]:
            path = text_file("words.txt", lines, folder)
            outputs[name] = _static_table(path, default=-1).lookup(words)
        outputs["default"] = _static_table(path, default=-7).lookup(words)
        hub.add_signature(inputs=words, outputs=outputs)

    return module_fn, None, None


def _static_table(path: str, default: int) -> Any:
    initializer = tf.lookup.TextFileInitializer(
        path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    return tf.lookup.StaticHashTable(initializer, default)


@kind(inputs={"default": {}})
def asset_read_by_the_graph(hub: Any) -> tuple:
    """An asset that no table uses: the graph reads the file itself."""

    def module_fn():
        path = tf.constant(text_file("notes.txt", ["line one", "line two"]), name="path")
        tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, path)
        hub.add_signature(outputs=tf.read_file(path))

    return module_fn, None, None


@kind(inputs={"default": {"default": ["one", "two", "ten"]}})
def table_of_tensors(hub: Any) -> tuple:
    def module_fn():
        words = tf.placeholder(tf.string, [None])
        initializer = tf.lookup.KeyValueTensorInitializer(["one", "two"], tf.constant([1, 2], tf.int64))
        table = tf.lookup.StaticHashTable(initializer, default_value=-1)
        hub.add_signature(inputs=words, outputs=table.lookup(words))

    return module_fn, None, None


def _partitioned(hub: Any, shape: list[int], partitioner: Any, use_resource: bool = True) -> tuple:
    def module_fn():
        ids = tf.placeholder(tf.int64, [None])
        parts = tf.get_variable("embeddings", shape, partitioner=partitioner, use_resource=use_resource)
        plain = tf.get_variable("plain", [shape[1]])
        hub.add_signature(inputs=ids, outputs=tf.gather(tf.convert_to_tensor(parts), ids) + plain)

    return module_fn, None, None


IDS = {"default": {"default": np.array([0, 6, 3], np.int64)}}


@kind(inputs=IDS, trains=True)
def partitioned_rows(hub: Any) -> tuple:
    return _partitioned(hub, [7, 3], tf.fixed_size_partitioner(3))


@kind(inputs=IDS, trains=True, predecessor_fails="it takes every partition to be one of rows")
def partitioned_columns(hub: Any) -> tuple:
    return _partitioned(hub, [7, 4], tf.fixed_size_partitioner(2, axis=1))


@kind(inputs=IDS, trains=True)
def partitioned_by_size(hub: Any) -> tuple:
    return _partitioned(hub, [7, 3], tf.variable_axis_size_partitioner(max_shard_bytes=24))


@kind(inputs=IDS, trains=True)
def partitioned_references(hub: Any) -> tuple:
    return _partitioned(hub, [7, 3], tf.fixed_size_partitioner(2), use_resource=False)


@kind(inputs=IDS, trains=True)
def partitioned_lookup(hub: Any) -> tuple:
    def module_fn():
        ids = tf.placeholder(tf.int64, [None])
        with tf.variable_scope("text", partitioner=tf.fixed_size_partitioner(2)):
            parts = tf.get_variable("embeddings", [7, 2])
        hub.add_signature(inputs=ids, outputs=tf.nn.embedding_lookup(parts, ids, partition_strategy="div"))

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(2, 3)}}, trains=True)
def reference_variables(hub: Any) -> tuple:
    def module_fn():
        inputs = tf.placeholder(tf.float32, [None, 3])
        kernel = tf.get_variable("kernel", [3, 3], use_resource=False)
        bias = tf.Variable([0.0, 1.0, 2.0], name="bias", use_resource=False)
        hub.add_signature(inputs=inputs, outputs=tf.matmul(inputs, kernel) + bias)

    return module_fn, None, None


@kind(inputs={"default": {}})
def variables_of_all_types(hub: Any) -> tuple:
    def module_fn():
        types = [tf.int32, tf.int64, tf.uint8, tf.half, tf.bfloat16, tf.float32, tf.float64, tf.string, tf.bool]
        outputs = {}
        for dtype in types:
            initial = np.zeros([2]) if dtype != tf.string else [b"", b""]
            initializer = tf.constant_initializer(initial) if dtype != tf.string else None
            if dtype == tf.string:
                variable = tf.Variable(initial, name="string", dtype=dtype, trainable=False)
            else:
                variable = tf.get_variable(dtype.name, [2], dtype, initializer, trainable=False)
            outputs[dtype.name] = tf.identity(variable)
        outputs["bfloat16"] = tf.cast(outputs["bfloat16"], tf.float32)
        outputs["complex64"] = tf.get_variable("complex64", [], tf.complex64, tf.ones_initializer(), trainable=False)
        hub.add_signature(outputs={key: tf.convert_to_tensor(value) for key, value in outputs.items()})

    return module_fn, None, None


@kind(inputs={"default": {"default": 2.0}}, trains=True)
def variables_of_odd_shapes(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [])
        scalar = tf.get_variable("scalar", [])
        empty = tf.get_variable("empty", [0, 3])
        one = tf.get_variable("deep/er/name", [1, 1, 1])
        hub.add_signature(inputs=x, outputs=scalar * x + tf.reduce_sum(empty) + tf.reduce_sum(one))

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(2)}}, trains=True)
def untrained_and_model_variables(hub: Any) -> tuple:
    """Trainable, not trainable, MODEL_VARIABLES, unnamed ones, and one made from another's initial value."""

    def module_fn():
        x = tf.placeholder(tf.float32, [2])
        trained = tf.get_variable("trained", [2])
        fixed = tf.get_variable("fixed", [2], trainable=False)
        keys = [tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES]
        model = tf.get_variable("model", [2], collections=keys, trainable=False)
        both = tf.get_variable("both", [2], collections=[*keys, tf.GraphKeys.TRAINABLE_VARIABLES])
        unnamed = tf.Variable([1.0, 2.0]) + tf.Variable([1.0, 2.0])
        copy = tf.Variable(trained.initial_value * 2.0, name="copy")
        hub.add_signature(inputs=x, outputs=x * trained + fixed + model + both + unnamed + copy)

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(2, 3)}}, trains=True)
def regularized(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3])
        square = tf.get_variable("square", [3, 2], regularizer=lambda w: 0.1 * tf.reduce_sum(w * w))
        absolute = tf.get_variable("absolute", [2], regularizer=lambda w: tf.reduce_sum(tf.abs(w)))
        hub.add_signature(inputs=x, outputs=tf.matmul(x, square) + absolute)

    return module_fn, None, None


@kind(inputs={"default": {"default": numbers(2)}})
def collections_to_drop(hub: Any) -> tuple:
    def module_fn():
        x = tf.placeholder(tf.float32, [2])
        w = tf.get_variable("w", [2])
        tf.summary.histogram("w", w)
        tf.add_to_collection("my_ops", x)
        hub.add_signature(inputs=x, outputs=x * w)

    return module_fn, None, [tf.GraphKeys.SUMMARIES, "my_ops"]
