"""Embedding files for tests, and what a module that was made of one holds and answers."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tf1hub.format.bundle_reader import BundleReader


def lines(tokens: list[bytes], vectors: np.ndarray) -> bytes:
    """A file in GloVe's format."""
    rows = zip(tokens, vectors.tolist(), strict=True)
    return b"".join(token + b" " + b" ".join(repr(value).encode() for value in row) + b"\n" for token, row in rows)


def many_lines(count: int, dimension: int, start: int = 0) -> bytes:
    """The same with tokens w0, w1, ... and values of five digits."""
    values = np.random.RandomState(0).randn(97, dimension).tolist()
    row = [b"".join(b" %.5f" % value for value in each) for each in values]
    return b"".join(b"w%d" % number + row[number % 97] + b"\n" for number in range(start, start + count))


def binary(tokens: list[bytes], vectors: np.ndarray, end: bytes = b"\n", count: int | None = None) -> bytes:
    """A file in word2vec's binary format."""
    head = b"%d %d\n" % (len(tokens) if count is None else count, vectors.shape[1])
    rows = zip(tokens, vectors.astype("<f4"), strict=True)
    return head + b"".join(token + b" " + row.tobytes() + end for token, row in rows)


def vocabulary(module: Path | str) -> list[bytes]:
    """The tokens in a module's vocabulary file."""
    return Path(module, "assets", "tokens.txt").read_bytes().split(b"\n")[:-1]


def table(module: Path | str) -> np.ndarray:
    """A module's table of vectors."""
    return np.array(BundleReader(str(Path(module, "variables", "variables"))).read("embeddings"))


def answers(module: Path | str, given: list[Any]) -> np.ndarray:
    """What a module answers."""
    with tf.Graph().as_default(), tf.Session() as session:
        output = hub.Module(str(module))(tf.constant(given, tf.string))
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        return session.run(output)
