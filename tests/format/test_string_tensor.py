"""The stored form of strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf1hub.format.checksums import extend_crc, masked_crc
from tf1hub.format.string_tensor import StringTensorError, check_strings, encode_strings, parse_strings


def test_literal_bytes():
    data, crc = encode_strings([b"ab", b""])
    lengths = bytes.fromhex("02000000" + "00000000")
    stored_crc = masked_crc(lengths).to_bytes(4, "little")
    assert data == b"\x02\x00" + stored_crc + b"ab"
    assert crc == extend_crc(0, lengths + stored_crc + b"ab")


@given(st.lists(st.binary(max_size=200)))
def test_what_was_written_is_read(strings):
    data, crc = encode_strings(strings)
    assert list(parse_strings(memoryview(data), len(strings))) == strings
    check_strings(memoryview(data), len(strings), crc)


@given(st.integers(0, 11), st.integers(0, 7))
def test_a_flipped_bit_is_found(at, bit):
    data, crc = encode_strings([b"abc", b"def"])
    damaged = bytearray(data)
    damaged[at] ^= 1 << bit
    with pytest.raises(StringTensorError):
        check_strings(memoryview(damaged), 2, crc)


@pytest.mark.parametrize(("data", "count"), [(b"", 1), (b"\x05....ab", 1), (b"\x80", 1), (b"\x00", 1), (b"", 0)])
def test_bytes_that_do_not_fit_are_refused(data, count):
    with pytest.raises(StringTensorError):
        parse_strings(memoryview(data), count)


def test_a_count_is_bounded_by_the_bytes():
    with pytest.raises(StringTensorError, match="4 bytes for 1000000000000000 strings"):
        parse_strings(memoryview(b"...."), 10**15)
