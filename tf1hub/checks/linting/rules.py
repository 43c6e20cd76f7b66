"""All rules, and choosing some of them."""

from collections.abc import Iterable, Mapping

from tf1hub.checks.linting import training_graph
from tf1hub.checks.linting.fine_tuning import batch_norm, dropout, hyperparameters, regularization, variants
from tf1hub.checks.linting.publishing import files, versions
from tf1hub.checks.linting.reuse import (
    assets,
    attached_messages,
    classification,
    graph_size,
    image_signature,
    leftovers,
    ops,
    placements,
    signature_outputs,
    signature_shapes,
    signatures,
    text_signature,
    unused,
    vocabularies,
    weights,
)
from tf1hub.checks.linting.rule import Rule
from tf1hub.errors import RuleError
from tf1hub.format.close_names import find_close_names

GROUPS: Mapping[str, tuple[Rule, ...]] = {
    "fine-tuning": (
        *regularization.RULES,
        *training_graph.RULES,
        *dropout.RULES,
        *batch_norm.RULES,
        *hyperparameters.RULES,
        *variants.RULES,
    ),
    "reuse": (
        *text_signature.RULES,
        *image_signature.RULES,
        *classification.RULES,
        *signatures.RULES,
        *signature_shapes.RULES,
        *signature_outputs.RULES,
        *ops.RULES,
        *placements.RULES,
        *leftovers.RULES,
        *unused.RULES,
        *graph_size.RULES,
        *assets.RULES,
        *vocabularies.RULES,
        *weights.RULES,
        *attached_messages.RULES,
    ),
    "publishing": (*files.RULES, *versions.RULES),
}
"""The rules by what they are about, in the order in which they run."""

RULES: Mapping[str, Rule] = {each.id: each for rules in GROUPS.values() for each in rules}
"""Every rule by its id."""


def find_rule(id: str) -> Rule:
    """The rule with an id.

    Raises:
      RuleError: there is none.
    """
    if id not in RULES:
        raise RuleError(_unknown(id))
    return RULES[id]


def chosen_rules(select: Iterable[str], ignore: Iterable[str]) -> list[Rule]:
    """The rules that are asked for by id or group, all when none is, without those that are to be ignored.

    Raises:
      RuleError: there is no such rule or group.
    """
    wanted, unwanted = _ids(select), _ids(ignore)
    return [each for each in RULES.values() if (not wanted or each.id in wanted) and each.id not in unwanted]


def _ids(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        if name not in GROUPS:
            found.add(find_rule(name).id)
        else:
            found.update(each.id for each in GROUPS[name])
    return found


def _unknown(name: str) -> str:
    if name in GROUPS:
        return f"{name!r} is a group of rules, not a rule. `tf1hub lint --rules` lists its rules."
    close = find_close_names(name, [*GROUPS, *RULES])
    hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else "`tf1hub lint --rules` lists them."
    return f"There is no rule {name!r}. {hint}"
