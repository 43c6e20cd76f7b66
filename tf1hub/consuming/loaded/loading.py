"""`hub.load`: a module, or any SavedModel, as an object of TensorFlow 2."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tf1hub import files
from tf1hub.consuming.loaded.loaded_module import LoadedModule
from tf1hub.errors import (
    CheckpointError,
    MissingCheckpointError,
    MissingModuleError,
    TagsError,
    WrongGraphError,
    raised_as_tensorflow,
)
from tf1hub.format import module_directory
from tf1hub.spec import ModuleSpec, Tags, as_module_spec, as_tags
from tf1hub.tensorflow_private import not_converted

_TRAIN = frozenset({"train"})


@not_converted
def load(
    handle: str | os.PathLike[str] | ModuleSpec, tags: Tags = None, options: Any = None, training_tags: Tags = None
) -> Any:
    """Loads a module to be applied and fine-tuned in TensorFlow 2.

    Args:
      handle: the path of a TF1 Hub module, or a `hub.ModuleSpec` (one that was not read from disk gets fresh variables); or
        the path of another SavedModel.
      tags: the tags of the graph variant to apply; none for the one without tags.
      options: `tf.saved_model.LoadOptions`, for other SavedModels than TF1 Hub modules.
      training_tags: the tags of the variant to train with. When left out it is the one with "train" beside `tags`, or the one
        tagged `{"train"}`, or, in a module with neither, the variant that is applied, with a warning when it is trained.

    Returns:
      A `LoadedModule`; for another SavedModel what `tf.saved_model.load` gives.

    Raises:
      MissingModuleError: there is nothing at the path (an `OSError`, and a `tf.errors.NotFoundError`).
      TagsError: no variant has these tags, or `training_tags` for another SavedModel (a `ValueError`).
      CheckpointError: the module lacks values for some of the variables (a `ValueError`).

    >>> module = hub.load(path)
    >>> embeddings = module(["a sentence", "another"])
    """
    if not isinstance(handle, ModuleSpec):
        directory = files.absolute(files.resolve(handle))
        if not module_directory.is_module(directory):
            return _load_saved_model(directory, tags, options, training_tags)
    with tf.init_scope():
        if not tf.executing_eagerly():
            raise WrongGraphError(
                "hub.load works with eager execution, and it is off here. Use hub.Module in graphs of TensorFlow 1."
            )
        spec = as_module_spec(handle)
        chosen = _training_tags(spec, as_tags(tags), training_tags)
        with _help_without_training(as_tags(tags), chosen):
            return LoadedModule(spec, as_tags(tags), chosen, tells_variant=training_tags is None)


@contextmanager
def _help_without_training(tags: frozenset[str], training: frozenset[str]) -> Iterator[None]:
    """Says how to load a module of which only the training variant cannot be."""
    try:
        yield
    except CheckpointError as error:
        if tags == training or isinstance(error, MissingCheckpointError):
            raise
        raise CheckpointError(
            f"{error}\nThe variant {sorted(training)} is loaded for training. To do without it:"
            f" hub.load(..., training_tags={sorted(tags)})."
        ) from error


def _training_tags(spec: ModuleSpec, tags: frozenset[str], wanted: Tags) -> frozenset[str]:
    if wanted is not None:
        return as_tags(wanted)
    return next((each for each in (tags | _TRAIN, _TRAIN) if each in spec.get_tags()), tags)


def _load_saved_model(directory: str, tags: Tags, options: Any, training_tags: Tags) -> Any:
    if not files.exists(directory):
        with raised_as_tensorflow():
            raise MissingModuleError(f"There is no directory {directory!r}. Check the path of the module.")
    names = (module_directory.SAVED_MODEL, module_directory.SAVED_MODEL_TEXT)
    if not any(files.exists(files.join(directory, name)) for name in names):
        with raised_as_tensorflow():
            raise MissingModuleError(
                f"{directory!r} holds neither {module_directory.MARKER} nor {module_directory.SAVED_MODEL}, so it is no"
                " TF1 Hub module and no SavedModel. Check the path."
            )
    if training_tags is not None:
        raise TagsError(
            f"{directory!r} is a SavedModel but no TF1 Hub module, so it has no other variant for training. Leave out"
            " `training_tags`."
        )
    settings = {} if options is None else {"options": options}
    return tf.saved_model.load(directory, tags=tags, **settings)
