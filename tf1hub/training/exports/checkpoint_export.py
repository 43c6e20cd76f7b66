"""Exporting a module from a training's checkpoint: no graph, no session, no TensorFlow."""

import os
from collections.abc import Iterable

from tf1hub import files
from tf1hub.checkpoints import find_checkpoint_prefix, local_checkpoint
from tf1hub.errors import CheckpointError, MissingCheckpointError
from tf1hub.format.bundle_index import BundleIndex
from tf1hub.spec import ModuleSpec, as_module_spec
from tf1hub.training.exports.regularization_warning import RegularizationWarning, regularization_beside

# What every checkpoint of tf.train.Checkpoint has, and no other one.
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def export_from_checkpoint(
    spec: ModuleSpec | str | os.PathLike[str],
    checkpoint: str | os.PathLike[str],
    path: str | os.PathLike[str],
    scope: str | None = "module",
) -> str:
    """Writes a module with the values that its variables have in a training's checkpoint.

    Whatever trained the module: its variables lie in the checkpoint below the scope of the `hub.Module`. TensorFlow is not
    loaded.

    Args:
      spec: the module's spec, or the path of the module that was trained.
      checkpoint: a checkpoint's prefix (`model.ckpt-100`), or the training's directory, of which the latest one is taken.
      path: the new module's directory. It is there whole or not at all; nothing that is there is replaced.
      scope: the scope of the module's variables in the checkpoint, which is the `name` of the `hub.Module` below the
        scopes that it was made in; None or "" when they have the names that they have in the module.

    Returns:
      The module's directory.

    Raises:
      MissingCheckpointError: there is no checkpoint (an `OSError`, also a `tf.errors.NotFoundError`).
      CheckpointError: the checkpoint lacks variables in this scope, or has them with another shape or dtype. The message
        names the scopes in which they lie.
      ModuleExistsError: there is a module at `path` (also a `tf.errors.AlreadyExistsError`).

    >>> hub.export_from_checkpoint(spec, training_dir, new_path, scope="module") == new_path
    True
    """
    start = f"{scope.rstrip('/')}/" if scope else ""
    names: list[str] = []

    def in_checkpoint(name: str) -> str:
        names.append(name)
        return start + name

    module = as_module_spec(spec)
    try:
        module.export(path, checkpoint_path=checkpoint, name_transform_fn=in_checkpoint)
    except MissingCheckpointError:
        raise
    except CheckpointError as error:
        prefix = find_checkpoint_prefix(files.resolve(checkpoint))
        with local_checkpoint(prefix, index_only=True) as local:
            entries = BundleIndex(local).entries
        scopes = _scopes_of(names, entries)
        if start.rstrip("/") in scopes:
            raise
        where = ", ".join(repr(each) for each in scopes) or "none"
        raise CheckpointError(
            f"The checkpoint {prefix!r} does not have the module's variables in the scope {scope!r}. Scopes in which it has"
            f" all of them: {where}. {_advice(scopes, _OBJECT_GRAPH in entries)} {error}"
        ) from error
    nodes = [start + stored.node for tags in module.get_tags() for stored in module.stored_variables(tags)]
    RegularizationWarning().give(
        lambda: regularization_beside(find_checkpoint_prefix(files.resolve(checkpoint)), nodes)
    )
    return files.resolve(path)


def _advice(scopes: list[str], is_object_based: bool) -> str:
    if scopes:
        return "Pass the right one as `scope`."
    if is_object_based:
        return (
            "It was written by tf.train.Checkpoint, which names variables after attributes of objects. Write one with"
            " tf.compat.v1.train.Saver, which keeps their names."
        )
    return "Pass the spec of the module that was trained."


def _scopes_of(names: list[str], known: Iterable[str]) -> list[str]:
    """The scopes in which a checkpoint has all of some variables; "" for that of variables without a scope."""
    scopes: set[str] | None = None
    for name in names:
        ending = f"/{name}"
        found = {each.removesuffix(ending) for each in known if each.endswith(ending)}
        found |= {""} if name in known else set()
        scopes = found if scopes is None else scopes & found
    return sorted(scopes or ())
