"""`tf1hub apply`: runs a module on inputs. TensorFlow is loaded when the first batch of inputs is found to fit."""

import itertools
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import click

from tf1hub import files
from tf1hub.checks.wording import counted
from tf1hub.cli.applying.calls import Call, call_of
from tf1hub.cli.applying.extras import check_installed
from tf1hub.cli.options import json_option, module_argument, tags_option
from tf1hub.cli.progress import progress
from tf1hub.cli.text import human_size, print_json
from tf1hub.spec import read_spec

_AFTER_DASHES = "tf1hub.after_dashes"
_BATCH, _BATCH_OF_SINGLES = 32, 256
_NUMBER = re.compile(r"-\.?\d")


class _Command(click.Command):
    """A command whose arguments may be negative numbers, which click takes for options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_AFTER_DASHES] = len(args) - args.index("--") - 1 if "--" in args else 0
        return super().parse_args(ctx, args)


@click.command(cls=_Command, context_settings={"ignore_unknown_options": True})
@module_argument()
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@click.option("--signature", metavar="NAME", help="The signature to apply; 'default' when left out.")
@tags_option()
@click.option("--output", "outputs", metavar="NAME", multiple=True, help="Compute this output only; may be repeated.")
@click.option("--input", "named", metavar="NAME=VALUE", multiple=True, help="A value for an input; may be repeated.")
@click.option(
    "--input-file", "input_files", metavar="FILE", multiple=True, help="Rows of input; '-' is standard input."
)
@click.option(
    "--input-format",
    type=click.Choice(["text", "jsonl", "npy", "npz", "image"]),
    help="The format of the input files, where their names do not tell.",
)
@click.option("--output-file", metavar="FILE", help="Write the results to a .jsonl, .npz or .parquet file.")
@click.option(
    "--batch-size", type=click.IntRange(1), metavar="N", help="Examples at once; 256 of single values, else 32."
)
@click.option("--whole", is_flag=True, help="Rows are no examples: each holds all that the signature takes at once.")
@json_option()
@click.pass_context
def command(
    ctx: click.Context,
    module: str,
    values: tuple[str, ...],
    signature: str | None,
    tags: frozenset[str] | None,
    outputs: tuple[str, ...],
    named: tuple[str, ...],
    input_files: tuple[str, ...],
    input_format: str | None,
    output_file: str | None,
    batch_size: int | None,
    whole: bool,
    as_json: bool,
) -> None:
    """Run MODULE on inputs, and print what it gives as JSON lines: an object for each example, keyed by output.

    The inputs are VALUEs for the only input of the signature (texts, numbers, lists in JSON, paths of images), or
    --input NAME=VALUE for each, or rows of --input-file or standard input: text lines for an input of strings, else JSON
    lines. Without --output it computes the output 'default', or all when there is none of that name.

    \b
    Examples:
      tf1hub apply my_module "the cat" "a dog"
      tf1hub apply my_module --input 'x=[1,2,3]' --input rate=0.5
      tf1hub apply my_module --input-file rows.jsonl --output-file results.parquet
      tf1hub apply my_module --input-file arrays.npz --output default --output hidden
      tf1hub apply image_module cat.jpg dog.png --signature image_feature_vector
      zcat lines.txt.gz | tf1hub apply my_module --batch-size 1000 > vectors.jsonl

    --json prints a summary as JSON when the results go to a file; those on standard output are JSON already.

    TensorFlow is needed: pip install 'tf1hub[tf]'. Exit status: 0 when all went well, 2 for inputs that do not fit, a module
    that cannot be run, and the like, 130 when stopped with Ctrl-C.
    """
    check_installed("tensorflow", "tf", "Running a module")
    _check_values(ctx, values)
    spec, chosen = read_spec(files.absolute(files.resolve(module))), tags or frozenset[str]()
    call = call_of(spec, chosen, signature, outputs, whole)
    size = _batch_size(batch_size, call)
    # Late, since it takes NumPy, which --help and bad usage do without.
    from tf1hub.cli.applying.columns import columns_of
    from tf1hub.cli.applying.inputs import Given, named_values, open_source
    from tf1hub.cli.applying.pictures import ImageReader
    from tf1hub.cli.applying.results import open_results
    from tf1hub.cli.applying.running import started

    given = Given(values, named_values(named, call), input_files, input_format)
    source = open_source(given, call, size, ImageReader(spec, chosen))
    examples, start = 0, time.monotonic()
    with ExitStack() as stack:
        write = stack.enter_context(open_results(output_file, call))
        first = next(source.batches, None)
        if first is not None:
            run = stack.enter_context(started(spec, chosen, call))
            advance = stack.enter_context(_progress(source.total, output_file))
            for batch in itertools.chain([first], source.batches):
                write(columns_of(run(batch), call, batch.count))
                examples += batch.count
                advance(batch.count)
    if output_file is not None:
        _summarize(call, output_file, examples, time.monotonic() - start, as_json)


def _check_values(ctx: click.Context, values: tuple[str, ...]) -> None:
    """Refuses options that there are not, which click leaves among the values."""
    after_dashes = ctx.meta[_AFTER_DASHES]
    for value in values[: len(values) - after_dashes]:
        if value.startswith("-") and value != "-" and not _NUMBER.match(value):
            name = value.partition("=")[0]
            raise click.NoSuchOption(
                name, f"No such option {name!r}. Values that begin with '-' and are no numbers go after '--'.", ctx=ctx
            )


def _batch_size(asked: int | None, call: Call) -> int:
    if call.size is not None:
        if asked not in (None, call.size):
            raise click.UsageError(
                f"The signature {call.signature!r} takes exactly {counted(call.size, 'example')} at a time; leave --batch-size"
                f" out. {call.describe_inputs()}"
            )
        return call.size
    singles = all(wanted.value_shape in (None, ()) for wanted in call.inputs.values())
    return asked or (_BATCH_OF_SINGLES if singles else _BATCH)


@contextmanager
def _progress(total: int | None, output_file: str | None) -> Iterator[Callable[[int], None]]:
    """A progress bar, unless it would run into the results on the same terminal."""
    if output_file is None and sys.stdout.isatty():
        yield lambda advance: None
        return
    with progress("Applying", total, "examples") as advance:
        yield advance


def _summarize(call: Call, output_file: str, examples: int, seconds: float, as_json: bool) -> None:
    size = os.path.getsize(output_file)
    if as_json:
        print_json(
            {
                "signature": call.signature,
                "outputs": list(call.outputs),
                "examples": examples,
                "seconds": round(seconds, 3),
                "output_file": output_file,
                "bytes": size,
            }
        )
    else:
        click.echo(f"{counted(examples, 'row' if call.whole else 'example')}: {output_file}, {human_size(size)}")
