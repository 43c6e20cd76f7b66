"""The command `tf1hub lint`: what the users of a module would trip over."""

from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import click

from tf1hub import files
from tf1hub.checks.linting.findings import ERROR, WARNING
from tf1hub.checks.linting.linting import LintReport, lint
from tf1hub.checks.linting.pages import read_page
from tf1hub.checks.linting.rules import GROUPS, chosen_rules
from tf1hub.checks.linting.training_graph import OPTIMIZER_REGULARIZATION
from tf1hub.checks.verifying.verification import bytes_to_check
from tf1hub.cli import text
from tf1hub.cli.lint_text import report_lines
from tf1hub.cli.options import json_option, module_argument
from tf1hub.cli.progress import progress
from tf1hub.errors import RuleError

# Less is checked before a bar could be looked at.
_WORTH_A_BAR = 50_000_000


def _print_page(ctx: click.Context, param: click.Parameter, rule: str | None) -> None:
    if rule is not None:
        click.echo(read_page(rule).rstrip())
        ctx.exit()


def _print_rules(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted:
        rows = [(each.id, each.severity, each.summary) for rules in GROUPS.values() for each in rules]
        lines = text.columns(rows).splitlines()
        for group, rules in GROUPS.items():
            click.echo("\n".join([f"{group}:", *lines[: len(rules)]]))
            del lines[: len(rules)]
        ctx.exit()


@click.command("lint")
@module_argument()
@click.option("--select", multiple=True, metavar="RULE,...", help="Only these rules or groups. Can be repeated.")
@click.option("--ignore", multiple=True, metavar="RULE,...", help="Not these rules or groups. Can be repeated.")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@json_option()
@click.option(
    "--explain",
    metavar="RULE",
    is_eager=True,
    expose_value=False,
    callback=_print_page,
    help="Print why a rule is there, with an example that triggers it and one that does not.",
)
@click.option(
    "--rules",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_rules,
    help="List all rules, by group.",
)
def command(module: str, select: tuple[str, ...], ignore: tuple[str, ...], strict: bool, as_json: bool) -> int:
    """Check MODULE, a directory, against the advice to publishers.

    A finding says what was found and why it matters to who reuses or fine-tunes the module, then how to mend it. An error
    breaks the module for its users; a warning is what they will trip over; advice would make the module easier to reuse.
    TensorFlow is not needed.

    \b
    Examples:
      tf1hub lint my_module
      tf1hub lint my_module --strict --ignore publishing,dropout-rate
      tf1hub lint my_module --json | jq -r '.findings[].rule'
      tf1hub lint --explain dropout-in-inference

    \b
    Exit status:
      0  no errors (with --strict: no warnings either)
      1  at least one
      2  the module cannot be read, or bad usage
    """
    selected, ignored = _names(select), _names(ignore)
    rules = chosen_rules(selected, ignored)
    if rules == [OPTIMIZER_REGULARIZATION]:
        raise RuleError(
            f"The rule {OPTIMIZER_REGULARIZATION.id!r} finds nothing in a module: it looks at the graph that trains one. Call"
            " hub.lint_training_graph with that graph, or with the .meta file beside a checkpoint."
        )
    bar = progress("Linting", len(rules), "rules") if _is_large(module) else nullcontext(None)
    with bar as advance:
        report = lint(
            module, select=selected, ignore=ignored, progress=None if advance is None else lambda _: advance(1)
        )
    if as_json:
        text.print_json(_as_data(report))
    else:
        click.echo("\n".join(report_lines(report)))
    failing = {ERROR, WARNING} if strict else {ERROR}
    return int(any(finding.severity in failing for finding in report.findings))


def _is_large(module: str) -> bool:
    """Whether there are many bytes to read. Of remote storage nobody is asked for that."""
    return not files.is_remote(files.resolve(module)) and bytes_to_check(module) > _WORTH_A_BAR


def _names(lists: tuple[str, ...]) -> list[str]:
    """The names in lists with commas between them."""
    return [name.strip() for each in lists for name in each.split(",") if name.strip()]


def _as_data(report: LintReport) -> dict[str, Any]:
    """The report for machines."""
    return {
        "counts": report.counts(),
        "facts": asdict(report.facts),
        "findings": [asdict(finding) for finding in report.findings],
    }
