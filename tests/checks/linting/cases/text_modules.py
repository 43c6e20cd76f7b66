"""Modules that look up tokens in a vocabulary file, for cases of several rules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub

TOKENS = ["the", "cat", "sat", "on", "a", "mat"]
LINE, NUMBER = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER


def vocabulary(folder: Path, tokens: list[str] | None = None, end: str = "\n") -> str:
    """The path of a new file with a token on each line."""
    path = folder / "tokens.txt"
    path.write_text(
        "".join(token + end for token in (TOKENS if tokens is None else tokens)), encoding="utf-8", newline=""
    )
    return str(path)


def lines_of(path: str, size: int | None = None) -> Any:
    """What fills a table with the numbers of lines."""
    return tf.lookup.TextFileInitializer(path, tf.string, LINE, tf.int64, NUMBER, vocab_size=size)


def ids_of(tokens: Any, path: str, buckets: int = 1, size: int | None = None) -> Any:
    """Their line numbers in the vocabulary; tokens that are not in it go into buckets behind it."""
    initializer = lines_of(path, size)
    if buckets:
        return tf.lookup.StaticVocabularyTable(initializer, buckets).lookup(tokens)
    return tf.lookup.StaticHashTable(initializer, 0).lookup(tokens)


def embedding(rows: int, width: int = 4) -> Any:
    """A matrix with a loss for its weights."""
    matrix = tf.get_variable("embeddings", [rows, width])
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(matrix))
    return matrix


def token_module(ids: Callable[[Any], Any], rows: int) -> hub.ModuleSpec:
    """One token an example; `ids` gives the rows of tokens."""

    def module_fn():
        tokens = tf.placeholder(tf.string, [None], name="tokens")
        hub.add_signature(inputs=tokens, outputs=tf.nn.embedding_lookup(embedding(rows), ids(tokens)))

    return hub.create_module_spec(module_fn)


def sentence_module(path: str, rows: int, buckets: int = 1, size: int | None = None) -> hub.ModuleSpec:
    """Sentences, whose tokens' vectors are combined, as nnlm's modules do."""

    def module_fn():
        sentences = tf.placeholder(tf.string, [None], name="sentences")
        tokens = tf.strings.split(sentences)
        found = tf.SparseTensor(tokens.indices, ids_of(tokens.values, path, buckets, size), tokens.dense_shape)
        filled, _ = tf.sparse_fill_empty_rows(found, tf.constant(0, tf.int64))
        hub.add_signature(inputs=sentences, outputs=tf.nn.embedding_lookup_sparse(embedding(rows), filled, None))

    return hub.create_module_spec(module_fn)
