"""What a layer does with a TF1 Hub module: one signature of it, applied and trained."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from tf1hub.consuming.keras_layers.casting import cast_floats
from tf1hub.consuming.keras_layers.compilable import can_be_compiled
from tf1hub.consuming.loaded.loaded_module import LoadedModule
from tf1hub.consuming.values import chosen_outputs
from tf1hub.errors import GraphError, InputError


class ModuleCall:
    """A signature of a loaded module, and which of its outputs a layer gives.

    Attributes:
      resolved: the loaded module.
      names: the variables' names in the module.
      variables: its `tf.Variable`s, in the same order.
      takes_training: whether `training` makes a difference.
      casts_outputs: whether floating-point outputs are given in the layer's dtype whatever the policy.
    """

    takes_training = True
    casts_outputs = True

    def __init__(
        self, module: LoadedModule, signature: str | None, as_dict: bool, output_key: str | None, arguments: dict[str, Any]
    ):
        self.resolved = module
        self.names = module.variable_names
        self.variables = module.variables
        self._signature = signature or "default"
        self._output_key = None if as_dict else output_key or "default"
        self._arguments = arguments
        self._infos = module.get_input_info_dict(self._signature)
        made = list(module.get_output_info_dict(self._signature))
        self._outputs = chosen_outputs(self._signature, made, as_dict, None if as_dict else self._output_key)
        if unknown := sorted(set(arguments) - set(self._infos)):
            raise InputError(
                f"`arguments` has {unknown}, which the signature {self._signature!r} does not take. Its inputs are"
                f" {sorted(self._infos)}."
            )

    @property
    def regularization_losses(self) -> list[Callable[[], Any]]:
        """The publisher's regularization losses."""
        return self.resolved.regularization_losses

    def trainable(self) -> list[bool]:
        """For each variable whether it is trained when the layer is."""
        trained = {id(variable) for variable in self.resolved.trainable_variables}
        return [id(variable) in trained for variable in self.variables]

    def check_trainable(self) -> None:
        """Refuses training a module that has nothing to be trained.

        Raises:
          GraphError: none of its variables is trainable.
        """
        if not self.resolved.trainable_variables:
            raise GraphError(
                f"`trainable=True` needs a module with trainable variables, and of this one's {len(self.variables)} none is:"
                " its publisher declared none, or they are all frozen. Leave `trainable` out."
            )

    def check_call(self, trainable: bool) -> None:
        """A module can always be applied."""

    def input_dtypes(self, inputs: Any) -> Any:
        """The dtypes that the signature has for a nest of inputs."""
        named = self._named(inputs)
        if not isinstance(inputs, Mapping):
            return next((self._infos[key].dtype for key in named if key not in self._arguments and key in self._infos), None)
        return {key: self._infos[key].dtype if key in self._infos else None for key in inputs}

    @property
    def only_input_dtype(self) -> Any:
        """The dtype of the only input, None when there are several."""
        dtypes = [info.dtype for key, info in self._infos.items() if key not in self._arguments]
        return dtypes[0] if len(dtypes) == 1 else None

    @functools.cached_property
    def compilable(self) -> bool:
        """Whether XLA can compile what a call runs."""
        if any(info.is_composite for info in self._infos.values()):
            return False
        module = self.resolved
        return all(
            can_be_compiled(module.spec.application(tags, self._signature, self._outputs, trainable).subgraph.graph_def)
            for tags, trainable in ((module.tags, False), (module.training_tags, True))
        )

    def apply(self, inputs: Any, training: Any) -> Any:
        """The outputs for some inputs.

        Raises:
          InputError: inputs that the signature does not take.
        """
        named = self._named(inputs)
        feeds = {
            key: cast_floats(value, self._infos[key].dtype) if key in self._infos else value for key, value in named.items()
        }
        results = self.resolved(feeds, signature=self._signature, outputs=self._outputs, training=training)
        return results if self._output_key is None else results[self._output_key]

    def _named(self, inputs: Any) -> dict[str, Any]:
        """Inputs by name, with those that `arguments` has."""
        if isinstance(inputs, Mapping):
            return {**self._arguments, **inputs}
        free = [key for key in self._infos if key not in self._arguments]
        if len(free) != 1:
            raise InputError(
                f"The layer takes {len(free)} inputs: pass a dict with {sorted(free)}." if free else
                "The layer takes no inputs: pass an empty dict."
            )
        return {**self._arguments, free[0]: inputs}
