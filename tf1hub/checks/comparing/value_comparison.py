"""Compares the values of variables, some thousand elements at a time."""

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tf1hub.checks.comparing.differences import Difference
from tf1hub.format import boxes, dtypes
from tf1hub.format.bundle_reader import BundleReader

# Elements at a time. What is made of twice as many would be memory that the system gives anew each time: four times slower.
RUN = 1 << 13
# Numbers whose squares are far from the limits of float64.
_SMALL, _LARGE = 1e-140, 1e140

Array = npt.NDArray[Any]


def compare_values(
    a: BundleReader, name_a: str, b: BundleReader, name_b: str, advance: Callable[[int], None]
) -> tuple[bool, Difference]:
    """Whether two tensors of one shape are equal to the bit, and how far apart they are.

    Raises what `BundleReader.read` raises; CheckpointError for types that NumPy lacks.
    """
    entry_a, entry_b = a.entry(name_a), b.entry(name_b)
    if dtypes.STRING in (dtypes.base_dtype(entry_a.dtype), dtypes.base_dtype(entry_b.dtype)):
        return _compare_strings(a.read(name_a), b.read(name_b))
    measure = _Measure()
    for run in boxes.iter_runs(boxes.whole(entry_a.shape), RUN):
        x, y = a.read_slice(name_a, *run), b.read_slice(name_b, *run)
        measure.add(x.reshape(-1), y.reshape(-1))
        advance(x.nbytes)
    return measure.equal_bits, measure.difference()


def _compare_strings(x: Array, y: Array) -> tuple[bool, Difference]:
    changed = _count(x != y)
    return changed == 0, Difference(x.size, changed)


class _Measure:
    """The figures of two tensors, as far as they have been seen."""

    def __init__(self) -> None:
        self.equal_bits = True
        self._elements = self._changed = self._not_finite_a = self._not_finite_b = 0
        self._largest = self._largest_relative = 0.0
        self._norm_a = self._norm_b = self._norm_of_change = 0.0

    def add(self, x: Array, y: Array) -> None:
        """Takes in the next elements of both, as flat arrays."""
        self._elements += x.size
        if x.dtype == y.dtype and x.tobytes() == y.tobytes():
            x = y
        else:
            self.equal_bits = False
        with np.errstate(all="ignore"):
            self._add_sizes(x, y)

    def _add_sizes(self, x: Array, y: Array) -> None:
        wide_x, wide_y = _widened(x), _widened(y)
        finite_x, finite_y = np.isfinite(wide_x), np.isfinite(wide_y)
        if finite_x.all() and finite_y.all():
            size_x, size_y = np.abs(wide_x), np.abs(wide_y)
            change = _distances(x, y, wide_x, wide_y)
            self._changed += _count(change != 0 if _is_integer(x, y) else wide_x != wide_y)
        else:
            same = (wide_x == wide_y) | (np.isnan(wide_x) & np.isnan(wide_y))
            self._changed += _count(~same)
            self._not_finite_a += _count(~finite_x)
            self._not_finite_b += _count(~finite_y)
            both = finite_x & finite_y
            size_x, size_y = np.abs(wide_x[both]), np.abs(wide_y[both])
            change = np.abs(wide_x[both] - wide_y[both])
        if not change.size:
            return
        self._norm_a = math.hypot(self._norm_a, _norm(size_x))
        self._norm_b = math.hypot(self._norm_b, _norm(size_y))
        largest = float(change.max())
        if largest > 0:
            self._norm_of_change = math.hypot(self._norm_of_change, _norm(change))
            self._largest = max(self._largest, largest)
            ratios = np.divide(change, np.maximum(size_x, size_y), out=np.zeros_like(change), where=change > 0)
            self._largest_relative = max(self._largest_relative, min(float(ratios.max()), 2.0))

    def difference(self) -> Difference:
        """The figures. One that is too large for float64 is its largest number."""
        norm_a, norm_b, norm_of_change = map(_limited, (self._norm_a, self._norm_b, self._norm_of_change))
        relative = None if self._norm_of_change else 0.0
        if norm_a:
            relative = _limited(norm_of_change / norm_a)
        return Difference(
            elements=self._elements,
            changed=self._changed,
            largest=_limited(self._largest),
            largest_relative=self._largest_relative,
            norm_a=norm_a,
            norm_b=norm_b,
            norm_of_change=norm_of_change,
            relative=relative,
            not_finite_a=self._not_finite_a,
            not_finite_b=self._not_finite_b,
        )


def _count(truths: Array) -> int:
    return int(np.count_nonzero(truths))


def _widened(values: Array) -> Array:
    wide: Array = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)
    return wide


def _is_integer(x: Array, y: Array) -> bool:
    return x.dtype == y.dtype and x.dtype.kind in "iu"


def _distances(x: Array, y: Array, wide_x: Array, wide_y: Array) -> Array:
    """|x - y|. Integers of 64 bits, which float64 cannot tell apart, are subtracted as such, without overflow."""
    distances: Array
    if _is_integer(x, y) and x.itemsize == 8:
        low, high = np.minimum(x, y).astype(np.uint64), np.maximum(x, y).astype(np.uint64)
        distances = (high - low).astype(np.float64)
    else:
        distances = np.abs(wide_x - wide_y)
    return distances


def _norm(sizes: Array) -> float:
    """The Euclidean norm of numbers that are not negative, whatever their order of magnitude.

    Not by `np.dot`: its threads cost more than they bring on so few numbers.
    """
    largest = float(sizes.max())
    if largest == 0 or not math.isfinite(largest):
        return largest
    if _SMALL < largest < _LARGE:
        return math.sqrt(float(np.square(sizes).sum()))
    return largest * math.sqrt(float(np.square(sizes / largest).sum()))


def _limited(figure: float) -> float:
    return min(figure, sys.float_info.max)
