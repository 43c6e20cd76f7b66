"""A layer's weights in Keras's files, by their names in the module, whatever Keras writes them."""

from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf1hub.errors import WeightsError


def legal_names(variable_names: Sequence[str]) -> list[str]:
    """Names without a slash, which Keras 3 forbids: "dense.kernel" of "dense/kernel"; unique if the variables' are.

    >>> legal_names(["dense/kernel", "dense.kernel"])
    ['dense.kernel', 'dense.kernel_1']
    """
    result: list[str] = []
    taken: set[str] = set()
    for variable_name in variable_names:
        name = plain = variable_name.replace("/", ".")
        suffix = 0
        while name in taken:
            suffix += 1
            name = f"{plain}_{suffix}"
        taken.add(name)
        result.append(name)
    return result


def write_weights(store: MutableMapping[str, Any], names: Sequence[str], variables: Sequence[Any]) -> None:
    """Puts the variables' values into the store that Keras gives a layer."""
    for name, variable in zip(names, variables, strict=True):
        store[name] = _as_array(variable)


def read_weights(store: Any, names: Sequence[str], variables: Sequence[Any], layer_name: str) -> None:
    """Gives the variables the values in the store; all of them or, when they do not fit, none.

    Raises:
      WeightsError: the store has the weights of another module.
    """
    keys = list(store.keys())
    by_place = len(keys) == len(names) and set(keys) == {str(place) for place in range(len(names))}
    if by_place and set(keys) != set(names):  # as Keras's layers, and so the predecessor's, write them
        names = [str(place) for place in range(len(names))]
    missing, extra = sorted(set(names) - set(keys)), sorted(set(keys) - set(names))
    if missing or extra:
        raise WeightsError(
            f"The weights are not those of the module in the layer {layer_name!r}: there is none for"
            f" {_some(missing)}, and no variable for {_some(extra)}. Load them into a layer with the module that they"
            " were saved from."
        )
    arrays = [_from_array(np.asarray(store[name]), variable) for name, variable in zip(names, variables, strict=True)]
    for name, variable, array in zip(names, variables, arrays, strict=True):
        if not tf.TensorShape(variable.shape).is_compatible_with(array.shape):
            raise WeightsError(
                f"The weights are not those of the module in the layer {layer_name!r}: {name!r} has the shape"
                f" {tuple(array.shape)}, and the module's variable {tuple(variable.shape)}. Load them into a layer with"
                " the module that they were saved from."
            )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _as_array(variable: Any) -> np.ndarray[Any, Any]:
    value = tf.convert_to_tensor(variable)
    if value.dtype == tf.string:  # HDF5 has no arrays of bytes objects
        return np.frombuffer(tf.io.serialize_tensor(value).numpy(), np.uint8)
    array: np.ndarray[Any, Any] = value.numpy()
    return array


def _from_array(array: np.ndarray[Any, Any], variable: Any) -> Any:
    dtype = tf.as_dtype(variable.dtype)
    if dtype == tf.string and array.dtype == np.uint8:
        return tf.io.parse_tensor(array.tobytes(), tf.string)
    if array.dtype.kind == "V":  # bfloat16, of which HDF5 knows no more than the bytes
        return array.view(dtype.as_numpy_dtype)
    return array


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown or "nothing"
