"""`tf1hub weights`: a module's variables to a file of arrays, and back into a copy of the module."""

import os
from typing import TYPE_CHECKING, Any

import click

from tf1hub.checks.wording import counted
from tf1hub.cli.options import json_option
from tf1hub.cli.progress import reported_progress
from tf1hub.cli.text import human_size, print_json, readable

if TYPE_CHECKING:
    from tf1hub.converting.weights import Weight

_SUFFIXES = (".npz", ".safetensors")


class _Weights(click.Command):
    """The command, whose arguments depend on `--into`."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] MODULE OUT")
        formatter.write_usage(ctx.command_path, "[OPTIONS] --into MODULE FILE --output NEW", " " * len("Usage: "))


@click.command(cls=_Weights)
@click.argument("paths", nargs=-1, type=click.Path(), metavar="MODULE OUT")
@click.option("--only", metavar="PATTERN", multiple=True, help="Write only variables of such names, e.g. 'dense/*'.")
@click.option("--force", is_flag=True, help="Replace the file OUT if it is there.")
@click.option("--into", type=click.Path(), metavar="MODULE", help="Copy this module, with the values that FILE has.")
@click.option("--output", type=click.Path(), metavar="NEW", help="The copy's path, with --into.")
@click.option("--partial", is_flag=True, help="With --into: variables that FILE lacks keep their values.")
@json_option()
def command(
    paths: tuple[str, ...],
    only: tuple[str, ...],
    force: bool,
    into: str | None,
    output: str | None,
    partial: bool,
    as_json: bool,
) -> None:
    """Write a module's variables to a file of arrays; or, with --into, copy a module with such a file's values.

    The file is an .npz one (NumPy) or a .safetensors one. Its arrays have the names that the variables have in the
    checkpoint; a partitioned variable is one array. Values are streamed, so they may be larger than memory. What is
    written is there whole or not at all, and nothing is replaced unless you say so.

    With --into all shapes and dtypes are checked first. Everything else in the module is copied as it is.

    \b
    Examples:
      tf1hub weights my_module my_module.npz
      tf1hub weights my_module kernels.safetensors --only '*/kernel' --force
      tf1hub weights --into my_module edited.npz --output my_new_module
      tf1hub weights --into my_module one_array.npz --output my_new_module --partial

    Exit status: 0 done, 2 bad usage, an unreadable module or file, or arrays that do not fit.
    """
    if into is None:
        _refuse({"--output": output, "--partial": partial}, "goes with --into MODULE")
        module, file = _expect(paths, ["MODULE", "OUT"])
        _check_suffix(file, "OUT")
        _export(module, file, only, force, as_json)
    else:
        _refuse({"--only": only, "--force": force}, "does not go with --into")
        [file] = _expect(paths, ["FILE"])
        _check_suffix(file, "FILE")
        if output is None:
            raise click.UsageError("--into needs --output NEW, the path of the copy that gets the values.")
        _replace(into, file, output, partial, as_json)


def _refuse(options: dict[str, Any], reason: str) -> None:
    for name, value in options.items():
        if value:
            raise click.UsageError(f"{name} {reason}.")


def _expect(paths: tuple[str, ...], names: list[str]) -> list[str]:
    if len(paths) < len(names):
        raise click.UsageError(f"Missing argument '{names[len(paths)]}'.")
    if len(paths) > len(names):
        more = " With --into MODULE the only argument is FILE." if len(names) == 1 else ""
        raise click.UsageError(f"Got unexpected extra argument ({paths[len(names)]}).{more}")
    return list(paths)


def _check_suffix(path: str, name: str) -> None:
    if os.path.splitext(path)[1].lower() not in _SUFFIXES:
        raise click.UsageError(f"{name} is {path!r}, and must end in {' or '.join(_SUFFIXES)}.")


def _export(module: str, file: str, only: tuple[str, ...], force: bool, as_json: bool) -> None:
    from tf1hub.converting.weights import export_weights

    with reported_progress("Writing") as on_progress:
        written = export_weights(module, file, only=only, overwrite=force, on_progress=on_progress)
    size = os.path.getsize(file)
    if as_json:
        print_json({"module": module, "file": file, "file_bytes": size, "variables": _plain(written)})
        return
    click.echo(f"{readable(file)}: {_sum(written)} in a file of {human_size(size)}")


def _replace(module: str, file: str, output: str, partial: bool, as_json: bool) -> None:
    from tf1hub.converting.weights import replace_weights

    with reported_progress("Copying") as on_progress:
        done = replace_weights(module, file, output, partial=partial, on_progress=on_progress)
    if as_json:
        plain = {"replaced": _plain(done.replaced), "kept": _plain(done.kept)}
        print_json({"module": module, "file": file, "output": output, **plain})
        return
    kept = f"; {_sum(done.kept)} kept" if partial else ""
    click.echo(
        f"{readable(output)}: a copy of {readable(module)} with {_sum(done.replaced)} from {readable(file)}{kept}"
    )


def _sum(weights: "list[Weight] | tuple[Weight, ...]") -> str:
    return f"{counted(len(weights), 'variable')} ({human_size(sum(weight.nbytes for weight in weights))})"


def _plain(weights: "list[Weight] | tuple[Weight, ...]") -> list[dict[str, Any]]:
    return [
        {"name": each.name, "dtype": each.dtype, "shape": list(each.shape), "bytes": each.nbytes} for each in weights
    ]
