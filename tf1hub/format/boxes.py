"""Boxes: the rectangular parts that tensors are cut into.

A box is (start, shape), each with a number for every dimension of the tensor that it lies in.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Box = tuple[tuple[int, ...], tuple[int, ...]]


def whole(shape: Sequence[int]) -> Box:
    """The box that is all of a tensor."""
    return (0,) * len(shape), tuple(shape)


def lies_in(box: Box, shape: Sequence[int]) -> bool:
    """Whether the box has the tensor's rank and leads nowhere out of it."""
    start, size = box
    return len(start) == len(size) == len(shape) and all(
        first >= 0 and count >= 0 and first + count <= limit
        for first, count, limit in zip(start, size, shape, strict=True)
    )


def indices(box: Box) -> tuple[slice, ...]:
    """What cuts the box out of an array."""
    return tuple(slice(first, first + count) for first, count in zip(*box, strict=True))


def inside(box: Box, outer: Box) -> Box:
    """The same box, with its start counted from that of `outer`."""
    return tuple(first - base for first, base in zip(box[0], outer[0], strict=True)), box[1]


class BoxSet:
    """Boxes of one tensor of at least one dimension, to be searched by place."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._starts = np.array([box[0] for box in boxes], np.int64)
        self._ends = self._starts + np.array([box[1] for box in boxes], np.int64)

    def box(self, index: int) -> Box:
        """The box of that index."""
        return _box_between(self._starts[index], self._ends[index])

    def find_overlaps(self, wanted: Box) -> list[tuple[int, Box]]:
        """The index of each box that shares elements with `wanted`, with what they share."""
        first = np.array(wanted[0], np.int64)
        return self._find_between(first, first + np.array(wanted[1], np.int64))

    def find_clash(self) -> tuple[int, int] | None:
        """The indices of two boxes that share elements, or None."""
        for index in range(len(self._starts)):
            for other, _ in self._find_between(self._starts[index], self._ends[index]):
                if other != index:
                    return index, other
        return None

    def _find_between(self, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> list[tuple[int, Box]]:
        low = np.maximum(self._starts, first)
        high = np.minimum(self._ends, last)
        found = np.flatnonzero((low < high).all(axis=1))
        return [(int(i), _box_between(low[i], high[i])) for i in found]


def iter_runs(box: Box, limit: int) -> Iterator[Box]:
    """Cut a box, in row-major order, into boxes of at most `limit` elements, each contiguous in the box.

    >>> list(iter_runs(((0, 0), (3, 4)), 8))
    [((0, 0), (2, 4)), ((2, 0), (1, 4))]
    """
    start, size = box
    if 0 in size:
        return
    axis, row = _axis_to_cut(size, limit)
    if axis is None:
        yield box
        return
    step = max(1, limit // row)
    for outer in np.ndindex(*size[:axis]):
        fixed = tuple(first + int(at) for first, at in zip(start[:axis], outer, strict=True))
        for at in range(0, size[axis], step):
            count = min(step, size[axis] - at)
            yield (
                (*fixed, start[axis] + at, *start[axis + 1 :]),
                (*(1 for _ in fixed), count, *size[axis + 1 :]),
            )


def _axis_to_cut(size: Sequence[int], limit: int) -> tuple[int | None, int]:
    """The first axis with small enough rows and the elements of such a row; None when nothing need be cut."""
    if math.prod(size) <= limit:
        return None, 0
    row = math.prod(size)
    for axis, count in enumerate(size):
        row //= count
        if row <= limit:
            return axis, row
    return len(size) - 1, 1


def _box_between(first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> Box:
    return tuple(first.tolist()), tuple((last - first).tolist())
