"""Writing a loaded module's values as a module's checkpoint."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from tf1hub.checkpoints import local_checkpoint
from tf1hub.consuming.loaded.variables import LoadedVariables, initial_values
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.graph.variables import StoredVariable
from tf1hub.spec import ModuleSpec

# Variables by the tags of the variants that have them.
OfVariants: TypeAlias = Mapping[frozenset[str], list[StoredVariable]]


def export_module(path: str | os.PathLike[str], spec: ModuleSpec, variables: LoadedVariables) -> None:
    """Writes the module with the variables' current values, and those of variants that were not loaded as they were."""
    loaded = {one.checkpoint_name for one in variables.stored}
    others = {
        tags: [one for one in spec.stored_variables(tags) if one.checkpoint_name not in loaded]
        for tags in spec.get_tags()
    }
    spec.write(path, lambda prefix: _write_checkpoint(prefix, spec, variables, others))


def _write_checkpoint(prefix: str, spec: ModuleSpec, variables: LoadedVariables, others: OfVariants) -> None:
    with BundleWriter(prefix) as writer:
        for one, variable in sorted(zip(variables.stored, variables.all, strict=True), key=lambda pair: pair[0].node):
            _add(writer, one, variable.numpy())  # one at a time: all together would double the memory
        if spec.checkpoint is None:
            _add_fresh(writer, spec, others)
        elif any(others.values()):
            _add_copies(writer, spec.checkpoint, {one.checkpoint_name for each in others.values() for one in each})


def _add(writer: BundleWriter, one: StoredVariable, value: Any) -> None:
    if one.offset is None or one.full_shape is None:
        writer.add(one.checkpoint_name, value, one.dtype)
    else:
        writer.add_slice(one.checkpoint_name, one.full_shape, one.offset, value, one.dtype)


def _add_fresh(writer: BundleWriter, spec: ModuleSpec, others: OfVariants) -> None:
    written = set()
    for tags, stored in others.items():
        new = [one for one in stored if (one.checkpoint_name, one.offset) not in written]
        for one, value in zip(new, initial_values(spec, tags, new), strict=True):
            _add(writer, one, value)
            written.add((one.checkpoint_name, one.offset))


def _add_copies(writer: BundleWriter, checkpoint: str, names: Iterable[str]) -> None:
    with local_checkpoint(checkpoint) as local, BundleReader(local) as reader:
        # What was not on disk before is missing still: its variant could not be used, either.
        for name in sorted(name for name in names if name in reader.entries):
            reader.check_tensor(name)
            writer.add_copy(name, reader, reader.entry(name))
