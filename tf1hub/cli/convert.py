"""`tf1hub convert`: a TF1 Hub module to a TF2 SavedModel, and a TF1 SavedModel to a TF1 Hub module."""

import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from tf1hub import files
from tf1hub.checks.wording import counted
from tf1hub.cli.options import TagsType, json_option, module_argument, tags_option
from tf1hub.cli.progress import reported_progress
from tf1hub.cli.quiet_tensorflow import explained, quiet_tensorflow
from tf1hub.cli.text import columns, human_size, print_json, readable
from tf1hub.errors import MissingModuleError
from tf1hub.format import module_directory

if TYPE_CHECKING:
    from tf1hub.checks.describing.description import ModuleDescription
    from tf1hub.converting.saved_models.conversion import ConvertedModule


@click.command()
@module_argument("source")
@click.argument("out", type=click.Path())
@tags_option(help="Module: the variant to convert, by its tags with commas between them; '' for the one without.")
@click.option(
    "--training-tags",
    type=TagsType(),
    metavar="TAG,...",
    help="Module: the variant for training; 'train' if there is one.",
)
@click.option("--signature", metavar="NAME", help="Module: the signature that calling the SavedModel applies.")
@click.option("--as-dict", is_flag=True, help="Module: calling gives a dict of all outputs, not the output 'default'.")
@click.option(
    "--drop-collection",
    "drop_collections",
    metavar="KEY",
    multiple=True,
    help="SavedModel: leave out a collection that a module cannot carry; may be repeated.",
)
@json_option()
def command(source: str, out: str, as_json: bool, drop_collections: tuple[str, ...], **options: Any) -> None:
    """Convert a TF1 Hub module to a TF2 SavedModel, or a TF1 SavedModel to a TF1 Hub module. What SOURCE holds says which:
    a directory with a tfhub_module.pb is a module.

    The SavedModel can be fine-tuned by whatever reads reusable SavedModels, without tf1hub. It has all signatures, and
    "serving_default" for servers. Calling it applies "default"; with training=True the variant tagged "train".

    The module has the graphs of the SavedModel as variants by their tags (mostly "serve"), with its signatures. The values
    are copied as they are. A TF2 SavedModel cannot become a module; hub.load and hub.KerasLayer use it as it is.

    OUT is there whole or not at all, and nothing that is there is replaced.

    \b
    Examples:
      tf1hub convert my_module my_saved_model
      tf1hub convert my_module my_saved_model --signature features --as-dict
      tf1hub convert old_saved_model my_module --drop-collection losses

    Exit status: 0 done, 2 bad usage, or something that cannot be converted, read or written.
    """
    path = files.absolute(files.resolve(source))
    given = {name: value for name, value in options.items() if value not in (None, False)}
    if module_directory.is_module(path):
        _refuse({"drop_collections": drop_collections}, f"is for SavedModels, and {source!r} is a TF1 Hub module")
        _to_saved_model(source, out, given, as_json)
    elif files.exists(files.join(path, module_directory.SAVED_MODEL)):
        _refuse(given, f"is for TF1 Hub modules, and {source!r} is a SavedModel")
        _to_module(source, out, drop_collections, as_json)
    else:
        raise MissingModuleError(_what_is_there(source, path))


def _refuse(options: dict[str, Any], reason: str) -> None:
    for name, value in options.items():
        if value:
            option = "--drop-collection" if name == "drop_collections" else "--" + name.replace("_", "-")
            raise click.UsageError(f"{option} {reason}.")


def _what_is_there(source: str, path: str) -> str:
    if not files.exists(path):
        return f"There is no directory {source!r}. Check the path."
    if not files.is_directory(path):
        return f"{source!r} is a file. Modules and SavedModels are directories: unpack an archive first."
    if files.exists(files.join(path, module_directory.SAVED_MODEL_TEXT)):
        return (
            f"{source!r} is a SavedModel as text ({module_directory.SAVED_MODEL_TEXT}). Write it anew with"
            " `as_text=False`; only such can be converted."
        )
    return (
        f"{source!r} holds neither {module_directory.MARKER} nor {module_directory.SAVED_MODEL}, so it is no TF1 Hub module"
        " and no SavedModel."
    )


def _to_saved_model(source: str, out: str, options: dict[str, Any], as_json: bool) -> None:
    start = time.perf_counter()
    tf = quiet_tensorflow("Converting a module")
    from tf1hub.converting.saved_models.conversion import to_saved_model

    with reported_progress("Converting", "steps") as on_progress, explained(tf, "The module cannot be converted"):
        done = to_saved_model(source, out, on_progress=on_progress, **options)
    if as_json:
        print_json({"source": source, **asdict(done), "path": out})
    else:
        click.echo(_saved_model_report(done, out, time.perf_counter() - start))


def _saved_model_report(done: "ConvertedModule", out: str, seconds: float) -> str:
    size = human_size(done.bytes_written)
    call = (
        f"applies {done.called!r}" if done.called else "not possible: several signatures, choose one with --signature"
    )
    trained = f"{done.trainable_variables:,} trainable, {counted(done.regularization_losses, 'regularization loss', 'losses')}"
    same = "the graph for inference" if done.tags == done.training_tags else f"the variant {_named(done.training_tags)}"
    rows = [
        ("calling it", readable(call) + (", gives a dict" if done.called and done.returns_dict else "")),
        ("signatures", readable(", ".join(done.signatures))),
        ("training=True", same),
        ("variables", f"{counted(done.variables, 'variable')} ({trained})"),
        ("assets", counted(done.assets, "file") if done.assets else "none"),
        ("attached messages", ", ".join(done.attached_messages) or "none"),
    ]
    applied = "model(inputs)" if done.called else f"model.signatures[{done.signatures[0]!r}](**inputs)"
    return "\n".join(
        [
            f"{readable(out)}: a TF2 SavedModel of {size}, made in {seconds:.1f} s.",
            columns(rows),
            "",
            "To apply it:",
            "",
            "    import tensorflow as tf",
            "",
            f"    model = tf.saved_model.load({out!r})",
            f"    {'output' if done.called and not done.returns_dict else 'outputs'} = {applied}",
            *([] if not done.called else ["", f"To fine-tune it: hub.KerasLayer({out!r}, trainable=True)."]),
        ]
    )


def _to_module(source: str, out: str, drop_collections: tuple[str, ...], as_json: bool) -> None:
    start = time.perf_counter()
    tf = quiet_tensorflow("Converting a SavedModel")
    from tf1hub.checks.describing.description import describe
    from tf1hub.converting.saved_models.module_writing import write_module

    with reported_progress("Copying") as on_progress, explained(tf, "The SavedModel cannot be converted"):
        write_module(source, out, drop_collections, on_progress)
    module = describe(out)
    if as_json:
        print_json({"source": source, "path": out, **_plain(module)})
    else:
        click.echo(_module_report(module, out, time.perf_counter() - start))


def _plain(module: "ModuleDescription") -> dict[str, Any]:
    return {
        "variants": [
            {"tags": list(each.tags), "signatures": [signature.name for signature in each.signatures]}
            for each in module.variants
        ],
        "variables": len(module.variables),
        "assets": len(module.assets),
        "bytes_written": module.sizes.total,
    }


def _module_report(module: "ModuleDescription", out: str, seconds: float) -> str:
    plain = _plain(module)
    rows = [
        (f"variant {_named(each['tags'])}", f"signatures {readable(', '.join(each['signatures']))}")
        for each in plain["variants"]
    ]
    rows += [("variables", f"{plain['variables']:,}"), ("assets", f"{plain['assets']:,}")]
    return "\n".join(
        [
            f"{readable(out)}: a TF1 Hub module of {human_size(plain['bytes_written'])}, made in {seconds:.1f} s.",
            columns(rows),
            "",
            f"How to apply it: tf1hub show {shlex.quote(out)}",
        ]
    )


def _named(tags: Sequence[str]) -> str:
    return f"'{readable(','.join(tags))}'" if tags else "without tags"
