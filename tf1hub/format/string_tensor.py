"""The stored form of a tensor of strings.

    varint64 * count     the length of each string
    uint32               masked crc32c of the lengths, each as a little-endian uint32 (uint64 from 2**32 on)
    bytes                the strings, back to back

The tensor's own crc covers the lengths in that widened form, four bytes of the masked crc, and the strings
(WriteStringTensor in tensorflow/core/util/tensor_bundle/tensor_bundle.cc).
"""

import itertools
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence

from tf1hub.format.checksums import extend_crc, mask_crc
from tf1hub.format.varints import VarintError, encode_varint, parse_varint

_CRC_SIZE = 4
# Lengths that are checksummed at a time.
_PIECE = 1 << 12


class StringTensorError(ValueError):
    """The bytes are no string tensor, at `position`; callers make it an error that names the file."""

    def __init__(self, position: int, found: str) -> None:
        super().__init__(found)
        self.position = position


def encode_strings(strings: Sequence[bytes]) -> tuple[bytes, int]:
    """The stored bytes of a tensor's strings in row-major order, and their crc (not masked)."""
    lengths = b"".join(encode_varint(len(each)) for each in strings)
    lengths_crc = _lengths_crc(map(len, strings))
    stored_crc = mask_crc(lengths_crc).to_bytes(_CRC_SIZE, "little")
    content = b"".join(strings)
    return lengths + stored_crc + content, extend_crc(extend_crc(lengths_crc, stored_crc), content)


def parse_strings(data: memoryview, count: int) -> Iterator[bytes]:
    """The `count` strings stored in `data`. Raises StringTensorError, at once, when they do not fill it exactly."""
    lengths, position = _parse_lengths(data, count)
    return _iter_strings(data, lengths, position + _CRC_SIZE)


def check_strings(data: memoryview, count: int, crc: int) -> None:
    """Raise StringTensorError unless `count` strings fill `data` and both crcs fit; `crc` is not masked."""
    lengths, position = _parse_lengths(data, count)
    lengths_crc = _lengths_crc(lengths)
    if data[position : position + _CRC_SIZE] != mask_crc(lengths_crc).to_bytes(_CRC_SIZE, "little"):
        raise StringTensorError(position, "a checksum that does not fit the strings' lengths")
    if extend_crc(lengths_crc, data[position:]) != crc:
        raise StringTensorError(position, "strings that do not fit their checksum")


def _parse_lengths(data: memoryview, count: int) -> tuple[Sequence[int], int]:
    """The strings' lengths, which fit the bytes there are, and where their crc stands."""
    if count > len(data):
        raise StringTensorError(0, f"{len(data)} bytes for {count} strings")
    # Not a list of numbers, which would take several times the memory of short strings.
    head = bytes(data[:count])
    lengths: Sequence[int] = head
    position = count
    if count and max(head) > 0x7F:
        lengths = array("Q")
        position = 0
        for _ in range(count):
            length, position = _parse_length(data, position)
            lengths.append(length)
    left = len(data) - position - _CRC_SIZE
    if left != sum(lengths):
        raise StringTensorError(position, f"{max(left, 0)} bytes of strings where {sum(lengths)} should be")
    return lengths, position


def _parse_length(data: memoryview, position: int) -> tuple[int, int]:
    try:
        return parse_varint(data, position, len(data))
    except VarintError as error:
        raise StringTensorError(error.position, str(error)) from error


def _iter_strings(data: memoryview, lengths: Sequence[int], position: int) -> Iterator[bytes]:
    for length in lengths:
        yield bytes(data[position : position + length])
        position += length


def _lengths_crc(lengths: Iterable[int]) -> int:
    crc = 0
    numbers = iter(lengths)
    while piece := list(itertools.islice(numbers, _PIECE)):
        crc = extend_crc(crc, _widened(piece))
    return crc


def _widened(lengths: list[int]) -> bytes:
    if max(lengths) >> 32:
        return b"".join(length.to_bytes(4 if length < 1 << 32 else 8, "little") for length in lengths)
    numbers = array("I", lengths)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()
