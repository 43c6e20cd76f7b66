"""A SavedModel of TensorFlow 1 becomes a TF1 Hub module on disk. No graph is built, and the values are copied as bytes."""

import os
from collections.abc import Callable, Iterable

from tf1hub import files
from tf1hub.checkpoints import check_checkpoint, local_checkpoint
from tf1hub.errors import raised_as_tensorflow
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.format.placing import check_free
from tf1hub.publishing.saved_model import create_module_spec_from_saved_model
from tf1hub.spec import ModuleSpec

Progress = Callable[[int, int], None]


def write_module(
    saved_model: str | os.PathLike[str],
    path: str | os.PathLike[str],
    drop_collections: Iterable[str] = (),
    on_progress: Progress | None = None,
) -> ModuleSpec:
    """Writes a SavedModel of TensorFlow 1 as a module: its graphs as variants by their tags, its signatures as they are.

    Args:
      saved_model: the SavedModel's directory.
      path: the module's directory. It is there whole or not at all; nothing that is there is replaced.
      drop_collections: keys of collections that shall be left out, beyond those that a module may carry.
      on_progress: called with the bytes of values that are copied, and all there are.

    Returns:
      The SavedModel's spec.

    Raises:
      MissingModuleError: no SavedModel there (an `OSError`).
      GraphError: a collection that a module cannot carry, or a SavedModel that TensorFlow 2 wrote.
      CheckpointError: it lacks the values of variables.
      CorruptModuleError: they are damaged.
      ModuleExistsError: there is a module at `path` (also a `tf.errors.AlreadyExistsError`).
    """
    spec = create_module_spec_from_saved_model(saved_model, drop_collections)
    stored = [one for tags in spec.get_tags() for one in spec.stored_variables(tags)]
    prefix = str(spec.checkpoint)
    with raised_as_tensorflow():
        check_free(files.absolute(files.resolve(path)))
        if stored:
            check_checkpoint(prefix, stored)
    names = sorted({one.checkpoint_name for one in stored})
    spec.write(path, lambda target: _copy_values(prefix, target, names, on_progress))
    return spec


def _copy_values(source: str, target: str, names: list[str], on_progress: Progress | None) -> None:
    with local_checkpoint(source) as local, BundleReader(local) as reader, BundleWriter(target) as writer:
        sizes = {name: reader.entry(name).size for name in names}
        done = 0
        for name in names:
            reader.check_tensor(name)
            writer.add_copy(name, reader, reader.entry(name))
            done += sizes[name]
            if on_progress:
                on_progress(done, sum(sizes.values()))
