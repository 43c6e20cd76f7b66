"""Starting a model from another one's variables: `WarmStartSettings`."""

import os
from typing import Any, NamedTuple

import tensorflow as tf


class _Fields(NamedTuple):
    ckpt_to_initialize_from: Any
    vars_to_warm_start: Any
    var_name_to_vocab_info: dict[str, Any]
    var_name_to_prev_var_name: dict[str, str]


class WarmStartSettings(_Fields):
    """From which checkpoint which variables of a model start. It counts when the model has no checkpoint of its own.

    Args:
      ckpt_to_initialize_from: a checkpoint's path, or a directory of checkpoints, whose latest is taken.
      vars_to_warm_start: a regular expression for the names of trainable variables, a list of names of variables or of
        variables, a list of regular expressions, or None for none but those with a vocabulary.
      var_name_to_vocab_info: for the names of variables with a row for each entry of a vocabulary, a
        `tf.compat.v1.train.VocabInfo` with the new and the old vocabulary.
      var_name_to_prev_var_name: for names of variables, their names in the checkpoint where these differ.

    Raises:
      ValueError: there is no checkpoint.

    >>> from tf1hub.estimator import WarmStartSettings
    >>> settings = WarmStartSettings(new_path, vars_to_warm_start="module/.*")
    >>> settings.var_name_to_prev_var_name
    {}
    """

    __slots__ = ()

    def __new__(
        cls,
        ckpt_to_initialize_from: Any,
        vars_to_warm_start: Any = ".*",
        var_name_to_vocab_info: dict[str, Any] | None = None,
        var_name_to_prev_var_name: dict[str, str] | None = None,
    ) -> "WarmStartSettings":
        if not ckpt_to_initialize_from:
            raise ValueError(
                f"ckpt_to_initialize_from of WarmStartSettings is {ckpt_to_initialize_from!r}; it must be a checkpoint's path."
            )
        return super().__new__(
            cls,
            ckpt_to_initialize_from,
            vars_to_warm_start,
            var_name_to_vocab_info or {},
            var_name_to_prev_var_name or {},
        )


def parse_warm_start(warm_start_from: Any) -> WarmStartSettings | None:
    """What an Estimator's argument `warm_start_from` stands for.

    Args:
      warm_start_from: `WarmStartSettings`, or a path: a checkpoint, a directory of checkpoints or a SavedModel.

    Raises:
      ValueError: it is something else.
    """
    if warm_start_from is None or isinstance(warm_start_from, WarmStartSettings):
        return warm_start_from
    if not isinstance(warm_start_from, str | bytes | os.PathLike):
        raise ValueError(f"warm_start_from must be a path or a WarmStartSettings, not {warm_start_from!r}.")
    path = os.fsdecode(warm_start_from)
    variables = os.path.join(path, tf.saved_model.VARIABLES_DIRECTORY, tf.saved_model.VARIABLES_FILENAME)
    return WarmStartSettings(variables if tf.io.gfile.exists(variables + ".index") else path)


def warm_start(settings: WarmStartSettings) -> None:
    """Gives the variables of the default graph initializers that read the checkpoint."""
    tf.compat.v1.logging.info("Starting from the variables of %s.", settings.ckpt_to_initialize_from)
    tf.compat.v1.train.warm_start(*settings)
