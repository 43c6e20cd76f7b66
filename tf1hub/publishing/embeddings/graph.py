"""The graph of a text-embedding module, written without TensorFlow.

rows of the table      the tokens in the order of the vocabulary file; the empty token, when there is one, since a
                       vocabulary file cannot hold it; the out-of-vocabulary buckets
sentences              punctuation is taken out, what lies between spaces is looked up, and the vectors are combined;
                       a sentence without tokens is looked up as if it were the empty token
tokens                 each is looked up
"""

from dataclasses import dataclass

from tf1hub.format import dtypes, protos
from tf1hub.graph import collections
from tf1hub.graph.building import GraphBuilder, tensor_info

VARIABLE = "embeddings"
COMBINERS = {"sqrtn": "SparseSegmentSqrtN", "mean": "SparseSegmentMean", "sum": "SparseSegmentSum"}
_PUNCTUATION = b"\\pP"
# InitializeTableFromTextFileV2's numbers for a line, and for its number.
_WHOLE_LINE, _LINE_NUMBER = -2, -1


@dataclass(frozen=True)
class TextEmbedding:
    """What a text-embedding module does.

    Attributes:
      dimension: the values for each token.
      num_oov_buckets: the rows for tokens that are not in the vocabulary.
      preprocess_text: whether it takes sentences; else it takes tokens.
      combiner: how the vectors of a sentence are combined: "sqrtn", "mean" or "sum".
      lowercase: whether the input is lowercased first.
      trainable: whether fine-tuning may change the table.
    """

    dimension: int
    num_oov_buckets: int
    preprocess_text: bool
    combiner: str
    lowercase: bool
    trainable: bool


@dataclass(frozen=True)
class VocabularyFile:
    """The vocabulary of a module.

    Attributes:
      path: where it lies.
      size: the tokens in it.
      has_empty: whether the empty token has a vector, too.
      digest: what it is known by, for tables with the same vocabulary to be shared, and no others.
    """

    path: str
    size: int
    has_empty: bool
    digest: str


def build_text_embedding(embedding: TextEmbedding, vocabulary: VocabularyFile) -> protos.MetaGraphDef:
    """The graph, in its form in memory."""
    builder = GraphBuilder()
    table = _add_table(builder, vocabulary)
    rows = vocabulary.size + vocabulary.has_empty + embedding.num_oov_buckets
    shape = [rows, embedding.dimension]
    handle = builder.variable(VARIABLE, dtypes.FLOAT32, shape, embedding.trainable)
    lookup = _Lookup(builder, table, vocabulary, embedding.num_oov_buckets)
    key = "sentences" if embedding.preprocess_text else "tokens"
    text = given = builder.placeholder(key, dtypes.STRING, [-1])
    if embedding.lowercase:
        text = builder.add("StringLower", "lowercase", text, encoding=b"utf-8")
    if embedding.preprocess_text:
        output = _embed_sentences(builder, lookup, text, handle, COMBINERS[embedding.combiner])
    else:
        output = _gather(builder, "token_vectors", handle, lookup.rows_of("lookup", text))
    builder.signature(
        {key: tensor_info(given, dtypes.STRING, [-1])},
        {"default": tensor_info(output, dtypes.FLOAT32, [-1, embedding.dimension])},
    )
    return builder.meta_graph()


def _add_table(builder: GraphBuilder, vocabulary: VocabularyFile) -> str:
    path = builder.constant("vocabulary_path", dtypes.STRING, [vocabulary.path.encode(errors="surrogateescape")])
    builder.collect(collections.ASSET_FILEPATHS, f"{path}:0")
    name = f"vocabulary_{vocabulary.digest}".encode()
    table = builder.add(
        "HashTableV2", "vocabulary", key_dtype=dtypes.STRING, value_dtype=dtypes.INT64, shared_name=name
    )
    initializer = builder.add(
        "InitializeTableFromTextFileV2",
        "vocabulary/initialize",
        table,
        path,
        key_index=_WHOLE_LINE,
        value_index=_LINE_NUMBER,
        vocab_size=vocabulary.size,
    )
    builder.collect(collections.TABLE_INITIALIZERS, initializer)
    return table


class _Lookup:
    """Looks keys up: in the vocabulary, then in the buckets."""

    def __init__(self, builder: GraphBuilder, table: str, vocabulary: VocabularyFile, num_oov_buckets: int) -> None:
        self._builder = builder
        self._table = table
        self._buckets = num_oov_buckets
        self._empty_row = vocabulary.size if vocabulary.has_empty else None
        self._first_bucket = vocabulary.size + vocabulary.has_empty

    def rows_of(self, name: str, keys: str) -> str:
        """The rows of some keys, in their shape."""
        builder = self._builder
        rows = self._found_or_bucket(name, keys)
        if self._empty_row is None:
            return rows
        nothing = builder.constant(f"{name}/nothing", dtypes.STRING, [b""])
        is_empty = builder.add("Equal", f"{name}/is_empty", keys, nothing, T=dtypes.STRING)
        row = builder.constant(f"{name}/empty_row", dtypes.INT64, [self._empty_row])
        return builder.add("SelectV2", f"{name}/or_empty_row", is_empty, row, rows, T=dtypes.INT64)

    def _found_or_bucket(self, name: str, keys: str) -> str:
        builder = self._builder
        first_bucket = builder.constant(f"{name}/first_bucket", dtypes.INT64, [self._first_bucket])
        missing = builder.constant(f"{name}/missing", dtypes.INT64, [-1])
        types = {"Tin": dtypes.STRING, "Tout": dtypes.INT64}
        found = builder.add("LookupTableFindV2", f"{name}/find", self._table, keys, missing, **types)
        is_known = builder.add("NotEqual", f"{name}/is_known", found, missing, T=dtypes.INT64)
        hashed = builder.add("StringToHashBucketFast", f"{name}/bucket", keys, num_buckets=self._buckets)
        bucket = builder.add("AddV2", f"{name}/bucket_row", hashed, first_bucket, T=dtypes.INT64)
        # Not SelectV2: of it TensorFlow cannot tell that the rows have the shape of the keys.
        return builder.add("Select", f"{name}/or_bucket_row", is_known, found, bucket, T=dtypes.INT64)


def _embed_sentences(builder: GraphBuilder, lookup: _Lookup, text: str, handle: str, combiner: str) -> str:
    words = builder.add("StaticRegexReplace", "without_punctuation", text, pattern=_PUNCTUATION, rewrite=b"")
    space = builder.constant("split/space", dtypes.STRING, [b" "])
    split = builder.add("StringSplit", "split", words, space)
    # A sentence without tokens gets one, so that each has its place in the output.
    nothing = builder.constant("nothing", dtypes.STRING, [b""])
    filled = builder.add(
        "SparseFillEmptyRows",
        "without_empty_sentences",
        split,
        lookup.rows_of("lookup", f"{split}:1"),
        f"{split}:2",
        lookup.rows_of("lookup_nothing", nothing),
        T=dtypes.INT64,
    )
    sentences = _first_column(builder, "sentence_numbers", filled)
    different = builder.add("Unique", "different_rows", f"{filled}:1", T=dtypes.INT64)
    vectors = _gather(builder, "token_vectors", handle, different)
    return builder.add(combiner, "sentence_vectors", vectors, f"{different}:1", sentences, T=dtypes.FLOAT32)


def _first_column(builder: GraphBuilder, name: str, matrix: str) -> str:
    """The first column of an int64 matrix as int32, the only type that older TensorFlows take for segments."""
    begin = builder.constant(f"{name}/begin", dtypes.INT32, [0, 0], [2])
    end = builder.constant(f"{name}/end", dtypes.INT32, [0, 1], [2])
    strides = builder.constant(f"{name}/strides", dtypes.INT32, [1, 1], [2])
    column = builder.add(
        "StridedSlice",
        f"{name}/slice",
        matrix,
        begin,
        end,
        strides,
        T=dtypes.INT64,
        Index=dtypes.INT32,
        begin_mask=1,
        end_mask=1,
        shrink_axis_mask=2,
    )
    return builder.add("Cast", name, column, SrcT=dtypes.INT64, DstT=dtypes.INT32)


def _gather(builder: GraphBuilder, name: str, handle: str, rows: str) -> str:
    return builder.add("ResourceGather", name, handle, rows, dtype=dtypes.FLOAT32, Tindices=dtypes.INT64)
