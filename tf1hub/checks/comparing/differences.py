"""How far apart the values of two variables are, in figures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """How far two tensors of one shape are apart.

    The figures are about the elements that are finite in both, as float64 numbers; True is 1. The size of a complex
    number is its absolute value. There are none for strings.

    Attributes:
      elements: how many elements each has.
      changed: how many of them differ. NaN is the same as NaN, and 0 as -0.
      largest: the largest |a - b|.
      largest_relative: the largest |a - b| / max(|a|, |b|) of an element: 2 is a change of sign.
      norm_a, norm_b: the Euclidean norms.
      norm_of_change: that of a - b.
      relative: norm_of_change / norm_a; None when norm_a is 0 and something changed.
      not_finite_a, not_finite_b: how many elements are NaN or infinite.
    """

    elements: int
    changed: int
    largest: float | None = None
    largest_relative: float | None = None
    norm_a: float | None = None
    norm_b: float | None = None
    norm_of_change: float | None = None
    relative: float | None = None
    not_finite_a: int = 0
    not_finite_b: int = 0
