"""Varints, byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf1hub.format.varints import VarintError, encode_varint, parse_varint


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**64 - 1, "ffffffffffffffffff01")],
)
def test_known_bytes(number, encoded):
    assert encode_varint(number).hex() == encoded
    assert parse_varint(bytes.fromhex(encoded), 0, len(encoded) // 2) == (number, len(encoded) // 2)


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3))
def test_what_was_written_is_read(number, after):
    encoded = encode_varint(number)
    assert parse_varint(encoded + after, 0, len(encoded + after)) == (number, len(encoded))


@pytest.mark.parametrize("number", [-1, 2**64])
def test_numbers_that_do_not_fit_are_refused(number):
    with pytest.raises(ValueError, match="does not fit"):
        encode_varint(number)


@pytest.mark.parametrize("data", ["", "80", "ffff"])
def test_a_cut_off_number_is_refused(data):
    with pytest.raises(VarintError, match="cut off"):
        parse_varint(bytes.fromhex(data), 0, len(data) // 2)


def test_no_byte_behind_the_end_is_read():
    with pytest.raises(VarintError, match="cut off"):
        parse_varint(b"\x80\x01", 0, 1)


@pytest.mark.parametrize("data", ["ff" * 9 + "02", "80" * 10 + "01", "ff" * 400])
def test_more_than_64_bits_are_refused(data):
    with pytest.raises(VarintError, match="64 bits"):
        parse_varint(bytes.fromhex(data), 0, len(data) // 2)
