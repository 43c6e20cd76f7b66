"""What is particular to a layer of Keras 3 on TensorFlow."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tf1hub.consuming.keras_layers.hub_layer import HubLayer
from tf1hub.consuming.keras_layers.module_call import ModuleCall
from tf1hub.consuming.keras_layers.output_shapes import as_tuples
from tf1hub.consuming.keras_layers.saved_model_call import SavedModelCall
from tf1hub.consuming.keras_layers.shared_variables import shared_variable


class KerasThreeLayer(HubLayer):
    """A layer whose weights are Keras variables that share the storage of the module's `tf.Variable`s."""

    # What the base class has.
    weights: list[Any]
    trainable_weights: list[Any]

    _may_be_compiled = True
    _has_losses = False
    _shared: Sequence[Any] = ()

    def _settings(self, application: ModuleCall | SavedModelCall, settings: dict[str, Any]) -> dict[str, Any]:
        only = application.only_input_dtype
        if settings.get("dtype") is None and only is not None and not only.is_floating:
            settings["dtype"] = only.name  # that of the Input which a Sequential model makes for its first layer
        settings.pop("input_shape", None)
        return settings

    def _track(self, settings: Mapping[str, Any]) -> None:
        if "input_shape" in settings:
            # A Sequential model makes an Input of it that has the layer's dtype; Keras's own argument makes one of float32.
            self.input_shape = (None, *settings["input_shape"])
        names = zip(self._weight_names, self._application.variables, strict=True)
        with self.KERAS.name_scope(self.name):
            self._shared = [shared_variable(self.KERAS, variable, name, self) for name, variable in names]
        self._add_losses()

    def _added_weights(self) -> list[Any]:
        shared = {id(weight) for weight in self._shared}
        return [weight for weight in self.weights if id(weight) not in shared]

    def is_trained(self, variable: Any) -> bool:
        """Whether the layer trains one of the module's `tf.Variable`s at the moment."""
        return bool(self.trainable) and self._application.is_trained(variable)

    @property
    def trainable(self) -> bool:
        """Whether the layer is trained. A compiled model takes a change into account when it is compiled again."""
        return bool(super().trainable)  # type: ignore[misc]

    @trainable.setter
    def trainable(self, value: bool) -> None:
        super(KerasThreeLayer, type(self)).trainable.__set__(self, value)  # type: ignore[misc]
        for shared in self._shared:
            shared.trainable = True  # other layers may train it; that this one does not, `is_trained` tells
        self._add_losses()

    def _add_losses(self) -> None:
        """Hangs each regularization loss on the variables that it depends on, since Keras 3 has losses of variables only."""
        if self._has_losses or not self.trainable:
            return
        self._has_losses = True
        for loss in self._application.regularization_losses:
            read = self._variables_of(loss)
            for variable in read:
                variable.add_loss(loss, read)

    def _variables_of(self, loss: Callable[[], Any]) -> list[Any]:
        """The variables that a loss depends on, frozen ones too, which no gradient tape would tell."""
        with tf.init_scope():
            function = tf.function(lambda: loss(), autograph=False).get_concrete_function()
        read = {id(tensor) for tensor in function.captured_inputs}
        copies = tf.distribute.get_strategy().experimental_local_results
        return [one for one in self._shared if any(id(copy.handle) in read for copy in copies(one.value))]

    @property
    def supports_jit(self) -> bool:
        """Whether `compile(jit_compile="auto")` has XLA compile the model."""
        return self._may_be_compiled and self._application.compilable

    @supports_jit.setter
    def supports_jit(self, value: bool) -> None:
        self._may_be_compiled = value

    def compute_output_spec(self, inputs: Any, training: Any = None) -> Any:
        """The symbolic outputs for symbolic inputs."""
        return tf.nest.map_structure(self._symbolic, self._output_specs(tf.nest.map_structure(_spec, inputs)))

    def _symbolic(self, spec: Any) -> Any:
        if spec.shape.rank is None:
            raise ValueError(
                f"Keras 3 needs the number of dimensions of each output, and of one of {self.name!r} it is not known."
                " Pass `output_shape`, the shape without the batch's dimension."
            )
        sparse = {"sparse": True} if isinstance(spec, tf.SparseTensorSpec) else {}
        return self.KERAS.KerasTensor(tuple(spec.shape), spec.dtype.name, **sparse)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs, as tuples in a nest of their own."""
        return as_tuples(self._output_shapes(input_shape))


def _spec(tensor: Any) -> Any:
    """The `tf.TypeSpec` of a symbolic tensor."""
    shape, dtype = tf.TensorShape(tensor.shape), tf.as_dtype(tensor.dtype)
    if getattr(tensor, "sparse", False):
        return tf.SparseTensorSpec(shape, dtype)
    if getattr(tensor, "ragged", False):
        unknown = [place for place, size in enumerate(shape) if size is None]
        return tf.RaggedTensorSpec(shape, dtype, ragged_rank=max([1, *unknown]))
    return tf.TensorSpec(shape, dtype)
