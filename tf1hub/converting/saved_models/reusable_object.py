"""A module as an object of the interface of reusable SavedModels, which others' readers fine-tune.

__call__(inputs, training=False)   applies a signature
variables                          all variables
trainable_variables                those that the module declares trainable
regularization_losses              functions without arguments, each of a scalar
attached_messages()                a dict of the serialized messages that its publisher attached; not of the interface
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf1hub.consuming.loaded.loaded_module import LoadedModule
from tf1hub.format import protos
from tf1hub.format.messages import parse_message
from tf1hub.graph import collections


def reusable_object(module: LoadedModule) -> Any:
    """The object without `__call__`. It keeps everything that its functions need, so that a SavedModel of it is whole."""
    root = tf.train.Checkpoint()
    root.variables = module.variables
    root.trainable_variables = module.trainable_variables
    root.regularization_losses = [
        tf.function(loss, input_signature=[], autograph=False) for loss in module.regularization_losses
    ]
    root.tables = list(module.tables)
    root.assets = list(module.assets)
    root.attached_messages = _constants(attached_messages(module))
    return root


def call_function(module: LoadedModule, signature: str, as_dict: bool, on_traced: Callable[[], None]) -> Any:
    """What applies a signature, traced for inference and for training; `on_traced` is called after each."""
    infos = module.get_input_info_dict(signature)
    module.check_training(signature, module.get_output_info_dict(signature) if as_dict else ["default"])
    specs = {key: info.type_spec for key, info in infos.items()}
    inputs = None if not specs else next(iter(specs.values())) if len(specs) == 1 else specs

    def call(inputs: Any = None, training: bool = False) -> Any:
        return module(inputs, signature=signature, as_dict=as_dict, training=training)

    function = tf.function(call, autograph=False)
    for training in (False, True):
        function.get_concrete_function(inputs, training=training)
        on_traced()
    return function


def attached_messages(module: LoadedModule) -> dict[str, bytes]:
    """The messages that are attached to the variant for inference, serialized, by their keys."""
    attached = module.spec.variant(module.tags).collection_bytes(collections.ATTACHMENTS)
    what = f"A message in the collection {collections.ATTACHMENTS!r}"
    parsed = [parse_message(protos.ModuleAttachment, value, what) for value in attached]
    return {item.key: item.value for item in parsed}


def _constants(values: dict[str, bytes]) -> Any:
    def constants() -> dict[str, Any]:
        return {key: tf.constant(value) for key, value in values.items()}

    return tf.function(constants, input_signature=[], autograph=False)
