"""What the rules about vocabulary files say, and how far ids are followed to the embeddings."""

import tracemalloc

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.text_modules import TOKENS, embedding, ids_of, sentence_module, token_module, vocabulary
from tests.graphs import outputs_of
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.checks.linting.reuse.gathered_rows import gathered_rows
from tf1hub.checks.linting.reuse.text_tables import TextTable, read_contents, text_tables


def findings_of(spec):
    return hub.lint(spec, select=["vocabulary-duplicates", "vocabulary-blank-lines", "vocabulary-size"]).findings


def contents_of(path, data, **attributes):
    path.write_bytes(data)
    known = {"key_column": -2, "value_column": -1, "lines": None, "delimiter": b"\t", "skipped": 0}
    return read_contents(TextTable("fill", "table", str(path), **{**known, **attributes}))


def test_duplicates_are_named_with_their_lines(tmp_path):
    path = vocabulary(tmp_path, ["a", "b", "a", "c", "b", "a"])
    [found] = findings_of(sentence_module(path, rows=7))
    assert found.reason == (
        f"The vocabulary {path!r} holds 2 tokens more than once: 'a' and 'b' (the first on lines 1, 3, 6); TensorFlow"
        " refuses to fill a table in which a key has two values, so the module cannot be used."
    )
    assert (found.severity, found.tags, found.file) == ("error", (), path)


def test_blank_lines_are_told_by_their_numbers(tmp_path):
    [found] = findings_of(sentence_module(vocabulary(tmp_path, ["", "a", "", "b"]), rows=5))
    assert "has 2 empty lines (lines 1, 3 of 4); TensorFlow refuses" in found.reason


@pytest.mark.parametrize(("tokens", "size"), [(["a", "b", "a"], None), (["a", "", "b"], None), (["a", "b"], 3)])
def test_tensorflow_refuses_what_is_called_an_error(tmp_path, tokens, size):
    spec = sentence_module(vocabulary(tmp_path, tokens), rows=len(tokens) + 1, size=size)
    assert "so the module cannot be used" in findings_of(spec)[0].reason
    with pytest.raises((tf.errors.FailedPreconditionError, tf.errors.InvalidArgumentError)):
        outputs_of(spec, ["a b"])


@pytest.mark.parametrize(("tokens", "size"), [(["a", "b", "a"], 2), (["a", "", "b"], 1), (["a", " ", "a "], None)])
def test_tensorflow_takes_what_is_no_error(tmp_path, tokens, size):
    spec = sentence_module(vocabulary(tmp_path, tokens), rows=(size or len(tokens)) + 1, size=size)
    assert {finding.rule for finding in findings_of(spec)} <= {"vocabulary-size"}
    assert outputs_of(spec, ["a b"]).shape == (1, 4)


def test_a_table_of_another_size_is_told_with_both_numbers(tmp_path):
    [more] = findings_of(token_module(lambda tokens: ids_of(tokens, vocabulary(tmp_path), 0, 9), rows=6))
    assert "has 6 lines, and its table says that it has 9: TensorFlow refuses to fill it from fewer" in more.reason
    [fewer] = findings_of(sentence_module(vocabulary(tmp_path), rows=5, size=4))
    assert "has 6 lines, and its table says that it has 4: the last 2 are never found." in fewer.reason


def test_embeddings_of_another_size_are_told_with_both_numbers(tmp_path):
    [found] = findings_of(sentence_module(vocabulary(tmp_path), rows=7, buckets=3))
    assert found.reason.endswith(
        "gives 9 ids (6 tokens and 3 more for others), and the variable 'embeddings' that they gather from has 7 rows: the"
        " last 2 lead out of it, which fails or gives zeros."
    )
    assert (found.severity, found.variable) == ("warning", "embeddings")


def test_a_file_that_fills_two_tables_is_told_of_once(tmp_path):
    path = vocabulary(tmp_path, ["a", "a"])
    found = findings_of(token_module(lambda tokens: ids_of(tokens, path, 0) + ids_of(tokens, path, 0), rows=3))
    assert [finding.rule for finding in found] == ["vocabulary-duplicates"]


def test_a_file_that_is_not_there_is_not_read(tmp_path):
    assert findings_of(sentence_module(str(tmp_path / "nothing.txt"), rows=2)) == []


def test_lines_end_as_they_do_for_tensorflow(tmp_path):
    assert contents_of(tmp_path / "f", b"a\r\nb\r\nc").lines == 3
    assert contents_of(tmp_path / "f", b"a\x0bb\xe2\x80\xa8c\x85\n").lines == 1
    assert contents_of(tmp_path / "f", b"").lines == 0


def test_a_file_of_many_tokens_takes_a_few_bytes_for_each(tmp_path):
    tokens = b"".join(b"token %d\n" % number for number in range(100_000))
    tracemalloc.start()
    try:
        found = contents_of(tmp_path / "tokens.txt", tokens + b"token 7\n")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.lines, found.duplicates) == (100_001, (("token 7", (8, 100_001)),))
    assert peak < 10_000_000


def test_columns_and_skipped_lines(tmp_path):
    columns = {"key_column": 1, "value_column": 0, "delimiter": b" "}
    assert contents_of(tmp_path / "f", b"1 a\n2 a\n", **columns).duplicates == (("a", (1, 2)),)
    assert contents_of(tmp_path / "f", b"1 a\n1 a\nb\n", **columns).duplicates == ()
    assert contents_of(tmp_path / "f", b"head\na\nhead\n", skipped=1).duplicates == ()


def needed_rows(ids, rows=100):
    """How many rows the ids of a vocabulary of six tokens need, None when that is not told."""
    [variant] = LintedModule(token_module(ids, rows)).variants
    found = gathered_rows(variant, {table.table: len(TOKENS) for table in text_tables(variant)})
    return found[0].needed if found else None


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        (lambda ids: ids, 8),
        (lambda ids: tf.cast(tf.reshape(ids, [-1]), tf.int32), 8),
        (lambda ids: ids + 3, 11),
        (lambda ids: tf.unique(ids)[0], 8),
        (lambda ids: tf.concat([[20], ids], axis=0), 21),
        (lambda ids: tf.where_v2(tf.equal(ids, 1), tf.constant(30, tf.int64), ids), 31),
        (lambda ids: tf.where(tf.equal(ids, 1), tf.fill(tf.shape(ids), tf.constant(30, tf.int64)), ids), 31),
        (lambda ids: tf.maximum(ids, tf.constant(9, tf.int64)), 10),
        (lambda ids: tf.boolean_mask(ids, ids >= 0), 8),
        (lambda ids: tf.boolean_mask(ids, ids < 6), None),
        (lambda ids: ids * 2, None),
        (lambda ids: tf.math.floormod(ids, 4), None),
    ],
    ids=[
        "plain",
        "cast",
        "added",
        "unique",
        "joined",
        "chosen",
        "filled",
        "maximum",
        "known",
        "low",
        "multiplied",
        "modulo",
    ],
)
def test_ids_are_followed_as_far_as_they_can_be_told(tmp_path, change, needed):
    path = vocabulary(tmp_path)
    assert needed_rows(lambda tokens: change(ids_of(tokens, path, buckets=2))) == needed


def test_ids_are_followed_through_lookups_that_leave_negative_ones_out(tmp_path):
    path = vocabulary(tmp_path)

    def module_fn():
        sentences = tf.placeholder(tf.string, [None])
        tokens = tf.strings.split(sentences)
        ids = tf.SparseTensor(tokens.indices, ids_of(tokens.values, path), tokens.dense_shape)
        hub.add_signature(inputs=sentences, outputs=tf.nn.safe_embedding_lookup_sparse(embedding(6), ids))

    [found] = findings_of(hub.create_module_spec(module_fn))
    assert "gives 7 ids (6 tokens and 1 more for others)" in found.reason
    assert "has 6 rows: the last one leads out of it" in found.reason


@pytest.mark.parametrize(("rows", "is_found"), [(64, False), (63, True), (128, True), (72, True)])
def test_rows_up_to_a_multiple_of_sixty_four_are_padding(tmp_path, rows, is_found):
    path = vocabulary(tmp_path, [f"token {number}" for number in range(59)])
    assert bool(findings_of(sentence_module(path, rows))) == is_found


def test_ids_are_followed_through_functions(tmp_path):
    path = vocabulary(tmp_path)
    shift = tf.function(lambda ids: ids + 1, input_signature=[tf.TensorSpec([None], tf.int64)])
    assert needed_rows(lambda tokens: shift(ids_of(tokens, path, buckets=2))) == 9
