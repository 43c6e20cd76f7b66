"""Modules that embed texts, that nearly do, and that take strings for something else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, one_variant
from tests.checks.linting.cases.registry import breaks, keeps
from tests.kerases import KERAS_TWO

BUCKETS, WIDTH = 50, 6


def spec_of(texts: Callable[[], Any], embed: Callable[[Any], Any]) -> hub.ModuleSpec:
    """A module with one input of strings."""

    def module_fn():
        inputs = texts()
        hub.add_signature(inputs={"texts": inputs}, outputs=embed(inputs))

    return one_variant(module_fn)


def texts(shape: Any = (None,)) -> Any:
    return tf.placeholder(tf.string, shape, name="texts")


def table() -> Any:
    embeddings = tf.get_variable("embeddings", [BUCKETS, WIDTH])
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(embeddings))
    return embeddings


def bag_of_words(sentences: Any) -> Any:
    """One vector for each text: the mean of its words'."""
    tokens = tf.string_split(sentences)
    ids = tf.SparseTensor(tokens.indices, tf.string_to_hash_bucket_fast(tokens.values, BUCKETS), tokens.dense_shape)
    return tf.nn.embedding_lookup_sparse(table(), tf.sparse_fill_empty_rows(ids, tf.constant(0, tf.int64))[0], None)


def whole_text(sentences: Any) -> Any:
    """A vector for each string, whatever the shape."""
    return tf.gather(table(), tf.string_to_hash_bucket_fast(sentences, BUCKETS))


@breaks("text-signature")
def _float64_vectors(folder: Path) -> Any:
    return spec_of(texts, lambda sentences: tf.cast(bag_of_words(sentences), tf.float64))


@breaks("text-signature")
def _tokens_instead_of_texts(folder: Path) -> Any:
    return spec_of(lambda: texts([None, None]), lambda tokens: tf.reduce_mean(whole_text(tokens), 1))


@breaks("text-signature")
def _a_vector_for_each_word(folder: Path) -> Any:
    def embed(sentences):
        words = tf.sparse_tensor_to_dense(tf.string_split(sentences), default_value="")
        return whole_text(words)

    return spec_of(texts, embed)


@breaks("text-signature")
def _one_text_at_a_time(folder: Path) -> Any:
    return spec_of(lambda: texts([]), whole_text)


@breaks("text-signature")
def _width_lost_in_a_reshape(folder: Path) -> Any:
    def embed(sentences):
        vectors = whole_text(tf.expand_dims(sentences, 1))
        return tf.reshape(vectors, tf.stack([tf.shape(sentences)[0], -1]))

    return spec_of(texts, embed)


@breaks("text-signature")
def _hyperparameter_in_the_default_signature(folder: Path) -> Any:
    def module_fn():
        inputs = {"texts": texts(), "scale": tf.placeholder_with_default(1.0, [], name="scale")}
        hub.add_signature(inputs=inputs, outputs=bag_of_words(inputs["texts"]) * inputs["scale"])

    return one_variant(module_fn)


@breaks("text-signature")
def _sparse_words(folder: Path) -> Any:
    def embed(words):
        ids = tf.SparseTensor(words.indices, tf.string_to_hash_bucket_fast(words.values, BUCKETS), words.dense_shape)
        return tf.nn.embedding_lookup_sparse(table(), ids, None)

    return spec_of(lambda: tf.sparse_placeholder(tf.string, [None, None], name="words"), embed)


@breaks("text-signature")
def _keras_embedding_of_each_word(folder: Path) -> Any:
    def embed(sentences):
        words = tf.sparse_tensor_to_dense(tf.string_split(sentences), default_value="")
        layer = KERAS_TWO.layers.Embedding(BUCKETS, WIDTH)
        vectors = layer(tf.string_to_hash_bucket_fast(words, BUCKETS))
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(layer.embeddings))
        return vectors

    return spec_of(texts, embed)


@keeps("text-signature")
def _words_by_raw_ops(folder: Path) -> Any:
    return spec_of(texts, bag_of_words)


@keeps("text-signature")
def _words_in_a_function(folder: Path) -> Any:
    def embed(sentences):
        embeddings = table()

        @tf.function
        def lookup(strings, rows):
            return tf.ensure_shape(tf.gather(rows, tf.string_to_hash_bucket_fast(strings, BUCKETS)), [None, WIDTH])

        return lookup(sentences, tf.convert_to_tensor(embeddings))

    return spec_of(texts, embed)


@keeps("text-signature")
def _tokens_beside_texts(folder: Path) -> Any:
    def module_fn():
        sentences, tokens = texts(), tf.placeholder(tf.string, [None, None], name="tokens")
        with tf.variable_scope("both", reuse=tf.AUTO_REUSE):
            embeddings = table()
        embed = lambda strings: tf.gather(embeddings, tf.string_to_hash_bucket_fast(strings, BUCKETS))  # noqa: E731
        hub.add_signature(inputs={"texts": sentences}, outputs=embed(sentences))
        hub.add_signature("tokens", inputs={"tokens": tokens}, outputs=tf.reduce_mean(embed(tokens), 1))

    return one_variant(module_fn)


@keeps("text-signature")
def _serialized_examples(folder: Path) -> Any:
    def embed(serialized):
        parsed = tf.parse_example(serialized, {"rows": tf.FixedLenFeature([4], tf.float32)})
        return tf.cast(dense(parsed["rows"], WIDTH), tf.float64)

    return spec_of(texts, embed)


@keeps("text-signature")
def _name_of_a_file(folder: Path) -> Any:
    def embed(path):
        lines = tf.string_split([tf.read_file(path)], "\n").values
        return tf.ensure_shape(whole_text(lines), [None, WIDTH])

    return spec_of(lambda: texts([]), embed)


@keeps("text-signature")
def _encoded_images(folder: Path) -> Any:
    def embed(jpegs):
        def pixels(jpeg):
            return tf.image.resize_images(tf.image.decode_jpeg(jpeg, channels=3), [2, 2])

        rows = tf.reshape(tf.map_fn(pixels, jpegs, tf.float32), [-1, 12])
        return tf.expand_dims(dense(rows, WIDTH), 1)

    return spec_of(texts, embed)


@keeps("text-signature")
def _a_number_for_each_text(folder: Path) -> Any:
    return spec_of(texts, lambda sentences: tf.squeeze(dense(bag_of_words(sentences), 1), 1))


@keeps("text-signature")
def _question_and_context(folder: Path) -> Any:
    def module_fn():
        inputs = {name: tf.placeholder(tf.string, [None], name=name) for name in ("question", "context")}
        hub.add_signature(inputs=inputs, outputs=whole_text(tf.stack([inputs["question"], inputs["context"]], 1)))

    return one_variant(module_fn)


@keeps("text-signature")
def _ids_of_words(folder: Path) -> Any:
    def embed(sentences):
        return tf.string_to_hash_bucket_fast(tf.sparse_tensor_to_dense(tf.string_split(sentences), ""), BUCKETS)

    return spec_of(texts, embed)
