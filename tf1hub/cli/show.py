"""`tf1hub show`: what a module holds, for people, and as JSON."""

import dataclasses
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from tf1hub.checks.describing.description import ModuleDescription, VariantDescription, describe
from tf1hub.checks.describing.signature_description import SignatureDescription, TensorDescription
from tf1hub.checks.describing.snippets import Size, snippet
from tf1hub.checks.describing.variable_description import VariableDescription
from tf1hub.checks.wording import counted
from tf1hub.cli.options import json_option, module_argument, tags_option
from tf1hub.cli.text import columns, human_size, print_json, readable
from tf1hub.errors import SignatureError, TagsError

_ROWS = 20
_FEW_ROWS = 5
_SIGNATURES = 8

Tags = tuple[str, ...]


@click.command()
@module_argument()
@tags_option(help="Only the variant with these tags, with commas between them; '' for the one without.")
@click.option("--signature", metavar="NAME", help="Only this signature, with all its inputs and outputs.")
@click.option("--variables", "all_variables", is_flag=True, help="All variables, not just the largest.")
@click.option("--ops", "all_ops", is_flag=True, help="All ops that the graphs use, and how often.")
@json_option()
def command(
    module: str, tags: frozenset[str] | None, signature: str | None, all_variables: bool, all_ops: bool, as_json: bool
) -> int:
    """Show what the module in the directory MODULE holds: variants, signatures, variables, assets, sizes. For each
    signature it prints a piece of Python that applies it, ready to paste. TensorFlow is not needed.

    Long lists are shortened. --signature also tells which tensors of the graph the inputs and outputs are.

    \b
    Examples:
      tf1hub show my_module
      tf1hub show my_module --tags train --variables
      tf1hub show my_module --signature features
      tf1hub show my_module --json | jq .parameters

    \b
    Exit status:
      0  shown
      1  shown, but something in the module is damaged or missing
      2  bad usage, or no module that can be read
    """
    shown = _narrowed(describe(module), tags, signature)
    if as_json:
        print_json(_with_snippets(shown, module))
    else:
        whole = signature is None
        sections = [
            *([_head(shown, module), _variants(shown)] if whole else []),
            *_signatures(shown, module, signature),
            *([_variables(shown, all_variables)] if whole or all_variables else []),
            *([_other_tensors(shown, all_variables), _assets(shown), _messages(shown)] if whole else []),
            *([_collections(shown)] if whole else []),
            *([_ops(shown, all_ops)] if whole or all_ops else []),
            _problems(shown),
        ]
        click.echo("\n\n".join(section for section in sections if section))
    return int(bool(shown.problems))


def _narrowed(whole: ModuleDescription, tags: frozenset[str] | None, signature: str | None) -> ModuleDescription:
    """What the options leave.

    Raises:
      TagsError, SignatureError: there is no such variant or signature.
    """
    variants = [variant for variant in whole.variants if tags is None or set(variant.tags) == tags]
    if not variants:
        known = ", ".join(f"'{_joined(variant.tags)}'" for variant in whole.variants)
        raise TagsError(f"The module has no variant with the tags '{_joined(sorted(tags or ()))}'. It has: {known}.")
    if signature is not None:
        names = {each.name for variant in variants for each in variant.signatures}
        if signature not in names:
            known = ", ".join(f"'{readable(name)}'" for name in sorted(names)) or "none"
            raise SignatureError(f"The module has no signature '{readable(signature)}'. It has: {known}.")
        variants = [
            dataclasses.replace(
                variant, signatures=tuple(each for each in variant.signatures if each.name == signature)
            )
            for variant in variants
        ]
        variants = [variant for variant in variants if variant.signatures]
    kept = {variant.tags for variant in variants}
    return dataclasses.replace(
        whole,
        variants=tuple(variants),
        variables=tuple(each for each in whole.variables if kept & set(each.variants)),
        assets=tuple(each for each in whole.assets if kept & set(each.variants)),
    )


def _with_snippets(shown: ModuleDescription, path: str) -> dict[str, Any]:
    plain = shown.as_dict()
    for variant, plain_variant in zip(shown.variants, plain["variants"], strict=True):
        for signature, plain_signature in zip(variant.signatures, plain_variant["signatures"], strict=True):
            plain_signature["snippet"] = _snippet(path, [variant], signature)
    return plain


def _snippet(path: str, variants: Iterable[VariantDescription], signature: SignatureDescription) -> str | None:
    """Applies the signature of the variant with the fewest tags that can be used; None when none can be."""
    usable = [variant for variant in variants if not variant.missing_variables]
    if not usable:
        return None
    variant = min(usable, key=lambda variant: len(variant.tags))
    return snippet(path, variant.tags, signature, _image_size(variant))


def _image_size(variant: VariantDescription) -> Size | None:
    for message in variant.attached_messages:
        if message.fields and message.fields["height"] > 0 and message.fields["width"] > 0:
            return message.fields["height"], message.fields["width"]
    return None


def _head(shown: ModuleDescription, path: str) -> str:
    versions = dict.fromkeys(variant.tensorflow_version for variant in shown.variants)
    sizes = shown.sizes
    parts = {"graph": sizes.graph, "variables": sizes.variables, "assets": sizes.assets, "other files": sizes.other}
    listed = ", ".join(f"{name} {human_size(size)}" for name, size in parts.items() if size)
    writers = ", ".join(readable(version) for version in versions if version)
    rows = [
        ("format", "TF1 Hub module"),
        *([("written by", f"TensorFlow {writers}")] if writers else []),
        ("size", f"{human_size(sizes.total)}: {listed}"),
        ("parameters", _parameters(shown)),
    ]
    return f"{readable(path)}\n{columns(rows)}"


def _parameters(shown: ModuleDescription) -> str:
    if not shown.parameters:
        return "0"
    return f"{shown.parameters:,}, {_share(shown.trainable_parameters, shown.parameters)} trainable"


def _variants(shown: ModuleDescription) -> str:
    rows: list[Sequence[object]] = [("tags", "nodes", "functions", "variables", "losses", "updates", "signatures")]
    for variant in shown.variants:
        sizes = (variant.nodes, variant.functions, variant.variables)
        numbers = (*sizes, variant.regularization_losses, variant.update_ops)
        names = ", ".join(readable(each.name) for each in variant.signatures)
        rows.append((_tags(variant.tags), *(f"{number:,}" for number in numbers), names))
    lines = [f"Variants: {len(shown.variants)}", columns(rows, right=range(1, 6))]
    for variant in shown.variants:
        if missing := variant.missing_variables:
            names = ", ".join(map(readable, missing[:_FEW_ROWS])) + (", ..." if len(missing) > _FEW_ROWS else "")
            lines.append(
                f"  The variant {_tags(variant.tags)} cannot be used: of its {counted(variant.variables, 'variable')} the"
                f" checkpoint lacks {len(missing):,}: {names}"
            )
    return "\n".join(lines)


def _signatures(shown: ModuleDescription, path: str, only: str | None) -> Iterator[str]:
    """A section for each signature. Those that are the same in several variants are shown once."""
    groups: dict[object, tuple[SignatureDescription, list[VariantDescription]]] = {}
    for variant in shown.variants:
        for signature in variant.signatures:
            key = (signature.name, *map(_interface, (*signature.inputs, *signature.outputs)), len(signature.inputs))
            groups.setdefault(key, (signature, []))[1].append(variant)
    ordered = sorted(groups.values(), key=lambda group: (group[0].name != "default", group[0].name))
    several = len(shown.variants) > 1
    for signature, variants in ordered[:_SIGNATURES]:
        title = f"Signature {readable(signature.name)}"
        if signature.method_name:
            title += f" ({readable(signature.method_name)})"
        if several:
            title += " of the variants " if len(variants) > 1 else " of the variant "
            title += ", ".join(_tags(variant.tags) for variant in variants)
        program = _snippet(path, variants, signature) or "It cannot be applied: the checkpoint lacks variables of it."
        yield f"{title}\n{_interface_table(signature, only is not None)}\n\n{program}"
    if rest := [signature.name for signature, _ in ordered[_SIGNATURES:]]:
        names = ", ".join(readable(name) for name in dict.fromkeys(rest))
        yield f"More signatures: {names}\n  --signature NAME shows one of them."


def _interface(tensor: TensorDescription) -> object:
    return tensor.key, tensor.kind, tensor.dtype, tensor.shape, tensor.ragged_rank


def _interface_table(signature: SignatureDescription, whole: bool) -> str:
    rows = []
    hints = []
    for role, tensors in (("input", signature.inputs), ("output", signature.outputs)):
        listed = tensors if whole or len(tensors) <= _ROWS else tensors[: _ROWS // 2]
        for tensor in listed:
            kind = "" if tensor.kind == "dense" else f"{readable(tensor.kind)} "
            tensors_of_graph = ", ".join(map(readable, tensor.tensors)) if whole else ""
            rows.append((role, readable(tensor.key), kind + tensor.dtype, _shape(tensor.shape), tensors_of_graph))
        if len(listed) < len(tensors):
            name = readable(shlex.quote(signature.name))
            hints.append(f"  ... --signature {name} shows all {len(tensors)} {role}s.")
    return "\n".join([columns(rows) or "  nothing goes in, nothing comes out", *hints])


def _variables(shown: ModuleDescription, everything: bool) -> str:
    variables = shown.variables
    if not variables:
        return "Variables: none"
    trainable = sum(variable.trainable for variable in variables)
    size = sum(variable.bytes or 0 for variable in variables)
    title = f"Variables: {len(variables):,}, {human_size(size)}, {_share(trainable, len(variables))} trainable"
    if everything or len(variables) <= _ROWS:
        return f"{title}\n{columns(map(_variable_row, variables), right=[3])}"
    largest = sorted(variables, key=lambda variable: -(variable.bytes or 0))[:_FEW_ROWS]
    table = columns(map(_variable_row, largest), right=[3])
    return f"{title}; the largest:\n{table}\n  ... --variables shows all {len(variables):,}."


def _variable_row(variable: VariableDescription) -> tuple[str, str, str, str, str]:
    notes = [
        *([] if variable.trainable else ["not trainable"]),
        *([counted(len(variable.partitions), "part")] if variable.partitions else []),
        *(["not in the checkpoint"] if variable.in_checkpoint is False else []),
    ]
    size = "?" if variable.bytes is None else human_size(variable.bytes)
    return readable(variable.name), variable.dtype, _shape(variable.shape), size, ", ".join(notes)


def _other_tensors(shown: ModuleDescription, everything: bool) -> str:
    tensors = shown.other_tensors
    if not tensors:
        return ""
    listed = tensors if everything or len(tensors) <= _ROWS else tensors[:_FEW_ROWS]
    rows = [(readable(each.name), each.dtype, _shape(each.shape), human_size(each.bytes)) for each in listed]
    lines = [f"In the checkpoint, but no variable: {counted(len(tensors), 'tensor')}", columns(rows, right=[3])]
    if len(listed) < len(tensors):
        lines.append(f"  ... --variables shows all {len(tensors):,}.")
    return "\n".join(lines)


def _assets(shown: ModuleDescription) -> str:
    if not shown.assets:
        return ""
    rows = [
        (readable(asset.name), "missing" if asset.bytes is None else human_size(asset.bytes)) for asset in shown.assets
    ]
    return f"Assets: {len(rows):,}\n{columns(rows, right=[1])}"


def _messages(shown: ModuleDescription) -> str:
    several = len(shown.variants) > 1
    rows = [
        (
            *([_tags(variant.tags)] if several else []),
            readable(message.key),
            human_size(message.bytes),
            ", ".join(f"{name} {value}" for name, value in (message.fields or {}).items()),
        )
        for variant in shown.variants
        for message in variant.attached_messages
    ]
    return f"Attached messages: {len(rows):,}\n{columns(rows)}" if rows else ""


def _collections(shown: ModuleDescription) -> str:
    names = sorted({name for variant in shown.variants for name in variant.collections})
    table = [(name, [variant.collections.get(name, 0) for variant in shown.variants]) for name in names]
    return f"Collections: {len(names)}\n{_counts(shown, table)}" if names else ""


def _ops(shown: ModuleDescription, everything: bool) -> str:
    totals: dict[str, int] = {}
    for variant in shown.variants:
        for name, number in variant.ops.items():
            totals[name] = totals.get(name, 0) + number
    ordered = sorted(totals, key=lambda name: (-totals[name], name))
    listed = ordered if everything or len(ordered) <= 2 * _FEW_ROWS else ordered[:_FEW_ROWS]
    table = [(name, [variant.ops.get(name, 0) for variant in shown.variants]) for name in listed]
    title = f"Ops: {counted(len(ordered), 'kind')}"
    if len(listed) == len(ordered):
        return f"{title}\n{_counts(shown, table)}"
    return f"{title}; the most used:\n{_counts(shown, table)}\n  ... --ops shows all {len(ordered)}."


def _counts(shown: ModuleDescription, table: list[tuple[str, list[int]]]) -> str:
    """Names with a number for each variant."""
    head = [["", *(_tags(variant.tags) for variant in shown.variants)]] if len(shown.variants) > 1 else []
    rows = [[readable(name), *(f"{number:,}" for number in numbers)] for name, numbers in table]
    return columns([*head, *rows], right=range(1, len(shown.variants) + 1))


def _problems(shown: ModuleDescription) -> str:
    if not shown.problems:
        return ""
    listed = [f"  {readable(problem)}" for problem in shown.problems[:_ROWS]]
    if more := len(shown.problems) - len(listed):
        listed.append(f"  ... and {more:,} more; --json has them all.")
    return "\n".join([f"Problems: {len(shown.problems):,}; `tf1hub verify` tells more", *listed])


def _share(part: int, whole: int) -> str:
    return "all" if part == whole else f"{part:,}" if part else "none"


def _shape(shape: Sequence[int | None] | None) -> str:
    return "any shape" if shape is None else str(list(shape))


def _joined(tags: Sequence[str]) -> str:
    return readable(",".join(tags))


def _tags(tags: Sequence[str]) -> str:
    """How a variant is called."""
    return f"{{{readable(', '.join(tags))}}}"
