"""Rules about the ops of a graph: whether every supported TensorFlow has them, and can run them anywhere."""

from collections.abc import Iterator

from tf1hub.checks.linting.dataflow.expansion import FlowNode
from tf1hub.checks.linting.findings import ERROR, WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.checks.linting.reuse.op_nodes import nodes_by_op, nodes_of
from tf1hub.checks.linting.reuse.op_tables import op_tables
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted
from tf1hub.graph.op_libraries import find_library

_PYTHON_OPS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})


@rule("op-unknown", WARNING, "an op that no supported TensorFlow has")
def op_unknown(module: LintedModule) -> Iterator[Problem]:
    """Ops in no table: custom ones, and those of other libraries or of tf.contrib."""
    oldest, newest = op_tables()
    known = oldest.ops | newest.ops
    for variant in module.variants:
        unknown: dict[str | None, list[FlowNode]] = {}
        for op, nodes in nodes_by_op(variant).items():
            if op not in known:
                unknown.setdefault(find_library(op), []).extend(nodes)
        for library, nodes in unknown.items():
            they_do = "it does" if len({node.op for node in nodes}) == 1 else "they do"
            origin = f"likely from {library}" if library else f"from a library whose name {they_do} not tell"
            yield Problem(
                f"Neither TensorFlow {oldest.tensorflow} nor {newest.tensorflow} has {_ops(nodes)}, {origin}; a program that"
                " has not loaded the library cannot use the module.",
                "Compute the same with TensorFlow's own ops, or tell the module's users which library to load first.",
                tags=variant.tags,
                node=nodes[0].name,
            )


@rule("op-unsupported", ERROR, "an op that the oldest or the newest supported TensorFlow lacks")
def op_unsupported(module: LintedModule) -> Iterator[Problem]:
    """Ops in one table and not in the other."""
    oldest, newest = op_tables()
    for variant in module.variants:
        for lacking, having in ((oldest, newest), (newest, oldest)):
            lacked = [
                node
                for op, nodes in nodes_by_op(variant).items()
                if op in having.ops and op not in lacking.ops
                for node in nodes
            ]
            if lacked:
                yield Problem(
                    f"TensorFlow {lacking.tensorflow} does not have {_ops(lacked)}, so the module cannot be used with it.",
                    f"Compute the same with ops that every TensorFlow from {oldest.tensorflow} to {newest.tensorflow} has.",
                    tags=variant.tags,
                    node=lacked[0].name,
                )


@rule("python-op", ERROR, "an op that calls a Python function of the publisher's process")
def python_op(module: LintedModule) -> Iterator[Problem]:
    """tf.py_function and its like. A graph holds a number that only the process which made it can look up."""
    for variant in module.variants:
        if nodes := nodes_of(variant, _PYTHON_OPS):
            yield Problem(
                f"Python functions of the process that made the module are called by {_ops(nodes)}: other processes have no"
                " such functions, so the module fails there.",
                "Write the functions with TensorFlow's ops, or leave them to the programs that feed the module.",
                tags=variant.tags,
                node=nodes[0].name,
            )


def _ops(nodes: list[FlowNode]) -> str:
    """The ops of some nodes in words."""
    ops = sorted({node.op for node in nodes})
    return f"the op{'s' if len(ops) > 1 else ''} {named(ops)} ({counted(len(nodes), 'node')})"


RULES = (op_unknown, op_unsupported, python_op)
