"""A module of every sort of thing, exported by TensorFlow, and ways to damage a copy of it."""

import functools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import export
from tests.module_fns.registry import control_flow_v2, new_path, text_file
from tf1hub.format.bundle_entry import TensorEntry, parse_entry
from tf1hub.format.table import TableReader, TableWriter

INDEX = "variables/variables.index"
DATA = "variables/variables.data-00000-of-00001"


def _module_fn(training: bool) -> None:
    """The data file holds, in this order: a [3, 2], names [3], parts [4, 3] in two slices, scale [2]."""
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    words = tf.placeholder(tf.string, [None], name="words")
    ids = tf.sparse_placeholder(tf.int64, [None, None], name="ids")
    lists = tf.ragged.placeholder(tf.float32, 1, name="lists")
    a = tf.get_variable("a", [3, 2], initializer=tf.ones_initializer(), regularizer=tf.nn.l2_loss)
    tf.get_variable("names", initializer=tf.constant(["one", "two", "three"]), trainable=False)
    parts = tf.get_variable(
        "parts", [4, 3], initializer=tf.ones_initializer(), partitioner=tf.fixed_size_partitioner(2)
    )
    scale = tf.get_variable("scale", [2], initializer=tf.ones_initializer())
    if training:
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_sub(scale, 0.1 * scale))
    lines = tf.lookup.TextFileInitializer(
        text_file("words.txt", ["the", "a"]),
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    table = tf.lookup.StaticVocabularyTable(lines, 1)
    halves = tf.split(tf.matmul(x, a) * scale, 2, axis=1, name="halves")
    with control_flow_v2():
        chosen = tf.cond(tf.reduce_sum(x) > 0.0, lambda: halves[0], lambda: halves[1])
    hub.add_signature(inputs=x, outputs={"default": chosen, "second": halves[1]})
    hub.add_signature("words", words, table.lookup(words))
    hub.add_signature("bag", ids, tf.nn.safe_embedding_lookup_sparse([tf.convert_to_tensor(parts)], ids))
    hub.add_signature("sums", lists, tf.reduce_sum(lists, axis=1))


@functools.cache
def _original() -> str:
    spec = hub.create_module_spec(
        _module_fn, tags_and_args=[(set(), {"training": False}), ({"train"}, {"training": True})]
    )
    return export(spec, Path(new_path("whole")))


def whole_module(folder: Path) -> Path:
    """A copy of the module in `folder`."""
    return Path(shutil.copytree(_original(), folder / "module"))


def flip(file: Path, byte: int, bit: int = 0) -> None:
    """Flips one bit of a file."""
    data = bytearray(file.read_bytes())
    data[byte] ^= 1 << bit
    file.write_bytes(data)


@contextmanager
def edited_index(module: Path, block_size: int = 1 << 18) -> Iterator[dict[bytes, bytes]]:
    """The rows of the checkpoint's index, which are written back with right checksums."""
    file = module / INDEX
    rows = {row.key: row.value for row in TableReader(file.read_bytes(), str(file))}
    yield rows
    with open(file, "wb") as stream:
        writer = TableWriter(stream, block_size)
        for key, value in sorted(rows.items()):
            writer.add(key, value)
        writer.finish()


def edit_entry(rows: dict[bytes, bytes], key: bytes, **changes: Any) -> TensorEntry:
    """Changes fields of a tensor's entry in an index; returns the entry as it was."""
    entry = parse_entry(key.decode("latin-1"), rows[key])
    values = {
        name: getattr(entry, name) for name in ("dtype", "shape", "shard_id", "offset", "size", "crc32c", "slices")
    }
    rows[key] = TensorEntry("", **{**values, **changes}).encode()
    return entry


def slice_keys(rows: dict[bytes, bytes]) -> list[bytes]:
    """The keys of an index under which slices lie."""
    return [key for key in rows if key.startswith(b"\x00")]


def variant(saved_model: Any, *tags: str) -> Any:
    """The graph of a variant."""
    return next(each for each in saved_model.meta_graphs if sorted(each.meta_info_def.tags) == sorted(tags))


def node(meta_graph: Any, name: str) -> Any:
    """A node of a graph."""
    return next(each for each in meta_graph.graph_def.node if each.name == name)


def faults(module: Path) -> list[Any]:
    """The faults that are found in a module."""
    return [finding for finding in hub.verify(module).findings if finding.severity == "fault"]


def only_fault(module: Path) -> Any:
    """The fault that is found in a module, which must be the only one."""
    found = faults(module)
    assert len(found) == 1, found
    return found[0]


def place(finding: Any) -> tuple[Any, Any, Any]:
    """Where a finding is."""
    return finding.file, finding.byte, finding.tensor
