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


def _box_between(first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> Box:
    return tuple(first.tolist()), tuple((last - first).tolist())
