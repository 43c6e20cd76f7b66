"""Rules about what training and other programs leave in a graph."""

import re
from collections.abc import Iterator

from tf1hub.checks.linting.dataflow.expansion import FlowNode
from tf1hub.checks.linting.findings import WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.reuse.leftover_ops import DATASET, INPUT_PIPELINE, SAVER, SUMMARY
from tf1hub.checks.linting.reuse.op_nodes import nodes_by_op
from tf1hub.checks.linting.reuse.used_nodes import uses_of
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted


@rule("summary-op", WARNING, "summaries for TensorBoard")
def summary_op(module: LintedModule) -> Iterator[Problem]:
    """Nodes that write or make summaries."""
    for variant in module.variants:
        if nodes := _nodes_like(variant, SUMMARY):
            yield Problem(
                f"{_listed(nodes)} for TensorBoard, which nobody runs in a module: its consumers cannot get at the summaries,"
                " and load all that they are computed from.",
                "Make summaries in the program that trains, outside of the `module_fn`.",
                tags=variant.tags,
                node=nodes[0].name,
            )


@rule("queue-op", WARNING, "queues, readers and datasets")
def queue_op(module: LintedModule) -> Iterator[Problem]:
    """Nodes of an input pipeline. A dataset that the outputs are computed with, by no iterator, is none."""
    for variant in module.variants:
        nodes = _nodes_like(variant, INPUT_PIPELINE)
        datasets = _nodes_like(variant, DATASET)
        if datasets and not nodes:
            computing = uses_of(variant).computing
            nodes = [node for node in datasets if not node.function and node.name not in computing]
        if nodes:
            yield Problem(
                f"{_listed(nodes)} of an input pipeline, which reads the publisher's data; a consumer feeds the signature's"
                " inputs, has no such files, and starts no queue runners.",
                "Take what the pipeline gives as inputs of the signature, and read data outside of the `module_fn`.",
                tags=variant.tags,
                node=nodes[0].name,
            )


@rule("save-restore-op", WARNING, "nodes that save or restore checkpoints")
def save_restore_op(module: LintedModule) -> Iterator[Problem]:
    """Nodes of a Saver. What variables are initialized with, such as those of a nested module, is none."""
    for variant in module.variants:
        nodes = _nodes_like(variant, SAVER)
        initializing = uses_of(variant).initializing if nodes else set()
        if nodes := [node for node in nodes if node.name not in initializing]:
            yield Problem(
                f"{_listed(nodes)} to save or restore a checkpoint; a module's values are restored from its own files, and"
                " these nodes name files of the publisher.",
                "Make no `tf.train.Saver` in the `module_fn`, export the module from a checkpoint instead; for a module within"
                " this one, take `hub.Module` of tf1hub, which leaves none.",
                tags=variant.tags,
                node=nodes[0].name,
            )


def _nodes_like(variant: Variant, ops: re.Pattern[str]) -> list[FlowNode]:
    return [node for op, nodes in nodes_by_op(variant).items() if ops.fullmatch(op) for node in nodes]


def _listed(nodes: list[FlowNode]) -> str:
    names = [node.name for node in nodes]
    return f"{counted(len(nodes), 'node')} ({named(names)}) {'are' if len(nodes) > 1 else 'is'} there"


RULES = (summary_op, queue_op, save_restore_op)
