"""Whether slices cover a tensor: each element once, and none twice.

For a box, let each of its corners count +1 or -1, by turns along each axis (a start +, an end -). The counts of all boxes
add up to those of the whole tensor exactly when the boxes cover it once: the sum over all corners up to a place is how
often that place is covered. So it takes time that grows with the number of boxes, not with its square, and the first
corner in row-major order at which the counts differ is the first element that is covered wrongly.
"""

import itertools
from collections.abc import Sequence

from tf1hub.format.boxes import Box, whole

# More would be an attack on memory. TensorFlow's own partitioners cut along one axis, which makes two for each box.
_MAX_CORNERS = 1 << 18


def find_uncovered(boxes: Sequence[Box], shape: Sequence[int]) -> tuple[tuple[int, ...], int] | None:
    """The first element that is not covered exactly once, and how often it is; None when all are.

    Raises ValueError for more slices, along more axes, than can be looked at.
    """
    everything = whole(shape)
    axes = [axis for axis in range(len(shape)) if any((b[0][axis], b[1][axis]) != (0, shape[axis]) for b in boxes)]
    if len(boxes) << len(axes) > _MAX_CORNERS:
        raise ValueError(f"{len(boxes):,} slices along {len(axes)} axes are more than is supported")
    counts: dict[tuple[int, ...], int] = {}
    for (start, size), weight in [*((box, 1) for box in boxes), (everything, -1)]:
        ends = [((start[axis], 1), (start[axis] + size[axis], -1)) for axis in axes]
        for corner in itertools.product(*ends):
            place = tuple(at for at, _ in corner)
            sign = weight
            for _, each in corner:
                sign *= each
            counts[place] = counts.get(place, 0) + sign
    wrong = min((place for place, count in counts.items() if count), default=None)
    if wrong is None or 0 in shape:
        return None
    element = [0] * len(shape)
    for axis, at in zip(axes, wrong, strict=True):
        element[axis] = at
    return tuple(element), counts[wrong] + 1
