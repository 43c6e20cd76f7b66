"""What a layer does with a TF1 Hub module: one signature of it, applied and trained."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tf1hub.consuming.keras_layers.casting import cast_floats
from tf1hub.consuming.keras_layers.compilable import can_be_compiled
from tf1hub.consuming.keras_layers.plain_values import is_plain
from tf1hub.consuming.loaded.loaded_module import LoadedModule
from tf1hub.consuming.values import converted
from tf1hub.errors import GraphError, InputError
from tf1hub.tensor_info import TensorInfo


class ModuleCall:
    """A signature of a loaded module, and which of its outputs a layer gives.

    Attributes:
      resolved: the loaded module.
      names: the variables' names in the module.
      variables: its `tf.Variable`s, in the same order.
      regularization_losses: functions without arguments, each a scalar.
      only_input_dtype: the dtype of the only input, None when there are several.
    """

    takes_training = True
    knows_dtypes = True

    def __init__(
        self,
        module: LoadedModule,
        signature: str | None,
        as_dict: bool,
        output_key: str | None,
        arguments: Mapping[str, Any],
    ):
        if as_dict and output_key is not None:
            raise ValueError(
                f"Pass either `output_key` ({output_key!r}) for one output, or `signature_outputs_as_dict=True` for all."
            )
        self.resolved = module
        self.names = module.variable_names
        self.variables = module.variables
        self.regularization_losses: list[Callable[[], Any]] = module.regularization_losses
        self._signature = signature or "default"
        self._output_key = None if as_dict else output_key or "default"
        self._arguments = arguments
        self._infos = module.get_input_info_dict(self._signature)
        made = list(module.get_output_info_dict(self._signature))
        if not as_dict and self._output_key not in made:
            raise InputError(
                f"The signature {self._signature!r} has no output {self._output_key!r}. Pass one of {made} as `output_key`, or"
                " `signature_outputs_as_dict=True` for all."
            )
        self._outputs = made if self._output_key is None else [self._output_key]
        if unknown := sorted(set(arguments) - set(self._infos)):
            raise InputError(
                f"The signature {self._signature!r} does not take {unknown}, which `arguments` has. Its inputs are"
                f" {sorted(self._infos)}."
            )
        free = self._free_inputs()
        self.only_input_dtype = self._infos[free[0]].dtype if len(free) == 1 else None

    def is_trained(self, variable: Any) -> bool:
        """Whether a variable is trained when the layer is."""
        return bool(variable.trainable)

    @property
    def can_be_trained(self) -> bool:
        """Whether there is anything to be trained."""
        return any(self.is_trained(variable) for variable in self.variables)

    def check_trainable(self) -> None:
        """Refuses training a module that has nothing to be trained.

        Raises:
          GraphError: none of its variables is trainable.
          SignatureError: the training variant has the signature otherwise.
        """
        if not self.can_be_trained:
            raise GraphError(
                f"`trainable=True` needs a module with trainable variables, and of the {len(self.variables)} of this one none"
                " is trainable: its publisher declared none, or they are all frozen. Leave out `trainable`."
            )
        self.check_call(trainable=True)

    def check_call(self, trainable: bool) -> None:
        """Refuses to train through a signature that the training variant has otherwise.

        Raises:
          SignatureError: its inputs or outputs differ, or it is not there.
        """
        if trainable:
            self.resolved.check_training(self._signature, self._outputs)

    def tensors(self, inputs: Any) -> Any:
        """Inputs in which numbers, texts and lists of them are tensors; what Keras can convert itself stays as it is.

        Raises:
          InputError: a value that the signature does not take.
        """
        if not isinstance(inputs, Mapping):
            free = self._free_inputs()
            return self._tensor(free[0], inputs) if len(free) == 1 else inputs
        return {key: self._tensor(key, value) for key, value in inputs.items()}

    def input_specs(self, shapes: Any, dtype: Any) -> Any:
        """The `tf.TypeSpec`s of a nest of inputs with these shapes."""
        named = {key: shape for key, shape in self._named(shapes).items() if key not in self._arguments}
        if unknown := sorted(set(named) - set(self._infos)):
            raise InputError(
                f"The signature {self._signature!r} does not take {unknown}. Its inputs are {sorted(self._infos)}."
            )
        specs = {key: _spec(self._infos[key], shape) for key, shape in named.items()}
        return specs if isinstance(shapes, Mapping) else next(iter(specs.values()))

    @functools.cached_property
    def compilable(self) -> bool:
        """Whether XLA can likely compile what a call runs."""
        if any(info.is_composite for info in self._infos.values()):
            return False
        variants = ((self.resolved.tags, False), (self.resolved.training_tags, True))
        applications = (
            self.resolved.spec.application(tags, self._signature, self._outputs, trainable)
            for tags, trainable in variants
        )
        return all(can_be_compiled(application.subgraph.graph_def) for application in applications)

    def apply(self, inputs: Any, training: Any) -> Any:
        """The outputs for some inputs.

        Raises:
          InputError: inputs that the signature does not take.
        """
        feeds = {
            key: cast_floats(value, self._infos[key].dtype) if key in self._infos else value
            for key, value in self._named(inputs).items()
        }
        results = self.resolved(feeds, signature=self._signature, outputs=self._outputs, training=training)
        return results if self._output_key is None else results[self._output_key]

    def _free_inputs(self) -> list[str]:
        return [key for key in self._infos if key not in self._arguments]

    def _named(self, inputs: Any) -> dict[str, Any]:
        """Inputs by name, with those that `arguments` has."""
        if isinstance(inputs, Mapping):
            return {**self._arguments, **inputs}
        free = self._free_inputs()
        if inputs is None and not free:
            return dict(self._arguments)
        if len(free) != 1:
            wanted = f"a dict with the inputs {free}" if free else "no inputs"
            raise InputError(f"The signature {self._signature!r} takes {wanted}, but got a {type(inputs).__name__}.")
        return {**self._arguments, free[0]: inputs}

    def _tensor(self, key: str, value: Any) -> Any:
        if key not in self._infos or not is_plain(value):
            return value
        return converted({key: value}, {key: self._infos[key]}, self._signature)[key]


def _spec(info: TensorInfo, shape: Any) -> Any:
    if info.is_sparse:
        return tf.SparseTensorSpec(shape, info.dtype)
    return info.type_spec if info.is_composite else tf.TensorSpec(shape, info.dtype)
