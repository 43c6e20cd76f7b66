"""Rules about the values of variables."""

import math
from collections.abc import Callable, Iterator

from tf1hub.checks.linting.findings import ERROR, WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.recognising.batch_norm import find_batch_norms
from tf1hub.checks.linting.recognising.moving_averages import find_updates
from tf1hub.checks.linting.reuse.value_ranges import ValueRange, value_ranges
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted

FindVariables = Callable[[Variant], set[str]]

# A matrix of fewer elements may well be constant.
_FEW = 8
_MOST_VALUES = 3
# What moving averages begin as: means as zeros, variances as ones.
_FIRST_AVERAGES = (0.0, 1.0)
# What multiplies or gathers weights, and which input these are.
_WEIGHTS = {"MatMul": (0, 1), "BatchMatMul": (0, 1), "BatchMatMulV2": (0, 1), "Einsum": (0, 1), "Conv2D": (1,),
            "Conv1D": (1,), "Conv3D": (1,), "DepthwiseConv2dNative": (1,), "Conv2DBackpropInput": (1,),
            "SparseTensorDenseMatMul": (3,), "Gather": (0,), "GatherV2": (0,), "ResourceGather": (0,)}  # fmt: skip
# What TensorFlow 2 writes into a checkpoint besides variables.
_NO_VARIABLES = ("_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter/.ATTRIBUTES/VARIABLE_VALUE")


@rule("weights-not-finite", ERROR, "variables with NaN or infinite values")
def weights_not_finite(module: LintedModule) -> Iterator[Problem]:
    """Yields the variables in the checkpoint that hold numbers which are none."""
    found = {name: each for name, each in module.kept(value_ranges).items() if each.not_finite}
    if any(map(_may_be_meant, found.values())):
        used = _names(module, _weights_of) | _names(module, _averages_of)
        found = {name: each for name, each in found.items() if name in used or not _may_be_meant(each)}
    if found:
        name, first = next(iter(found.items()))
        elements = f"{first.not_finite:,} of the {counted(first.elements, 'element')} of {name!r}"
        also = f", and some in {counted(len(found) - 1, 'other variable')}" if len(found) > 1 else ""
        yield Problem(
            f"NaN or infinite values are in {elements}{also}: they spread to every output and gradient that depends on them.",
            "Export the module from a checkpoint of before the training diverged.",
            variable=name,
        )


@rule("weights-untrained", WARNING, "weights that still look as they were initialized")
def weights_untrained(module: LintedModule) -> Iterator[Problem]:
    """Yields the weight matrices whose elements are all equal, and moving averages that are still 0 or 1."""
    ranges = module.kept(value_ranges)
    candidates = [name for name, each in ranges.items() if each.constant is not None]
    if not candidates:
        return
    trainable, weights = _names(module, _trainable_of), _names(module, _weights_of)
    averages = _names(module, _averages_of) - trainable
    constant = [
        name
        for name in candidates
        if name in weights and _is_matrix(ranges[name]) and (name in trainable or ranges[name].constant == 0)
    ]
    if constant:
        yield Problem(
            f"All elements of {_told(constant, ranges)}: such weights were never trained, or were lost on the way.",
            "See that the module was exported from the trained checkpoint, with names that match its variables.",
            variable=constant[0],
        )
    first = [
        name
        for name in candidates
        if name in averages and ranges[name].elements > 1 and ranges[name].constant in _FIRST_AVERAGES
    ]
    if first:
        yield Problem(
            f"Moving averages are as they began: all elements of {_told(first, ranges)}; at inference they normalize by the"
            " wrong mean and variance.",
            "Run the update ops while training (tf.GraphKeys.UPDATE_OPS), and export the module after that.",
            variable=first[0],
        )


def _names(module: LintedModule, find: FindVariables) -> set[str]:
    """The names in the checkpoint of the variables that are found in any variant."""
    return {variant.variable_name(node) for variant in module.variants for node in find(variant)}


def _weights_of(variant: Variant) -> set[str]:
    """The variables that are trained, or that something is multiplied by or gathered from."""
    found = set(variant.trainable)
    for op, places in _WEIGHTS.items():
        for node in variant.flow.by_op.get(op, ()):
            variables = (variant.flow.variable_of(node.inputs[place]) for place in places if place < len(node.inputs))
            found.update(variable for variable in variables if variable is not None)
    return found


def _averages_of(variant: Variant) -> set[str]:
    """The moving averages of the graph, those of batch normalization and others."""
    moving = {each.variable for each in find_updates(variant) if each.momentum is not None}
    return moving.union(*(norm.averages for norm in find_batch_norms(variant)))


def _trainable_of(variant: Variant) -> set[str]:
    return set(variant.trainable)


def _may_be_meant(values: ValueRange) -> bool:
    """Whether it may be so on purpose, where nothing is multiplied by it: a mask of -inf, the least loss so far."""
    return not math.isnan(values.least) and (math.isfinite(values.largest) or values.elements == 1)


def _is_matrix(values: ValueRange) -> bool:
    """Whether it has more than a few elements, in more than one direction."""
    return values.elements > _FEW and sum(size > 1 for size in values.shape) > 1


def _told(names: list[str], ranges: dict[str, ValueRange]) -> str:
    """Names with the value that all their elements have."""
    by_value: dict[str, list[str]] = {}
    for name in names:
        by_value.setdefault(f"{ranges[name].constant:g}", []).append(name)
    if len(by_value) > _MOST_VALUES:
        return f"{named(names)} are equal in each"
    return " and those of ".join(f"{named(group)} are {value}" for value, group in by_value.items())


@rule("variables-unused-by-variants", WARNING, "values in the checkpoint that no graph variant has a variable for")
def variables_unused_by_variants(module: LintedModule) -> Iterator[Problem]:
    """Yields what is in the checkpoint and in no variant, such as the slots of optimizers."""
    known = {variable.checkpoint_name for variant in module.variants for variable in variant.variables.values()}
    entries = module.stored_entries
    unused = [name for name in entries if name not in known and name not in _NO_VARIABLES]
    if unused:
        size = sum(entries[name].nbytes or entries[name].size for name in unused)
        yield Problem(
            f"The checkpoint holds {counted(len(unused), 'variable')} that no graph variant has, of {size:,} bytes:"
            f" {named(unused)}; everyone who fetches the module fetches them for nothing.",
            "Export the module anew with tf1hub, which writes the variables of its graphs alone.",
            variable=unused[0],
        )


RULES = (weights_not_finite, weights_untrained, variables_unused_by_variants)
