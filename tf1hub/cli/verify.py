"""The command `tf1hub verify`: whether a module on disk is whole."""

from contextlib import nullcontext
from dataclasses import asdict

import click

from tf1hub.checks.verifying.findings import SEVERITIES, Finding
from tf1hub.checks.verifying.verification import Verification, bytes_to_check, verify
from tf1hub.checks.wording import counted
from tf1hub.cli import text
from tf1hub.cli.options import json_option, module_argument
from tf1hub.cli.progress import progress

# Less is checked before a bar could be looked at.
_WORTH_A_BAR = 50_000_000


@click.command("verify")
@module_argument()
@json_option()
def command(module: str, as_json: bool) -> int:
    """Check every byte of MODULE, a directory, that can be checked without running it.

    Checksums of the checkpoint's index and of every tensor; sizes, overlaps and gaps; the variables of every variant; all
    names in the graphs; assets, links and names of files. Each finding is one line: how bad it is, the file, the
    byte, the tensor, and what is wrong there. After a fault the checks go on.

    \b
    Examples:
      tf1hub verify my_module
      tf1hub verify my_module && cp -r my_module /models
      tf1hub verify my_module --json | jq '.findings[].file'

    \b
    Exit status:
      0  sound; there may be warnings
      1  at least one fault
      2  nothing could be read: there is no module, or bad usage
    """
    total = bytes_to_check(module)
    bar = progress("Checking", total) if total > _WORTH_A_BAR else nullcontext(None)
    with bar as advance:
        report = verify(module, advance)
    if as_json:
        text.print_json(_as_data(report))
    else:
        click.echo("\n".join([*map(_line, report.findings), _summary(report)]))
    return 0 if report.is_sound else 1


def _line(finding: Finding) -> str:
    """A finding for people."""
    parts = []
    if finding.file is not None:
        parts.append(finding.file)
    if finding.byte is not None:
        parts.append(f"byte {finding.byte}")
    if finding.tensor is not None:
        parts.append(f"tensor '{finding.tensor}'")
    if finding.tags is not None:
        parts.append(f"variant {{{', '.join(finding.tags)}}}")
    place = ", ".join(parts)
    return text.readable(f"{finding.severity}: {place}{': ' if place else ''}{finding.message}")


def _summary(report: Verification) -> str:
    """One line for the whole module."""
    counts = _counts(report)
    verdict = [counted(counts["fault"], "fault")] if counts["fault"] else ["sound"]
    if counts["warning"]:
        verdict.append(counted(counts["warning"], "warning"))
    checked = f"{counted(report.tensors, 'tensor')}, {text.human_size(report.bytes)}, {counted(report.files, 'file')}"
    return f"{', '.join(verdict)}: {checked} checked"


def _counts(report: Verification) -> dict[str, int]:
    severities = [finding.severity for finding in report.findings]
    return {severity: severities.count(severity) for severity in SEVERITIES}


def _as_data(report: Verification) -> dict[str, object]:
    """The report for machines."""
    return {
        "sound": report.is_sound,
        "counts": _counts(report),
        "tensors": report.tensors,
        "files": report.files,
        "bytes": report.bytes,
        "findings": [asdict(finding) for finding in report.findings],
    }
