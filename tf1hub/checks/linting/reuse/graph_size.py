"""Rules about the size of graphs: constants that should be variables, and the limit of a protocol message."""

import math
from collections.abc import Iterator

from tf1hub.checks.describing.file_sizes import file_sizes
from tf1hub.checks.linting.dataflow.expansion import FlowNode
from tf1hub.checks.linting.findings import WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.reuse.op_nodes import nodes_of
from tf1hub.checks.linting.reuse.used_nodes import uses_of
from tf1hub.checks.linting.rule import rule
from tf1hub.format import dtypes, module_directory, protos

_LARGE_CONSTANT = 1_000_000
_LARGE_GRAPH = 1_500_000_000
_LIMIT = (1 << 31) - 1
_LISTS = ("half_val", "float_val", "double_val", "int_val", "int64_val", "bool_val", "uint32_val", "uint64_val")
# By what large constants are for: why they should not be there, and what to make instead.
_ADVICE = {
    "numbers": (
        "which no training can change, and each copy of the graph repeats",
        "Make variables of such constants, with `trainable=False` if no training shall change them.",
    ),
    "text": (
        "which no consumer can look at, and each copy of the graph repeats",
        "Write the text to a file that is an asset, and read that, with `tf.lookup.TextFileInitializer` for a vocabulary.",
    ),
    "initial values": (
        "just to initialize variables, whose values the checkpoint has anyway",
        "Initialize the variables with something that is computed, such as zeros, and load their values before the export.",
    ),
    "nothing": (
        "and no node takes that; TensorFlow leaves such a copy of an array that a variable is initialized with",
        "Initialize variables with something that is computed, such as zeros, and make no other constants of such a size.",
    ),
}


@rule("large-constant", WARNING, "a constant over 1 MB that should be a variable")
def large_constant(module: LintedModule) -> Iterator[Problem]:
    """Constants that take more than 1 MB in the file; a large tensor of one repeated value does not."""
    for variant in module.variants:
        constants = nodes_of(variant, {"Const"})
        sizes = {node.name: size for node in constants if (size := _stored_bytes(node.attr("value").tensor))}
        large = [node for node in constants if sizes.get(node.name, 0) > _LARGE_CONSTANT]
        for purpose, names in sorted(_by_purpose(variant, large).items()):
            names.sort(key=lambda name: -sizes[name])
            size = sum(sizes[name] for name in names)
            subject, take = ("constants", "take") if len(names) > 1 else ("constant", "takes")
            why, remedy = _ADVICE[purpose]
            yield Problem(
                f"The {subject} {named(names)} {take} {size:,} bytes of the graph, {why}.",
                remedy,
                tags=variant.tags,
                node=names[0],
            )


def _by_purpose(variant: Variant, constants: list[FlowNode]) -> dict[str, list[str]]:
    """The names of constants by what they are for: the keys of _ADVICE."""
    found: dict[str, list[str]] = {}
    if not constants:
        return found
    uses = uses_of(variant)
    for node in constants:
        purpose = "text" if node.attr("value").tensor.dtype == dtypes.STRING else "numbers"
        if not node.function and node.name not in uses.computing:
            if node.name in uses.initializing:
                purpose = "initial values"
            elif node.name not in uses.used:
                purpose = "nothing"
        found.setdefault(purpose, []).append(node.name)
    return found


def _stored_bytes(tensor: protos.TensorProto) -> int:
    """How many bytes a constant takes in the file, as far as its values do; 0 for any that is not large."""
    if tensor.dtype == dtypes.STRING:
        return sum(map(len, tensor.string_val))
    size = dtypes.item_size(tensor.dtype)
    if size is None or math.prod(dim.size for dim in tensor.tensor_shape.dim) * size <= _LARGE_CONSTANT:
        return 0
    return len(tensor.tensor_content) or size * max(len(getattr(tensor, field)) for field in _LISTS)


@rule("graph-too-large", WARNING, "graphs near the limit of 2 GB")
def graph_too_large(module: LintedModule) -> Iterator[Problem]:
    """All variants together are one message, which must stay below 2 GB."""
    size = _graph_bytes(module)
    if size >= _LARGE_GRAPH:
        yield Problem(
            f"The graphs of all variants take {size:,} bytes of the {_LIMIT:,} that a file of them may have: a larger"
            f" {module_directory.SAVED_MODEL} can be neither written nor read.",
            "Keep values in variables and files in assets: constants are what makes a graph large.",
            file=module_directory.SAVED_MODEL if module.directory is not None else None,
        )


def _graph_bytes(module: LintedModule) -> int:
    if module.directory is not None:
        return file_sizes(module.directory).get(module_directory.SAVED_MODEL, 0)
    return sum(variant.index.meta_graph.ByteSize() for variant in module.variants)


RULES = (large_constant, graph_too_large)
