"""A caller's values become the tensors that a signature takes, and its outputs what the caller asked for."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf1hub.errors import InputError, Tf1HubError
from tf1hub.tensor_info import TensorInfo


def named_inputs(inputs: Any, infos: Mapping[str, TensorInfo], signature: str) -> dict[str, Any]:
    """Inputs by name: a dict as it is, a single value as the signature's only input, None for no inputs.

    Raises:
      InputError: names are missing or unknown, or a single value does not do (a `TypeError`).
    """
    if isinstance(inputs, Mapping):
        named = dict(inputs)
    elif inputs is None:
        named = {}
    elif len(infos) == 1:
        named = {next(iter(infos)): inputs}
    elif not infos:
        raise InputError(f"The signature {signature!r} takes no inputs; call it without.")
    else:
        raise InputError(
            f"The signature {signature!r} takes {len(infos)} inputs; pass a dict with them: {_listed(infos)}."
        )
    missing, extra = sorted(set(infos) - set(named)), sorted(set(named) - set(infos), key=str)
    if missing or extra:
        raise InputError(
            f"The inputs do not fit the signature {signature!r}: missing {missing}, not known {extra}. It takes:"
            f" {_listed(infos) or 'nothing'}."
        )
    return named


def converted(inputs: Mapping[str, Any], infos: Mapping[str, TensorInfo], signature: str) -> dict[str, Any]:
    """The inputs as tensors of the current graph, dense, sparse or ragged as the signature has them.

    Raises:
      InputError: a value of another kind, dtype or shape than expected.
    """
    return {
        key: _converted(inputs[key], info, f"{key!r} of the signature {signature!r}") for key, info in infos.items()
    }


def _converted(value: Any, info: TensorInfo, what: str) -> Any:
    try:
        tensor = _as_kind(value, info)
    except Tf1HubError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"The input {what} should be {_described(info)}, but got {_shown(value)}: {error}") from error
    if tensor is None or tensor.dtype.base_dtype != info.dtype or not info.get_shape().is_compatible_with(tensor.shape):
        raise InputError(
            f"The input {what} should be {_described(info)}, but got {_shown(value if tensor is None else tensor)}."
        )
    return tensor


def check_value(value: Any, info: TensorInfo, what: str) -> None:
    """Refuses a value that cannot be fed for an input: of another kind, dtype or shape."""
    should = f"The input {what} should be {_described(info)}, but got"
    if info.is_composite:
        kinds = _SPARSE_VALUES if info.is_sparse else _RAGGED_VALUES
        if not isinstance(value, kinds):
            raise InputError(f"{should} {_shown(value)}.")
        return
    try:
        array = np.asarray(value, info.dtype.as_numpy_dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"{should} {_shown(value)}: {error}") from error
    if not info.get_shape().is_compatible_with(array.shape):
        raise InputError(f"{should} {_shown(array)}.")


_SPARSE_VALUES = (tf.compat.v1.SparseTensorValue, tf.SparseTensor)
_RAGGED_VALUES = (tf.compat.v1.ragged.RaggedTensorValue, tf.RaggedTensor)


def _as_kind(value: Any, info: TensorInfo) -> Any:
    """The value as a tensor of the info's kind, or None when it is of another."""
    if info.is_sparse:
        if isinstance(value, tf.compat.v1.SparseTensorValue):
            values = value.values if hasattr(value.values, "dtype") else tf.constant(value.values, info.dtype)
            return tf.SparseTensor(value.indices, values, value.dense_shape)
        return value if isinstance(value, tf.SparseTensor) else None
    if info.is_composite:
        return _as_composite(value, info.type_spec)
    if isinstance(value, tf.Tensor) and tf.executing_eagerly():
        return value
    if isinstance(value, tf.compat.v1.SparseTensorValue | tf.SparseTensor | tf.RaggedTensor):
        return None
    if isinstance(value, tf.compat.v1.ragged.RaggedTensorValue):
        return None
    return tf.convert_to_tensor(value, None if tf.is_tensor(value) else info.dtype)


def _as_composite(value: Any, spec: Any) -> Any:
    if not isinstance(spec, tf.RaggedTensorSpec):
        return value if spec.is_compatible_with(value) else None
    if isinstance(value, tf.compat.v1.ragged.RaggedTensorValue):
        splits = [tf.constant(part, spec.row_splits_dtype) for part in value.nested_row_splits]
        return tf.RaggedTensor.from_nested_row_splits(tf.constant(value.flat_values), splits)
    if isinstance(value, tf.RaggedTensor):
        ragged = value.with_row_splits_dtype(spec.row_splits_dtype)
    elif isinstance(value, list | tuple):
        ragged = tf.ragged.constant(
            value, spec.dtype, ragged_rank=spec.ragged_rank, row_splits_dtype=spec.row_splits_dtype
        )
    else:
        return None
    return ragged if ragged.ragged_rank == spec.ragged_rank else None


def components(tensors: Mapping[str, Any], infos: Mapping[str, TensorInfo]) -> dict[str, Any]:
    """The dense tensors that some tensors are made of, by their names in the module's graph."""
    return {
        name: component
        for key, info in infos.items()
        for name, component in zip(info.component_names(), _flattened(tensors[key], info), strict=True)
    }


def _flattened(tensor: Any, info: TensorInfo) -> list[Any]:
    return tf.nest.flatten(tensor, expand_composites=True) if info.is_composite else [tensor]


def composed(info: TensorInfo, tensors: list[Any]) -> Any:
    """The tensor of an info's kind that is made of these dense ones."""
    if info.is_sparse:
        return tf.SparseTensor(*tensors)
    if info.is_composite:
        return tf.nest.pack_sequence_as(info.type_spec, tensors, expand_composites=True)
    return tensors[0]


def chosen_outputs(signature: str, names: list[str], as_dict: bool | None, outputs: Any) -> list[str]:
    """The outputs to compute: those asked for, all for a dict, else the one called "default".

    Raises:
      InputError: an output that the signature does not give, or no output "default" (a `TypeError`).
    """
    if outputs is not None:
        wanted = [outputs] if isinstance(outputs, str) else list(outputs)
        if unknown := [name for name in wanted if name not in names]:
            raise InputError(f"The signature {signature!r} has no output {unknown}. It has: {names}.")
        return wanted
    if as_dict:
        return names
    if "default" not in names:
        raise InputError(
            f"The signature {signature!r} has no output called 'default'. Pass `as_dict=True` for a dict of its outputs:"
            f" {names}."
        )
    return ["default"]


def _listed(infos: Mapping[str, TensorInfo]) -> str:
    return ", ".join(f"{key!r}: {_described(info)}" for key, info in infos.items())


def _described(info: TensorInfo) -> str:
    kind = "a sparse" if info.is_sparse else "a ragged" if info.is_composite else "a"
    return f"{kind} {info.dtype.name} tensor of shape {info.get_shape()}"


def _shown(value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        dtype = getattr(value.dtype, "name", value.dtype)
        return f"a {type(value).__name__} of {dtype} and shape {value.shape}"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
