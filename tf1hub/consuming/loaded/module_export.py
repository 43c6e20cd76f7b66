"""Writing a loaded module's values as a module's checkpoint."""

import os

from tf1hub.checkpoints import local_checkpoint
from tf1hub.consuming.loaded.variables import LoadedVariables
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.spec import ModuleSpec


def export_module(path: str | os.PathLike[str], spec: ModuleSpec, variables: LoadedVariables) -> None:
    """Writes the module with the variables' current values; those that only other variants have are copied."""
    loaded = {one.checkpoint_name for one in variables.stored}
    others = {one.checkpoint_name for tags in spec.get_tags() for one in spec.stored_variables(tags)} - loaded
    spec.write(path, lambda prefix: _write_values(prefix, variables, sorted(others), spec.checkpoint))


def _write_values(prefix: str, variables: LoadedVariables, others: list[str], source: str | None) -> None:
    with BundleWriter(prefix) as writer:
        for one, variable in sorted(zip(variables.stored, variables.all, strict=True), key=lambda pair: pair[0].node):
            dtype = variable.dtype.as_datatype_enum
            value = variable.numpy()  # one at a time: all together would double the memory
            if one.offset is None or one.full_shape is None:
                writer.add(one.checkpoint_name, value, dtype)
            else:
                writer.add_slice(one.checkpoint_name, one.full_shape, one.offset, value, dtype)
        if others and source is not None:
            with local_checkpoint(source) as local, BundleReader(local) as reader:
                # A variable that was never on disk can still be missing: its variant could not be used before, either.
                for name in (name for name in others if name in reader.entries):
                    reader.check_tensor(name)
                    writer.add_copy(name, reader, reader.entry(name))
