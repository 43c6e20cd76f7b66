"""`module.signatures`: each signature as a concrete function of keyword arguments, as `tf.saved_model.load` gives them."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from tf1hub.consuming.loaded.argument_names import argument_names
from tf1hub.consuming.values import composed
from tf1hub.errors import SignatureError
from tf1hub.tensor_info import TensorInfo
from tf1hub.tensorflow_private import describe_keywords

_ANY_WAY = inspect.Parameter.POSITIONAL_OR_KEYWORD


class SignatureFunctions(Mapping[str, Any]):
    """The signatures of a loaded module by name; `make` makes one, and keeps it."""

    def __init__(self, names: list[str], make: Callable[[str], Any]):
        self._names = names
        self._make = make

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise SignatureError(f"The module has no signature {name!r}. It has: {self._names}.")
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<signatures {self._names}>"


def concrete_signature(inputs: Mapping[str, TensorInfo], apply: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A signature as a concrete function: dense tensors by name to a dict of all its outputs.

    Args:
      inputs: what the signature takes; `input_parts` says what becomes of a sparse or ragged input.
      apply: computes the outputs from the inputs by name.
    """
    parts = input_parts(inputs)
    names = argument_names(parts)
    ordered = sorted(parts, key=names.__getitem__)  # as TensorFlow goes through a dict
    specs = {names[part]: tf.TensorSpec(parts[part].shape, parts[part].dtype, names[part]) for part in ordered}
    arguments = inspect.Signature([inspect.Parameter(name, _ANY_WAY) for name in specs])

    def serve(*args: Any, **kwargs: Any) -> dict[str, Any]:
        given = arguments.bind(*args, **kwargs).arguments
        return apply(_put_together(inputs, [given[names[part]] for part in parts]))

    serve.__signature__ = arguments  # type: ignore[attr-defined]  # what TensorFlow goes by
    function = tf.function(serve, autograph=False).get_concrete_function(*specs.values())
    describe_keywords(function, specs)
    return function


def input_parts(inputs: Mapping[str, TensorInfo]) -> dict[str, Any]:
    """The dense tensors that a signature's inputs are made of: the spec of each by the name that TensorFlow gives it.

    A sparse input "x" is `x_indices`, `x_values` and `x_dense_shape`; a ragged one `x_component_0` and so on.
    """
    result: dict[str, Any] = {}
    for key, info in inputs.items():
        specs = tf.nest.flatten(info.type_spec, expand_composites=True)
        if info.is_sparse:
            names = [f"{key}_indices", f"{key}_values", f"{key}_dense_shape"]
        elif info.is_composite:
            names = [f"{key}_component_{i}" for i in range(len(specs))]
        else:
            names = [key]
        result.update(zip(names, specs, strict=True))
    return result


def _put_together(inputs: Mapping[str, TensorInfo], tensors: list[Any]) -> dict[str, Any]:
    """The inputs that are made of some tensors, in the order of `input_parts`."""
    remaining = iter(tensors)
    return {key: composed(info, [next(remaining) for _ in info.component_names()]) for key, info in inputs.items()}
