"""`tf1hub text-embedding`: makes a module of an embedding file, and tells what it made."""

import os
import re
import stat
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from tf1hub.checks.wording import counted
from tf1hub.cli.options import json_option
from tf1hub.cli.progress import progress
from tf1hub.cli.text import columns, human_size, print_json, readable

if TYPE_CHECKING:
    from tf1hub.publishing.text_embedding import TextEmbeddingSummary

_FLAG_WITH_VALUE = re.compile(r"--(preprocess-text|lowercase|trainable|allow-nonfinite)=(.*)", re.DOTALL)
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class _Command(click.Command):
    """Takes the spelling of the predecessor's program too: `--embedding_file FILE`, `--preprocess_text=False`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_as_flag(argument) for argument in args])


def _as_flag(argument: str) -> str:
    """`--preprocess-text=False` as `--no-preprocess-text`."""
    name, equals, value = argument.partition("=")
    found = _FLAG_WITH_VALUE.fullmatch(name.replace("_", "-") + equals + value)
    if found is None:
        return argument
    if found[2].lower() not in _TRUTH:
        raise click.UsageError(f"{argument!r} is neither true nor false.")
    return f"--{found[1]}" if _TRUTH[found[2].lower()] else f"--no-{found[1]}"


@click.command(cls=_Command, context_settings={"token_normalize_func": lambda name: name.replace("_", "-")})
@click.option(
    "--embedding-file", required=True, metavar="FILE", help="The file with the vectors; '-' for standard input."
)
@click.option("--export-path", required=True, metavar="DIR", help="The module's directory.")
@click.option(
    "--num-oov-buckets",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Rows, of zeros at first, for tokens that have no vector.",
)
@click.option(
    "--preprocess-text/--no-preprocess-text",
    default=True,
    show_default=True,
    help="Take sentences, or single tokens.",
)
@click.option(
    "--combiner",
    type=click.Choice(["sqrtn", "mean", "sum"]),
    default="sqrtn",
    show_default=True,
    help="How the vectors of a sentence are combined.",
)
@click.option(
    "--lowercase/--no-lowercase", default=False, help="Lowercase what the module is given (not the tokens in the file)."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N different tokens.")
@click.option(
    "--trainable/--no-trainable",
    default=True,
    show_default=True,
    help="Whether fine-tuning may change the vectors.",
)
@click.option("--allow-nonfinite/--no-allow-nonfinite", default=False, help="Take NaN and infinite values.")
@json_option()
def command(embedding_file: str, export_path: str, as_json: bool, **options: Any) -> None:
    """Make a module of an embedding file, with neither TensorFlow nor the whole file in memory.

    The file is GloVe's text, word2vec's text or binary, or fastText's .vec, plain or as gzip, bzip2, xz or zip. Its
    contents tell which, not its name. When a token comes again, its first vector counts.

    The module takes sentences: punctuation is taken out, the tokens between spaces are looked up, and their vectors
    combined. With --no-preprocess-text it takes tokens and gives the vector of each.

    \b
    Examples:
      tf1hub text-embedding --embedding-file glove.6B.100d.txt --export-path glove
      tf1hub text-embedding --embedding-file cc.de.300.vec.gz --export-path german --limit 200000
      unzip -p glove.6B.zip glove.6B.50d.txt |
        tf1hub text-embedding --embedding-file - --export-path glove --lowercase

    Exit status: 0 when the module was made; 2 when it was not.
    """
    from tf1hub.publishing.text_embedding import export_text_embedding

    if not export_path:
        raise click.UsageError("--export-path is empty; give the module's directory.")
    with progress("reading", _size_of(embedding_file)) as advance:
        summary = export_text_embedding(export_path, embedding_file, progress=advance, **options)
    for warning in summary.warnings:
        click.echo(f"tf1hub: warning: {readable(warning)}", err=True)
    if as_json:
        print_json(asdict(summary))
    else:
        click.echo(_report(summary, options["preprocess_text"]))


def _size_of(path: str) -> int | None:
    """How much there is to read, when that is known."""
    try:
        status = os.fstat(sys.stdin.fileno()) if path == "-" else os.stat(path)
    except (OSError, ValueError, AttributeError):  # No standard input is None.
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _report(summary: "TextEmbeddingSummary", preprocess_text: bool) -> str:
    left_out = [counted(summary.duplicates, "duplicate")] if summary.duplicates else []
    left_out += [counted(summary.skipped_lines, "empty line")] if summary.skipped_lines else []
    rate = summary.bytes_read / max(summary.seconds, 1e-3)
    rows = [
        ("read", f"{human_size(summary.bytes_read)} ({summary.format}), {human_size(int(rate))}/s"),
        ("tokens", f"{summary.tokens:,}"),
        ("left out", ", ".join(left_out) or "nothing"),
        ("values for each", f"{summary.dimension:,}"),
        ("out-of-vocabulary", counted(summary.num_oov_buckets, "bucket")),
        ("module", human_size(summary.bytes_written)),
    ]
    given = '["a sentence", "another one"]' if preprocess_text else '["word", "another"]'
    return "\n".join(
        [
            f"Made {readable(summary.path)} in {summary.seconds:.1f} s.",
            columns(rows),
            "",
            "To apply it:",
            "",
            "    import tf1hub as hub",
            "",
            f"    with hub.eval_function_for_module({summary.path!r}) as embed:",
            f"        print(embed({given}))",
        ]
    )
