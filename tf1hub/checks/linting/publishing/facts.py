"""What is good to know of a module before it is published, and is nothing to complain about."""

from dataclasses import dataclass

from tf1hub.checks.describing.file_sizes import file_sizes
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.checks.linting.reuse.op_nodes import nodes_by_op
from tf1hub.checks.linting.reuse.op_tables import op_tables


@dataclass(frozen=True)
class ModuleFacts:
    """Facts about a module.

    Attributes:
      bytes: the size of all its files; None for a spec in memory.
      written_by: the versions of TensorFlow that wrote its graphs, sorted.
      tensorflow: of the oldest and the newest supported TensorFlow, those that have all its ops.
    """

    bytes: int | None
    written_by: tuple[str, ...]
    tensorflow: tuple[str, ...]


def facts_of(module: LintedModule) -> ModuleFacts:
    """The facts about a module."""
    size = sum(file_sizes(module.directory).values()) if module.directory is not None else None
    ops = {op for variant in module.variants for op in nodes_by_op(variant)}
    writers = {variant.index.meta_graph.meta_info_def.tensorflow_version for variant in module.variants}
    having = tuple(table.tensorflow for table in op_tables() if ops <= table.ops)
    return ModuleFacts(size, tuple(sorted(writers - {""})), having)
