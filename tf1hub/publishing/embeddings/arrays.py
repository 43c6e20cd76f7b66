"""Tokens and vectors in memory, read as an embedding file is."""

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np

from tf1hub.errors import EmbeddingFileError
from tf1hub.publishing.embeddings.numbers import Vectors, nonfinite_problem
from tf1hub.publishing.embeddings.vocabulary import token_problem

_BATCH_SIZE = 1 << 20


class EmbeddingArrays:
    """Tokens and the array of their vectors; see `embedding_file.EmbeddingFile`.

    Raises:
      EmbeddingFileError: they do not fit together, or are something else.
    """

    name = "the array"
    format = "arrays"
    skipped_lines = 0

    def __init__(self, tokens: Sequence[str | bytes], vectors: Any) -> None:
        self._tokens = tokens
        self._vectors = np.asarray(vectors)
        self.bytes_read = 0
        self.warnings: list[str] = []
        if self._vectors.ndim != 2 or self._vectors.shape[1] < 1 or self._vectors.dtype.kind not in "fiub":
            raise EmbeddingFileError(
                f"`vectors` has shape {list(self._vectors.shape)} and type {self._vectors.dtype}; it must be an array of"
                " numbers of shape [tokens, dimension]."
            )
        if len(tokens) != len(self._vectors):
            raise EmbeddingFileError(f"There are {len(tokens)} tokens and {len(self._vectors)} vectors.")
        self.dimension = self._vectors.shape[1]

    def iter_batches(self, allow_nonfinite: bool) -> Generator[tuple[list[bytes], Vectors], None, None]:
        """Tokens, and their vectors as float32 [tokens, dimension]."""
        rows = max(1, _BATCH_SIZE // (4 * self.dimension))
        for start in range(0, len(self._vectors), rows):
            tokens = [_as_bytes(token, start + at) for at, token in enumerate(self._tokens[start : start + rows])]
            with np.errstate(over="ignore"):
                vectors = np.ascontiguousarray(self._vectors[start : start + rows], np.float32)
            if not allow_nonfinite and (problem := nonfinite_problem(vectors)):
                raise EmbeddingFileError(f"vectors[{start + problem[0]}]: {problem[1]}.")
            self.bytes_read += vectors.nbytes
            yield tokens, vectors


def _as_bytes(token: Any, at: int) -> bytes:
    if not isinstance(token, str | bytes):
        raise EmbeddingFileError(f"tokens[{at}] is {token!r}, which is neither text nor bytes.")
    data = token.encode(errors="surrogateescape") if isinstance(token, str) else bytes(token)
    if problem := token_problem(data):
        raise EmbeddingFileError(f"tokens[{at}]: {problem}.")
    return data
