"""`hub.lint_training_graph`: regularization that an optimizer applies, and that no module carries along."""

import os
from collections.abc import Callable, Collection, Sequence
from typing import Any

from tf1hub import files
from tf1hub.checks.linting.dataflow.flow import Flow
from tf1hub.checks.linting.findings import WARNING, Finding, Problem, named
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.checks.linting.recognising.proximal_updates import (
    PROXIMAL_OPS,
    ProximalUpdate,
    Strengths,
    find_proximal_updates,
)
from tf1hub.checks.linting.recognising.wide_weights import find_wide
from tf1hub.checks.linting.rule import Rule
from tf1hub.checks.linting.trained_variables import find_trained_variables
from tf1hub.checks.wording import counted
from tf1hub.errors import GraphError, raised_as_tensorflow
from tf1hub.format import protos
from tf1hub.format.messages import parse_message
from tf1hub.garbage import no_garbage_collection
from tf1hub.graph.index import GraphIndex

OPTIMIZER_REGULARIZATION = Rule(
    "optimizer-regularization",
    WARNING,
    "an optimizer that regularizes a module's variables, which is not exported: for hub.lint_training_graph, not for modules",
    lambda module: (),
)
RULES: tuple[Rule, ...] = (OPTIMIZER_REGULARIZATION,)

# Ops that say that a closer look is needed: the optimizers', and those that call functions in which these may be. So do ops
# with an underscore in their name, which are functions of TF1.
_TELLING = PROXIMAL_OPS | {"StatefulPartitionedCall", "If", "Case", "While"}
# The tags of the first two fields of a MetaGraphDef. What begins otherwise is parsed, and refused if it is something else.
_BEGINNINGS = (b"\x0a", b"\x12")


@raised_as_tensorflow()
def lint_training_graph(graph: Any, module: Any = None) -> list[Finding]:
    """Finds regularization that an optimizer applies to a module's variables. TensorFlow is not loaded.

    The strengths `l1_regularization_strength` and `l2_regularization_strength` of FtrlOptimizer, of the proximal optimizers
    and of AdagradDAOptimizer belong to the training program: they are not exported with a module, so who fine-tunes it trains
    without them. L1 on the weights and the bias of a wide part (a linear model of sparse features) is no finding.

    Args:
      graph: the graph that trains the module: a `tf.Graph`, a MetaGraphDef, or the path of a `.meta` file, as savers write
        it beside a checkpoint.
      module: whose variables to look at: a `hub.Module`, a module spec or the path of a module, wherever in the graph its
        variables lie; or the scope of the variables, such as "module". All variables of the graph when it is None.

    Returns:
      A finding of the rule "optimizer-regularization" for each optimizer and strength; it names the variables.

    Raises:
      GraphError: `graph` is none of these, or its optimizer regularizes variables and it has none of the module's (a
        `ValueError`).
      MissingModuleError: there is no file, or no module, at the path (an `OSError`, also a `tf.errors.NotFoundError`).
      CorruptModuleError: the file holds no MetaGraphDef.

    >>> with tf.Graph().as_default() as graph:
    ...     module = hub.Module(path, trainable=True)
    ...     loss = tf.reduce_sum(module(["a sentence"]))
    ...     train_op = tf.train.FtrlOptimizer(0.1, l2_regularization_strength=0.02).minimize(loss)
    >>> [(finding.rule, finding.variable) for finding in hub.lint_training_graph(graph, module)]
    [('optimizer-regularization', 'module/vectors')]
    """
    return find_regularization(graph, lambda flow: find_trained_variables(flow, module))


def find_regularization(graph: Any, trained: Callable[[Flow], Collection[str]]) -> list[Finding]:
    """As `lint_training_graph`; `trained` finds the nodes of the variables that count, in a graph that needs a look."""
    with no_garbage_collection():
        meta_graph = _read_graph(graph)
        if meta_graph is None:
            return []
        variant = Variant((), GraphIndex(meta_graph))
        updates = find_proximal_updates(variant.flow, variant.liveness)
        names = trained(variant.flow) if updates else ()
        counting = [update for update in updates if update.variable in names]
        return [regularization_finding(*group) for group in _grouped(variant.flow, counting)]


def regularization_finding(
    optimizer: str, strengths: Strengths, variables: Sequence[str], node: str | None = None
) -> Finding:
    """The finding that an optimizer regularizes some variables."""
    names = named(variables)
    what = f"the variable {names}" if len(variables) == 1 else f"{counted(len(variables), 'variable')} ({names})"
    reason = (
        f"The optimizer {optimizer!r} ({strengths.optimizer}) regularizes {what} with {strengths}; an"
        " optimizer's strengths are not exported with a module, so who fine-tunes it trains without them."
    )
    tuned = "; tune the factors, since FTRL counts l1 and l2 once and not with each step" if strengths.is_ftrl else ""
    remedy = (
        "In the module_fn add a loss for each variable w to the collection REGULARIZATION_LOSSES,"
        f" {strengths.loss()}, and leave the optimizer's strengths at 0{tuned}."
    )
    return OPTIMIZER_REGULARIZATION.finding(Problem(reason, remedy, node=node, variable=variables[0]))


def _grouped(flow: Flow, updates: Collection[ProximalUpdate]) -> list[tuple[str, Strengths, list[str], str | None]]:
    """The updates that one optimizer makes with the same strengths, as the arguments of their finding."""
    groups: dict[tuple[str, Strengths], dict[str, str]] = {}
    wide = find_wide(flow, {update.variable for update in updates if update.strengths.l1 != 0})
    for update in updates:
        strengths = update.strengths.without_l1() if update.variable in wide else update.strengths
        if strengths:
            groups.setdefault((update.optimizer, strengths), {}).setdefault(update.variable, update.node)
    return [(*group, list(nodes), next(iter(nodes.values()))) for group, nodes in groups.items()]


def _read_graph(graph: Any) -> protos.MetaGraphDef | None:
    """The graph as one of our messages; None when it has no op of an optimizer that regularizes, in no function either.

    So a graph is not made a message, and a file's bytes are not parsed, for nothing: both take seconds for large models.
    """
    if isinstance(graph, protos.MetaGraphDef):
        return graph
    if isinstance(graph, str | os.PathLike):
        path = files.resolve(graph)
        if not files.is_remote(path) and os.path.isdir(path):
            raise GraphError(
                f"{path!r} is a directory. Name the training's graph in it, the file that ends in .meta, such as"
                f" {files.join(path, 'model.ckpt-1000.meta')!r}."
            )
        data = files.read_bytes(path)
        if data.startswith(_BEGINNINGS) and not _may_regularize(data):
            return None
        found: protos.MetaGraphDef = parse_message(protos.MetaGraphDef, data, f"The graph in {path!r}")
        return found
    if hasattr(graph, "as_graph_def"):
        if not any(op in _TELLING or "_" in op[1:] for op in {operation.type for operation in graph.get_operations()}):
            return None
        data = graph.as_graph_def().SerializeToString()
        return protos.MetaGraphDef(graph_def=protos.GraphDef.FromString(data)) if _may_regularize(data) else None
    if hasattr(graph, "meta_info_def"):
        data = graph.SerializeToString()
        return protos.MetaGraphDef.FromString(data) if _may_regularize(data) else None
    raise GraphError(
        "A training graph is a tf.Graph, a MetaGraphDef or the path of a .meta file, but got"
        f" {type(graph).__name__}. Of a session, pass its attribute `graph`."
    )


def _may_regularize(data: bytes) -> bool:
    return any(op in data for op in (b"ApplyFtrl", b"ApplyProximal", b"ApplyAdagradDA"))
