"""The head of what `tf1hub diff` prints: in a few sentences, what changed and what is the same."""

from collections.abc import Sequence

from tf1hub.checks.comparing.comparison import Comparison
from tf1hub.checks.comparing.variable_changes import CHANGED, ONLY_IN_A, ONLY_IN_B, SAME, UNREAD, VariableComparison
from tf1hub.checks.wording import counted


def summary(comparison: Comparison) -> str:
    """What changed and what is the same, in a few sentences: the variables first, since fine-tuning changes those."""
    if comparison.is_same and not comparison.problems:
        values = f" {_equal_ones(comparison.variables)}." if comparison.variables else ""
        return f"The modules are the same.{values}"
    sentences = ["Not everything could be compared; see the problems."] if comparison.problems else []
    sentences += _variables(comparison)
    return " ".join([*sentences, _parts(comparison, bool(sentences))])


def percent(share: float | None) -> str:
    """A share as a percentage; None is what was nothing before.

    >>> percent(0.0213), percent(0.25), percent(12.5), percent(None)
    ('2.1%', '25%', '1,250%', 'from 0')
    """
    if share is None:
        return "from 0"
    return f"{100 * share:,.0f}%" if 0.1 <= share < 1e6 else f"{100 * share:.2g}%"


def magnitude(variable: VariableComparison) -> float:
    """What changed variables are sorted by: the change as a share of the norm; what cannot be said comes first."""
    difference = variable.difference
    if difference is None or difference.relative is None:
        return float("inf")
    return difference.relative


def _parts(comparison: Comparison, comes_last: bool) -> str:
    """A sentence on all but the variables."""
    variants = comparison.common_variants
    differs = {
        "variants": bool(comparison.variants),
        "signatures": any(variant.signatures for variant in variants),
        "graphs": any(variant.nodes or variant.functions for variant in variants),
        "collections": any(variant.collections for variant in variants),
        "attached messages": any(variant.attached_messages for variant in variants),
        "assets": bool(comparison.assets),
        "other files": bool(comparison.other_files),
    }
    same = _listed([part for part in differs if not differs[part]])
    different = _listed([part for part in differs if differs[part]])
    if not different:
        return f"{'All else is' if comes_last else 'All is'} the same: {same}."
    return f"The {different} differ; the {same} are the same." if same else f"The {different} differ."


def _those(variables: Sequence[VariableComparison]) -> str:
    return f"{counted(len(variables), 'variable')} {'is' if len(variables) == 1 else 'are'}"


def _equal_ones(variables: Sequence[VariableComparison]) -> str:
    if len(variables) == 1:
        return "The variable is equal to the bit"
    return f"The {len(variables):,} variables are equal to the bit"


def _listed(words: list[str]) -> str:
    return " and ".join(([", ".join(words[:-1])] if words[1:] else []) + words[-1:])


def _variables(comparison: Comparison) -> list[str]:
    """Sentences on the variables."""
    by_status = {
        status: [variable for variable in comparison.variables if variable.status == status]
        for status in (SAME, CHANGED, ONLY_IN_A, ONLY_IN_B, UNREAD)
    }
    changed, same = by_status[CHANGED], by_status[SAME]
    sentences = []
    if changed:
        sentences.append(_changed(changed, len(changed) + len(same)))
        sentences += _equal(changed, same)
    elif same:
        sentences.append(f"{_equal_ones(same)}.")
    for status, where in ((ONLY_IN_A, "only in A"), (ONLY_IN_B, "only in B")):
        if by_status[status]:
            sentences.append(f"{_those(by_status[status])} {where}.")
    if moved := [variable for variable in comparison.variables if variable.name != variable.name_in_b]:
        example = f"{moved[0].name} is {moved[0].name_in_b} there"
        sentences.append(f"{_those(moved)} in another scope in B: {example}.")
    if broken := [each for each in changed if lost_numbers(each)]:
        names = _listed([each.name for each in broken[:3]] + (["others"] if len(broken) > 3 else []))
        sentences.append(f"More values are NaN or infinite in B than in A: in {names}.")
    return sentences


def lost_numbers(variable: VariableComparison) -> bool:
    """Whether more of its values are NaN or infinite in B than in A."""
    difference = variable.difference
    return difference is not None and difference.not_finite_b > difference.not_finite_a


def _changed(changed: list[VariableComparison], compared: int) -> str:
    sentence = f"{len(changed):,} of {counted(compared, 'variable')} changed{_trainable(changed)}"
    if len(changed) == 1:
        [only] = changed
        sentence = f"1 of {counted(compared, 'variable')} changed: {only.name}{_trainable(changed)}{_by(only)}"
    elif (most := _most_changed(changed)) is not None:
        sentence += f"; most of all {most.name}{_by(most)}"
    for form in ("shape", "dtype"):
        if number := sum(getattr(each.a, form) != getattr(each.b, form) for each in changed):
            sentence += f"; {number:,} {'has' if number == 1 else 'have'} another {form}"
    return sentence + "."


def _by(variable: VariableComparison) -> str:
    """How much a variable changed; nothing, where figures do not tell it."""
    difference = variable.difference
    if difference is None or not difference.largest:
        return ""
    by = "from zeros" if difference.relative is None else f"by {percent(difference.relative)} of its norm"
    return f", {by} (no value by more than {difference.largest:.3g})"


def _most_changed(changed: list[VariableComparison]) -> VariableComparison | None:
    """The variable that changed most: of those that are trainable and were not zeros, if there are such."""
    measured = [variable for variable in changed if variable.difference and variable.difference.largest]
    for wanted in (_is_trained, _had_a_norm):
        measured = [variable for variable in measured if wanted(variable)] or measured
    return max(measured, key=magnitude, default=None)


def _is_trained(variable: VariableComparison) -> bool:
    return variable.trainable


def _had_a_norm(variable: VariableComparison) -> bool:
    return variable.difference is not None and variable.difference.relative is not None


def _trainable(changed: list[VariableComparison]) -> str:
    trainable = sum(variable.trainable for variable in changed)
    if trainable == len(changed):
        return ", all of them trainable" if trainable > 1 else ", which is trainable"
    if not trainable:
        return ", none of them trainable" if len(changed) > 1 else ", which is not trainable"
    return f", {trainable:,} trainable and {len(changed) - trainable:,} not"


def _equal(changed: list[VariableComparison], same: list[VariableComparison]) -> list[str]:
    if not same:
        return []
    if len(same) == 1:
        return [f"The other one, {same[0].name}, is equal to the bit."]
    fixed = [variable for variable in [*changed, *same] if not variable.trainable]
    only_same = fixed and all(variable.status == SAME for variable in fixed)
    among = ", among them all that are not trainable" if only_same else ""
    return [f"The other {len(same):,} are equal to the bit{among}."]
