"""Which graphs XLA cannot compile."""

from collections.abc import Iterator
from typing import Any

# What the names of ops hold that XLA has no kernels for: text, tables, files, Python, shapes that follow from values. Of loops
# it can compile the gradient only where the number of rounds is known.
_NOT_COMPILED = (
    "String", "Regex", "Lookup", "HashTable", "Sparse", "Ragged", "Decode", "Encode", "Parse", "PyFunc", "Unique", "ListDiff",
    "Unicode", "ReadFile", "Dataset", "Iterator", "Queue", "NonMaxSuppression", "Summary", "Where", "DynamicPartition",
    "Enter", "While", "RandomShuffle",
)  # fmt: skip
_STRING = 7  # DT_STRING
_STRING_IS_FINE = frozenset({"Assert", "Const", "Print", "PrintV2"})  # left out, or only handed to those


def can_be_compiled(graph_def: Any) -> bool:
    """Whether XLA can likely compile a graph: nothing in it works on text, tables, files or shapes that follow from values."""
    return all(_is_compiled(node) for node in _nodes(graph_def))


def _nodes(graph_def: Any) -> Iterator[Any]:
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def


def _is_compiled(node: Any) -> bool:
    if node.op in _STRING_IS_FINE:
        return True
    if any(part in node.op for part in _NOT_COMPILED):
        return False
    return not any(_STRING in (value.type, *value.list.type) for value in node.attr.values())
