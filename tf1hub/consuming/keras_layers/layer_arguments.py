"""What a layer was made with, as plain data that Keras neither tracks nor wraps, and as its config."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tf1hub.consuming.keras_layers.output_shapes import as_tuples
from tf1hub.consuming.loaded.loaded_module import LoadedModule
from tf1hub.spec import ModuleSpec, Tags


@dataclass(frozen=True)
class LayerArguments:
    """The arguments of a layer's constructor that are not Keras's."""

    handle: Any
    tags: Tags
    training_tags: Tags
    arguments: Mapping[str, Any]
    signature: str | None
    signature_outputs_as_dict: bool | None
    output_key: str | None
    output_shape: Any
    """A nest of `tf.TensorShape`."""

    def config(self) -> dict[str, Any]:
        """What goes into the layer's config; what was left out is not in there.

        Raises:
          NotImplementedError: the handle was not loaded from a path.
          ValueError: a value that cannot be written as JSON.
        """
        optional = {
            "arguments": dict(self.arguments),
            "signature": self.signature,
            "signature_outputs_as_dict": self.signature_outputs_as_dict,
            "output_key": self.output_key,
            "output_shape": None if self.output_shape is None else as_tuples(self.output_shape),
        }
        given = {name: value for name, value in optional.items() if value is not None and value != {}}
        for name, value in given.items():
            _check_serializable(name, value)
        return {**self._loaded_from(), **given}

    def _loaded_from(self) -> dict[str, Any]:
        path, tags, training_tags = None, self.tags, self.training_tags
        if isinstance(self.handle, str | os.PathLike):
            path = os.fspath(self.handle)
        elif isinstance(self.handle, ModuleSpec):
            path = self.handle.directory
        elif isinstance(self.handle, LoadedModule):
            path, tags, training_tags = self.handle.spec.directory, self.handle.tags, self.handle.training_tags
        if path is None:
            raise NotImplementedError(
                f"A layer's config holds the path that its handle was loaded from, and this {type(self.handle).__name__} was"
                " not loaded from one. Make the layer of a path, or save its weights alone, with `save_weights`."
            )
        config = {"handle": path, **({"tags": sorted(tags)} if tags else {})}
        if training_tags is not None:  # no tags name a variant, too
            config["training_tags"] = sorted(training_tags)
        return config


def _check_serializable(name: str, value: Any) -> None:
    try:
        json.dumps(value)
    except TypeError as error:
        raise ValueError(f"A layer's config is JSON, which cannot hold the layer's `{name}`: {error}.") from error
