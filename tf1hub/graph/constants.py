"""What a constant in a graph holds, whichever way it is encoded.

A TensorProto has its elements as bytes in `tensor_content`, or as numbers in the list of its type. Such a list may be
shorter than the tensor: the last number then stands for the rest, and an empty list for zeros.

    canonical form    (dtype, shape, elements), the elements as little-endian bytes without repetitions at the end

Nothing is made as large as a shape claims.
"""

import struct
from typing import Any

from tf1hub.format import dtypes, protos

# Field of TensorProto, and the layout of an element, by DataType number.
_FIELDS = {
    1: ("float_val", "<f"),
    2: ("double_val", "<d"),
    3: ("int_val", "<i"),
    4: ("int_val", "<B"),
    5: ("int_val", "<h"),
    6: ("int_val", "<b"),
    9: ("int64_val", "<q"),
    10: ("bool_val", "<?"),
    11: ("int_val", "<b"),
    12: ("int_val", "<B"),
    13: ("int_val", "<i"),
    14: ("half_val", "<H"),
    15: ("int_val", "<h"),
    16: ("int_val", "<H"),
    17: ("int_val", "<H"),
    19: ("half_val", "<H"),
    22: ("uint32_val", "<I"),
    23: ("uint64_val", "<Q"),
}
_PAIRS = {8: ("scomplex_val", "<ff"), 18: ("dcomplex_val", "<dd")}
_BFLOAT16, _HALF = 14, 19
# Elements that are compared at a time.
_STEP = 1 << 16

Canonical = tuple[Any, ...]


def canonical_constant(tensor: protos.TensorProto) -> Canonical:
    """What two encodings of the same tensor have in common. A tensor that fits no rule is known by its message."""
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    elements = _elements(tensor, shape)
    if elements is None or tensor.tensor_shape.unknown_rank:
        return tensor.dtype, shape, "message", tensor.SerializeToString(deterministic=True)
    return tensor.dtype, shape, elements


def first_values(tensor: protos.TensorProto, most: int) -> list[Any] | None:
    """The values of a tensor that has at most so many: numbers, truth values or bytes. None for a larger or empty one."""
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    count = _count(shape)
    if count is None or not 0 < count <= most:
        return None
    elements = _elements(tensor, shape)
    if isinstance(elements, tuple):
        values: list[Any] = list(elements)
    elif elements is not None and tensor.dtype in _FIELDS:
        values = _unpacked(tensor.dtype, elements)
    else:
        return None
    return values + values[-1:] * (count - len(values))


def _unpacked(dtype: int, elements: bytes) -> list[Any]:
    if dtype == _BFLOAT16:  # the upper half of a float32
        elements = b"".join(b"\0\0" + elements[at : at + 2] for at in range(0, len(elements), 2))
        return [value for (value,) in struct.iter_unpack("<f", elements)]
    return [value for (value,) in struct.iter_unpack("<e" if dtype == _HALF else _FIELDS[dtype][1], elements)]


def _elements(tensor: protos.TensorProto, shape: tuple[int, ...]) -> bytes | tuple[bytes, ...] | None:
    """The elements up to where they only repeat; None when they cannot be told."""
    count = _count(shape)
    if count is None:
        return None
    if tensor.dtype == dtypes.STRING:
        strings = tuple(tensor.string_val)
        return _without_repeated_strings(strings or (b"",)[:count]) if len(strings) <= count else None
    size = dtypes.item_size(tensor.dtype)
    if size is None:
        return None
    content = tensor.tensor_content
    if content:
        return _without_repeats(content, size) if len(content) == size * count else None
    packed = _packed(tensor)
    if count == 0:
        return packed if packed == b"" else None
    if packed is None or len(packed) > size * count:
        return None
    return _without_repeats(packed or bytes(size), size)


def _count(shape: tuple[int, ...]) -> int | None:
    """The number of elements; None for a shape that is not fully known."""
    count = 1
    for size in shape:
        if size < 0:
            return None
        count = min(count * size, 1 << 63)
    return count


def _packed(tensor: protos.TensorProto) -> bytes | None:
    """The numbers in the list of the tensor's type as bytes; None when they are no such numbers."""
    try:
        if tensor.dtype in _PAIRS:
            field, layout = _PAIRS[tensor.dtype]
            values = list(getattr(tensor, field))
            return b"".join(struct.pack(layout, *values[at : at + 2]) for at in range(0, len(values), 2))
        if tensor.dtype not in _FIELDS:
            return None
        field, layout = _FIELDS[tensor.dtype]
        values = getattr(tensor, field)
        return struct.pack(f"<{len(values)}{layout[1]}", *values)
    except struct.error:
        return None


def _without_repeats(elements: bytes, size: int) -> bytes:
    """The elements without those at the end that repeat the one before them."""
    last = elements[-size:]
    end = len(elements)
    many = last * _STEP
    while end > len(many) and elements[end - len(many) : end] == many:
        end -= len(many)
    while end > size and elements[end - 2 * size : end - size] == last:
        end -= size
    return elements[:end]


def _without_repeated_strings(strings: tuple[bytes, ...]) -> tuple[bytes, ...]:
    end = len(strings)
    while end > 1 and strings[end - 2] == strings[end - 1]:
        end -= 1
    return strings[:end]
