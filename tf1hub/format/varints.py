"""Varints: unsigned numbers in groups of seven bits, the lowest group first.

    byte    1xxxxxxx   seven bits, and more bytes follow
            0xxxxxxx   seven bits, the last

A number below 2**64 takes at most ten bytes (tensorflow/core/lib/core/coding.h).
"""

from collections.abc import Sequence

_MAX_SHIFT = 63


class VarintError(ValueError):
    """The bytes at `position` are no varint. For the caller to turn into an error that names the file."""

    def __init__(self, position: int, found: str) -> None:
        super().__init__(found)
        self.position = position


def encode_varint(number: int) -> bytes:
    """The bytes of a number from 0 to 2**64 - 1.

    >>> encode_varint(300).hex()
    'ac02'
    """
    if not 0 <= number < 1 << 64:
        raise ValueError(f"{number} does not fit a varint of 64 bits")
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def parse_varint(data: Sequence[int], position: int, end: int) -> tuple[int, int]:
    """The number at `position` and the position behind it; no byte at or after `end` is read.

    Raises VarintError when the number is cut off or exceeds 64 bits.
    """
    number = shift = 0
    for index in range(position, end):
        byte = data[index]
        if byte < 0x80:
            number |= byte << shift
            if number >> 64:
                break
            return number, index + 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if shift > _MAX_SHIFT:
            break
    else:
        raise VarintError(position, "a varint that is cut off")
    raise VarintError(position, "a varint of more than 64 bits")
