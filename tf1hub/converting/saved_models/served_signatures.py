"""The names that the inputs of a module's signatures have in a SavedModel's file.

TensorFlow writes signatures from functions, whose arguments cannot have any name; see `argument_names`. Servers and
saved_model_cli go by the names in the file, so there the inputs get their own.
"""

from collections.abc import Mapping
from pathlib import Path

from tf1hub.consuming.loaded.argument_names import argument_names
from tf1hub.consuming.loaded.loaded_module import LoadedModule
from tf1hub.consuming.loaded.signature_functions import input_parts
from tf1hub.format import module_directory
from tf1hub.tensorflow_private import write_fingerprint

SERVING_DEFAULT = "serving_default"


def renamed_inputs(module: LoadedModule, names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The inputs whose arguments have other names than they, as {signature: {argument: input}}.

    Args:
      module: the module.
      names: for each signature that is written the module's signature that it is.
    """
    result = {}
    for written, name in names.items():
        arguments = argument_names(input_parts(module.get_input_info_dict(name)))
        result[written] = {argument: key for key, argument in arguments.items() if argument != key}
    return {written: renamed for written, renamed in result.items() if renamed}


def write_input_names(directory: str, renamed: Mapping[str, Mapping[str, str]]) -> None:
    """Gives the inputs in the signatures of a SavedModel on disk their own names, for servers and command lines."""
    if not renamed:
        return
    saved_model = module_directory.read_saved_model(directory)
    for meta_graph in saved_model.meta_graphs:
        for signature, names in renamed.items():
            inputs = meta_graph.signature_def[signature].inputs
            for argument, key in names.items():
                info = inputs.pop(argument)
                inputs[key].CopyFrom(info)
    Path(directory, module_directory.SAVED_MODEL).write_bytes(saved_model.SerializeToString(deterministic=True))
    write_fingerprint(directory)
