"""Rules about assets, the files that a module's graphs read."""

import os
from collections.abc import Iterator, Mapping

from tf1hub.checks.describing.file_sizes import file_sizes
from tf1hub.checks.linting.dataflow.expansion import FlowNode
from tf1hub.checks.linting.findings import ADVICE, WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.reuse.machine_paths import MachinePath, assets_of, copies, iter_machine_paths, readers
from tf1hub.checks.linting.reuse.text_tables import FROM_TEXT
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted
from tf1hub.format import dtypes
from tf1hub.graph.assets import ASSETS_DIRECTORY

# Assets of less are not worth a word, whatever else the module holds.
_LARGE = 1_000_000


@rule("asset-unread", WARNING, "an asset that nothing uses")
def asset_unread(module: LintedModule) -> Iterator[Problem]:
    """Yields the assets that no op uses and no output names, and the files in `assets/` that no graph lists."""
    listed = set()
    for variant in module.variants:
        for node, path in assets_of(variant).items():
            name = module.path_inside(path)
            listed.add(name)
            if not _is_used(variant, node):
                yield Problem(
                    f"No op uses the asset {name!r}, and no output gives its path, so everyone who fetches the module"
                    " fetches a file that does nothing.",
                    f"Leave the constant {node!r}, and the table that is filled from it if there is one, out of the"
                    " module_fn.",
                    variant.tags,
                    node=node,
                    file=name,
                )
    unlisted = [name for name in _files_in_assets(module) if name not in listed]
    if unlisted:
        what = named([name.removeprefix(f"{ASSETS_DIRECTORY}/") for name in unlisted])
        yield Problem(
            f"{counted(len(unlisted), 'file')} in {ASSETS_DIRECTORY}/ belong{'s' * (len(unlisted) == 1)} to no graph"
            f" variant: {what}; no op can read what is not in the list of assets, and an export leaves it out.",
            "Delete the files, or have the graph read them: add each path as a tf.constant to the collection of assets.",
            file=unlisted[0],
        )


def _is_used(variant: Variant, node: str) -> bool:
    """Whether something is done with an asset's path: an op takes it, or an output gives it, as BERT's modules do.

    That a table is filled from the file counts when something is looked up in the table.
    """
    if any((name, 0) in variant.all_outputs for name in copies(variant, node)):
        return True
    return any(reader.op not in FROM_TEXT or _is_looked_up(variant, reader) for reader in readers(variant, node))


def _is_looked_up(variant: Variant, initializer: FlowNode) -> bool:
    table = variant.flow.origin(initializer.inputs[0])[0]
    return any(reader.op not in FROM_TEXT for reader in readers(variant, table))


def _files_in_assets(module: LintedModule) -> list[str]:
    return [name for name in _sizes(module) if name.startswith(f"{ASSETS_DIRECTORY}/")]


def _sizes(module: LintedModule) -> Mapping[str, int]:
    if module.directory is None:
        return {}
    try:
        return file_sizes(module.directory)
    except OSError:
        return {}


@rule("absolute-path", WARNING, "an absolute path left in the graph")
def absolute_path(module: LintedModule) -> Iterator[Problem]:
    """Yields absolute paths that are no assets: one finding for files that ops open, and one for other traces."""
    for variant in module.variants:
        found = list(iter_machine_paths(variant, module.directory is None))
        opened = [each for each in found if each.is_opened]
        if opened:
            yield Problem(
                f"{_told(opened)} an absolute path by which an op opens a file: {_paths(opened)}; on other machines there"
                " is no such file, so what needs it fails.",
                "Make the file an asset, which travels with the module: add its path as a tf.constant to"
                " tf.GraphKeys.ASSET_FILEPATHS, or load it with tf.lookup.TextFileInitializer.",
                variant.tags,
                node=opened[0].node,
            )
        others = [each for each in found if not each.is_opened]
        if others:
            yield Problem(
                f"{_told(others)} an absolute path of the machine that the module was made on: {_paths(others)}; it means"
                " nothing to others, and tells them of the publisher's disks.",
                "Take it out of the module_fn; from the names of tables, load the module and export it anew with tf1hub,"
                " which writes no such names.",
                variant.tags,
                node=others[0].node,
            )


def _told(found: list[MachinePath]) -> str:
    nodes = list(dict.fromkeys(each.node for each in found))
    return f"The node {nodes[0]!r} holds" if len(nodes) == 1 else f"The nodes {named(nodes)} hold"


def _paths(found: list[MachinePath]) -> str:
    return named(list(dict.fromkeys(each.path for each in found)))


@rule("assets-larger-than-variables", ADVICE, "assets of more bytes than the variables")
def assets_larger_than_variables(module: LintedModule) -> Iterator[Problem]:
    """Speaks of a module with variables whose assets are larger than these, if they are large at all."""
    assets = _asset_bytes(module)
    total, variables = sum(assets.values()), _variable_bytes(module)
    if total > _LARGE and 0 < variables < total:
        largest = max(assets, key=lambda name: assets[name])
        yield Problem(
            f"The assets take {total:,} bytes and the variables {variables:,}: what is in assets cannot be fine-tuned, and"
            " every process that loads the module reads it in full.",
            f"See whether {largest!r} ({assets[largest]:,} bytes) holds weights that should be variables, or more of a"
            " vocabulary than the embeddings have rows for.",
            file=largest,
        )


def _asset_bytes(module: LintedModule) -> dict[str, int]:
    if module.directory is not None:
        sizes = _sizes(module)
        return {name: sizes[name] for name in _files_in_assets(module)}
    paths = {path for variant in module.variants for path in assets_of(variant).values()}
    return {path: os.path.getsize(path) for path in sorted(paths) if os.path.isfile(path)}


def _variable_bytes(module: LintedModule) -> int:
    """The bytes of the variables of all variants, as far as their shapes are known."""
    found: dict[str, int] = {}
    for variant in module.variants:
        for variable in variant.variables.values():
            elements = 1
            for size in variable.shape or ():
                elements *= size
            found[variable.node] = elements * (dtypes.item_size(variable.dtype) or 0)
    return sum(found.values())


RULES = (asset_unread, absolute_path, assets_larger_than_variables)
