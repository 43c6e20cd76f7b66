"""What a layer's `handle` stands for, and how that is called."""

from collections.abc import Mapping
from typing import Any

from tf1hub.consuming.keras_layers.module_call import ModuleCall
from tf1hub.consuming.keras_layers.saved_model_call import SavedModelCall
from tf1hub.consuming.loaded.loaded_module import LoadedModule
from tf1hub.consuming.loaded.loading import load
from tf1hub.spec import Tags


def resolved_handle(handle: Any, tags: Tags, load_options: Any, training_tags: Tags) -> Any:
    """The object that a handle stands for: a callable as it is, what else there is as `hub.load` loads it.

    Raises:
      ValueError: tags or options are given for something that is loaded already.
    """
    if not callable(handle):
        return load(handle, tags=tags, options=load_options, training_tags=training_tags)
    settings = {"tags": tags, "load_options": load_options, "training_tags": training_tags}
    given = next((name for name, value in settings.items() if value is not None), None)
    if given is not None:
        raise ValueError(f"`{given}` says how to load a path, and the handle is loaded already. Leave out `{given}`.")
    return handle


def call_of(
    resolved: Any, signature: str | None, as_dict: bool, output_key: str | None, arguments: Mapping[str, Any]
) -> ModuleCall | SavedModelCall:
    """How a layer calls the object.

    Raises:
      ValueError: arguments that do not go together, no such signature, or no such output.
    """
    kind = ModuleCall if isinstance(resolved, LoadedModule) else SavedModelCall
    return kind(resolved, signature, as_dict, output_key, arguments)
