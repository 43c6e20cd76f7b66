"""What a layer does with anything else that can be called: a SavedModel of TensorFlow 2, or its signature, or a function."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tf1hub.consuming.keras_layers.compilable import can_be_compiled
from tf1hub.consuming.keras_layers.output_shapes import map_shapes
from tf1hub.consuming.keras_layers.plain_values import is_plain
from tf1hub.errors import InputError, SignatureError


class SavedModelCall:
    """A callable object, or a signature of it, with what it says of its variables.

    Attributes:
      resolved: the object.
      names: the variables' names.
      variables: its `tf.Variable`s, in the same order, the trainable ones first.
      regularization_losses: functions without arguments, each a scalar.
      takes_training: whether it has an argument `training`.
    """

    knows_dtypes = False
    only_input_dtype = None

    def __init__(
        self,
        resolved: Any,
        signature: str | None,
        as_dict: bool,
        output_key: str | None,
        arguments: Mapping[str, Any],
    ):
        _check_choice(signature, as_dict, output_key)
        self.resolved = resolved
        self._signature = signature
        self._output_key = output_key
        self._arguments = arguments
        self._function = _function_of(resolved, signature)
        self.takes_training = _takes_training(self._function)
        trained = list(getattr(resolved, "trainable_variables", ()))
        self._trained = {id(variable) for variable in trained}
        others = [variable for variable in getattr(resolved, "variables", ()) if id(variable) not in self._trained]
        self.variables = [*trained, *others]
        self.names = [variable.name.removesuffix(":0") for variable in self.variables]
        self.regularization_losses: list[Callable[[], Any]] = list(
            getattr(resolved, "regularization_losses", None) or ()
        )
        if not all(callable(loss) for loss in self.regularization_losses):
            raise ValueError(
                "`regularization_losses` of the object that the layer was given must be functions without arguments, each"
                " of which returns a scalar."
            )

    def is_trained(self, variable: Any) -> bool:
        """Whether a variable is trained when the layer is."""
        return id(variable) in self._trained

    can_be_trained = True  # who knows

    def check_trainable(self) -> None:
        """A layer may be made trainable before what it calls is known to be trained."""

    def check_call(self, trainable: bool) -> None:
        """Refuses what tensorflow_hub refuses: training through a signature, which has no mode for it.

        Raises:
          ValueError: the layer is trainable and calls a signature.
        """
        if trainable and self._signature is not None:
            raise ValueError(
                f"The layer is trainable, but it calls the signature {self._signature!r} of a SavedModel, which has neither a"
                " training mode nor regularization losses. Set `trainable` to False, or leave out `signature` if the"
                " SavedModel can be called without."
            )

    def tensors(self, inputs: Any) -> Any:
        """Inputs in which texts and lists of texts or numbers are tensors."""
        return tf.convert_to_tensor(inputs) if is_plain(inputs) else inputs

    def input_specs(self, shapes: Any, dtype: Any) -> Any:
        """The `tf.TensorSpec`s of a nest of inputs with these shapes; nothing but the layer's dtype is known of them."""
        return map_shapes(lambda shape: tf.TensorSpec(shape, dtype), shapes)

    @functools.cached_property
    def compilable(self) -> bool:
        """Whether XLA can compile what a call runs; of a Python function nothing is known, so it counts as such."""
        concrete = getattr(self._function, "concrete_functions", None) or [self._function]
        graphs = [function.graph for function in concrete if hasattr(function, "graph")]
        return all(can_be_compiled(graph.as_graph_def()) for graph in graphs)

    def apply(self, inputs: Any, training: Any) -> Any:
        """The outputs for some inputs.

        Raises:
          InputError: the call does not give the output.
        """
        if self._signature is not None and isinstance(inputs, Mapping):
            call = functools.partial(self._function, **{**self._arguments, **inputs})
        else:
            call = functools.partial(self._function, inputs, **self._arguments)
        results = _called(call, training) if self.takes_training else call()
        if self._output_key is None:
            return results
        if not isinstance(results, Mapping) or self._output_key not in results:
            found = f"the outputs {sorted(results)}" if isinstance(results, Mapping) else f"a {type(results).__name__}"
            raise InputError(f"There is no output {self._output_key!r}: the call gives {found}.")
        return results[self._output_key]


def _called(call: Callable[..., Any], training: Any) -> Any:
    """The results of the one mode, or of a tf.cond of both."""
    known = tf.get_static_value(training) if tf.is_tensor(training) else training
    if known is not None:
        return call(training=bool(known))
    return tf.cond(training, lambda: call(training=True), lambda: call(training=False))


def _check_choice(signature: str | None, as_dict: bool, output_key: str | None) -> None:
    if signature is not None and as_dict == (output_key is not None):
        raise ValueError(
            f"With the signature {signature!r} of a SavedModel pass either `output_key` or"
            " `signature_outputs_as_dict=True`: a signature gives a dict."
        )
    if signature is None and as_dict:
        raise ValueError(
            "`signature_outputs_as_dict` goes with `signature`; or leave it out for what the call returns."
        )


def _function_of(resolved: Any, signature: str | None) -> Any:
    if signature is None:
        if callable(resolved):
            return resolved.__call__ if not inspect.isroutine(resolved) else resolved
        known = sorted(getattr(resolved, "signatures", {}))
        raise ValueError(
            f"The SavedModel cannot be called itself. Pass `signature`, one of {known}, and `output_key`."
            if known
            else "The SavedModel cannot be called and has no signatures."
        )
    signatures = getattr(resolved, "signatures", {})
    if signature not in signatures:
        raise SignatureError(f"There is no signature {signature!r}. There are: {sorted(signatures) or 'none'}.")
    return signatures[signature]


def _takes_training(function: Any) -> bool:
    try:
        return "training" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
