"""`hub.compare`: what differs between two modules, as plain data. It is told without TensorFlow."""

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tf1hub import files
from tf1hub.checks.comparing.changes import Change
from tf1hub.checks.comparing.collection_changes import find_attachment_changes, find_collection_changes
from tf1hub.checks.comparing.file_changes import find_asset_changes, find_other_file_changes, read_module_files
from tf1hub.checks.comparing.graph_changes import find_graph_changes
from tf1hub.checks.comparing.signature_changes import find_signature_changes
from tf1hub.checks.comparing.stored_variables import StoredVariables
from tf1hub.checks.comparing.variable_changes import SAME, UNREAD, Advance, VariableComparison, Watch, compare_variables
from tf1hub.checks.wording import counted
from tf1hub.errors import TagsError, Tf1HubError, UnsupportedHandleError, raised_as_tensorflow
from tf1hub.format import protos
from tf1hub.garbage import no_garbage_collection
from tf1hub.graph import collections
from tf1hub.graph.assets import ASSETS_DIRECTORY, asset_paths
from tf1hub.names import node_name
from tf1hub.spec import ModuleSpec, Tags, as_tags, read_spec

_Variant = frozenset[str]


@dataclass(frozen=True)
class VariantComparison:
    """What differs between the graphs of two modules that have the same tags.

    Attributes:
      tags: sorted.
      signatures: their parts are inputs and outputs.
      nodes: their parts are the op, inputs, attributes and device.
      functions: their parts are what they take and give, and their nodes.
      collections: their parts are entries.
      attached_messages: by key.
    """

    tags: tuple[str, ...]
    signatures: tuple[Change, ...]
    nodes: tuple[Change, ...]
    functions: tuple[Change, ...]
    collections: tuple[Change, ...]
    attached_messages: tuple[Change, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not (self.signatures or self.nodes or self.functions or self.collections or self.attached_messages)


@dataclass(frozen=True)
class Comparison:
    """What differs between two modules, A and B.

    Attributes:
      a, b: their directories.
      tensorflow_versions: of the TensorFlow that wrote each; not counted as a difference.
      variants: those that only one of the two has, by their tags with commas between.
      common_variants: each variant that both have, and what differs in it.
      variables: all of them, the same ones too.
      assets: the files that graphs read and that differ.
      other_files: files that are no part of the format and that differ.
      problems: what could not be read, or is damaged. The comparison knows nothing of that.
    """

    a: str
    b: str
    tensorflow_versions: tuple[str, str]
    variants: tuple[Change, ...]
    common_variants: tuple[VariantComparison, ...]
    variables: tuple[VariableComparison, ...]
    assets: tuple[Change, ...]
    other_files: tuple[Change, ...]
    problems: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Whether no difference was found. See `problems` for what could not be compared."""
        return (
            not (self.variants or self.assets or self.other_files)
            and all(variant.is_same for variant in self.common_variants)
            and all(variable.status in (SAME, UNREAD) for variable in self.variables)
        )

    def as_dict(self) -> dict[str, Any]:
        """The same as dicts, lists, texts and numbers, which `json.dumps` takes."""
        return {"same": self.is_same, **dataclasses.asdict(self)}


def compare(a: str | os.PathLike[str], b: str | os.PathLike[str], tags: Tags = None) -> Comparison:
    """Tells what differs between two modules on disk: what fine-tuning changed, say. TensorFlow is not loaded.

    What cannot be read of the variables and assets is told in `problems`; all else is compared.

    Args:
      a: the directory of a module.
      b: that of the module to compare it with.
      tags: those of the one variant to compare; all variants are when they are left out. `()` is the one without tags.

    Raises:
      MissingModuleError: there is no module (an `OSError`, and a `tf.errors.NotFoundError`).
      CorruptModuleError: a graph cannot be read.
      UnsupportedModuleError: a format, or required features, that this version does not know.
      TagsError: neither has a variant with these tags.

    >>> hub.compare(path, path).is_same
    True
    """
    with raised_as_tensorflow():
        return compare_modules(a, b, None if tags is None else as_tags(tags), _unwatched)


def compare_modules(
    a: str | os.PathLike[str], b: str | os.PathLike[str], tags: frozenset[str] | None, watch: Watch
) -> Comparison:
    """The same as `compare`; `watch` is told of the progress on the variables."""
    problems: list[str] = []
    with no_garbage_collection():
        one, other = _read(a), _read(b)
        tags_a, tags_b = _chosen(one, other, tags)
        common = [each for each in tags_a if each in tags_b]
        variants = (*_only(one, tags_a, common, in_a=True), *_only(other, tags_b, common, in_a=False))
        compared = tuple(_compare_variant(one, other, each) for each in common)
    files_a = read_module_files(str(one.directory), _assets(one, tags_a), problems)
    files_b = read_module_files(str(other.directory), _assets(other, tags_b), problems)
    return Comparison(
        a=str(one.directory),
        b=str(other.directory),
        tensorflow_versions=(_version(one, tags_a), _version(other, tags_b)),
        variants=variants,
        common_variants=compared,
        variables=_variables(one, tags_a, other, tags_b, tags is not None, watch, problems),
        assets=find_asset_changes(files_a, files_b, problems),
        other_files=find_other_file_changes(files_a, files_b, problems),
        problems=tuple(problems),
    )


def _read(path: str | os.PathLike[str]) -> ModuleSpec:
    directory = files.absolute(files.resolve(path))
    if files.is_remote(directory):
        raise UnsupportedHandleError(f"{directory!r} lies on remote storage. Copy the module to this machine first.")
    return read_spec(directory)


def _chosen(a: ModuleSpec, b: ModuleSpec, tags: _Variant | None) -> tuple[list[_Variant], list[_Variant]]:
    """The tags of the variants to compare."""
    if tags is None:
        return a.get_tags(), b.get_tags()
    known = list(dict.fromkeys([*a.get_tags(), *b.get_tags()]))
    if tags not in known:
        listed = ", ".join(str(sorted(each)) for each in known)
        raise TagsError(f"Neither module has a variant with the tags {sorted(tags)}. Their variants: {listed}.")
    return ([tags] if tags in a.get_tags() else []), ([tags] if tags in b.get_tags() else [])


def _only(spec: ModuleSpec, tags: list[_Variant], common: list[_Variant], in_a: bool) -> Iterator[Change]:
    for each in tags:
        if each not in common:
            meta_graph = spec.variant(each).meta_graph
            nodes, signatures = len(meta_graph.graph_def.node), len(meta_graph.signature_def)
            text = f"{counted(signatures, 'signature')}, {counted(nodes, 'node')}"
            yield Change(",".join(sorted(each)), text if in_a else None, None if in_a else text)


def _compare_variant(a: ModuleSpec, b: ModuleSpec, tags: _Variant) -> VariantComparison:
    one, other = a.variant(tags).meta_graph, b.variant(tags).meta_graph
    assets = {node_name(name) for name in asset_paths(one).keys() & asset_paths(other).keys()}
    graph = find_graph_changes(one, other, assets)
    return VariantComparison(
        tags=tuple(sorted(tags)),
        signatures=find_signature_changes(one, other),
        nodes=graph.nodes,
        functions=graph.functions,
        collections=find_collection_changes(one, other),
        attached_messages=find_attachment_changes(one, other),
    )


def _assets(spec: ModuleSpec, tags: list[_Variant]) -> dict[str, str]:
    """The file name for each tensor that holds an asset's path. Variants share the files."""
    found = {}
    for each in tags:
        for tensor, path in asset_paths(spec.variant(each).meta_graph).items():
            name = os.path.relpath(path, os.path.join(str(spec.directory), ASSETS_DIRECTORY))
            found[f"{','.join(sorted(each))} {tensor}"] = name.replace(os.sep, "/")
    return found


def _version(spec: ModuleSpec, tags: list[_Variant]) -> str:
    versions = {spec.variant(each).meta_graph.meta_info_def.tensorflow_version for each in tags}
    return ", ".join(sorted(version for version in versions if version))


def _variables(
    a: ModuleSpec,
    tags_a: list[_Variant],
    b: ModuleSpec,
    tags_b: list[_Variant],
    only_these: bool,
    watch: Watch,
    problems: list[str],
) -> tuple[VariableComparison, ...]:
    graphs = [(a, tags_a), (b, tags_b)]
    trainable = frozenset().union(*(_names(*each, collections.TRAINABLE_VARIABLES) for each in graphs))
    sides = []
    for spec, tags in graphs:
        names = _names(spec, tags, collections.GLOBAL_VARIABLES)
        stored = _stored(spec, names, only_these, problems)
        if stored is None:
            return ()
        sides.append(stored)
    return compare_variables(sides[0], sides[1], trainable, watch, problems)


def _stored(spec: ModuleSpec, names: frozenset[str], only_these: bool, problems: list[str]) -> StoredVariables | None:
    """A module's variables; None when they cannot be read."""
    prefix = str(spec.checkpoint)
    try:
        if not names and not os.path.exists(prefix + ".index"):
            return StoredVariables(None, None)
        return StoredVariables(prefix, names if only_these else None)
    except (Tf1HubError, OSError) as error:
        problems.append(f"The variables are not compared: {error}")
        return None


def _names(spec: ModuleSpec, tags: list[_Variant], collection: str) -> frozenset[str]:
    """The names in the checkpoint of the variables in a collection."""
    found = (variable for each in tags for variable in spec.variant(each).variables(collection))
    return frozenset(map(_checkpoint_name, found))


def _checkpoint_name(variable: protos.VariableDef) -> str:
    return variable.save_slice_info_def.full_name or node_name(variable.variable_name)


@contextmanager
def _unwatched(total: int) -> Iterator[Advance]:
    yield lambda done: None
