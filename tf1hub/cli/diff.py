"""`tf1hub diff`: prints what differs between two modules. What differs is found by `checks.comparing.comparison`."""

import dataclasses
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from tf1hub.cli.options import json_option, module_argument, tags_option
from tf1hub.cli.progress import progress
from tf1hub.cli.text import print_json, readable

if TYPE_CHECKING:
    from tf1hub.checks.comparing.changes import Change
    from tf1hub.checks.comparing.comparison import Comparison, VariantComparison
    from tf1hub.checks.comparing.variable_changes import Advance

_WIDTH = 100
_MOST = 20
_EVERYTHING = 1 << 62
# Bytes that take long enough to compare for a progress bar.
_LONG = 64 << 20
_SAME, _DIFFERENT, _INCOMPLETE = 0, 1, 2


@click.command(short_help="Tell what differs between two modules.")
@module_argument("a")
@module_argument("b")
@tags_option("Compare the variants with these tags only, with commas between them; '' for the one without.")
@click.option("--all", "everything", is_flag=True, help="Do not shorten long lists.")
@json_option()
def command(a: str, b: str, tags: frozenset[str] | None, everything: bool, as_json: bool) -> int:
    """Tell what differs between the modules A and B: what fine-tuning changed, for example.

    The answer comes first, in a few sentences. Then the variables that changed, the one that changed most by its
    own measure first, and whatever else differs: signatures, nodes and functions of the graphs, collections, attached
    messages, assets, other files.

    These are no differences: the order of nodes, attributes that equal their op's default, other encodings of a
    constant, names that TensorFlow numbers functions by, the TensorFlow that wrote a module.

    \b
    Examples:
      tf1hub diff my_module my_module_tuned
      tf1hub diff my_module my_module_tuned --tags train --all
      tf1hub diff --json old new | jq .same

    \b
    Exit status:
      0  the modules are the same
      1  they differ
      2  one cannot be read, as a whole or in part
    """
    from tf1hub.checks.comparing.comparison import compare_modules
    from tf1hub.cli.diff_summary import summary

    comparison = compare_modules(a, b, tags, watch)
    if as_json:
        print_json({"summary": summary(comparison), **comparison.as_dict()})
    else:
        click.echo("\n\n".join(_report(comparison, a, b, _EVERYTHING if everything else _MOST)))
    for problem in comparison.problems[: _EVERYTHING if everything else _MOST]:
        click.echo(f"tf1hub: {readable(problem)}", err=True)
    if comparison.problems:
        return _INCOMPLETE
    return _SAME if comparison.is_same else _DIFFERENT


def watch(total: int) -> "AbstractContextManager[Advance]":
    """A progress bar for a comparison of so many bytes, if they are many."""
    return progress("comparing variables", total) if total >= _LONG else nullcontext(lambda done: None)


def _report(comparison: "Comparison", a: str, b: str, most: int) -> Iterator[str]:
    """The paragraphs to print."""
    from tf1hub.cli.diff_summary import summary
    from tf1hub.cli.diff_variables import variable_paragraphs

    yield textwrap.fill(readable(summary(comparison)), _WIDTH, break_long_words=False, break_on_hyphens=False)
    written = [f" (TensorFlow {readable(each)})" if each else "" for each in comparison.tensorflow_versions]
    yield f"  A  {readable(a)}{written[0]}\n  B  {readable(b)}{written[1]}"
    yield from variable_paragraphs(comparison.variables, most)
    yield from _section("Variants", [_named_variant(each) for each in comparison.variants], most)
    for variant in comparison.common_variants:
        yield from _variant(variant, most)
    yield from _section("Assets", comparison.assets, most)
    yield from _section("Other files", comparison.other_files, most)


def _named_variant(change: "Change") -> "Change":
    return dataclasses.replace(change, name=change.name or "(without tags)")


def _variant(variant: "VariantComparison", most: int) -> Iterator[str]:
    where = f"the variant {','.join(variant.tags)}" if variant.tags else "the variant without tags"
    yield from _section(f"Signatures of {where}", variant.signatures, most)
    yield from _section(f"Nodes of {where}", variant.nodes, most)
    yield from _section(f"Functions of {where}", variant.functions, most)
    yield from _section(f"Collections of {where}", variant.collections, most)
    yield from _section(f"Messages attached to {where}", variant.attached_messages, most)


def _section(title: str, changes: "Sequence[Change]", most: int) -> Iterator[str]:
    if not changes:
        return
    numbers = {
        "changed": sum(None not in (change.a, change.b) for change in changes),
        "only in A": sum(change.b is None for change in changes),
        "only in B": sum(change.a is None for change in changes),
    }
    counts = ", ".join(f"{number:,} {what}" for what, number in numbers.items() if number)
    yield "\n".join([f"{readable(title)}: {counts}", *_lines(changes, most, "  ")])


def _lines(changes: "Sequence[Change]", most: int, indent: str) -> Iterator[str]:
    """Changes as lines: `~` in both, `-` only in A, `+` only in B."""
    for change in sorted(changes, key=lambda change: (change.b is None, change.a is None))[:most]:
        name = readable(change.name)
        if change.b is None:
            yield f"{indent}- {name}  {readable(change.a or '')}".rstrip()
        elif change.a is None:
            yield f"{indent}+ {name}  {readable(change.b)}".rstrip()
        elif change.parts and change.a == change.b:
            yield f"{indent}~ {name}  {readable(change.a)}"
        else:
            yield f"{indent}~ {name}  {readable(change.a)} -> {readable(change.b)}"
        yield from _lines(change.parts, most, indent + "    ")
    if len(changes) > most:
        yield f"{indent}... {len(changes) - most:,} more, which --all shows"
