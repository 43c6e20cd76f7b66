"""Records of word2vec's binary format become tokens and vectors.

    TOKEN SP VALUE VALUE ... [NL]      the values are float32, little-endian

word2vec itself ends each record with a line break, other writers do not.
"""

from collections.abc import Generator

import numpy as np

from tf1hub.errors import EmbeddingFileError
from tf1hub.publishing.embeddings.numbers import Vectors, nonfinite_problem
from tf1hub.publishing.embeddings.source import EmbeddingSource
from tf1hub.publishing.embeddings.vocabulary import token_problem

_READ_SIZE = 1 << 20
_LONGEST_TOKEN = 1 << 16


def iter_records(
    source: EmbeddingSource, data: bytes, dimension: int, count: int, allow_nonfinite: bool
) -> Generator[tuple[list[bytes], Vectors], None, bytes]:
    """The tokens and vectors of a file's records, some at a time; `data` is what was read of it already.

    Returns what was read of the bytes after the last record.

    Raises:
      EmbeddingFileError: there are fewer than `count` records, or one of them is bad.
    """
    number = 0
    while number < count:
        tokens, vectors, data = _split_records(data, dimension, count - number)
        problem = _find_problem(tokens, vectors, allow_nonfinite)
        good = len(tokens) if problem is None else problem[0]
        yield tokens[:good], vectors[:good]
        if problem is not None:
            raise EmbeddingFileError(f"{source.name}, vector {number + good + 1} of {count}: {problem[1]}.")
        number += len(tokens)
        if number == count:
            break
        if len(data) > 4 * dimension + _LONGEST_TOKEN:
            raise EmbeddingFileError(f"{source.name}, vector {number + 1} of {count}: no space ends its token.")
        more = source.read(_READ_SIZE)
        if not more:
            raise EmbeddingFileError(
                f"{source.name} ends in vector {number + 1} of the {count} that its first line promises. It is cut short:"
                " fetch it again, or take fewer with a limit."
            )
        data += more
    return data


def _split_records(data: bytes, dimension: int, count: int) -> tuple[list[bytes], Vectors, bytes]:
    """At most `count` records, and the bytes after them."""
    tokens: list[bytes] = []
    values: list[bytes] = []
    at = 0
    while len(tokens) < count:
        space = data.find(b" ", at)
        end = space + 1 + 4 * dimension
        if space < 0 or end > len(data):
            break
        tokens.append(data[at:space].lstrip(b"\n"))
        values.append(data[space + 1 : end])
        at = end
    vectors = np.frombuffer(b"".join(values), "<f4").reshape(-1, dimension)
    return tokens, vectors, data[at:]


def _find_problem(tokens: list[bytes], vectors: Vectors, allow_nonfinite: bool) -> tuple[int, str] | None:
    """The first bad record, and what is wrong with it."""
    found = [(at, problem) for at, token in enumerate(tokens) if (problem := token_problem(token))][:1]
    if not allow_nonfinite and (nonfinite := nonfinite_problem(vectors)):
        found.append(nonfinite)
    return min(found, default=None)
