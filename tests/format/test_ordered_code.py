"""The keys of slices, byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf1hub.format.ordered_code import encode_number, encode_signed_number, encode_slice_key, encode_string

INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, "80"), (63, "bf"), (64, "c040"), (8191, "dfff"), (8192, "e02000"), (-1, "7f"), (-64, "40"),
        (-65, "3fbf"),
        (2**62 - 1, "ffbfffffffffffffff"), (2**63 - 1, "ffc07fffffffffffffff"),
        (-(2**63), "003f8000000000000000"),
    ],
)  # fmt: skip
def test_known_signed_numbers(number, encoded):
    assert encode_signed_number(number).hex() == encoded


def test_known_numbers_and_strings():
    assert [encode_number(n).hex() for n in (0, 1, 255, 256)] == ["00", "0101", "01ff", "020100"]
    assert encode_string(b"a\x00\xffb").hex() == "61" + "00ff" + "ff00" + "62" + "0001"


def test_the_key_of_a_slice():
    key = encode_slice_key("w", (0, 64), (2, None))
    assert key.hex() == "00" + "770001" + "0102" + "80" + "82" + "c040" + "7f"


@given(INT64, INT64)
def test_signed_numbers_sort_as_their_bytes_do(one, other):
    assert (one < other) == (encode_signed_number(one) < encode_signed_number(other))


@given(st.binary(), st.binary())
def test_strings_sort_as_their_bytes_do(one, other):
    assert (one < other) == (encode_string(one) < encode_string(other))


@given(st.lists(st.tuples(st.text(max_size=5), INT64, INT64), min_size=2, max_size=2, unique=True))
def test_no_two_slices_share_a_key(slices):
    keys = [encode_slice_key(name, (start,), (length,)) for name, start, length in slices]
    assert keys[0] != keys[1]
