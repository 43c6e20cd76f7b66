"""Slices that cover a tensor once, against counting the elements."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf1hub.checks.verifying.slice_cover import find_uncovered

RANGES = [(start, size) for start in range(4) for size in range(4 - start)]


def counted(boxes, shape):
    """The same answer, from an array that is counted in."""
    times = np.zeros(shape, int)
    for start, size in boxes:
        times[tuple(slice(first, first + count) for first, count in zip(start, size, strict=True))] += 1
    wrong = np.argwhere(times != 1).tolist()
    return (tuple(wrong[0]), int(times[tuple(wrong[0])])) if wrong else None


@given(st.lists(st.tuples(st.sampled_from(RANGES), st.sampled_from(RANGES)), max_size=4))
def test_any_boxes_are_judged_as_by_counting(pairs):
    boxes = [((a[0], b[0]), (a[1], b[1])) for a, b in pairs]
    assert find_uncovered(boxes, (3, 3)) == counted(boxes, (3, 3))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_a_grid_covers_its_tensor(rows, columns):
    ends = [list(itertools.accumulate(sizes)) for sizes in (rows, columns)]
    boxes = [
        ((end - row, other - column), (row, column))
        for (end, row), (other, column) in itertools.product(
            zip(ends[0], rows, strict=True), zip(ends[1], columns, strict=True)
        )
    ]
    assert find_uncovered(boxes, (sum(rows), sum(columns))) is None
    assert find_uncovered(boxes[1:], (sum(rows), sum(columns))) == ((0, 0), 0)


def test_a_tensor_without_elements_is_covered():
    assert find_uncovered([((0, 0), (0, 3))], (0, 3)) is None


def test_many_slices_take_no_longer_each():
    boxes = [((row, 0), (1, 8)) for row in range(100_000)]
    assert find_uncovered(boxes, (100_000, 8)) is None
    assert find_uncovered([*boxes, boxes[7]], (100_000, 8)) == ((7, 0), 2)


def test_too_many_corners_are_refused():
    with pytest.raises(ValueError, match="slices along 20 axes are more than is supported"):
        find_uncovered([((0,) * 20, (1,) * 20)], (2,) * 20)
