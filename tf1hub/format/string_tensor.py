"""The stored form of a tensor of strings.

    varint64 * count     the length of each string
    uint32               masked crc32c of the lengths, each as a little-endian uint32 (uint64 from 2**32 on)
    bytes                the strings, back to back

The tensor's own crc covers the lengths in that widened form, four bytes of the masked crc, and the strings
(WriteStringTensor in tensorflow/core/util/tensor_bundle/tensor_bundle.cc).
"""

from collections.abc import Sequence

from tf1hub.format.checksums import extend_crc, mask_crc
from tf1hub.format.varints import VarintError, encode_varint, parse_varint

_CRC_SIZE = 4


class StringTensorError(ValueError):
    """The bytes are no string tensor, at `position`; callers make it an error that names the file."""

    def __init__(self, position: int, found: str) -> None:
        super().__init__(found)
        self.position = position


def encode_strings(strings: Sequence[bytes]) -> tuple[bytes, int]:
    """The stored bytes of a tensor's strings in row-major order, and their crc (not masked)."""
    lengths = b"".join(encode_varint(len(each)) for each in strings)
    lengths_crc = _lengths_crc(strings)
    stored_crc = mask_crc(lengths_crc).to_bytes(_CRC_SIZE, "little")
    content = b"".join(strings)
    return lengths + stored_crc + content, extend_crc(extend_crc(lengths_crc, stored_crc), content)


def parse_strings(data: memoryview, count: int) -> list[bytes]:
    """The `count` strings stored in `data`. Raises StringTensorError when they do not fill it exactly."""
    if count > len(data):
        raise StringTensorError(0, f"{len(data)} bytes for {count} strings")
    lengths = []
    position = 0
    try:
        for _ in range(count):
            length, position = parse_varint(data, position, len(data))
            lengths.append(length)
    except VarintError as error:
        raise StringTensorError(error.position, str(error)) from error
    position += _CRC_SIZE
    if position + sum(lengths) != len(data):
        raise StringTensorError(position, f"{len(data) - position} bytes of strings where {sum(lengths)} should be")
    strings = []
    for length in lengths:
        strings.append(bytes(data[position : position + length]))
        position += length
    return strings


def check_strings(data: memoryview, strings: Sequence[bytes], crc: int) -> None:
    """Raise StringTensorError unless both crcs fit the strings parsed from `data`; `crc` is not masked."""
    position = len(data) - sum(map(len, strings)) - _CRC_SIZE
    lengths_crc = _lengths_crc(strings)
    if data[position : position + _CRC_SIZE] != mask_crc(lengths_crc).to_bytes(_CRC_SIZE, "little"):
        raise StringTensorError(position, "a checksum that does not fit the strings' lengths")
    if extend_crc(lengths_crc, data[position:]) != crc:
        raise StringTensorError(position, "strings that do not fit their checksum")


def _lengths_crc(strings: Sequence[bytes]) -> int:
    widened = b"".join(len(each).to_bytes(4 if len(each) < 1 << 32 else 8, "little") for each in strings)
    return extend_crc(0, widened)
