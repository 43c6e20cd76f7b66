"""JSON values become what an input takes, and results become JSON.

numbers, true, false    as they are; "NaN", "Infinity" and "-Infinity" are texts, since JSON has no such numbers
a string                text; {"b64": "..."} for bytes that are not UTF-8
a complex number        [real, imaginary]
a sparse tensor         {"indices": [[0], [7]], "values": [1.5, 2.0], "shape": [10]}; as an input of one dimension also
                        a list, in which null is left out
a ragged tensor         lists of different lengths
"""

import base64
import binascii
import math
from typing import Any

import numpy as np

from tf1hub.cli.applying.calls import DENSE, RAGGED, SPARSE, Input, Shape, described
from tf1hub.cli.applying.columns import Column, Ragged, Sparse, lists
from tf1hub.errors import InputError
from tf1hub.format.dtypes import STRING, dtype_name, numpy_dtype

_TOO_LARGE = "should be {}, but holds numbers that are too large for it"
_NONFINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def parse_value(value: Any, wanted: Input) -> Any:
    """A value for an input: an array, the bytes of a single string, a `Sparse`, or the lists of a ragged one.

    Raises:
      InputError: it does not fit the input.
    """
    if wanted.field.kind == SPARSE:
        return _sparse(value, wanted)
    if wanted.field.kind == RAGGED:
        ragged_of([value] if wanted.batched else value, wanted)
        return value
    array = dense_of(value, wanted.field.dtype)
    check_shape(array.shape, wanted)
    return array


def check_shape(shape: tuple[int, ...], wanted: Input) -> None:
    """Refuses a shape that a dense input does not take."""
    if not _fits(shape, wanted.value_shape):
        raise InputError(f"should be {wanted}, but has the shape {list(shape)}")


def _fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    if wanted is None:
        return True
    return len(shape) == len(wanted) and all(size in (None, found) for size, found in zip(wanted, shape, strict=True))


def dense_of(value: Any, dtype: int) -> np.ndarray:
    """An array of a type from nested lists. Nothing is rounded, cut or taken for another type on the way."""
    if dtype == STRING:
        return _strings(value)
    name = dtype_name(dtype)
    try:
        array = np.asarray(value)
        if array.dtype.kind == "U":
            array = np.asarray(_finite_or_not(value))
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError("has lists of different lengths or depths") from error
    if not array.size:
        return array.astype(numpy_dtype(dtype))
    if array.dtype.kind == "O" or (array.dtype.kind == "f" and "int" in name):
        array = _with_large_integers(array, value, name)
    if name.startswith("complex") and array.dtype.kind in "iuf" and array.shape[-1:] == (2,):
        array = array[..., 0] + 1j * array[..., 1]
    return cast(array, dtype)


def _with_large_integers(array: np.ndarray, value: Any, name: str) -> np.ndarray:
    """Nested lists with integers beyond int64, of which NumPy makes objects or floats; others as they are."""
    exact = np.asarray(value, object)
    types = (int,) if "int" in name else (int, float)
    if not all(type(item) in types for item in exact.flat):
        return array
    try:
        return exact.astype(np.float64 if "int" not in name else np.uint64 if min(exact.flat) >= 0 else np.int64)
    except OverflowError as error:
        raise InputError(_TOO_LARGE.format(name)) from error


def cast(array: np.ndarray, dtype: int) -> np.ndarray:
    """An array of numbers in another type that can hold them.

    Raises:
      InputError: it cannot.
    """
    name, to = dtype_name(dtype), numpy_dtype(dtype)
    if array.dtype == to:
        return array
    kinds = "b" if name == "bool" else "iu" if "int" in name else "iufc" if name.startswith("complex") else "iuf"
    if array.dtype.kind not in kinds:
        raise InputError(f"should be {name}, but holds {_shown_kind(array)}")
    with np.errstate(over="ignore"):
        result = array.astype(to)
    if kinds == "iu":
        changed = array != (result if result.dtype.kind in "iu" else result.astype(np.int64))
    else:
        changed = np.isfinite(array) & ~np.isfinite(result)
    if changed.any():
        raise InputError(_TOO_LARGE.format(name))
    return result


def _shown_kind(array: np.ndarray) -> str:
    kinds = {"b": "true or false", "U": "text", "S": "text", "i": "integers", "u": "integers", "f": "floats"}
    kinds |= {"c": "complex numbers", "O": "null or something else", "V": "raw bytes"}
    return f"{kinds.get(array.dtype.kind, 'something else')} ({array.dtype})"


def _finite_or_not(value: Any) -> Any:
    """Nested lists with the texts for infinity and the like as numbers."""
    if isinstance(value, list):
        return [_finite_or_not(item) for item in value]
    return _NONFINITE.get(value, value) if isinstance(value, str) else value


def _strings(value: Any) -> np.ndarray:
    encoded = _encoded(value)
    array = np.empty((), object) if isinstance(encoded, bytes) else np.array(encoded, object)
    if isinstance(encoded, bytes):
        array[()] = encoded
    elif not all(isinstance(item, bytes) for item in array.flat):
        raise InputError("has lists of different lengths or depths")
    return array


def _encoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    try:
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, dict) and set(value) == {"b64"}:
            return base64.b64decode(value["b64"], validate=True)
    except (UnicodeEncodeError, binascii.Error, TypeError, ValueError) as error:
        raise InputError(f"is no text and no base64: {error}") from error
    raise InputError(f'should be a string, but is {value!r:.60}; write it in quotes, or bytes as {{"b64": "..."}}')


def _sparse(value: Any, wanted: Input) -> Sparse:
    shape = wanted.value_shape
    if isinstance(value, list):
        kept = [(place, item) for place, item in enumerate(value) if item is not None]
        value = {"indices": [[place] for place, _ in kept], "values": [item for _, item in kept], "shape": [len(value)]}
        if shape and len(shape) == 1 and shape[0] is not None:
            value["shape"] = [max(len(kept), value["shape"][0], shape[0])]
    if not isinstance(value, dict) or not {"indices", "values"} <= set(value) <= {"indices", "values", "shape"}:
        raise InputError('is sparse: give {"indices": [[0], [7]], "values": [1.5, 2.0], "shape": [10]}, or a list')
    values = dense_of(value["values"], wanted.field.dtype)
    indices = dense_of(value["indices"], 9)
    if values.ndim != 1 or indices.shape[:1] != values.shape or indices.ndim > 2:
        raise InputError(
            f"has {list(values.shape)} values at {list(indices.shape)} indices; give an index for each value"
        )
    declared = value.get("shape")
    dense_shape = dense_of(declared, 9) if declared is not None else None
    if dense_shape is not None and dense_shape.ndim != 1:
        raise InputError(f"has a shape that is no list of whole numbers: {declared!r:.60}; give one such as [10]")
    dims = dense_shape.tolist() if dense_shape is not None else None
    rank = len(dims) if dims is not None else len(shape) if shape is not None else indices.shape[-1]
    if indices.size != len(values) * rank:
        raise InputError(f"has indices of shape {list(indices.shape)}; give {rank} numbers for each value")
    indices = indices.reshape(len(values), rank)
    least = (indices.max(axis=0) + 1).tolist() if len(values) else [0] * rank
    found = dims if dims is not None else [size or low for size, low in zip(shape or least, least, strict=True)]
    if (indices < 0).any() or any(low > size for low, size in zip(least, found, strict=True)):
        raise InputError(f"has an index outside of the shape {found}")
    if not _fits(tuple(found), shape):
        raise InputError(f"should be {wanted}, but has the shape {found}")
    order = np.lexsort(indices.T[::-1]) if rank else np.arange(len(values))
    return Sparse(indices[order], values[order], np.array(found, np.int64))


def ragged_of(rows: Any, wanted: Input) -> Ragged:
    """A ragged tensor of nested lists, its outermost dimension included."""
    splits, level = [], rows
    for _ in range(wanted.field.ragged_rank):
        if not isinstance(level, list) or not all(isinstance(item, list) for item in level):
            raise InputError(f"is ragged: give lists, {wanted.ragged_rank} deep")
        splits.append(np.cumsum([0, *map(len, level)]))
        level = [item for row in level for item in row]
    shape = wanted.field.shape
    inner = None if shape is None else shape[wanted.field.ragged_rank + 1 :]
    if not level and inner is not None:
        return Ragged(np.zeros((0, *(size or 0 for size in inner)), numpy_dtype(wanted.field.dtype)), splits)
    flat = dense_of(level, wanted.field.dtype)
    if not _fits(flat.shape[1:], inner):
        raise InputError(f"should hold {described(DENSE, wanted.field.dtype, inner)}, but holds {list(flat.shape[1:])}")
    return Ragged(flat, splits)


def plain_rows(column: Column) -> list[Any]:
    """A column's rows as values that JSON can hold."""
    return lists(column, _plain)


def _plain(array: np.ndarray) -> list[Any]:
    """An array as nested lists."""
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], axis=-1)
    if array.dtype.kind == "f":
        plain: list[Any] = shortest(array).tolist() if np.isfinite(array).all() else _nonfinite_named(array).tolist()
        return plain
    if array.dtype.kind == "O":
        texts = np.empty(array.shape, object)
        texts.reshape(-1)[:] = [_text(item) for item in array.reshape(-1).tolist()]
        return list(texts.tolist())
    return list(array.tolist())


def _nonfinite_named(array: np.ndarray) -> np.ndarray:
    named = shortest(array).astype(object)
    for value, name in ((np.isnan(array), "NaN"), (np.isposinf(array), "Infinity"), (np.isneginf(array), "-Infinity")):
        named[value] = name
    return named


def _text(value: bytes) -> Any:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}


_DIGITS = {"float16": (3, 4, 5), "float32": (6, 7, 8, 9)}


def shortest(array: np.ndarray) -> np.ndarray:
    """Floats as doubles whose decimals are as few as tell them from their neighbours: 0.1, not 0.10000000149011612.

    >>> shortest(np.float32([0.1, -2.5])).tolist()
    [0.1, -2.5]
    """
    double = array.astype(np.float64)
    if array.dtype.name not in _DIGITS:
        return double
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exponent = np.floor(np.log10(np.abs(double)))
        # Within these bounds a whole number divided or multiplied by a power of ten is rounded once only.
        undecided = (exponent > -14) & (exponent < 7)
        exponent[~undecided] = 0
        # From a list: NumPy's own power is not always exact.
        powers = np.array([float(10**n) for n in range(23)])
        for digits in _DIGITS[array.dtype.name]:
            places = (digits - 1 - exponent).astype(np.int64)
            up, down = powers[np.maximum(places, 0)], powers[np.maximum(-places, 0)]
            rounded = np.rint(double * up / down) / up * down
            found = undecided & (rounded.astype(array.dtype) == array)
            double = np.where(found, rounded, double)
            undecided &= ~found
    return double
