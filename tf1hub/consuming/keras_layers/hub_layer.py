"""The part of `hub.KerasLayer` that is the same for every Keras."""

import os
from collections.abc import Mapping
from glob import escape
from typing import Any

import tensorflow as tf

from tf1hub.consuming.keras_layers.casting import cast_floats
from tf1hub.consuming.keras_layers.layer_arguments import LayerArguments
from tf1hub.consuming.keras_layers.module_call import ModuleCall
from tf1hub.consuming.keras_layers.output_shapes import as_shapes, batched, set_shapes
from tf1hub.consuming.keras_layers.resolving import call_of, resolved_handle
from tf1hub.consuming.keras_layers.saved_model_call import SavedModelCall
from tf1hub.consuming.keras_layers.stored_weights import legal_names, read_weights, write_weights
from tf1hub.errors import SpecTypeError
from tf1hub.spec import ModuleSpec, Tags
from tf1hub.tensorflow_private import not_converted


class HubLayer:
    """A Keras layer but for its base class, which comes behind this one in the classes that are made of it."""

    # What the base class has.
    KERAS: Any
    build: Any
    name: str
    compute_dtype: Any
    variable_dtype: Any

    def __init__(
        self,
        handle: str | os.PathLike[str] | ModuleSpec | Any,
        trainable: bool = False,
        arguments: Mapping[str, Any] | None = None,
        _sentinel: None = None,
        tags: Tags = None,
        signature: str | None = None,
        signature_outputs_as_dict: bool | None = None,
        output_key: str | None = None,
        output_shape: Any = None,
        load_options: Any = None,
        keras: Any = None,
        training_tags: Tags = None,
        **kwargs: Any,
    ):
        if _sentinel is not None:
            raise TypeError("Pass what follows `arguments` by name: hub.KerasLayer(handle, tags=...).")
        shapes = None if output_shape is None else as_shapes(output_shape)
        given = LayerArguments(
            handle, tags, training_tags, dict(arguments or {}), signature, signature_outputs_as_dict, output_key, shapes
        )
        resolved = resolved_handle(handle, tags, load_options, training_tags)
        application = call_of(resolved, signature, bool(signature_outputs_as_dict), output_key, given.arguments)
        if trainable:
            application.check_trainable()
        settings = self._settings(application, {**kwargs, "autocast": False})
        super().__init__(trainable=trainable, **settings)  # type: ignore[call-arg]
        self._given = given
        self._application: ModuleCall | SavedModelCall = application
        self._weight_names = tuple(legal_names(application.names))
        self._func = resolved  # the predecessor's name for it, by which a checkpoint finds the variables
        self._track(kwargs)
        if type(self).build is self.KERAS.layers.Layer.build:
            self.built = True  # there is nothing else to be made before the first call

    def _settings(self, application: ModuleCall | SavedModelCall, settings: dict[str, Any]) -> dict[str, Any]:
        """The arguments of the constructor of Keras's layer."""
        return settings

    def _track(self, settings: Mapping[str, Any]) -> None:
        """Makes the variables the layer's weights, and the regularization losses its losses; gets Keras's arguments."""
        raise NotImplementedError

    @property
    def resolved_object(self) -> Any:
        """What the handle stands for: of a TF1 Hub module what `hub.load` gives."""
        return self._application.resolved

    def __call__(self, inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(self._application.tensors(inputs), *args, **kwargs)  # type: ignore[misc]

    @not_converted
    def call(self, inputs: Any, training: Any = None) -> Any:
        """Applies the module. It is trained if the layer is trainable and Keras trains; see `keras.layers.Layer`."""
        application = self._application
        trainable = bool(self.trainable)  # type: ignore[attr-defined]
        application.check_call(trainable)
        if not application.knows_dtypes:
            inputs = cast_floats(inputs, self.variable_dtype)
        outputs = application.apply(inputs, False if training is None or not trainable else training)
        if application.knows_dtypes or self.compute_dtype != self.variable_dtype:
            outputs = cast_floats(outputs, self.compute_dtype)
        if self._given.output_shape is not None:
            first = next(iter(tf.nest.flatten(inputs)), None)
            batch = None if first is None or not first.shape.rank else first.shape[0]
            set_shapes(outputs, batched(self._given.output_shape, batch))
        return outputs

    def _output_shapes(self, input_shape: Any) -> Any:
        """The shapes of the outputs for inputs of some shapes, each in a nest of its own."""
        shapes = as_shapes(input_shape)
        if self._given.output_shape is not None:
            return batched(self._given.output_shape, tf.nest.flatten(shapes)[0][0])
        specs = self._application.input_specs(shapes, self.variable_dtype)
        return tf.nest.map_structure(lambda output: output.shape, self._output_specs(specs))

    def _output_specs(self, input_specs: Any) -> Any:
        """A nest of what has the outputs' shapes and dtypes for such inputs."""
        function = tf.function(lambda inputs: self.call(inputs, training=False), autograph=False)
        return function.get_concrete_function(input_specs).structured_outputs

    def export_module(self, path: str | os.PathLike[str]) -> None:
        """Writes the layer's TF1 Hub module, all its variants, with the values that the weights have now.

        Args:
          path: the module's directory. It is there whole or not at all; nothing that is there is replaced.

        Raises:
          SpecTypeError: the layer was made of something else than a TF1 Hub module.
          ModuleExistsError: there is something at `path` (a `tf.errors.AlreadyExistsError`).

        >>> hub.KerasLayer(path, trainable=True).export_module(new_path)
        """
        if not isinstance(self._application, ModuleCall):
            raise SpecTypeError(
                f"The layer {self.name!r} was made of a {type(self.resolved_object).__name__}, and only a TF1 Hub module can"
                " be exported as one. Save the model with Keras."
            )
        self._application.resolved.export(path)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` makes the same layer of, anew from its path.

        Raises:
          NotImplementedError: the handle was not loaded from a path.
          ValueError: `arguments` cannot be written as JSON.
        """
        config: dict[str, Any] = {**super().get_config(), **self._given.config()}  # type: ignore[misc]
        # A model that is made trainable makes all its layers so, and the constructor refuses those that cannot be.
        config["trainable"] = bool(config["trainable"]) and self._application.can_be_trained
        if frozen := getattr(self.resolved_object, "frozen_names", []):
            config["frozen"] = frozen
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer that a config was taken from, made anew, with the same variables of its module frozen."""
        settings = dict(config)
        frozen = settings.pop("frozen", [])
        layer = super().from_config(settings)  # type: ignore[misc]
        if frozen:
            layer.resolved_object.freeze(*map(escape, frozen))
        return layer

    def save_own_variables(self, store: Any) -> None:
        """Puts the weights into the store that Keras passes, by their names in the module."""
        write_weights(store, *self._stored_weights())

    def load_own_variables(self, store: Any) -> None:
        """Takes the weights from the store that Keras passes.

        Raises:
          WeightsError: they are of another module (a `ValueError`).
        """
        read_weights(store, *self._stored_weights(), self.name)

    def _stored_weights(self) -> tuple[list[str], list[Any]]:
        """The names and variables of the module, and of the weights that a derived class has added."""
        added = self._added_weights()
        names = legal_names([*self._application.names, *(weight.name.split("/")[-1] for weight in added)])
        return names, [*self._application.variables, *added]

    def _added_weights(self) -> list[Any]:
        """The layer's weights but the module's variables."""
        raise NotImplementedError
