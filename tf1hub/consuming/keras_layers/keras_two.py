"""What is particular to a layer of Keras 2: tf_keras, or the Keras of TensorFlow 2.15."""

from collections.abc import Callable, Mapping
from typing import Any

from tf1hub.consuming.keras_layers.hub_layer import HubLayer


class KerasTwoLayer(HubLayer):
    """A layer whose weights are the module's `tf.Variable`s themselves."""

    trainable: bool

    def _track(self, settings: Mapping[str, Any]) -> None:
        self._module_variables = list(self._application.variables)
        for loss in self._application.regularization_losses:
            self.add_loss(self._while_trainable(loss))  # type: ignore[attr-defined]

    def _while_trainable(self, loss: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: loss() if self.trainable else None  # Keras leaves out None

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that are trained: none when the layer is not trainable, and no frozen ones."""
        own = [variable for variable in self._application.variables if self._is_trained(variable)]
        return own + self._others(super().trainable_weights)  # type: ignore[misc]

    @property
    def non_trainable_weights(self) -> list[Any]:
        """All other variables."""
        own = [variable for variable in self._application.variables if not self._is_trained(variable)]
        return own + self._others(super().non_trainable_weights)  # type: ignore[misc]

    def _is_trained(self, variable: Any) -> bool:
        return self.trainable and self._application.is_trained(variable)

    def _added_weights(self) -> list[Any]:
        return self._others([*self.trainable_weights, *self.non_trainable_weights])

    def _others(self, weights: list[Any]) -> list[Any]:
        """Weights but the module's variables."""
        own = {id(variable) for variable in self._application.variables}
        return [weight for weight in weights if id(weight) not in own]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The `tf.TensorShape`s of the outputs, in a nest of their own."""
        return self._output_shapes(input_shape)
