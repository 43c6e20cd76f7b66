"""A module as a value: its graph variants, and where its variables' values lie when it was read from disk."""

import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tf1hub import files
from tf1hub.checkpoints import check_checkpoint, find_checkpoint_prefix, local_checkpoint, wanted_variables
from tf1hub.errors import (
    AttachmentError,
    MissingAssetError,
    MissingModuleError,
    SignatureError,
    SpecTypeError,
    TagsError,
    raised_as_tensorflow,
)
from tf1hub.format import module_directory, protos
from tf1hub.format.messages import parse_message
from tf1hub.format.placing import new_module_directory
from tf1hub.garbage import no_garbage_collection
from tf1hub.graph import collections
from tf1hub.graph.anonymous import make_anonymous
from tf1hub.graph.application import Application, application_of, tensors_of
from tf1hub.graph.assets import (
    ASSETS_DIRECTORY,
    asset_paths,
    file_names,
    fold_assets,
    paths_in_functions,
    unfold_assets,
)
from tf1hub.graph.defaults import strip_default_attrs
from tf1hub.graph.index import GraphIndex, tags_of
from tf1hub.graph.state import State, state_of
from tf1hub.graph.variables import StoredVariable, stored_variables
from tf1hub.tensor_info import TensorInfo

Tags = Iterable[str] | None


class ModuleSpec:
    """A module's definition: what `hub.create_module_spec` makes and `hub.load_module_spec` reads.

    It is plain data and belongs to no graph. Pass it to `hub.Module` to instantiate it, or to `export` with a checkpoint.

    Attributes:
      directory: the module's directory when it was read from one, else None.
      checkpoint: the prefix of the checkpoint with the variables' values, None when they are initialized anew. A module
        without variables has no such file.

    >>> spec.get_signature_names()
    ['default']
    """

    def __init__(self, saved_model: protos.SavedModel, directory: str | None = None):
        self.directory = directory
        self.checkpoint = module_directory.checkpoint_prefix(directory) if directory is not None else None
        self._saved_model = saved_model
        self._meta_graphs: dict[frozenset[str], protos.MetaGraphDef] = {}
        self._cache: dict[tuple[Any, ...], Any] = {}
        for meta_graph in saved_model.meta_graphs:
            tags = tags_of(meta_graph)
            if tags in self._meta_graphs:
                raise TagsError(
                    f"Two graph variants have the same tags: {sorted(tags)}. Give each its own set of tags."
                )
            self._meta_graphs[tags] = meta_graph

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ModuleSpec):
            return NotImplemented
        return self is other or (self.checkpoint == other.checkpoint and self._saved_model == other._saved_model)

    def __hash__(self) -> int:
        return hash((self.checkpoint, *self._meta_graphs))

    def __deepcopy__(self, memo: dict[int, Any]) -> "ModuleSpec":
        return self  # nothing changes a spec

    def get_tags(self) -> list[frozenset[str]]:
        """The tags of each graph variant, in the order in which they were made."""
        return list(self._meta_graphs)

    def get_signature_names(self, tags: Tags = None) -> list[str]:
        """The names of a variant's signatures, sorted.

        Args:
          tags: the tags of the variant; none for the one without tags.

        Raises:
          TagsError: no variant has these tags (a `KeyError` and a `ValueError`).
        """
        return sorted(self.variant(tags).meta_graph.signature_def)

    def get_input_info_dict(self, signature: str | None = None, tags: Tags = None) -> dict[str, TensorInfo]:
        """What a signature takes: an info with `dtype`, `get_shape()`, `type_spec` and `is_sparse` for each input.

        Args:
          signature: its name; "default" when left out.
          tags: the tags of the variant; none for the one without tags.

        Raises:
          SignatureError: there is no such signature (a `ValueError`).
          TagsError: no variant has these tags.
        """
        inputs = self.signature(signature, tags).inputs
        return {key: TensorInfo(inputs[key]) for key in sorted(inputs)}

    def get_output_info_dict(self, signature: str | None = None, tags: Tags = None) -> dict[str, TensorInfo]:
        """What a signature gives; see `get_input_info_dict`."""
        outputs = self.signature(signature, tags).outputs
        return {key: TensorInfo(outputs[key]) for key in sorted(outputs)}

    def get_attached_message(
        self, key: str, message_type: Callable[[], Any], tags: Tags = None, required: bool = False
    ) -> Any:
        """A message that the publisher attached with `hub.attach_message`.

        Args:
          key: the name it was attached by.
          message_type: the protocol buffer class to read it as.
          tags: the tags of the variant; none for the one without tags.
          required: whether it is an error when there is none.

        Returns:
          The message, or None when there is none.

        Raises:
          AttachmentError: there is none though it is required (a `KeyError`).
        """
        attached = self.variant(tags).collection_bytes(collections.ATTACHMENTS)
        what = f"A message in the collection {collections.ATTACHMENTS!r}"
        parsed = [parse_message(protos.ModuleAttachment, value, what) for value in attached]
        messages = {item.key: item.value for item in parsed}
        if key in messages:
            return parse_message(type(message_type()), messages[key], f"The message that is attached as {key!r}")
        if required:
            known = f"there are {sorted(messages)}" if messages else "nothing is attached"
            raise AttachmentError(f"No message is attached as {key!r} to the variant {sorted(tags or [])}; {known}.")
        return None

    def export(
        self,
        path: str | os.PathLike[str],
        _sentinel: None = None,
        checkpoint_path: str | os.PathLike[str] | None = None,
        name_transform_fn: Callable[[str], str] | None = None,
    ) -> None:
        """Writes a module with the values of a checkpoint. No graph is built and no session is run.

        Args:
          path: the module's directory; it is there whole or not at all. Of several variants, the variables of the one
            without tags are written (of the first one when all have tags).
          checkpoint_path: a checkpoint's prefix (`model.ckpt-100`), or a directory of which the latest one is taken.
          name_transform_fn: gives, for a variable's name in the module, its name in the checkpoint.

        Raises:
          ValueError: `checkpoint_path` is missing.
          CheckpointError: the checkpoint lacks a variable, or has it with another shape or dtype.
          ModuleExistsError: there is a module at `path` (also a `tf.errors.AlreadyExistsError`).

        >>> spec.export(new_path, checkpoint_path=training_dir, name_transform_fn=lambda name: "module/" + name)
        """
        if _sentinel is not None:
            raise ValueError(
                "Pass `checkpoint_path` and `name_transform_fn` by name: export(path, checkpoint_path=...)."
            )
        if not checkpoint_path:
            raise ValueError("`checkpoint_path` is missing: the checkpoint that the variables' values are taken from.")
        from tf1hub.format.checkpoint_copy import copy_checkpoint  # late: it takes NumPy, which reading does not

        with raised_as_tensorflow():
            prefix = find_checkpoint_prefix(files.resolve(checkpoint_path))
        rename = name_transform_fn or (lambda name: name)
        exported = frozenset() if frozenset() in self._meta_graphs else next(iter(self._meta_graphs))
        with local_checkpoint(prefix) as local:
            wanted = wanted_variables(self.stored_variables(exported), rename, local)
            self.write(path, lambda target: copy_checkpoint(local, target, wanted))

    def write(self, path: str | os.PathLike[str], write_checkpoint: Callable[[str], None]) -> None:
        """Writes the module's directory, whole or not at all; `write_checkpoint` gets the checkpoint's prefix.

        Nothing of this machine goes into it: no device, no path of an asset.
        """
        names = file_names(path for paths in self._asset_paths() for path in paths.values())
        for source in names:
            check_asset(source)
        with raised_as_tensorflow(), new_module_directory(files.resolve(path)) as directory:
            if any(self.stored_variables(tags) for tags in self._meta_graphs):
                os.makedirs(os.path.join(directory, module_directory.VARIABLES))
                write_checkpoint(module_directory.checkpoint_prefix(directory))
            if names:
                os.makedirs(os.path.join(directory, ASSETS_DIRECTORY))
            for source, name in names.items():
                target = Path(directory, ASSETS_DIRECTORY, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                files.copy(source, str(target))
            saved_model = self._published(names).SerializeToString(deterministic=True)
            Path(directory, module_directory.SAVED_MODEL).write_bytes(saved_model)
            Path(directory, module_directory.MARKER).write_bytes(module_directory.marker_bytes())

    def _published(self, asset_names: dict[str, str]) -> protos.SavedModel:
        """The messages as they go to disk."""
        saved_model = protos.SavedModel()
        saved_model.CopyFrom(self._saved_model)
        for meta_graph in saved_model.meta_graphs:
            for function, node, path in paths_in_functions(meta_graph, asset_names):
                warnings.warn(
                    f"The node {node!r} of the function {function!r} holds the path of the asset {path!r}. It stays in the"
                    " module, which will not find the file elsewhere: pass the path to the function as an argument.",
                    stacklevel=2,
                )
            make_anonymous(meta_graph, asset_names)
            unfold_assets(meta_graph, asset_names)
        return saved_model

    def _asset_paths(self) -> list[dict[str, str]]:
        return [asset_paths(meta_graph) for meta_graph in self._saved_model.meta_graphs]

    def variant(self, tags: Tags = None) -> GraphIndex:
        """The graph of a variant.

        Raises:
          TagsError: no variant has these tags.
        """
        wanted = as_tags(tags)
        if wanted not in self._meta_graphs:
            known = ", ".join(str(sorted(tags)) for tags in self._meta_graphs)
            raise TagsError(
                f"The module has no graph variant with the tags {sorted(wanted)}. Its variants have the tags: {known}."
            )
        key = ("index", wanted)
        if key not in self._cache:
            with no_garbage_collection():
                self._cache[key] = GraphIndex(self._meta_graphs[wanted])
        index: GraphIndex = self._cache[key]
        return index

    def signature(self, signature: str | None = None, tags: Tags = None) -> protos.SignatureDef:
        """The definition of a signature; "default" when left out."""
        name = "default" if signature is None else signature
        signatures = self.variant(tags).meta_graph.signature_def
        if name not in signatures:
            raise SignatureError(
                f"The module has no signature {name!r} in {_variant(tags)}. It has:"
                f" {', '.join(repr(known) for known in sorted(signatures)) or 'none'}."
            )
        return signatures[name]

    def stored_variables(self, tags: Tags = None) -> list[StoredVariable]:
        """The variables of a variant as a checkpoint stores them."""
        key = ("stored_variables", as_tags(tags))
        if key not in self._cache:
            self._cache[key] = stored_variables(self.variant(tags))
        return list(self._cache[key])

    def check_files(self, tags: Tags) -> None:
        """Refuses a variant whose assets, or whose variables' values, are not on disk.

        Raises:
          MissingAssetError: an asset is not where the graph says.
          MissingCheckpointError: the spec was read from a directory without a checkpoint.
          CheckpointError: the checkpoint lacks variables, or has them with another shape or dtype.
        """
        for path in asset_paths(self.variant(tags).meta_graph).values():
            check_asset(path)
        stored = self.stored_variables(tags)
        if stored and self.checkpoint is not None:
            with raised_as_tensorflow():
                check_checkpoint(self.checkpoint, stored)

    def state(self, tags: Tags, trainable: bool, everything: bool = False) -> State:
        """What one instance of a variant brings into a graph. Kept, since each instance needs it again."""
        key = ("state", as_tags(tags), trainable, everything)
        if key not in self._cache:
            with no_garbage_collection():
                self._cache[key] = state_of(self.variant(tags), trainable, everything, self.checkpoint)
        state: State = self._cache[key]
        return state

    def application(
        self, tags: Tags, signature: str, outputs: Iterable[str], trainable: bool, everything: bool = False
    ) -> Application:
        """What one application of a signature brings into a graph. Kept, since each application needs it again."""
        key = ("application", as_tags(tags), signature, tuple(outputs), trainable, everything)
        if key not in self._cache:
            definition = self.signature(signature, tags)
            with no_garbage_collection():
                self._cache[key] = application_of(
                    self.variant(tags),
                    tensors_of(definition.inputs.values()),
                    tensors_of([definition.outputs[output] for output in key[3]]),
                    trainable,
                    everything,
                )
        application: Application = self._cache[key]
        return application


def _variant(tags: Tags) -> str:
    return f"its variant {sorted(as_tags(tags))}" if tags else "its variant without tags"


def as_tags(tags: Tags) -> frozenset[str]:
    """Tags given as None, a set, a list or an empty dict."""
    if isinstance(tags, str):
        raise TagsError(f"Tags are a set of strings; write {{{tags!r}}}.")
    return frozenset(tags or ())


def read_spec(directory: str, any_features: bool = False) -> ModuleSpec:
    """The spec of a module's directory; see `hub.load_module_spec`. `any_features`: whatever features it requires."""
    check = module_directory.required_features if any_features else module_directory.check_marker
    check(directory)
    saved_model = module_directory.read_saved_model(directory)
    for meta_graph in saved_model.meta_graphs:
        fold_assets(meta_graph, directory)
        strip_default_attrs(meta_graph)
    return ModuleSpec(saved_model, directory)


def load_module_spec(path: str | os.PathLike[str]) -> ModuleSpec:
    """Reads the spec of a module on disk. TensorFlow is not loaded.

    Args:
      path: the module's directory, `file://` too.

    Raises:
      MissingModuleError: there is no module (an `OSError`, and a `tf.errors.NotFoundError`).
      UnsupportedModuleError: a format, or required features, that this version does not know.
      CorruptModuleError: a file that cannot be read.
      UnsupportedHandleError: a web address.

    >>> hub.load_module_spec(path).get_tags()
    [frozenset()]
    """
    with raised_as_tensorflow():
        return read_spec(files.absolute(files.resolve(path)))


def as_module_spec(spec: ModuleSpec | str | os.PathLike[str]) -> ModuleSpec:
    """A spec as it is, or the one of a module on disk.

    Raises:
      SpecTypeError: it is neither (a `ValueError`).
    """
    if isinstance(spec, ModuleSpec):
        return spec
    if isinstance(spec, str | os.PathLike):
        return load_module_spec(spec)
    raise SpecTypeError(f"A module is given as a hub.ModuleSpec or as a path; this is {type(spec).__name__}.")


def resolve(handle: str | os.PathLike[str]) -> str:
    """The path that a handle speaks of, which must exist. Downloading is not supported yet.

    Args:
      handle: a path, or a `file://` address.

    Raises:
      MissingModuleError: the path does not exist (an `OSError`).
      UnsupportedHandleError: a web address (an `OSError`).
    """
    path = files.resolve(handle)
    if not files.exists(path):
        with raised_as_tensorflow():
            raise MissingModuleError(f"There is no directory {path!r}. Check the path of the module.")
    return path


def check_asset(path: str) -> None:
    """Refuses an asset whose file is not there."""
    if not files.exists(path) or files.is_directory(path):
        found = "is a directory" if files.exists(path) else "does not exist"
        with raised_as_tensorflow():
            raise MissingAssetError(
                f"The asset {path!r} {found}. The module's graph reads it, so it cannot be used or exported"
                " without: put the file back."
            )
