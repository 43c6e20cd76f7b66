"""A table of vectors becomes a module that embeds text: `export_text_embedding`.

TensorFlow is not loaded: tracing the graph would take longer than parsing most files. Rows go from the file to the
checkpoint as they are read, tokens to the vocabulary file, and the graph is written when their number is known.
"""

import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tf1hub import files
from tf1hub.errors import EmbeddingFileError, raised_as_tensorflow
from tf1hub.format import dtypes, module_directory, protos
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.format.placing import new_module_directory
from tf1hub.graph.assets import ASSETS_DIRECTORY, unfold_assets
from tf1hub.publishing.embeddings.arrays import EmbeddingArrays
from tf1hub.publishing.embeddings.file import EmbeddingFile, open_embedding_file
from tf1hub.publishing.embeddings.graph import COMBINERS, VARIABLE, TextEmbedding, VocabularyFile, build_text_embedding
from tf1hub.publishing.embeddings.numbers import Vectors
from tf1hub.publishing.embeddings.vocabulary import Vocabulary

Batches = Generator[tuple[list[bytes], Vectors], None, None]

_VOCABULARY = "tokens.txt"


@dataclass(frozen=True)
class TextEmbeddingSummary:
    """What an export did.

    Attributes:
      path: the module.
      format: what was read: "text", "text with a header", "word2vec binary" (", gzip" and so on), or "arrays".
      tokens: how many tokens have a vector.
      dimension: the values for each.
      num_oov_buckets: the rows of zeros after them.
      duplicates: tokens that were left out since they had been there before.
      skipped_lines: empty lines.
      bytes_read: of the embedding file, compressed as it is.
      bytes_written: the module's size.
      seconds: how long it took.
      warnings: what should be known of the file.
    """

    path: str
    format: str
    tokens: int
    dimension: int
    num_oov_buckets: int
    duplicates: int
    skipped_lines: int
    bytes_read: int
    bytes_written: int
    seconds: float
    warnings: tuple[str, ...]


def export_text_embedding(
    export_path: str | os.PathLike[str],
    embedding_file: str | os.PathLike[str] | None = None,
    *,
    tokens: Sequence[str | bytes] | None = None,
    vectors: Any = None,
    num_oov_buckets: int = 1,
    preprocess_text: bool = True,
    combiner: str = "sqrtn",
    lowercase: bool = False,
    limit: int | None = None,
    trainable: bool = True,
    allow_nonfinite: bool = False,
    progress: Callable[[int], None] | None = None,
) -> TextEmbeddingSummary:
    """Makes a module that embeds text of vectors for tokens. TensorFlow is not loaded.

    The module's signature "default" takes `sentences` (string [batch]): punctuation is taken out, the tokens between spaces
    are looked up, and their vectors combined. Without `preprocess_text` it takes `tokens` (string [batch]) and gives the
    vector of each. The output "default" is float32 [batch, dimension].

    Args:
      export_path: the module's directory; it is there whole or not at all.
      embedding_file: a file in the format of GloVe, word2vec (text or binary) or fastText (.vec), plain or as gzip, bzip2,
        xz or zip; "-" for standard input. What it is shows in its contents.
      tokens: in place of a file: the tokens, as text or bytes.
      vectors: with `tokens`: an array of numbers, [tokens, dimension].
      num_oov_buckets: the rows, zeros at first, for tokens that have no vector; at least 1.
      preprocess_text: whether the module takes sentences.
      combiner: "sqrtn" (the sum of a sentence's vectors divided by the square root of their number), "mean" or "sum".
      lowercase: whether the module lowercases its input. It does not change the tokens in the file.
      limit: how many different tokens are taken from the beginning of the file; None for all.
      trainable: whether fine-tuning may change the vectors.
      allow_nonfinite: whether NaN and infinite values are fine.
      progress: called with how many bytes were read since it was last called.

    Returns:
      A summary. When a token comes again, its first vector counts, and the summary says how many there were.

    Raises:
      EmbeddingFileError: something in the file is wrong (a `ValueError`); the message names the line.
      ValueError: an argument that cannot be.
      ModuleExistsError: there is a module at `export_path` (also a `tf.errors.AlreadyExistsError`).
      OSError: a file cannot be read or written.

    >>> summary = hub.export_text_embedding(new_path, tokens=["cat", "dog"], vectors=[[1.0, 0.0], [0.0, 1.0]])
    >>> summary.tokens, summary.dimension
    (2, 2)
    """
    started = time.monotonic()
    _check_arguments(embedding_file, tokens, vectors, num_oov_buckets, combiner, limit)
    if not os.fspath(export_path):
        raise ValueError("export_path is empty; give the module's directory.")
    path = files.resolve(export_path)
    with (
        raised_as_tensorflow(),
        new_module_directory(path) as directory,
        _opened(embedding_file, tokens, vectors) as source,
    ):
        embedding = TextEmbedding(source.dimension, num_oov_buckets, preprocess_text, combiner, lowercase, trainable)
        batches = _with_progress(source, allow_nonfinite, progress)
        with closing(batches):
            vocabulary = _write_values(directory, batches, source, num_oov_buckets, limit)
        _write_graph(directory, embedding, vocabulary)
        written = sum(file.stat().st_size for file in Path(directory).rglob("*") if file.is_file())
    return TextEmbeddingSummary(
        path=path,
        format=source.format,
        tokens=vocabulary.size + vocabulary.has_empty,
        dimension=source.dimension,
        num_oov_buckets=num_oov_buckets,
        duplicates=vocabulary.duplicates,
        skipped_lines=source.skipped_lines,
        bytes_read=source.bytes_read,
        bytes_written=written,
        seconds=time.monotonic() - started,
        warnings=tuple(source.warnings),
    )


def _check_arguments(
    embedding_file: Any, tokens: Any, vectors: Any, num_oov_buckets: int, combiner: str, limit: int | None
) -> None:
    if (embedding_file is None) == (tokens is None) or (tokens is None) != (vectors is None):
        raise ValueError("Give either `embedding_file`, or both `tokens` and `vectors`.")
    if num_oov_buckets < 1:
        raise ValueError(
            f"num_oov_buckets is {num_oov_buckets}; tokens without a vector need a row, so give at least 1."
        )
    if combiner not in COMBINERS:
        raise ValueError(f"combiner is {combiner!r}; it can be one of {', '.join(COMBINERS)}.")
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}; a module has at least 1 token.")


@contextmanager
def _opened(embedding_file: Any, tokens: Any, vectors: Any) -> Iterator[EmbeddingFile | EmbeddingArrays]:
    if embedding_file is None:
        yield EmbeddingArrays(tokens, vectors)
        return
    with open_embedding_file(os.fsdecode(embedding_file)) as file:
        yield file


def _with_progress(
    source: EmbeddingFile | EmbeddingArrays, allow_nonfinite: bool, progress: Callable[[int], None] | None
) -> Batches:
    told = 0
    with closing(source.iter_batches(allow_nonfinite)) as batches:
        for batch in batches:
            if progress is not None:
                progress(source.bytes_read - told)
                told = source.bytes_read
            yield batch


def _write_values(
    directory: str, batches: Batches, source: EmbeddingFile | EmbeddingArrays, num_oov_buckets: int, limit: int | None
) -> Vocabulary:
    """Writes the vocabulary file and the checkpoint."""
    assets = Path(directory, ASSETS_DIRECTORY)
    assets.mkdir()
    Path(directory, module_directory.VARIABLES).mkdir()
    prefix = module_directory.checkpoint_prefix(directory)
    with open(assets / _VOCABULARY, "wb") as file, BundleWriter(prefix) as writer:
        vocabulary = Vocabulary(file, limit)
        rows = _iter_rows(batches, vocabulary, source.dimension, num_oov_buckets)
        writer.add_rows_streamed(VARIABLE, dtypes.FLOAT32, [source.dimension], (each.data for each in rows))
        if not vocabulary.size:
            raise EmbeddingFileError(f"{source.name} holds no token with a vector.")
    return vocabulary


def _iter_rows(batches: Batches, vocabulary: Vocabulary, dimension: int, num_oov_buckets: int) -> Iterator[Vectors]:
    """The rows of the table; see embeddings/graph.py for their order."""
    last = np.zeros((num_oov_buckets, dimension), np.float32)
    for tokens, vectors in batches:
        new = vocabulary.add(tokens)
        if new is None:
            yield vectors
        else:
            empty = [at for at in new if not tokens[at]]
            last = np.concatenate([vectors[empty], last])
            yield vectors[[at for at in new if tokens[at]]]
        if vocabulary.is_full:
            break
    yield last


def _write_graph(directory: str, embedding: TextEmbedding, vocabulary: Vocabulary) -> None:
    path = os.path.join(directory, ASSETS_DIRECTORY, _VOCABULARY)
    file = VocabularyFile(path, vocabulary.size, vocabulary.has_empty, vocabulary.digest)
    meta_graph = build_text_embedding(embedding, file)
    unfold_assets(meta_graph, {path: _VOCABULARY})
    saved_model = protos.SavedModel(saved_model_schema_version=1, meta_graphs=[meta_graph])
    Path(directory, module_directory.SAVED_MODEL).write_bytes(saved_model.SerializeToString(deterministic=True))
    Path(directory, module_directory.MARKER).write_bytes(module_directory.marker_bytes())
