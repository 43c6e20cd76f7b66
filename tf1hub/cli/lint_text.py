"""What `tf1hub lint` prints for people: findings by rule, those of several variants told once."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from tf1hub.checks.linting.findings import ADVICE, ERROR, WARNING, Finding
from tf1hub.checks.linting.linting import LintReport
from tf1hub.checks.linting.publishing.facts import ModuleFacts
from tf1hub.checks.wording import counted
from tf1hub.cli import text

_WIDEST = 100


def report_lines(report: LintReport) -> Iterator[str]:
    """The lines of a report: a paragraph for each rule, then a summary, then facts."""
    found = _merged(report.findings)
    for rule, places in groupby(found, key=lambda each: each[0].rule):
        yield from _paragraph(rule, list(places))
        yield ""
    yield _summary([finding for finding, _ in found])
    if facts := _facts(report.facts):
        yield facts


_Place = tuple[Finding, list[tuple[str, ...]]]
"""A finding, and the tags of all variants that it was made in."""


def _merged(findings: Sequence[Finding]) -> list[_Place]:
    """Findings that are the same in several variants, once. Those of one rule follow each other."""
    found: dict[Finding, list[tuple[str, ...]]] = {}
    for finding in findings:
        tags = found.setdefault(replace(finding, tags=None), [])
        if finding.tags is not None and finding.tags not in tags:
            tags.append(finding.tags)
    return list(found.items())


def _paragraph(rule: str, places: Sequence[_Place]) -> Iterator[str]:
    yield f"{places[0][0].severity}: {rule}"
    for at, (finding, variants) in enumerate(places):
        if place := _place(finding, variants):
            yield from _wrapped(place, "  ")
        yield from _wrapped(finding.reason, "    ")
        is_last = at + 1 == len(places) or places[at + 1][0].remedy != finding.remedy
        if is_last:
            yield from _wrapped(finding.remedy, "    -> ")


def _place(finding: Finding, variants: Sequence[tuple[str, ...]]) -> str:
    """Where in the module a finding is."""
    parts = [finding.file] if finding.file is not None else []
    if variants:
        names = [f"{{{', '.join(tags)}}}" for tags in variants]
        parts.append(f"{'variants' if len(names) > 1 else 'variant'} {' and '.join(names)}")
    for kind in ("signature", "node", "variable"):
        if (name := getattr(finding, kind)) is not None:
            parts.append(f"{kind} '{name}'")
    return ", ".join(parts)


def _wrapped(sentence: str, indent: str) -> list[str]:
    """Lines that fit the terminal; names are not broken, so that they can be copied."""
    width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
    return textwrap.wrap(
        text.readable(sentence),
        max(width, 40),
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary(findings: Sequence[Finding]) -> str:
    """One line for the whole module."""
    severities = [finding.severity for finding in findings]
    errors, warnings, advice = (severities.count(each) for each in (ERROR, WARNING, ADVICE))
    parts = [
        counted(errors, "error") if errors else "",
        counted(warnings, "warning") if warnings else "",
        counted(advice, "piece of advice", "pieces of advice") if advice else "",
    ]
    if not findings:
        return "nothing to complain about"
    return f"{', '.join(filter(None, parts))}; `tf1hub lint --explain RULE` tells more of a rule"


def _facts(facts: ModuleFacts) -> str:
    """What is no finding, in a line."""
    parts = [text.human_size(facts.bytes)] if facts.bytes is not None else []
    if facts.written_by:
        parts.append(f"written by TensorFlow {' and '.join(facts.written_by)}")
    if facts.tensorflow:
        parts.append(f"all its ops are in TensorFlow {' and '.join(facts.tensorflow)}")
    return text.readable(", ".join(parts))
