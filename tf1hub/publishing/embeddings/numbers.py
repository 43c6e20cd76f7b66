"""Decimal numbers in text become floats, very many at a time.

A number of few digits, such as `-0.41242`, is its digits as a whole number, divided by a power of ten. Both are exact in a
float64, so the quotient is what `float` gives (W. D. Clinger, "How to read floating point numbers accurately", 1990). All
numbers of a block are treated at once: eight characters are one 64-bit word, whose digits three multiplications add up.
`numpy.loadtxt` and `numpy.fromstring` take three times as long. What has another form (exponents, very many digits,
`inf`) is said to be left over, for `float`.
"""

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Vectors = npt.NDArray[np.float32]

# What must precede the first number in a block, since the words before a place are looked at.
PADDING = b" " * 16
_MOST_WHOLE_DIGITS = 8
_MOST_FRACTION_DIGITS = 16
# More would not fit into 64 bits.
_MOST_DIGITS = 19
_MINUS = ord("-")
_ZEROS = np.uint64(0x3030303030303030)
_HIGH_BITS = np.uint64(0x8080808080808080)
_ABOVE_NINE = np.uint64(0x7676767676767676)
_EXACT_BITS = np.uint64(53)
# Keeps the last n of a word's eight characters; the last one lies in the highest byte.
_LAST = np.array([(-1 << (64 - 8 * n)) & (2**64 - 1) for n in range(9)], np.uint64)
_POWERS = np.array([10**n for n in range(_MOST_FRACTION_DIGITS + 1)], np.uint64)
_FLOAT_POWERS = _POWERS.astype(np.float64)


def parse_decimals(
    block: bytes, start: Integers, point: Integers, end: Integers, has_point: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The numbers that lie in `block` from `start` to `end`, and which of them are left over.

    Args:
      block: the text, which begins with `PADDING`.
      start: where each number begins.
      point: where its decimal point is; its end when it has none.
      end: where it ends.
      has_point: whether it has one.
    """
    words = np.ndarray((len(block) - 7,), "<u8", block, strides=(1,))
    negative = np.frombuffer(block, np.uint8)[start] == _MINUS
    whole = point - start - negative
    fraction = end - point - has_point
    left_over = (whole < 0) | (whole > _MOST_WHOLE_DIGITS) | (fraction < 0) | (fraction > _MOST_FRACTION_DIGITS)
    left_over |= (whole + fraction < 1) | (whole + fraction > _MOST_DIGITS)
    if left_over.any():
        whole[left_over] = 0
        fraction[left_over] = 0
    digits, wrong = _digits_before(words, point, whole)
    digits *= _POWERS[fraction]
    if fraction.max(initial=0) > 8:
        early, wrong_early = _digits_before(words, end - 8, np.maximum(fraction - 8, 0))
        digits += early * _POWERS[8]
        wrong |= wrong_early
    late, wrong_late = _digits_before(words, end, np.minimum(fraction, 8))
    digits += late
    left_over |= ((wrong | wrong_late) != 0) | (digits >> _EXACT_BITS != 0)
    values = digits.view(np.int64).astype(np.float64)
    values /= _FLOAT_POWERS[fraction]
    np.negative(values, out=values, where=negative)
    return values, left_over


def _digits_before(words: Words, place: Integers, count: Integers) -> tuple[Words, Words]:
    """The number that `count` digits before each place make, and a word that is not 0 where some are no digits."""
    found = words[place - 8]
    found ^= _ZEROS
    found &= _LAST[count]
    wrong = ((found + _ABOVE_NINE) | found) & _HIGH_BITS
    if count.max(initial=0) <= 1:
        found >>= np.uint64(56)
        return found, wrong
    return _sum_of_digits(found), wrong


def _sum_of_digits(word: Words) -> Words:
    """The number that eight bytes of 0 to 9 make: pairs of digits first, then all four pairs."""
    pairs = word >> np.uint64(8)
    word *= np.uint64(10)
    pairs += word
    later = (pairs >> np.uint64(16)) & np.uint64(0xFF000000FF)
    pairs &= np.uint64(0xFF000000FF)
    pairs *= np.uint64(100 + (1000000 << 32))
    later *= np.uint64(1 + (10000 << 32))
    pairs += later
    pairs >>= np.uint64(32)
    return pairs


def nonfinite_problem(vectors: Vectors) -> tuple[int, str] | None:
    """The first row with a value that is not finite, and what is wrong with it; None when all values are finite."""
    finite = np.isfinite(vectors)
    if finite.all():
        return None
    row, column = (int(at) for at in np.argwhere(~finite)[0])
    return (
        row,
        f"value {column + 1} is {vectors[row, column]} as float32; mend it, or take such values (allow_nonfinite)",
    )


def is_number(text: bytes) -> bool:
    """Whether `float` takes a text."""
    try:
        float(text.decode())
    except ValueError:
        return False
    return True
