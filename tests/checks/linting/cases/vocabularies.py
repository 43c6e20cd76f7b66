"""Cases of the rules about vocabulary files. Tables with faulty files cannot be filled, so most are specs in memory."""

from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import written
from tests.checks.linting.cases.registry import breaks, keeps
from tests.checks.linting.cases.text_modules import (
    LINE,
    NUMBER,
    TOKENS,
    embedding,
    ids_of,
    lines_of,
    sentence_module,
    token_module,
    vocabulary,
)


@breaks("vocabulary-duplicates")
def _a_token_twice(folder: Path) -> hub.ModuleSpec:
    return sentence_module(vocabulary(folder, [*TOKENS, "cat"]), rows=8)


@breaks("vocabulary-duplicates")
def _written_with_carriage_returns(folder: Path) -> hub.ModuleSpec:
    path = folder / "tokens.txt"
    path.write_bytes(b"the\r\ncat\r\nthe\n")
    return sentence_module(str(path), rows=4)


@breaks("vocabulary-duplicates")
def _added_after_the_module_was_written(folder: Path) -> str:
    path = written(sentence_module(vocabulary(folder), rows=7), folder)
    file = Path(path, "assets", "tokens.txt")
    file.write_text(file.read_text().replace("mat", "cat"))
    return path


@breaks("vocabulary-duplicates")
def _two_values_for_one_key(folder: Path) -> hub.ModuleSpec:
    return _columns_module(folder, "the\t1\ncat\t2\nthe\t3\n")


@keeps("vocabulary-duplicates")
def _the_same_value_for_one_key(folder: Path) -> hub.ModuleSpec:
    return _columns_module(folder, "the\t1\ncat\t2\nthe\t1\n")


def _columns_module(folder: Path, text: str) -> hub.ModuleSpec:
    """The key is the first column of a line, the row of the embeddings the second."""
    path = folder / "columns.txt"
    path.write_text(text)

    def ids(tokens: Any) -> Any:
        initializer = tf.lookup.TextFileInitializer(str(path), tf.string, 0, tf.int64, 1)
        return tf.lookup.StaticHashTable(initializer, 0).lookup(tokens)

    return token_module(ids, rows=4)


@keeps("vocabulary-duplicates")
def _tokens_that_differ_in_case_and_spaces(folder: Path) -> str:
    return written(sentence_module(vocabulary(folder, ["the", "The", "the ", " the"]), rows=5), folder)


@keeps("vocabulary-duplicates")
def _names_of_classes_that_come_twice(folder: Path) -> str:
    """The lines are values here: two classes may have one name, as "crane" has in ImageNet."""
    path = vocabulary(folder, ["crane", "cat", "crane"])

    def module_fn():
        classes = tf.placeholder(tf.int64, [None], name="classes")
        initializer = tf.lookup.TextFileInitializer(path, tf.int64, NUMBER, tf.string, LINE)
        names = tf.lookup.StaticHashTable(initializer, "unknown").lookup(classes)
        hub.add_signature(inputs={"classes": classes}, outputs=names)

    return written(hub.create_module_spec(module_fn), folder)


@breaks("vocabulary-blank-lines")
def _an_empty_line_at_the_end(folder: Path) -> hub.ModuleSpec:
    return sentence_module(vocabulary(folder, [*TOKENS, ""]), rows=8)


@breaks("vocabulary-blank-lines")
def _an_empty_line_with_a_carriage_return(folder: Path) -> hub.ModuleSpec:
    path = vocabulary(folder, ["the", "", "cat"], end="\r\n")
    return token_module(lambda tokens: ids_of(tokens, path, buckets=0), rows=3)


@keeps("vocabulary-blank-lines")
def _a_space_is_a_token(folder: Path) -> str:
    return written(sentence_module(vocabulary(folder, ["a", " ", "\u2028", "b"]), rows=5), folder)


@keeps("vocabulary-blank-lines")
def _the_last_line_has_no_end(folder: Path) -> str:
    path = folder / "tokens.txt"
    path.write_bytes(b"the\ncat")
    return written(sentence_module(str(path), rows=3), folder)


@breaks("vocabulary-size")
def _more_tokens_than_lines(folder: Path) -> hub.ModuleSpec:
    path = vocabulary(folder)
    return token_module(lambda tokens: ids_of(tokens, path, buckets=0, size=9), rows=6)


@breaks("vocabulary-size")
def _fewer_tokens_than_lines(folder: Path) -> str:
    return written(sentence_module(vocabulary(folder), rows=6, size=5), folder)


@breaks("vocabulary-size")
def _ids_lead_out_of_the_embeddings(folder: Path) -> str:
    return written(sentence_module(vocabulary(folder), rows=6), folder)


@breaks("vocabulary-size")
def _more_rows_than_ids(folder: Path) -> str:
    return written(sentence_module(vocabulary(folder), rows=12, buckets=2), folder)


@breaks("vocabulary-size")
def _the_default_id_leads_out(folder: Path) -> str:
    """The usual mistake: unknown tokens get the number of lines as their id, and no row."""
    path = vocabulary(folder)

    def ids(tokens: Any) -> Any:
        return tf.lookup.StaticHashTable(lines_of(path), len(TOKENS)).lookup(tokens)

    return written(token_module(ids, rows=len(TOKENS)), folder)


@breaks("vocabulary-size")
def _looked_up_in_a_function(folder: Path) -> str:
    path = vocabulary(folder)

    def ids(tokens: Any) -> Any:
        table = tf.lookup.StaticVocabularyTable(lines_of(path), 1)
        return tf.function(table.lookup, input_signature=[tf.TensorSpec([None], tf.string)])(tokens)

    return written(token_module(ids, rows=5), folder)


@keeps("vocabulary-size")
def _a_row_for_each_token_and_bucket(folder: Path) -> str:
    return written(sentence_module(vocabulary(folder), rows=9, buckets=3, size=6), folder)


@keeps("vocabulary-size")
def _rows_before_the_tokens_for_padding(folder: Path) -> str:
    path = vocabulary(folder)
    return written(token_module(lambda tokens: ids_of(tokens, path) + 1, rows=8), folder)


@keeps("vocabulary-size")
def _ids_that_are_computed(folder: Path) -> str:
    """How large they get cannot be told."""
    path = vocabulary(folder)
    return written(token_module(lambda tokens: ids_of(tokens, path, buckets=0) * 2 + 1, rows=12), folder)


@keeps("vocabulary-size")
def _rows_that_other_ids_gather(folder: Path) -> str:
    """More rows than tokens, for special tokens that the graph adds itself."""
    path = vocabulary(folder)

    def module_fn():
        tokens = tf.placeholder(tf.string, [None], name="tokens")
        matrix = embedding(8)
        begin = tf.gather(matrix, tf.constant([7], tf.int64))
        hub.add_signature(inputs=tokens, outputs=tf.nn.embedding_lookup(matrix, ids_of(tokens, path)) + begin)

    return written(hub.create_module_spec(module_fn), folder)
