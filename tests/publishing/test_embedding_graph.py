"""The graph that is written without TensorFlow answers as one that TensorFlow traced."""

import itertools
import random
import re

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.publishing.embeddings import answers
from tf1hub.graph.building import op_definitions
from tf1hub.publishing.embeddings.graph import TextEmbedding, VocabularyFile, build_text_embedding

WORDS = [
    "the",
    "cat",
    "The",
    "don't",
    "dont",
    "café",
    "CAFÉ",
    "東京",
    "a",
    "b\t",
    "3.14",
    "314",
    "C++",
    "C",
    "new york",
    "😀",
    "σς",
]
PIECES = [*WORDS, " ", "  ", "\t", "\n", ".", ",", "!", "unknown", "“", "_", "$", "ΣΣ", "\u00a0", "", "İ"]
VECTORS = np.random.RandomState(0).randn(len(WORDS), 5).astype(np.float32)


def sentences() -> list[str]:
    choose = random.Random(0)
    made = ["".join(choose.choices(PIECES, k=choose.randint(0, 9))) for _ in range(300)]
    return ["", " ", "   ", ".", "unknown", "unknown words only", *made, *(" ".join(WORDS[:n]) for n in range(5))]


def traced(folder, given, num_oov_buckets, preprocess_text, combiner, lowercase) -> np.ndarray:
    """What a graph of plain TensorFlow answers."""
    file = folder / "words.txt"
    file.write_text("".join(f"{word}\n" for word in WORDS), encoding="utf-8")
    with tf.Graph().as_default(), tf.Session() as session:
        text = tf.constant(given)
        if lowercase:
            text = tf.strings.lower(text, encoding="utf-8")
        words = tf.lookup.TextFileInitializer(str(file), tf.string, -2, tf.int64, -1)
        table = tf.lookup.StaticVocabularyTable(words, num_oov_buckets)
        rows = np.concatenate([VECTORS, np.zeros((num_oov_buckets, 5), np.float32)])
        if preprocess_text:
            split = tf.string_split(tf.strings.regex_replace(text, "\\pP", ""))
            found = tf.SparseTensor(split.indices, table.lookup(split.values), split.dense_shape)
            filled, _ = tf.sparse.fill_empty_rows(found, table.lookup(tf.constant("")))
            output = tf.nn.embedding_lookup_sparse(tf.constant(rows), filled, None, combiner=combiner)
        else:
            output = tf.gather(rows, table.lookup(text))
        session.run(tf.tables_initializer())
        return session.run(output)


@pytest.mark.parametrize("num_oov_buckets", [1, 4])
@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("combiner", ["sqrtn", "mean", "sum", None])
def test_answers_are_those_of_a_traced_graph(tmp_path, combiner, lowercase, num_oov_buckets):
    options = {
        "num_oov_buckets": num_oov_buckets,
        "preprocess_text": combiner is not None,
        "combiner": combiner or "sqrtn",
        "lowercase": lowercase,
    }
    given = sentences() if combiner else [*WORDS, *PIECES]
    hub.export_text_embedding(tmp_path / "module", tokens=WORDS, vectors=VECTORS, **options)
    expected = traced(tmp_path, given, **options)
    np.testing.assert_allclose(answers(tmp_path / "module", given), expected, rtol=1e-6, atol=1e-7)
    assert len(np.unique(expected, axis=0)) > 10


def test_no_sentences_at_all_give_no_vectors(tmp_path):
    hub.export_text_embedding(tmp_path / "module", tokens=WORDS, vectors=VECTORS)
    assert answers(tmp_path / "module", []).shape == (0, 5)


@pytest.mark.parametrize("num_oov_buckets", [1, 3])
def test_the_empty_token_has_the_row_after_the_vocabulary(tmp_path, num_oov_buckets):
    file = tmp_path / "vectors.txt"
    file.write_bytes(b"a 1 2\n 3 4\nb 5 6\n")
    for preprocess_text in (True, False):
        path = tmp_path / f"module{preprocess_text}"
        hub.export_text_embedding(path, file, num_oov_buckets=num_oov_buckets, preprocess_text=preprocess_text)
        assert answers(path, ["a", "", "b", "c"]).tolist() == [[1, 2], [3, 4], [5, 6], [0, 0]]


def all_graphs():
    file = VocabularyFile("/folder/tokens.txt", 3, True, "digest")
    for preprocess, combiner in itertools.product([True, False], ["sqrtn", "mean", "sum"]):
        yield build_text_embedding(TextEmbedding(2, 1, preprocess, combiner, True, True), file)


def test_each_op_that_is_defined_is_used():
    assert {node.op for graph in all_graphs() for node in graph.graph_def.node} == set(op_definitions())


def test_the_graph_is_small_and_does_not_grow_with_the_table():
    small, large = (
        build_text_embedding(TextEmbedding(300, 1, True, "sqrtn", False, True), VocabularyFile("t", size, False, "d"))
        for size in (3, 3_000_000)
    )
    assert len(small.graph_def.node) == len(large.graph_def.node) < 50
    assert large.ByteSize() < small.ByteSize() + 100 < 8000


def test_names_of_nodes_are_those_that_tensorflow_allows():
    names = [node.name for graph in all_graphs() for node in graph.graph_def.node]
    assert all(re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*", name) for name in names)
