"""Cases of the rules about assets and paths."""

from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, rows, written
from tests.checks.linting.cases.registry import breaks, keeps
from tests.checks.linting.cases.text_modules import lines_of, sentence_module, vocabulary
from tests.graphs import edited_saved_model


def _asset(path: str) -> Any:
    """The path as a constant that is listed as an asset."""
    constant = tf.constant(path)
    tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, constant)
    return constant


def _for_each(given: Any, text: Any) -> Any:
    """The text once for each row."""
    return tf.fill([tf.shape(given)[0]], text)


def _with_a_note(path: Any) -> Any:
    """Rows of floats to four others, and what an op reads from a file."""

    def module_fn():
        given = rows()
        outputs = {"default": dense(given, 4), "notes": _for_each(given, tf.io.read_file(path()))}
        hub.add_signature(inputs=given, outputs=outputs)

    return hub.create_module_spec(module_fn)


def _note(folder: Path, text: str = "a note") -> str:
    path = folder / "note.txt"
    path.write_text(text)
    return str(path)


@breaks("asset-unread")
def _a_file_that_no_graph_lists(folder: Path) -> str:
    path = written(sentence_module(vocabulary(folder), rows=7), folder)
    Path(path, "assets", "tokens.old.txt").write_text("the\n")
    return path


@breaks("asset-unread")
def _a_folder_of_files_in_a_module_without_assets(folder: Path) -> str:
    def module_fn():
        given = rows()
        hub.add_signature(inputs=given, outputs=dense(given, 4))

    path = Path(written(hub.create_module_spec(module_fn), folder))
    (path / "assets" / "labels").mkdir(parents=True)
    (path / "assets" / "labels" / "en.txt").write_text("cat\n")
    return str(path)


@breaks("asset-unread")
def _a_constant_that_nothing_takes(folder: Path) -> str:
    return written(_with_unread(_note(folder), lambda constant: None), folder)


@breaks("asset-unread")
def _a_table_that_nothing_is_looked_up_in(folder: Path) -> str:
    path = vocabulary(folder)
    return written(_with_unread(path, lambda constant: tf.lookup.StaticHashTable(lines_of(path), 0)), folder)


@breaks("asset-unread")
def _a_constant_that_is_handed_on_to_nothing(folder: Path) -> hub.ModuleSpec:
    return _with_unread(_note(folder), tf.identity)


def _with_unread(path: str, use: Any) -> hub.ModuleSpec:
    def module_fn():
        given = rows()
        use(_asset(path))
        hub.add_signature(inputs=given, outputs=dense(given, 4))

    return hub.create_module_spec(module_fn)


@keeps("asset-unread")
def _read_through_an_identity(folder: Path) -> str:
    path = _note(folder)
    return written(_with_a_note(lambda: tf.identity(_asset(path))), folder)


@keeps("asset-unread")
def _the_path_is_an_output(folder: Path) -> str:
    """As in BERT's modules, whose signature `tokenization_info` tells programs where the vocabulary lies."""
    path = vocabulary(folder)

    def module_fn():
        given = rows()
        hub.add_signature(inputs=given, outputs=dense(given, 4))
        outputs = {"vocab_file": _asset(path), "do_lower_case": tf.constant(True)}
        hub.add_signature("tokenization_info", inputs={}, outputs=outputs)

    return written(hub.create_module_spec(module_fn), folder)


@keeps("asset-unread")
def _read_in_a_function(folder: Path) -> str:
    path = _note(folder)
    read = tf.function(tf.io.read_file, input_signature=[tf.TensorSpec([], tf.string)])

    def module_fn():
        given = rows()
        outputs = {"default": dense(given, 4), "notes": _for_each(given, read(_asset(path)))}
        hub.add_signature(inputs=given, outputs=outputs)

    return written(hub.create_module_spec(module_fn), folder)


@breaks("absolute-path")
def _an_op_opens_a_file_that_is_no_asset(folder: Path) -> hub.ModuleSpec:
    path = _note(folder)
    return _with_a_note(lambda: tf.constant(path))


@breaks("absolute-path")
def _on_disk_too(folder: Path) -> str:
    return written(_with_a_note(lambda: tf.constant("/cellar/notes.txt")), folder)


@breaks("absolute-path")
def _a_path_of_windows(folder: Path) -> hub.ModuleSpec:
    return _with_a_note(lambda: tf.constant("C:\\Users\\me\\notes.txt"))


@breaks("absolute-path")
def _a_path_in_a_function(folder: Path) -> hub.ModuleSpec:
    """Even if it is that of an asset: no one can follow it there."""
    path = _note(folder)
    read = tf.function(lambda: tf.io.read_file(path), input_signature=[])

    def module_fn():
        given = rows()
        note = tf.strings.join([tf.io.read_file(_asset(path)), read()])
        outputs = {"default": dense(given, 4), "notes": _for_each(given, note)}
        hub.add_signature(inputs=given, outputs=outputs)

    return hub.create_module_spec(module_fn)


@breaks("absolute-path")
def _where_the_training_ran(folder: Path) -> str:
    """A constant that opens no file, and tells of the publisher's disk."""
    return written(_with_text("/home/me/experiments/run-17"), folder)


@breaks("absolute-path")
def _the_name_of_a_table(folder: Path) -> str:
    """TensorFlow names a table after the path of its vocabulary; other exporters leave that in."""
    path = written(sentence_module(vocabulary(folder), rows=7), folder)
    with edited_saved_model(path) as saved_model:
        for node in saved_model.meta_graphs[0].graph_def.node:
            if node.op == "HashTableV2":
                node.attr["shared_name"].s = b"hash_table_/tmp/tmpx1/tokens.txt_-2_-1"
    return path


@keeps("absolute-path")
def _an_asset_in_memory(folder: Path) -> hub.ModuleSpec:
    """Its path goes to disk as a name, also where it is in the name of a table."""
    return sentence_module(vocabulary(folder), rows=7)


@keeps("absolute-path")
def _an_asset_on_disk(folder: Path) -> str:
    path = _note(folder)
    return written(_with_a_note(lambda: _asset(path)), folder)


@keeps("absolute-path")
def _texts_that_begin_with_a_slash(folder: Path) -> hub.ModuleSpec:
    """A class of Freebase, a pattern, a separator, a web address, a time."""
    return _with_text("/m/01yrx", "/\\d+/", "/", "https://tfhub.dev/google/nnlm/1", "c: 12", "and/or", "//")


@breaks("absolute-path")
def _paths_of_the_files_that_were_trained_on(folder: Path) -> hub.ModuleSpec:
    return _with_text_of(["/data/first.csv", "/mnt/disks/second"])


@keeps("absolute-path")
def _labels_that_could_be_folders(folder: Path) -> hub.ModuleSpec:
    return _with_text_of(["/home/garden", "/media/video", "/work/office", "/home/garden/tools"])


@keeps("absolute-path")
def _one_label_of_many_that_could_be_a_file(folder: Path) -> hub.ModuleSpec:
    return _with_text_of(["/arts/books", "/home/kitchen/pots", "/sports/tennis"])


def _with_text_of(texts: list[str]) -> hub.ModuleSpec:
    """All in one constant."""

    def module_fn():
        given = rows()
        said = tf.gather(tf.constant(texts), tf.argmax(features := dense(given, len(texts)), 1))
        hub.add_signature(inputs=given, outputs={"default": features, "labels": said})

    return hub.create_module_spec(module_fn)


def _with_text(*texts: str) -> hub.ModuleSpec:
    def module_fn():
        given = rows()
        said = _for_each(given, tf.strings.join([tf.constant(text) for text in texts], " "))
        hub.add_signature(inputs=given, outputs={"default": dense(given, 4), "texts": said})

    return hub.create_module_spec(module_fn)


@breaks("assets-larger-than-variables")
def _weights_in_a_text_file(folder: Path) -> str:
    path = _note(folder, "0.25 " * 250_000)
    return written(_with_a_note(lambda: _asset(path)), folder)


@breaks("assets-larger-than-variables")
def _in_memory(folder: Path) -> hub.ModuleSpec:
    path = _note(folder, "0.25 " * 250_000)
    return _with_a_note(lambda: _asset(path))


@keeps("assets-larger-than-variables")
def _a_small_file(folder: Path) -> str:
    """More than the 80 bytes of the variables, and yet not worth a word."""
    path = _note(folder, "a longer note " * 1000)
    return written(_with_a_note(lambda: _asset(path)), folder)


@keeps("assets-larger-than-variables")
def _a_large_file_of_a_module_without_variables(folder: Path) -> str:
    path = vocabulary(folder, [f"token number {number}" for number in range(60_000)])

    def module_fn():
        ids = tf.placeholder(tf.int64, [None], name="ids")
        names = tf.lookup.TextFileInitializer(path, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER, tf.string, -2)
        hub.add_signature(inputs={"ids": ids}, outputs=tf.lookup.StaticHashTable(names, "").lookup(ids))

    return written(hub.create_module_spec(module_fn), folder)
