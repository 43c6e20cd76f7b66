"""A TF1 Hub module becomes a SavedModel of TensorFlow 2."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from tf1hub import files
from tf1hub.consuming.loaded.loaded_module import LoadedModule
from tf1hub.consuming.loaded.loading import load
from tf1hub.converting.saved_models.reusable_object import attached_messages, call_function, reusable_object
from tf1hub.converting.saved_models.served_signatures import (
    SERVING_DEFAULT,
    renamed_inputs,
    write_input_names,
)
from tf1hub.errors import GraphError, TagsError, WrongGraphError, raised_as_tensorflow
from tf1hub.format.module_directory import SAVED_MODEL
from tf1hub.format.placing import check_free, new_module_directory
from tf1hub.spec import Tags, as_module_spec, as_tags

Progress = Callable[[int, int], None]

# Whether a variable can be trained is the module's matter, so what is frozen in this process is thawed meanwhile.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class ConvertedModule:
    """What a SavedModel was made with.

    Attributes:
      path: its directory.
      called: the signature that `__call__` applies, None when it has no `__call__`.
      returns_dict: whether `__call__` returns a dict of all outputs, instead of a tensor.
      signatures: the names of its signatures.
      tags, training_tags: those of the variants that became `training=False` and `training=True`.
      variables, trainable_variables, regularization_losses, assets: how many there are.
      attached_messages: their keys.
      bytes_written: the size of its files.
    """

    path: str
    called: str | None
    returns_dict: bool
    signatures: tuple[str, ...]
    tags: tuple[str, ...]
    training_tags: tuple[str, ...]
    variables: int
    trainable_variables: int
    regularization_losses: int
    assets: int
    attached_messages: tuple[str, ...]
    bytes_written: int


def to_saved_model(
    module: Any,
    path: str | os.PathLike[str],
    *,
    tags: Tags = None,
    training_tags: Tags = None,
    signature: str | None = None,
    as_dict: bool | None = None,
    on_progress: Progress | None = None,
) -> ConvertedModule:
    """Writes a TF1 Hub module as a TF2 SavedModel that can be fine-tuned without tf1hub.

    It has the interface of reusable SavedModels: `__call__(inputs, training=False)`, `variables`, `trainable_variables` and
    `regularization_losses`. With `training=True` the training variant is applied, and its update ops run. All signatures are
    there under their names, and "serving_default" is the one that `__call__` applies. Attached messages are kept:
    `attached_messages()` gives them serialized, by key.

    Args:
      module: a module's path or `hub.ModuleSpec`; or what `hub.load` or `hub.KerasLayer` made of one, whose current values
        are written.
      path: the SavedModel's directory. It is there whole or not at all; nothing that is there is replaced.
      tags: the tags of the graph variant to convert; none for the one without tags.
      training_tags: those of the variant for training; when left out, as in `hub.load`.
      signature: the signature that `__call__` applies. When left out it is "default", or the only one there is; of several
        others none is chosen, and there is no `__call__`.
      as_dict: whether `__call__` returns a dict of all outputs. When left out it does so if no output is called "default".
      on_progress: called with the number of steps that are done, and of all.

    Returns:
      What was written.

    Raises:
      MissingModuleError: there is no module (an `OSError`).
      ModuleExistsError: there is something at `path` (a `tf.errors.AlreadyExistsError`).
      SignatureError, TagsError: the module has no such signature or variant.
      WrongGraphError: eager execution is off (a `RuntimeError`).

    >>> done = hub.to_saved_model(path, new_path)
    >>> done.called, done.signatures, done.assets
    ('default', ('default', 'serving_default'), 1)
    """
    target = files.absolute(files.resolve(path))
    with raised_as_tensorflow(), tf.init_scope():
        check_free(target, SAVED_MODEL)
        if not tf.executing_eagerly():
            raise WrongGraphError("A SavedModel is written with eager execution, and it is off here.")
        loaded = _loaded(module, tags, training_tags)
        called = _called_signature(loaded, signature)
        with _ONE_AT_A_TIME, loaded.as_published():
            return _write(loaded, target, called, as_dict, on_progress or (lambda done, total: None))


def _loaded(module: Any, tags: Tags, training_tags: Tags) -> LoadedModule:
    loaded = getattr(module, "resolved_object", module)  # a KerasLayer's
    if not isinstance(loaded, LoadedModule):
        new: LoadedModule = load(as_module_spec(module), tags=tags, training_tags=training_tags)
        return new
    for what, wanted, has in (
        ("tags", tags, loaded.tags),
        ("training_tags", training_tags, loaded.training_tags),
    ):
        if wanted is not None and as_tags(wanted) != has:
            raise TagsError(
                f"`{what}` is {sorted(as_tags(wanted))}, and the module was loaded with {sorted(has)}. Leave it out, or"
                " load the module with these tags."
            )
    return loaded


def _called_signature(module: LoadedModule, wanted: str | None) -> str | None:
    names = module.get_signature_names()
    if wanted is not None:
        module.get_input_info_dict(wanted)  # there is such a signature
        return wanted
    for name in ("default", SERVING_DEFAULT):
        if name in names:
            return name
    return names[0] if len(names) == 1 else None


def _write(
    module: LoadedModule, target: str, called: str | None, as_dict: bool | None, on_progress: Progress
) -> ConvertedModule:
    names = {name: name for name in module.get_signature_names()}
    advance = _steps(len(names) + (2 if called is not None else 0) + 1, on_progress)
    root = reusable_object(module)
    if called is not None:
        if as_dict is None:
            as_dict = "default" not in module.get_output_info_dict(called)
        root.__call__ = call_function(module, called, as_dict, advance)
    served = {}
    for name in names:
        served[name] = module.signatures[name]
        advance()
    if called is not None and SERVING_DEFAULT not in names:
        names[SERVING_DEFAULT] = called
        served[SERVING_DEFAULT] = served[called]
    with new_module_directory(target, SAVED_MODEL) as directory:
        with _explained_errors(target):
            tf.saved_model.save(root, directory, signatures=served)
            write_input_names(directory, renamed_inputs(module, names))
        size = sum(file.stat().st_size for file in Path(directory).rglob("*") if file.is_file())
    advance()
    return ConvertedModule(
        path=target,
        called=called,
        returns_dict=bool(as_dict),
        signatures=tuple(sorted(names)),
        tags=tuple(sorted(module.tags)),
        training_tags=tuple(sorted(module.training_tags)),
        variables=len(root.variables),
        trainable_variables=len(root.trainable_variables),
        regularization_losses=len(root.regularization_losses),
        assets=len(root.assets),
        attached_messages=tuple(sorted(attached_messages(module))),
        bytes_written=size,
    )


def _steps(total: int, on_progress: Progress) -> Callable[[], None]:
    """A function to call after each step."""
    done = 0
    on_progress(done, total)

    def advance() -> None:
        nonlocal done
        done += 1
        on_progress(done, total)

    return advance


@contextmanager
def _explained_errors(path: str) -> Iterator[None]:
    """What TensorFlow finds while it writes, as the error that it is elsewhere."""
    try:
        yield
    except ValueError as error:
        if "gradient functions" not in str(error):
            raise
        raise GraphError(
            "The module's publisher gave gradients to functions that lie within branches or loops, and TensorFlow cannot write"
            f" such into a SavedModel; hub.load and hub.KerasLayer use the module as it is. TensorFlow says: {error}"
        ) from error
    except (tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError) as error:
        kind = errno.ENOSPC if isinstance(error, tf.errors.ResourceExhaustedError) else errno.EFBIG
        raise OSError(kind, f"{os.strerror(kind)}; nothing was written", path) from error
