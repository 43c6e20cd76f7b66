"""Which modules of a graph are to be exported, and under which names."""

import os
import re
from typing import Any

import tensorflow as tf

from tf1hub import files
from tf1hub.consuming.module import Module

# A tuple, since exports of whole graphs take along the collections that have strings as keys.
_COLLECTION = ("tf1hub_modules_for_export",)


def register_module_for_export(module: Module, export_name: str) -> None:
    """Has the exporters of modules export this module. Call it in a `model_fn`, or where a graph is built.

    Args:
      module: a module of the current graph.
      export_name: the folder of the module below that of the export, `"encoder"` or `"text/encoder"`. It is not the scope
        of the module's variables.

    Raises:
      ValueError: the name is used in this graph already, is empty, leads out of the export's folder, or one of the two is
        a folder in the other.
      TypeError: `module` is no `hub.Module`.

    >>> with tf.Graph().as_default():
    ...     module = hub.Module(path, trainable=True)
    ...     hub.register_module_for_export(module, "encoder")
    """
    if not isinstance(module, Module):
        raise TypeError(f"Only a hub.Module can be registered for export; this is {type(module).__name__}.")
    name = os.fsdecode(export_name)
    _check_name(name)
    for used, _ in registered_modules():
        if used == name:
            raise ValueError(
                f"A module is registered for export as {name!r} in this graph already. Give each a name of its own."
            )
        if f"{name}/".startswith(f"{used}/") or f"{used}/".startswith(f"{name}/"):
            raise ValueError(
                f"A module cannot be exported as {name!r} where another one is exported as {used!r}: one would lie in"
                " the other's folder. Give them names of which neither begins with the other."
            )
    tf.compat.v1.add_to_collection(_COLLECTION, (name, module))


def registered_modules() -> list[tuple[str, Module]]:
    """The modules that are registered in the current graph, each with its name, in their order."""
    found: list[tuple[str, Any]] = tf.compat.v1.get_collection(_COLLECTION)
    return found


def _check_name(name: str) -> None:
    """Refuses a name that is no relative path to a folder below another one."""
    if not name:
        raise ValueError("`export_name` is empty; it is the name of the module's folder.")
    if files.is_absolute(name):
        raise ValueError(f"The export name {name!r} is an absolute path. Pass a name for the module's folder.")
    if {"", ".", ".."} & set(re.split(r"[/\\]", name)) or "\0" in name:
        raise ValueError(
            f"The export name {name!r} does not name a folder below that of the export: it may have no parts that are"
            " empty, '.' or '..'. Pass a plain name."
        )
