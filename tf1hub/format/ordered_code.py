"""The keys under which the slices of partitioned variables are stored.

A key is a tuple written so that comparing keys byte by byte compares the tuples (OrderedCode,
tensorflow/core/lib/strings/ordered_code.h, and EncodeTensorNameSlice in util/saved_tensor_slice_util.cc):

    number 0            00
    string name         its bytes, 00 as 00 ff and ff as ff 00, then the end mark 00 01
    number of dims      a length byte, then that many big-endian bytes (none for 0)
    for each dim        signed start, signed length; length -1 stands for the whole dimension

A signed number takes the n bytes that hold it in 7 * n bits of two's complement; the top n bits are then
flipped, which makes n leading ones (or zeros, when negative) followed by the sign:

    -64 .. 63           1xxxxxxx / 0xxxxxxx
    -8192 .. 8191       11xxxxxx xxxxxxxx / 00xxxxxx xxxxxxxx        and so on, up to 10 bytes
"""

from collections.abc import Sequence

_SLICE_MARK = b"\x00"
_END_OF_STRING = b"\x00\x01"
# How a key stores "the whole dimension".
WHOLE_DIMENSION = -1


def encode_number(number: int) -> bytes:
    """An unsigned number.

    >>> encode_number(0).hex(), encode_number(300).hex()
    ('00', '02012c')
    """
    size = (number.bit_length() + 7) // 8
    return bytes([size]) + number.to_bytes(size, "big")


def encode_string(text: bytes) -> bytes:
    """A string, with its end mark.

    >>> encode_string(bytes([0x61, 0, 0xFF])).hex()
    '6100ffff000001'
    """
    parts = [part.replace(b"\xff", b"\xff\x00") for part in text.split(b"\x00")]
    return b"\x00\xff".join(parts) + _END_OF_STRING


def encode_signed_number(number: int) -> bytes:
    """A signed number of at most 64 bits.

    >>> encode_signed_number(-1).hex(), encode_signed_number(0).hex(), encode_signed_number(64).hex()
    ('7f', '80', 'c040')
    """
    magnitude = ~number if number < 0 else number
    size = magnitude.bit_length() // 7 + 1
    header = ((1 << size) - 1) << (7 * size)
    return ((number & ((1 << 8 * size) - 1)) ^ header).to_bytes(size, "big")


def encode_slice_key(name: str, start: Sequence[int], length: Sequence[int | None]) -> bytes:
    """The key of a slice of the tensor `name`; a length of None stands for the whole dimension."""
    key = [encode_number(0), encode_string(name.encode()), encode_number(len(start))]
    for first, count in zip(start, length, strict=True):
        key.append(encode_signed_number(first))
        key.append(encode_signed_number(WHOLE_DIMENSION if count is None else count))
    return b"".join(key)


def is_slice_key(key: bytes) -> bool:
    """Whether a key of a checkpoint's index is a slice's: each begins with the number 0, and no tensor's name does."""
    return key.startswith(_SLICE_MARK)


def slice_key_name(key: bytes) -> bytes:
    """The tensor's name in a slice's key, as it is stored there."""
    return key[len(_SLICE_MARK) :].partition(_END_OF_STRING)[0]
