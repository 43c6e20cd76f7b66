"""Rules about batch normalization."""

import math
from collections.abc import Iterable, Iterator

from tf1hub.checks.linting.findings import ERROR, WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.recognising.batch_norm import (
    BatchNorm,
    distinct_batch_norms,
    find_batch_norms,
    find_moving_updates,
    find_running_updates,
)
from tf1hub.checks.linting.rule import Rule, rule
from tf1hub.checks.wording import counted

_LARGEST_MOMENTUM = 0.99
# An average has followed when so little is left of what it was.
_REST = 0.05


@rule("batch-norm-momentum", WARNING, "batch normalization whose averages follow new data too slowly")
def batch_norm_momentum(module: LintedModule) -> Iterator[Problem]:
    for variant in module.for_training:
        running = find_running_updates(variant)
        slow = {each.variable: each.momentum for each in running if (each.momentum or 0) > _LARGEST_MOMENTUM}
        norms = distinct_batch_norms(norm for norm in find_batch_norms(variant) if slow.keys() & set(norm.averages))
        if norms:
            momenta = {momentum for momentum in slow.values() if momentum is not None}
            largest = max(momenta)
            most = f"up to {largest:g}" if len(momenta) > 1 else f"{largest:g}"
            yield _problem(
                variant,
                norms,
                f"{_count(norms, 'keeps', 'keep')} {most} of the moving averages in each step, so that about"
                f" {_steps(largest):,} steps go by until they have followed new data by {1 - _REST:.0%}, more than fine-tuning"
                " on a small data set has",
                "Lower the momentum (`decay` in slim) to between 0.9 and 0.99, or give such a default to a placeholder that a"
                " signature exposes.",
            )


@rule("batch-norm-averages-not-updated", WARNING, "moving averages that stay as they are in training")
def batch_norm_averages_not_updated(module: LintedModule) -> Iterator[Problem]:
    for variant in module.for_training:
        norms = find_batch_norms(variant)
        trained = [norm for norm in norms if norm.statistics and (norm.uses_batch or variant.has_switch)]
        if not trained:  # all averages are frozen, also for want of a switch that callers reach, or there are none
            continue
        moved = {variant.variable_name(each.variable) for each in find_running_updates(variant) if each.can_move}
        frozen = _names(variant, (norm for norm in norms if not norm.statistics)) - _names(variant, trained)
        still = sorted((_names(variant, trained) | _averages_for_inference(module, variant)) - moved - frozen)
        if still:
            them = "it" if len(still) == 1 else "them"
            why = f"no op updates {them}"
            if any(variant.variable_name(each.variable) in still for norm in norms for each in norm.updates):
                why = f"the ops that update {them} are not in the collection UPDATE_OPS"
            yield Problem(
                f"{counted(len(still), 'moving average')} of batch normalization ({named(still)}) will not follow the data in"
                f" training: {why}, so that inference goes on with the publisher's statistics after fine-tuning.",
                "Add the updates to tf.GraphKeys.UPDATE_OPS (`layer.updates` of Keras layers), or normalize with the averages"
                " in training, too.",
                tags=variant.tags,
                node=trained[0].node,
                variable=still[0],
            )


@rule(
    "batch-norm-updates-in-inference",
    WARNING,
    "updates of moving averages in a variant that has a counterpart to train",
)
def batch_norm_updates_in_inference(module: LintedModule) -> Iterator[Problem]:
    for variant in module.for_inference:
        updates = find_moving_updates(variant) if module.training_counterpart(variant) is not None else []
        if updates:
            yield Problem(
                f"{counted(len(updates), 'update op')} ({named([each.node for each in updates])})"
                f" {'changes' if len(updates) == 1 else 'change'} moving averages of batch normalization in a variant for"
                " inference, so that applying it can change the module.",
                "Build this variant with training=False (is_training=False in slim), so that only the one tagged 'train' has"
                " update ops.",
                tags=variant.tags,
                node=updates[0].node,
                variable=variant.variable_name(updates[0].variable),
            )


@rule(
    "batch-norm-batch-statistics", ERROR, "batch normalization with the batch's statistics in a variant for inference"
)
def batch_norm_batch_statistics(module: LintedModule) -> Iterator[Problem]:
    for variant in module.for_inference:
        found = find_batch_norms(variant)
        # Where it depends on what must be fed, the averages can be taken as well.
        switched = {norm.averages for norm in found if norm.uses_averages}
        norms = distinct_batch_norms(norm for norm in found if norm.uses_batch and norm.averages not in switched)
        if norms:
            yield _problem(
                variant,
                norms,
                f"{_count(norms, 'takes', 'take')} the batch's mean and variance in a variant for inference, so what comes out"
                " for an example depends on the others in its batch",
                "Build this variant with training=False (is_training=False in slim), or make the switch a placeholder with the"
                " default False.",
            )


@rule("batch-norm-averages-trainable", ERROR, "moving averages that are trainable variables")
def batch_norm_averages_trainable(module: LintedModule) -> Iterator[Problem]:
    for variant in module.variants:
        norms = [norm for norm in find_batch_norms(variant) if variant.trainable.intersection(norm.averages)]
        if norms:
            averages = {name for norm in norms for name in norm.averages} & variant.trainable
            names = sorted(variant.variable_name(name) for name in averages)
            yield Problem(
                f"{counted(len(names), 'moving average')} of batch normalization ({named(names)})"
                f" {'is a trainable variable' if len(names) == 1 else 'are trainable variables'}, so that an optimizer changes"
                " what should only follow the data.",
                "Create the averages with trainable=False.",
                tags=variant.tags,
                node=norms[0].node,
                variable=names[0],
            )


def _problem(variant: Variant, norms: list[BatchNorm], reason: str, remedy: str) -> Problem:
    averages = norms[0].averages
    variable = variant.variable_name(averages[0]) if averages else None
    return Problem(f"{reason}.", remedy, tags=variant.tags, node=norms[0].node, variable=variable)


def _count(norms: list[BatchNorm], one_does: str, they_do: str) -> str:
    names = named([norm.node for norm in norms])
    return f"{counted(len(norms), 'batch normalization')} ({names}) {one_does if len(norms) == 1 else they_do}"


def _steps(momentum: float) -> int:
    """After how many steps nearly nothing is left of an average, to two digits."""
    steps = math.log(_REST) / math.log(momentum)
    digits = 1 - math.floor(math.log10(steps))
    return int(round(steps, digits))


def _names(variant: Variant, norms: Iterable[BatchNorm]) -> set[str]:
    """The names of the averages."""
    return {variant.variable_name(name) for norm in norms for name in norm.averages}


def _averages_for_inference(module: LintedModule, trained: Variant) -> set[str]:
    """The names of the averages that the variant for inference takes whose counterpart is trained."""
    for variant in module.for_inference:
        if module.training_counterpart(variant) is trained:
            return _names(variant, find_batch_norms(variant))
    return set()


RULES: tuple[Rule, ...] = (
    batch_norm_momentum,
    batch_norm_averages_not_updated,
    batch_norm_updates_in_inference,
    batch_norm_batch_statistics,
    batch_norm_averages_trainable,
)
