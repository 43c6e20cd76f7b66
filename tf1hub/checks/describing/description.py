"""`hub.describe`: what a module holds, as plain data. It is read without TensorFlow and without NumPy."""

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tf1hub import files
from tf1hub.checks.describing.asset_description import AssetDescription, assets_of_module, assets_of_spec
from tf1hub.checks.describing.checkpoint_contents import StoredTensor, checkpoint_entries, other_tensors
from tf1hub.checks.describing.file_sizes import Sizes, file_sizes, sizes_by_purpose
from tf1hub.checks.describing.signature_description import SignatureDescription, described_signatures
from tf1hub.checks.describing.variable_description import VariableDescription, described_variables
from tf1hub.errors import Tf1HubError, raised_as_tensorflow
from tf1hub.format import module_directory, protos
from tf1hub.format.messages import parse_message
from tf1hub.garbage import no_garbage_collection
from tf1hub.graph import collections
from tf1hub.graph.index import GraphIndex, tags_of

if TYPE_CHECKING:
    from tf1hub.spec import ModuleSpec

_IMAGE_MODULE_INFO = "image_module_info"

Tags = tuple[str, ...]


@dataclass(frozen=True)
class MessageDescription:
    """A message that the publisher attached: its key, its size in bytes, and its fields when its type is known."""

    key: str
    bytes: int
    fields: Mapping[str, int] | None


@dataclass(frozen=True)
class VariantDescription:
    """One graph variant.

    Attributes:
      tags: its tags, sorted.
      nodes: how many nodes its graph has, those in functions not counted.
      functions: how many functions its graph's library has.
      ops: how often each op is used, functions included; the most used first.
      signatures: sorted by name.
      variables: how many variables it has.
      missing_variables: the names of those that the checkpoint lacks, or has otherwise.
      collections: how many entries each collection has, sorted by name.
      regularization_losses, update_ops: how many it has.
      attached_messages: in the order in which they were attached.
      tensorflow_version: of the TensorFlow that wrote it; "" when it does not say.
      producer, min_consumer: the graph's version, and the oldest that may read it.
    """

    tags: Tags
    nodes: int
    functions: int
    ops: Mapping[str, int]
    signatures: tuple[SignatureDescription, ...]
    variables: int
    missing_variables: tuple[str, ...]
    collections: Mapping[str, int]
    regularization_losses: int
    update_ops: int
    attached_messages: tuple[MessageDescription, ...]
    tensorflow_version: str
    producer: int
    min_consumer: int


@dataclass(frozen=True)
class ModuleDescription:
    """What a module holds.

    Attributes:
      path: its directory, from the root; None for a spec that was not read from one.
      variants: in the order of the file.
      variables: those of all variants, sorted by name.
      other_tensors: what the checkpoint holds besides.
      assets: in the order in which the graphs list them.
      sizes: of its files, in bytes.
      parameters: how many numbers all variables hold together.
      trainable_parameters: how many of them are trainable variables'.
      problems: what is damaged or missing, one sentence each; none in a whole module.
    """

    path: str | None
    variants: tuple[VariantDescription, ...]
    variables: tuple[VariableDescription, ...]
    other_tensors: tuple[StoredTensor, ...]
    assets: tuple[AssetDescription, ...]
    sizes: Sizes
    parameters: int
    trainable_parameters: int
    problems: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as dicts, lists, texts and numbers, which `json.dumps` takes."""
        plain: dict[str, Any] = _plain(self)
        return plain


@raised_as_tensorflow()
def describe(module: "str | os.PathLike[str] | ModuleSpec") -> ModuleDescription:
    """What a module holds: variants, signatures, variables, assets, attached messages, sizes. TensorFlow is not loaded.

    Of a module that is damaged in part it tells what can be read, and what cannot in `problems`.

    Args:
      module: the path of a module's directory, or a module spec.

    Raises:
      MissingModuleError: there is no module (an `OSError`).
      UnsupportedModuleError: a format, or required features, that this version does not know.
      CorruptModuleError: the graph cannot be read.

    >>> description = hub.describe(path)
    >>> [signature.name for signature in description.variants[0].signatures]
    ['default']
    """
    with no_garbage_collection():
        if isinstance(module, str | os.PathLike):
            return _described_directory(files.absolute(files.resolve(module)))
        return _described_spec(module)


def _described_directory(directory: str) -> ModuleDescription:
    module_directory.check_marker(directory)
    meta_graphs = module_directory.read_saved_model(directory).meta_graphs
    graphs = [(tuple(sorted(tags_of(meta_graph))), GraphIndex(meta_graph)) for meta_graph in meta_graphs]
    problems: list[str] = []
    for tags, times in Counter(tags for tags, _ in graphs).items():
        if times > 1:
            problems.append(f"{times} variants have the tags {list(tags)}. None of them can be told from the others.")
    sizes = _sizes_of_files(directory, problems)
    assets = assets_of_module(graphs, sizes, problems)
    return _description(directory, graphs, assets, sizes, problems)


def _described_spec(spec: "ModuleSpec") -> ModuleDescription:
    graphs = [(tuple(sorted(tags)), spec.variant(tags)) for tags in spec.get_tags()]
    problems: list[str] = []
    sizes = _sizes_of_files(spec.directory, problems) if spec.directory is not None else None
    assets = assets_of_spec(graphs, spec.directory, problems)
    return _description(spec.directory, graphs, assets, sizes, problems)


def _sizes_of_files(directory: str, problems: list[str]) -> dict[str, int]:
    try:
        return file_sizes(directory)
    except OSError as error:
        problems.append(f"The sizes of the files are not known: {error}.")
        return {}


def _description(
    path: str | None,
    graphs: list[tuple[Tags, GraphIndex]],
    assets: tuple[AssetDescription, ...],
    sizes: Mapping[str, int] | None,
    problems: list[str],
) -> ModuleDescription:
    """`sizes` are those of the module's files, None when it is not on disk."""
    entries = None
    if path is not None and sizes is not None:
        needed = any(collections.GLOBAL_VARIABLES in index.meta_graph.collection_def for _, index in graphs)
        entries = checkpoint_entries(path, sizes, needed, problems)
    variables = described_variables(graphs, entries, problems)
    variants = tuple(_variant(tags, index, variables, problems) for tags, index in graphs)
    if entries and all(variant.missing_variables for variant in variants):
        problems.append("No variant can be used: the checkpoint lacks variables of each.")
    return ModuleDescription(
        path=path,
        variants=variants,
        variables=variables,
        other_tensors=other_tensors(entries, {variable.name for variable in variables}),
        assets=assets,
        sizes=sizes_by_purpose(sizes) if sizes is not None else _sizes_in_memory(graphs, variables, assets),
        parameters=sum(variable.parameters or 0 for variable in variables),
        trainable_parameters=sum(variable.parameters or 0 for variable in variables if variable.trainable),
        problems=tuple(problems),
    )


def _sizes_in_memory(
    graphs: list[tuple[Tags, GraphIndex]],
    variables: tuple[VariableDescription, ...],
    assets: tuple[AssetDescription, ...],
) -> Sizes:
    """What the parts would take on disk."""
    return Sizes(
        graph=sum(index.meta_graph.ByteSize() for _, index in graphs),
        variables=sum(variable.bytes or 0 for variable in variables),
        assets=sum(asset.bytes or 0 for asset in assets),
        other=0,
    )


def _variant(
    tags: Tags, index: GraphIndex, variables: tuple[VariableDescription, ...], problems: list[str]
) -> VariantDescription:
    meta_graph = index.meta_graph
    own = [variable for variable in variables if tags in variable.variants]
    return VariantDescription(
        tags=tags,
        nodes=len(meta_graph.graph_def.node),
        functions=len(meta_graph.graph_def.library.function),
        ops=_ops(meta_graph.graph_def),
        signatures=described_signatures(meta_graph),
        variables=len(own),
        missing_variables=tuple(variable.name for variable in own if variable.in_checkpoint is False),
        collections={key: _length(each) for key, each in sorted(meta_graph.collection_def.items())},
        regularization_losses=len(index.collection_nodes(collections.REGULARIZATION_LOSSES)),
        update_ops=len(index.collection_nodes(collections.UPDATE_OPS)),
        attached_messages=tuple(_messages(index, problems)),
        tensorflow_version=meta_graph.meta_info_def.tensorflow_version,
        producer=meta_graph.graph_def.versions.producer,
        min_consumer=meta_graph.graph_def.versions.min_consumer,
    )


def _ops(graph_def: protos.GraphDef) -> dict[str, int]:
    counts = Counter(node.op for node in graph_def.node)
    for function in graph_def.library.function:
        counts.update(node.op for node in function.node_def)
    for function in graph_def.library.function:
        counts.pop(function.signature.name, None)  # a call of it, in old graphs
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _length(collection: protos.CollectionDef) -> int:
    kind = collection.WhichOneof("kind")
    return len(getattr(collection, kind).value) if kind else 0


def _messages(index: GraphIndex, problems: list[str]) -> Iterator[MessageDescription]:
    for value in index.collection_bytes(collections.ATTACHMENTS):
        try:
            attached = parse_message(protos.ModuleAttachment, value, "An attached message")
            yield MessageDescription(attached.key, len(attached.value), _fields(attached))
        except Tf1HubError as error:
            problems.append(str(error))


def _fields(attached: protos.ModuleAttachment) -> dict[str, int] | None:
    """What a message of a known type says."""
    if attached.key != _IMAGE_MODULE_INFO:
        return None
    info = parse_message(protos.ImageModuleInfo, attached.value, f"The attached message {attached.key!r}")
    if not info.HasField("default_image_size"):
        return {}
    return {"height": info.default_image_size.height, "width": info.default_image_size.width}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        plain = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {**plain, "total": value.total} if isinstance(value, Sizes) else plain
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return {key: _plain(each) for key, each in value.items()} if isinstance(value, Mapping) else value
