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
        self.built = True

    def _while_trainable(self, loss: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: loss() if self.trainable else None  # Keras leaves out None

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that are trained: none when the layer is not trainable, and no frozen ones."""
        return [variable for variable in self._application.variables if self._is_trained(variable)]

    @property
    def non_trainable_weights(self) -> list[Any]:
        """All other variables."""
        return [variable for variable in self._application.variables if not self._is_trained(variable)]

    def _is_trained(self, variable: Any) -> bool:
        return bool(self.trainable) and self._application.is_trained(variable)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The `tf.TensorShape`s of the outputs, in a nest of their own."""
        return self._output_shapes(input_shape)
