"""Absolute paths in a graph: what they look like, and which ops open a file by them."""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from tf1hub.checks.linting.dataflow.expansion import FlowNode
from tf1hub.checks.linting.dataflow.ops import PASSING
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.format import dtypes
from tf1hub.graph import collections
from tf1hub.graph.constants import first_values
from tf1hub.names import node_name

# Ops that take the name of a file, or part of one.
_FILE_OPS = frozenset(
    {"ReadFile", "WriteFile", "MatchingFiles", "InitializeTableFromTextFile", "InitializeTableFromTextFileV2"}
    | {"RestoreV2", "Restore", "RestoreSlice", "SaveV2", "Save", "SaveSlices", "ShardedFilename", "ShardedFilespec"}
    | {"MergeV2Checkpoints", "LoadAndRemapMatrix", "GenerateVocabRemapping", "TextLineDataset", "TFRecordDataset"}
    | {"TFRecordDatasetV2", "FixedLengthRecordDataset", "FixedLengthRecordDatasetV2", "ImmutableConst"}
)
_CHECKPOINT_READERS = frozenset({"RestoreV2", "Restore", "RestoreSlice"})
_NAMES_OF_FILES = ("filename", "file_pattern", "memory_region_name", "model_file", "vocab_file")
_NAMES_OF_RESOURCES = ("shared_name", "container")
_ABSOLUTE = re.compile(
    r"/[^/\s][^\n]*|[a-zA-Z]:[\\/][^\n]+|\\\\[^\\\n]+\\[^\n]+|(?!https?:)[a-zA-Z][a-zA-Z0-9+.-]+://\S[^\n]*"
)
# Where people and jobs keep files. Other texts that begin with a slash are labels ("/m/01yrx"), patterns, markup.
_ROOTS = (
    "home|Users|root|tmp|var|mnt|media|data|opt|srv|usr|private|scratch|work|workspace|content|cns|placer|export|nfs"
    "|storage|gpfs|lustre|dev/shm|gs|dbfs|Volumes"
)
_LIKELY = re.compile(
    rf"/(?:{_ROOTS})/[^\n]+|[a-zA-Z]:\\[\w .-]+(?:\\[^\n]*)?|[a-zA-Z]:/[\w .-]+/[^\n]*|\\\\[\w.-]+\\[^\n]+"
    r"|(?:gs|s3|s3a|hdfs|viewfs|file|ram|cns|dbfs|abfs|adl|wasb)://\S[^\n]*"
)
# A folder in a folder in such a place, a file with an ending, or what names a disk.
_DEEP = re.compile(r"/[^/]+/[^/]+/[^/]|\.\w+$|:[/\\]|\\")
# How TensorFlow names the table of a vocabulary file: "hash_table_<path>[_<lines>]_<key column>_<value column>".
_TABLE_OF_FILE = re.compile(
    r"(?:hash_table_|table_)(.+?)(?:(?<=\.(?:txt|csv|tsv))_\d+)?(?:_-?\d+_-?\d+(?:_\d+)*)?", re.DOTALL
)
_MOST_TEXTS = 100


class MachinePath(NamedTuple):
    """An absolute path in a graph: what node has it, and whether a file is opened by it."""

    node: str
    path: str
    is_opened: bool


def assets_of(variant: Variant) -> dict[str, str]:
    """The path of each asset by the node of its constant. What is listed and is no constant of a text is left out."""
    found = {}
    for tensor in variant.index.collection_nodes(collections.ASSET_FILEPATHS):
        node = variant.flow.nodes.get(node_name(tensor))
        if node is not None and node.op == "Const" and (texts := _texts(node)):
            found[node.name] = texts[0]
    return found


def iter_machine_paths(variant: Variant, in_memory: bool) -> Iterator[MachinePath]:
    """The absolute paths in a graph that are no assets.

    Args:
      variant: the graph.
      in_memory: whether it is not on disk yet. Writing it takes out the paths in the names of tables and those of
        checkpoints, and makes an asset of each constant that holds the path of one.
    """
    assets = assets_of(variant)
    files = set(assets.values())
    for node in variant.flow.by_op.get("Const", ()):
        if node.attr("dtype").type != dtypes.STRING or node.name in assets:
            continue
        texts = _texts(node)
        paths = [text for text in texts if _ABSOLUTE.fullmatch(text) and (text not in files or node.function)]
        ops = {reader.op for reader in readers(variant, node.name)} if paths else set()
        if in_memory and ops and ops <= _CHECKPOINT_READERS:
            continue
        is_opened = bool(ops & _FILE_OPS)
        if paths and (is_opened or _tell_of_a_machine(texts)):
            yield MachinePath(node.name, paths[0], is_opened)
    yield from _iter_in_attributes(variant, in_memory)


def _tell_of_a_machine(texts: list[str]) -> bool:
    """Whether texts that open no file are paths all the same. Among several, "/home/garden" is a label."""
    return all(_LIKELY.fullmatch(text) and (len(texts) == 1 or _DEEP.search(text)) for text in texts)


def _texts(node: FlowNode) -> list[str]:
    values = first_values(node.attr("value").tensor, _MOST_TEXTS) or []
    return [os.fsdecode(value) for value in values if isinstance(value, bytes)]


def copies(variant: Variant, node: str) -> list[str]:
    """A node, and those that only hand its value on."""
    found = [node]
    for name in found:  # grows
        for consumer, _ in variant.flow.consumers.get(name, ()):
            if variant.flow.nodes[consumer].op in PASSING and consumer not in found:
                found.append(consumer)
    return found


def readers(variant: Variant, node: str) -> list[FlowNode]:
    """The nodes that take a node's value, directly or through others that only hand it on."""
    consumers = variant.flow.consumers
    taking = dict.fromkeys(name for copy in copies(variant, node) for name, _ in consumers.get(copy, ()))
    return [variant.flow.nodes[name] for name in taking if variant.flow.nodes[name].op not in PASSING]


def _ops_with_names(variant: Variant) -> list[str]:
    """The ops of a graph that may have one of the attributes: by their definition, or because there is none."""
    definitions = {op.name: op for op in variant.index.meta_graph.meta_info_def.stripped_op_list.op}
    names = {*_NAMES_OF_FILES, *_NAMES_OF_RESOURCES}
    return [
        op
        for op in variant.flow.by_op
        if op not in definitions or any(attr.name in names for attr in definitions[op].attr)
    ]


def _iter_in_attributes(variant: Variant, in_memory: bool) -> Iterator[MachinePath]:
    for node in variant.flow.of_ops(_ops_with_names(variant)):
        attributes = node.definition.attr if node.definition is not None else {}
        for key in [key for key in _NAMES_OF_FILES if key in attributes]:
            if _ABSOLUTE.fullmatch(path := os.fsdecode(node.attr(key).s)):
                yield MachinePath(node.name, path, True)
        is_table = "HashTable" in node.op
        if is_table and in_memory:
            continue
        for key in [key for key in _NAMES_OF_RESOURCES if key in attributes]:
            name = os.fsdecode(node.attr(key).s)
            of_file = _TABLE_OF_FILE.fullmatch(name) if is_table else None
            if of_file is not None and _ABSOLUTE.fullmatch(of_file[1]):
                yield MachinePath(node.name, of_file[1], False)
            elif _LIKELY.fullmatch(name):
                yield MachinePath(node.name, name, False)
