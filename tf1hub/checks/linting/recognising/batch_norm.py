"""Batch normalization in a graph, whichever library spelled it.

    training     (x - mean of the batch) / sqrt(variance of the batch + epsilon), and the averages move towards both
    inference    (x - average of the means) / sqrt(average of the variances + epsilon)

It is told from other normalizations by its averages, which are variables that come in at the place of mean and variance or
follow them, or by statistics over the examples of a batch and a scale or an offset that are variables. Layer, group and
instance normalization have no averages and no such statistics.
"""

import functools
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tf1hub.checks.linting.dataflow.expansion import Ref
from tf1hub.checks.linting.dataflow.ops import FUSED_BATCH_NORMS, PLACEHOLDERS
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.checks.linting.recognising.moving_averages import Update, find_updates
from tf1hub.checks.linting.recognising.normalizing import Normalization, iter_normalizations
from tf1hub.checks.linting.recognising.statistics import find_sources, is_for_training


@dataclass(frozen=True)
class BatchNorm:
    """One batch normalization.

    Attributes:
      node: the op that normalizes; of a spelled-out one, that computes the root of the variance.
      averages: the nodes of the variables that keep the averages of mean and variance, those that are known.
      updates: the ops that move the averages.
      statistics: the statistics of a batch that it can take, in whichever branch; none when it only takes averages.
      uses_batch: whether an output is computed with statistics of the batch when nothing is fed that need not be.
      uses_averages: whether one is computed with the averages.
    """

    node: str
    averages: tuple[str, ...]
    updates: tuple[Update, ...]
    statistics: frozenset[Ref]
    uses_batch: bool
    uses_averages: bool

    @property
    def momentum(self) -> float | None:
        """The part of an average that stays in a step, with the defaults of all placeholders; None when unknown."""
        return max((each.momentum for each in self.updates if each.momentum is not None), default=None)

    @property
    def momentum_inputs(self) -> tuple[str, ...]:
        """The placeholders that the momentum is computed from, sorted."""
        return tuple(sorted({name for each in self.updates for name in each.momentum_inputs}))


def find_batch_norms(variant: Variant) -> list[BatchNorm]:
    """The batch normalizations of a graph, the fused ones first. They are looked for once."""
    return variant.kept(_all_batch_norms)


def _all_batch_norms(variant: Variant) -> list[BatchNorm]:
    return list(_Search(variant).found())


def distinct_batch_norms(norms: Iterable[BatchNorm]) -> list[BatchNorm]:
    """Of those with the same averages, which are branches of one or its applications, one: the first that outputs take."""
    found: dict[tuple[str, ...], BatchNorm] = {}
    for norm in norms:
        key = norm.averages or (norm.node,)
        known = found.setdefault(key, norm)
        if not (known.uses_batch or known.uses_averages) and (norm.uses_batch or norm.uses_averages):
            found[key] = norm
    return list(found.values())


def find_running_updates(variant: Variant) -> list[Update]:
    """The updates of averages that an application can run: those in UPDATE_OPS, and those that outputs wait for."""
    updates = {update.node: update for norm in find_batch_norms(variant) for update in norm.updates}
    if not updates:
        return []
    running = variant.flow.ancestors(_ends(variant), controls=True)
    return [update for name, update in updates.items() if name in running]


def find_moving_updates(variant: Variant) -> list[Update]:
    """Of those the ones that change something when nothing is fed that need not be."""
    updates = [update for update in find_running_updates(variant) if not update.is_still]
    running = variant.liveness.ancestors(_ends(variant), controls=True) if updates else ()
    return [update for update in updates if update.node in running]


def _ends(variant: Variant) -> list[Ref]:
    """What an application computes in the end."""
    return [variant.flow.result(ref) for ref in variant.all_outputs] + [(name, 0) for name in variant.update_ops]


class _Search:
    def __init__(self, variant: Variant):
        self._variant = variant
        self._flow = variant.flow
        self._updates: dict[str, list[Update]] = {}
        self._followers: dict[Ref, set[str]] = {}
        for update in find_updates(variant):
            self._updates.setdefault(update.variable, []).append(update)
            for statistic in update.statistics:
                self._followers.setdefault(statistic, set()).add(update.variable)

    def found(self) -> Iterable[BatchNorm]:
        for normalization in iter_normalizations(self._flow):
            yield from self._batch_norm(normalization)

    def _batch_norm(self, normalization: Normalization) -> Iterable[BatchNorm]:
        node = normalization.node
        refs = (normalization.mean, normalization.variance)
        if node.op not in FUSED_BATCH_NORMS:
            variables, statistics = find_sources(self._flow, refs)
            live_variables, live_statistics = find_sources(self._flow, refs, self._variant.liveness)
        else:
            variables, _ = find_sources(self._flow, refs)
            statistics = {(node.name, 1), (node.name, 2)} if is_for_training(node) else set()
            live_variables, live_statistics = (set() if statistics else variables), statistics
        averages = self._averages(variables, statistics)
        if self._is_batch_norm(normalization, averages, statistics):
            updates = [update for name in averages for update in self._updates.get(name, ())]
            is_live = node.name in self._live
            yield BatchNorm(
                node.name,
                tuple(averages),
                tuple(updates),
                frozenset(statistics),
                is_live and bool(live_statistics),
                is_live and bool(live_variables),
            )

    def _averages(self, variables: set[str], statistics: set[Ref]) -> list[str]:
        """The variables in a normalization, those that follow its statistics, and those that are computed from these."""
        found = variables.union(*(self._followers.get(each, ()) for each in statistics))
        for name, updates in self._updates.items():
            if any(update.averages and update.averages <= found for update in updates):
                found.add(name)
        return sorted(found)

    def _is_batch_norm(
        self, normalization: Normalization, averages: Collection[str], statistics: Collection[Ref]
    ) -> bool:
        if normalization.node.op in FUSED_BATCH_NORMS and averages:
            return True
        if statistics:
            return bool(averages) or (normalization.is_scaled and any(name in self._fed for name, _ in statistics))
        if len(averages) < 2 or any(name in self._updates for name in averages):
            return len(averages) > 1
        # Parameters that are learned can stand at the same places.
        return normalization.is_scaled and not self._variant.trainable.issuperset(averages)

    @functools.cached_property
    def _live(self) -> Collection[str]:
        """The nodes that outputs are computed with when nothing is fed that need not be."""
        return self._variant.liveness.ancestors(map(self._flow.result, self._variant.all_outputs))

    @functools.cached_property
    def _fed(self) -> Collection[str]:
        """The nodes that are computed from something that is fed, and not from variables alone."""
        return self._flow.descendants(node.name for node in self._flow.of_ops(PLACEHOLDERS))
