"""Numbers in text are the floats that Python makes of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tf1hub.publishing.embeddings.lines import parse_lines
from tf1hub.publishing.embeddings.numbers import PADDING, parse_decimals

DIGITS = st.text("0123456789", max_size=12)
NUMBERS = st.one_of(
    st.builds("{}{}.{}".format, st.sampled_from(["", "-", "+"]), DIGITS, DIGITS).filter(
        lambda text: text[-2:].strip("+-.")
    ),
    st.floats(allow_nan=False, width=32).map(repr),
    st.floats(allow_nan=False).map(repr),
    st.integers(-(10**25), 10**25).map(str),
    st.builds("{:.{}e}".format, st.floats(-1e30, 1e30), st.integers(0, 18)),
    st.builds("{:.{}f}".format, st.floats(-1e3, 1e3), st.integers(0, 22)),
)


def as_floats(numbers: list[str]) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.array([float(number) for number in numbers]).astype(np.float32)


@settings(deadline=None, max_examples=300)
@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_numbers_in_lines_are_pythons(numbers):
    parsed = parse_lines(b"token " + " ".join(numbers).encode() + b"\n", len(numbers), allow_nonfinite=True)
    assert parsed.problem == ""
    expected = as_floats(numbers)
    np.testing.assert_array_equal(parsed.vectors[0], expected)
    np.testing.assert_array_equal(np.signbit(parsed.vectors[0]), np.signbit(expected))


@pytest.mark.parametrize("digits", [1, 4, 8, 9, 12, 16, 17])
def test_many_numbers_of_some_digits_are_pythons(digits):
    values = np.random.RandomState(digits).randn(2000) * 10.0 ** np.random.RandomState(1).randint(-3, 4, 2000)
    numbers = [f"{value:.{digits}f}" for value in values]
    parsed = parse_lines(b"token " + " ".join(numbers).encode() + b"\n", len(numbers))
    np.testing.assert_array_equal(parsed.vectors[0], as_floats(numbers))


def decimals(number: bytes) -> tuple[float, bool]:
    """What the vectorised parser makes of one number, and whether it leaves it over."""
    block = PADDING + number + b"\n"
    start, end = len(PADDING), len(PADDING) + len(number)
    has_point = b"." in number
    point = block.index(b".", start) if has_point else end
    places = [np.array([place]) for place in (start, point, end)]
    [value], [left_over] = parse_decimals(block, *places, np.array([has_point]))
    return float(value), bool(left_over)


@pytest.mark.parametrize(
    "number", [b"0.41242", b"-0.41242", b"5", b"5.", b".5", b"-.5", b"12345678.12345678", b"-0", b"-0."]
)
def test_plain_decimals_are_not_left_over(number):
    value, left_over = decimals(number)
    assert not left_over
    assert repr(value) == repr(float(number))


@pytest.mark.parametrize(
    "number", [b"", b"-", b".", b"+1.5", b"1e5", b"1.5e-5", b"nan", b"1_0", b"a.5", b"5.a", b"/.5", b"5.:", b"\xff.5"]
)
def test_what_is_no_plain_decimal_is_left_over(number):
    assert decimals(number)[1]


def test_more_digits_than_a_float_has_are_left_over():
    assert decimals(b"9007199.254740993")[1]
    assert not decimals(b"9007199.254740991")[1]
