"""The variables in what `tf1hub diff` prints: tables of those that changed, and lists of those that only one has."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tf1hub.checks.comparing.stored_variables import StoredForm
from tf1hub.checks.comparing.variable_changes import CHANGED, ONLY_IN_A, ONLY_IN_B, VariableComparison
from tf1hub.cli.diff_summary import lost_numbers, magnitude, percent
from tf1hub.cli.text import columns, readable

_HEADER = ("change", "largest", "norm in A", "norm in B", "variable", "")
_NUMBERS = range(4)
_MOST_SCOPES = 20


def variable_paragraphs(variables: Sequence[VariableComparison], most: int) -> Iterator[str]:
    """What to print of the variables that are not the same; at most so many of each kind."""
    changed = [variable for variable in variables if variable.status == CHANGED]
    changed.sort(key=lambda variable: (not lost_numbers(variable), -magnitude(variable), variable.name))
    for title, group in (
        ("Trainable variables that changed", [variable for variable in changed if variable.trainable]),
        ("Variables that changed and are not trainable", [variable for variable in changed if not variable.trainable]),
    ):
        if group:
            rows = [_HEADER, *(_row(variable) for variable in group[:most])]
            yield "\n".join([f"{title}: {len(group):,}", columns(rows, _NUMBERS), *_more(group, most)])
    if len(changed) > _MOST_SCOPES:
        yield f"By scope\n{columns(_scope_rows(variables), range(3))}"
    for title, status in (("Variables only in A", ONLY_IN_A), ("Variables only in B", ONLY_IN_B)):
        group = [variable for variable in variables if variable.status == status]
        if group:
            rows = [(readable(each.name), _form(each.a or each.b)) for each in group[:most]]
            yield "\n".join([f"{title}: {len(group):,}", columns(rows), *_more(group, most)])


def _more(group: Sequence[object], most: int) -> Iterator[str]:
    if len(group) > most:
        yield f"  ... {len(group) - most:,} more, which --all shows"


def _row(variable: VariableComparison) -> tuple[str, ...]:
    figures = ("", "", "", "")
    difference = variable.difference
    if difference is not None and difference.largest is not None:
        norms = (difference.norm_a or 0.0, difference.norm_b or 0.0)
        # Where values only became NaN or infinite, or ceased to be, no figure tells how far that is.
        share = "?" if difference.changed and not difference.largest else percent(difference.relative)
        figures = (share, f"{difference.largest:.3g}", f"{norms[0]:.4g}", f"{norms[1]:.4g}")
    return (*figures, readable(variable.name), _notes(variable))


def _notes(variable: VariableComparison) -> str:
    """How the variable is stored, and what else there is to say."""
    a, b, difference = variable.a, variable.b, variable.difference
    assert a is not None
    assert b is not None
    notes = [_form(a) if (a.dtype, a.shape) == (b.dtype, b.shape) else f"{_form(a)} -> {_form(b)}"]
    if a.parts != b.parts:
        notes.append(f"in {a.parts} -> {b.parts} parts")
    if variable.name != variable.name_in_b:
        notes.append(f"in B {readable(variable.name_in_b)}")
    if difference is not None:
        if difference.largest is None:
            notes.append(f"{difference.changed:,} of {difference.elements:,} changed")
        elif not difference.changed:
            notes.append("the same values")
        if difference.not_finite_a or difference.not_finite_b:
            notes.append(f"NaN or infinite: {difference.not_finite_a:,} -> {difference.not_finite_b:,}")
    return ", ".join(notes)


def _form(form: StoredForm | None) -> str:
    return f"{form.dtype} {list(form.shape)}" if form is not None else ""


def _scope_rows(variables: Sequence[VariableComparison]) -> Iterator[tuple[str, ...]]:
    """For each scope, how many of its variables changed, and by which share of the norm of those."""
    yield "change", "largest", "changed", "scope"
    rows = []
    for scope, group in _scopes(variables).items():
        changed = [variable for variable in group if variable.status == CHANGED]
        differences = [each.difference for each in changed if each.difference and each.difference.largest is not None]
        norm = math.hypot(*(each.norm_a or 0.0 for each in differences))
        change = math.hypot(*(each.norm_of_change or 0.0 for each in differences))
        share = change / norm if norm else None if change else 0.0
        largest = max((each.largest or 0.0 for each in differences), default=0.0)
        rows.append((share, largest, f"{len(changed):,} of {len(group):,}", readable(scope)))
    for share, *cells in sorted(rows, key=lambda row: -(math.inf if row[0] is None else row[0])):
        yield percent(share), f"{cells[0]:.3g}", str(cells[1]), str(cells[2])


def _scopes(variables: Sequence[VariableComparison]) -> dict[str, list[VariableComparison]]:
    """The variables of each scope: of the deepest level at which there are not too many."""
    found: dict[str, list[VariableComparison]] = {}
    for depth in range(1, 10):
        scopes: dict[str, list[VariableComparison]] = defaultdict(list)
        for variable in variables:
            parts = variable.name.split("/")
            scopes["/".join(parts[: min(depth, len(parts) - 1)]) or "(no scope)"].append(variable)
        if found and (len(scopes) > _MOST_SCOPES or len(scopes) == len(found)):
            break
        found = scopes
    return found
