"""Boxes: the rectangular parts that tensors are cut into.

A box is (start, shape), each with a number for every dimension of the tensor that it lies in.
"""

import itertools
import math
from collections.abc import Iterator, Sequence

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
    for outer in itertools.product(*map(range, size[:axis])):
        fixed = tuple(first + at for first, at in zip(start[:axis], outer, strict=True))
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
