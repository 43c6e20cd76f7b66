"""What is particular to a layer of Keras 3 on TensorFlow."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tf1hub.consuming.keras_layers.hub_layer import HubLayer
from tf1hub.consuming.keras_layers.stored_weights import legal_names


class KerasThreeLayer(HubLayer):
    """A layer whose weights are Keras variables that share the storage of the module's `tf.Variable`s."""

    KERAS: Any
    _supports_jit = True

    def _start(self, settings: dict[str, Any]) -> None:
        only = self._call.only_input_dtype
        if settings.get("dtype") is None and only is not None and not only.is_floating:
            settings["dtype"] = only.name  # a Sequential model without an Input makes one of the layer's dtype
        if "input_shape" in settings:
            self_input_shape = settings.pop("input_shape")
