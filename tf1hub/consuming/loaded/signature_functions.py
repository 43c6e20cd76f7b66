"""`module.signatures`: each signature as a function of keyword arguments, as `tf.saved_model.load` gives them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from tf1hub.errors import InputError, SignatureError
from tf1hub.tensor_info import TensorInfo


class SignatureFunction:
    """A signature for inference: tensors by name to a dict of all its outputs.

    A sparse input "x" is given as such, or in parts as `x_indices`, `x_values` and `x_dense_shape`; a ragged one as such,
    or as `x_component_0` and so on. A signature with one input takes it by position, too.

    Attributes:
      structured_input_signature: `()` and a dict of the `tf.TensorSpec` of each (part of an) input.
      structured_outputs: a dict of the `tf.TypeSpec` of each output.
    """

    def __init__(
        self,
        name: str,
        inputs: Mapping[str, TensorInfo],
        outputs: Mapping[str, TensorInfo],
        apply: Callable[[dict[str, Any]], dict[str, Any]],
        concrete: Callable[[], Any],
    ):
        self.name = name
        self._inputs = inputs
        self._outputs = outputs
        self._apply = apply
        self._concrete = concrete

    def __call__(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Applies the signature.

        Raises:
          InputError: arguments that it does not take (a `TypeError`).
        """
        if args and (len(args) > 1 or len(self._inputs) != 1 or kwargs):
            raise InputError(
                f"The signature {self.name!r} takes its inputs by name: {sorted(self.structured_input_signature[1])}."
            )
        if args:
            return self._apply({next(iter(self._inputs)): args[0]})
        return self._apply({**kwargs, **self._put_together(kwargs)})

    def _put_together(self, given: dict[str, Any]) -> dict[str, Any]:
        """The composite inputs that are given in parts, which are taken out of `given`."""
        result = {}
        for key, info in self._inputs.items():
            if info.is_composite and key not in given:
                names = list(_parts(key, info))
                if all(name in given for name in names):
                    tensors = [tf.convert_to_tensor(given.pop(name)) for name in names]
                    result[key] = tf.nest.pack_sequence_as(info.type_spec, tensors, expand_composites=True)
        return result

    @property
    def structured_input_signature(self) -> tuple[tuple[()], dict[str, Any]]:
        parts = {name: spec for key, info in self._inputs.items() for name, spec in _parts(key, info).items()}
        return (), {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in parts.items()}

    @property
    def structured_outputs(self) -> dict[str, Any]:
        return {key: info.type_spec for key, info in self._outputs.items()}

    def __getattr__(self, attribute: str) -> Any:
        if attribute not in ("inputs", "outputs", "graph", "variables", "trainable_variables"):
            raise AttributeError(f"A signature of a loaded module has no attribute {attribute!r}.")
        return getattr(self._concrete(), attribute)

    def __repr__(self) -> str:
        return f"<tf1hub signature {self.name!r}: {self.structured_input_signature[1]} -> {self.structured_outputs}>"


class SignatureFunctions(Mapping[str, SignatureFunction]):
    """The signatures of a loaded module by name."""

    def __init__(self, names: list[str], make: Callable[[str], SignatureFunction]):
        self._names = names
        self._make = make
        self._made: dict[str, SignatureFunction] = {}

    def __getitem__(self, name: str) -> SignatureFunction:
        if name not in self._names:
            raise SignatureError(f"The module has no signature {name!r}. It has: {self._names}.")
        return self._made.setdefault(name, self._make(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<signatures {self._names}>"


def _parts(key: str, info: TensorInfo) -> dict[str, Any]:
    """The dense tensors that an input is made of, by the names that TensorFlow gives them."""
    specs = tf.nest.flatten(info.type_spec, expand_composites=True)
    if info.is_sparse:
        names = [f"{key}_indices", f"{key}_values", f"{key}_dense_shape"]
    elif info.is_composite:
        names = [f"{key}_component_{i}" for i in range(len(specs))]
    else:
        names = [key]
    return dict(zip(names, specs, strict=True))
