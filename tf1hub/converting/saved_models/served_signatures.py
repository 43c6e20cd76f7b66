"""A module's signatures in a SavedModel: their functions, and the names of their inputs in the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from tf1hub.consuming.loaded.loaded_module import LoadedModule
from tf1hub.converting.saved_models.argument_names import argument_names
from tf1hub.format import module_directory
from tf1hub.tensorflow_private import not_converted, write_fingerprint

SERVING_DEFAULT = "serving_default"


def signature_function(module: LoadedModule, name: str) -> Any:
    """A signature as a concrete function of keyword arguments to a dict of all its outputs, for inference.

    A sparse or ragged input is made of several arguments, for signatures of SavedModels take dense tensors.
    """
    signature = module.signatures[name]
    specs = signature.structured_input_signature[1]
    arguments = argument_names(specs)

    @not_converted
    def serve(**tensors: Any) -> dict[str, Any]:
        applied: dict[str, Any] = signature(**{key: tensors[argument] for key, argument in arguments.items()})
        return applied

    named = {arguments[key]: tf.TensorSpec(spec.shape, spec.dtype, name=arguments[key]) for key, spec in specs.items()}
    return tf.function(serve).get_concrete_function(**named)


def renamed_inputs(module: LoadedModule, names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The inputs whose arguments have other names than they, as {signature: {argument: input}}.

    Args:
      module: the module.
      names: for each signature that is written the module's signature that it is.
    """
    result = {}
    for written, name in names.items():
        arguments = argument_names(module.signatures[name].structured_input_signature[1])
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
