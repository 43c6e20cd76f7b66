"""Rules about nodes and variables that no consumer of a module needs."""

import math
from collections.abc import Iterator, Mapping

from tf1hub.checks.linting.dataflow.ops import FLOATS, PLACEHOLDERS
from tf1hub.checks.linting.findings import ADVICE, WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.recognising.batch_norm import find_batch_norms
from tf1hub.checks.linting.reuse.leftover_ops import LEFTOVERS
from tf1hub.checks.linting.reuse.used_nodes import Uses, uses_of
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted
from tf1hub.format import dtypes, protos
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.library import functions_of
from tf1hub.graph.variables import StoredVariable

_ASSERT = "Assert"
# TensorFlow leaves such nodes everywhere: reads, parts, shapes, the ends of branches. They cost next to nothing.
_PLUMBING = frozenset(
    {"Const", "Identity", "IdentityN", "NoOp", "Placeholder", "PlaceholderV2", "PlaceholderWithDefault", "ReadVariableOp"}
    | {"VarHandleOp", "Variable", "VariableV2", "Assign", "AssignVariableOp", "VarIsInitializedOp", "IsVariableInitialized"}
    | {"Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond", "RefSwitch", "RefMerge", "RefEnter", "RefExit"}
    | {"Cast", "Reshape", "ExpandDims", "Squeeze", "StridedSlice", "Split", "SplitV", "Unpack", "ConcatV2", "Pack"}
    | {"StopGradient", "PreventGradient", "Transpose", _ASSERT}
)  # fmt: skip
# Values do not go through these.
_OF_THE_SHAPE = frozenset({"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"})
_LOOPS = frozenset({"Enter", "RefEnter", "While", "StatelessWhile"})
_READS = frozenset({"Identity", "ReadVariableOp", "Split", "SplitV", "Unpack", "StridedSlice", "Transpose"})
_TYPE_ATTRS = ("T", "dtype", "Tparams")


@rule("unused-nodes", ADVICE, "computations that nobody needs")
def unused_nodes(module: LintedModule) -> Iterator[Problem]:
    """Nodes that compute floats from what is fed, for no output, update op or loss.

    Not told: what summaries, savers, input pipelines and updates of batch normalization need, which have rules of their own;
    what libraries leave, which are assertions that nothing waits for and the step of a recurrent layer outside of its loop;
    shapes; and what is computed of variables alone: `tf.get_variable` calls every regularizer twice.
    """
    for variant in module.variants:
        if found := _unused(variant):
            ends = named(_ends(uses_of(variant), found))
            yield Problem(
                f"{counted(len(found), 'node')} compute{'' if len(found) > 1 else 's'} what no output, update op or"
                f" regularization loss needs, up to {ends}: each consumer loads it for nothing.",
                "Leave such computations out of the `module_fn`, or give them an output if consumers can use them.",
                tags=variant.tags,
                node=found[0],
            )


def _unused(variant: Variant) -> list[str]:
    """The unused nodes that compute, in the order of the file."""
    index = variant.index
    uses = uses_of(variant)
    unused = {name: node for name, node in index.nodes.items() if name not in uses.used}
    if all(node.op in _PLUMBING for node in unused.values()):
        return []
    told = [name for name, node in unused.items() if any(ops.fullmatch(node.op) for ops in LEFTOVERS)]
    asserting = _functions_that_assert(index)
    asserted = [name for name, node in unused.items() if asserting.intersection(functions_of(node))]
    updating = [update.node for norm in find_batch_norms(variant) for update in norm.updates]
    passed_over = uses.needed_by([*told, *asserted, *updating]) | uses.reached(told)
    fed = [name for name, node in index.nodes.items() if node.op in PLACEHOLDERS]
    computed = uses.reached(fed, _OF_THE_SHAPE)
    passed_over |= uses.needed_by(uses.reached(_first_steps(variant, uses, computed)))
    return [
        name
        for name, node in unused.items()
        if name in computed and name not in passed_over and node.op not in _PLUMBING and _is_of_floats(node)
    ]


def _first_steps(variant: Variant, uses: Uses, computed: set[str]) -> list[str]:
    """Unused nodes that take weights of a loop, and are in none: Keras computes a step like that to learn the shapes.

    `computed` are the nodes that are computed of what is fed.
    """
    nodes = variant.index.nodes
    found = []
    for variable in variant.variables:
        takers = _takers(variable, uses, nodes)
        if any(name in uses.computing and nodes[name].op in _LOOPS for name in takers):
            outside = [name for name in takers if name in computed and nodes[name].op not in _LOOPS]
            if uses.used.isdisjoint(outside):
                found += outside
    return found


def _takers(variable: str, uses: Uses, nodes: Mapping[str, protos.NodeDef]) -> list[str]:
    """The nodes that take the values of a variable or parts of them, or the variable itself."""
    found: dict[str, bool] = {}
    todo = [variable]
    while todo:
        for name in uses.consumers.get(todo.pop(), ()):
            if name not in found:
                found[name] = nodes[name].op not in _READS
                if not found[name]:
                    todo.append(name)
    return [name for name, computes in found.items() if computes]


def _functions_that_assert(index: GraphIndex) -> set[str]:
    """What asserts: the op, and functions such as the branches of `tf.Assert`."""
    library = index.meta_graph.graph_def.library
    return {_ASSERT, *(f.signature.name for f in library.function if any(node.op == _ASSERT for node in f.node_def))}


def _is_of_floats(node: protos.NodeDef) -> bool:
    return any(attr in node.attr and node.attr[attr].type in FLOATS for attr in _TYPE_ATTRS)


def _ends(uses: Uses, names: list[str]) -> list[str]:
    """Those of some nodes that none of them takes anything from."""
    taken = {source for name in names for source in uses.sources[name]}
    return [name for name in names if name not in taken] or names[:1]


@rule("unused-variables", WARNING, "variables that nothing reads")
def unused_variables(module: LintedModule) -> Iterator[Problem]:
    """Variables of whose parts no variant reads any."""
    unused: dict[str, list[StoredVariable]] = {}
    used: set[str] = set()
    tags: dict[str, tuple[str, ...]] = {}
    for variant in module.variants:
        computing = uses_of(variant).computing
        for node, variable in variant.variables.items():
            name = variable.checkpoint_name
            if node in computing:
                used.add(name)
            elif name not in tags or tags[name] == variant.tags:
                tags[name] = variant.tags
                unused.setdefault(name, []).append(variable)
    if names := [name for name in unused if name not in used]:
        size = sum(_bytes(variable) for name in names for variable in unused[name])
        yield Problem(
            f"{counted(len(names), 'variable')} of {size:,} bytes, {named(names)}, {'are' if len(names) > 1 else 'is'} read by"
            " no signature, update op or regularization loss; every consumer downloads and keeps them for nothing.",
            "Make only variables that the signatures need; steps and optimizers belong in the program that trains.",
            tags=tags[names[0]],
            variable=names[0],
        )


def _bytes(variable: StoredVariable) -> int:
    """The bytes of a variable's values, 0 when they are not known."""
    return math.prod(variable.shape) * (dtypes.item_size(variable.dtype) or 0) if variable.shape is not None else 0


RULES = (unused_nodes, unused_variables)
