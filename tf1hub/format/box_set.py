"""Boxes of one tensor, to be searched by place."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tf1hub.format.boxes import Box


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
        # Along the axis that is cut most often hardly any box is beside another.
        order, behind = min(map(self._sorted_along, range(self._starts.shape[1])), key=lambda each: int(each[1].sum()))
        starts, ends = self._starts[order], self._ends[order]
        for at, index in enumerate(order):
            last = behind[at]
            if last > at + 1:
                low = np.maximum(starts[at + 1 : last], starts[at])
                high = np.minimum(ends[at + 1 : last], ends[at])
                clashes = np.flatnonzero((low < high).all(axis=1))
                if len(clashes):
                    return int(index), int(order[at + 1 + clashes[0]])
        return None

    def _sorted_along(self, axis: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """The boxes' order along an axis, and for each the place in that order of the first that begins behind it."""
        order = np.argsort(self._starts[:, axis], kind="stable")
        return order, np.searchsorted(self._starts[order, axis], self._ends[order, axis])

    def _find_between(self, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> list[tuple[int, Box]]:
        low = np.maximum(self._starts, first)
        high = np.minimum(self._ends, last)
        found = np.flatnonzero((low < high).all(axis=1))
        return [(int(i), _box_between(low[i], high[i])) for i in found]


def _box_between(first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> Box:
    return tuple(first.tolist()), tuple((last - first).tolist())
