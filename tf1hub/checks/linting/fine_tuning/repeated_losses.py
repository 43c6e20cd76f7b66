"""Regularization losses that a consumer who adds up the collection counts more than once."""

from dataclasses import dataclass

from tf1hub.checks.linting.dataflow.expansion import Ref
from tf1hub.checks.linting.fine_tuning.expressions import Expressions
from tf1hub.checks.linting.fine_tuning.loss_sources import find_variables
from tf1hub.checks.linting.linted_module import Variant


@dataclass(frozen=True)
class RepeatedLosses:
    """The repetitions of one variant.

    Attributes:
      listed_again: losses that are in the collection more than once.
      alike: losses, each with an earlier one that is computed in the same way from the same variables.
      sums: losses, each with the other losses that it is a sum of.
    """

    listed_again: list[Ref]
    alike: dict[Ref, Ref]
    sums: dict[Ref, list[Ref]]


def find_repeated_losses(variant: Variant) -> RepeatedLosses:
    """The repetitions among a variant's losses."""
    first_of: dict[Ref, Ref] = {}
    listed_again: dict[Ref, None] = {}
    for loss in variant.regularization_losses:
        origin = variant.flow.origin(variant.flow.result(loss))
        if origin in first_of:
            listed_again[first_of[origin]] = None
        elif loss[0] in variant.flow.nodes:
            first_of[origin] = loss
    expressions = Expressions(variant.flow, variant.liveness)
    numbered: dict[int, Ref] = {}
    alike = {}
    for loss in first_of.values():
        if find_variables(variant, loss):
            earlier = numbered.setdefault(expressions.number(loss), loss)
            if earlier != loss:
                alike[loss] = earlier
    return RepeatedLosses(list(listed_again), alike, _sums(expressions, numbered))


def _sums(expressions: Expressions, losses: dict[int, Ref]) -> dict[Ref, list[Ref]]:
    """The losses that are sums of others, which are given by their numbers."""
    found = {}
    for loss in losses.values():
        numbers = dict.fromkeys(map(expressions.number, expressions.terms(loss)))
        parts = [losses[number] for number in numbers if number in losses]
        if parts:
            found[loss] = parts
    return found
