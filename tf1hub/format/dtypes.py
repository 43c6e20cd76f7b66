"""TensorFlow's element types: number, name, NumPy type and size, without TensorFlow.

The numbers are those of `enum DataType` (tensorflow/core/framework/types.proto), which graphs and
checkpoints store. A reference type, such as a TF1 variable's, is its base type's number + 100. A type with a
size is stored as that many little-endian bytes for each element, those of 4 and 2 bits too (one byte each).
NumPy, which takes a fifth of a second, is imported when its types are asked for.
"""

import contextlib
import functools
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

_REF_OFFSET = 100

FLOAT32 = 1
INT32 = 3
STRING = 7
INT64 = 9
BOOL = 10
RESOURCE = 20
VARIANT = 21


class _Type(NamedTuple):
    """One element type. `size` is None where elements have no fixed one."""

    number: int
    name: str
    numpy_name: str | None
    size: int | None


_TYPES = (
    _Type(1, "float32", "float32", 4),
    _Type(2, "float64", "float64", 8),
    _Type(3, "int32", "int32", 4),
    _Type(4, "uint8", "uint8", 1),
    _Type(5, "int16", "int16", 2),
    _Type(6, "int8", "int8", 1),
    _Type(STRING, "string", "object", None),
    _Type(8, "complex64", "complex64", 8),
    _Type(9, "int64", "int64", 8),
    _Type(10, "bool", "bool", 1),
    _Type(11, "qint8", "int8", 1),
    _Type(12, "quint8", "uint8", 1),
    _Type(13, "qint32", "int32", 4),
    _Type(14, "bfloat16", "bfloat16", 2),
    _Type(15, "qint16", "int16", 2),
    _Type(16, "quint16", "uint16", 2),
    _Type(17, "uint16", "uint16", 2),
    _Type(18, "complex128", "complex128", 16),
    _Type(19, "float16", "float16", 2),
    _Type(RESOURCE, "resource", None, None),
    _Type(VARIANT, "variant", None, None),
    _Type(22, "uint32", "uint32", 4),
    _Type(23, "uint64", "uint64", 8),
    _Type(24, "float8_e5m2", "float8_e5m2", 1),
    _Type(25, "float8_e4m3fn", "float8_e4m3fn", 1),
    _Type(26, "float8_e4m3fnuz", "float8_e4m3fnuz", 1),
    _Type(27, "float8_e4m3b11fnuz", "float8_e4m3b11fnuz", 1),
    _Type(28, "float8_e5m2fnuz", "float8_e5m2fnuz", 1),
    _Type(29, "int4", "int4", 1),
    _Type(30, "uint4", "uint4", 1),
    _Type(31, "int2", "int2", 1),
    _Type(32, "uint2", "uint2", 1),
    _Type(33, "float4_e2m1fn", "float4_e2m1fn", 1),
)


_BY_NUMBER = {each.number: each for each in _TYPES}
_BY_NAME = {each.name: each for each in _TYPES}


def is_ref(number: int) -> bool:
    """Whether the number is a reference type's."""
    return number > _REF_OFFSET


def base_dtype(number: int) -> int:
    """The number of the type that a reference type refers to; any other number as it is.

    >>> base_dtype(101), base_dtype(1)
    (1, 1)
    """
    return number - _REF_OFFSET if is_ref(number) else number


def dtype_name(number: int) -> str:
    """TensorFlow's name of a type, for messages too: a number without a name says so.

    >>> dtype_name(19), dtype_name(101), dtype_name(77)
    ('float16', 'float32_ref', 'unknown type 77')
    """
    known = _BY_NUMBER.get(base_dtype(number))
    if known is None:
        return f"unknown type {number}"
    return known.name + ("_ref" if is_ref(number) else "")


def dtype_number(name: str) -> int:
    """The number of a type by the name that `dtype_name` gives it, or 'half', 'float', 'double'.

    Raises ValueError for a name that is none.

    >>> dtype_number('float16'), dtype_number('float32_ref')
    (19, 101)
    """
    base = name.removesuffix("_ref")
    base = {"half": "float16", "float": "float32", "double": "float64"}.get(base, base)
    if base not in _BY_NAME:
        raise ValueError(f"'{name}' is no TensorFlow dtype; those there are: {', '.join(_BY_NAME)}")
    return _BY_NAME[base].number + (_REF_OFFSET if name.endswith("_ref") else 0)


def item_size(number: int) -> int | None:
    """Bytes of an element on disk; None where they vary or are unknown (strings, variants, other numbers)."""
    known = _BY_NUMBER.get(base_dtype(number))
    return known.size if known else None


def numpy_dtype(number: int) -> "np.dtype[Any]":
    """The NumPy type of an array of this type: `object` for strings, the plain integers for quantised ones.

    Raises ValueError for a type that has none, or none in the installed ml_dtypes.

    >>> numpy_dtype(1), numpy_dtype(7), numpy_dtype(11)
    (dtype('float32'), dtype('O'), dtype('int8'))
    """
    dtype = _numpy_dtypes().get(base_dtype(number))
    if dtype is not None:
        return dtype
    known = _BY_NUMBER.get(base_dtype(number))
    if known and known.numpy_name:
        raise ValueError(f"{known.name} needs a newer ml_dtypes")
    raise ValueError(f"{dtype_name(number)} has no NumPy type")


def dtype_of(dtype: "np.dtype[Any]") -> int:
    """The number of the type that arrays of a NumPy type are; any byte order; text and bytes are strings.

    Raises ValueError for a NumPy type that TensorFlow has no type for.

    >>> import numpy as np
    >>> dtype_of(np.dtype('>f8')), dtype_of(np.dtype('S3'))
    (2, 7)
    """
    if dtype.kind in "SUO":
        return STRING
    number = _numbers_of_numpy().get(dtype.newbyteorder("=") if dtype.byteorder not in "=|" else dtype)
    if number is None:
        raise ValueError(f"NumPy's {dtype} has no TensorFlow dtype; convert the array first")
    return number


@functools.cache
def _numpy_dtypes() -> "dict[int, np.dtype[Any]]":
    """NumPy's own type, or else ml_dtypes', for each number; those that an older ml_dtypes lacks are left out."""
    import ml_dtypes
    import numpy as np

    found = {}
    for each in _TYPES:
        if each.numpy_name is not None:
            with contextlib.suppress(TypeError):  # neither has it
                found[each.number] = np.dtype(getattr(ml_dtypes, each.numpy_name, each.numpy_name))
    return found


@functools.cache
def _numbers_of_numpy() -> "dict[np.dtype[Any], int]":
    """The reverse. Quantised types share a NumPy type with a plain one, which is what an array means."""
    plain = (each.number for each in _TYPES if not each.name.startswith(("qint", "quint")))
    return {_numpy_dtypes()[number]: number for number in plain if number in _numpy_dtypes()}
