"""Cutting tensors into boxes."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tf1hub.format import boxes
from tf1hub.format.box_set import BoxSet

SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)


@given(SHAPES, st.integers(1, 40))
def test_runs_cover_a_box_in_order_and_keep_the_limit(shape, limit):
    array = np.arange(math.prod(shape)).reshape(shape)
    runs = list(boxes.iter_runs(boxes.whole(shape), limit))
    pieces = [array[boxes.indices(run)].ravel() for run in runs]
    assert np.concatenate([*pieces, np.array([], int)]).tolist() == list(range(array.size))
    assert all(0 < piece.size <= limit for piece in pieces)


@given(st.data(), SHAPES.filter(len))
def test_overlaps_are_what_a_mask_says(data, shape):
    def draw_box():
        start = [data.draw(st.integers(0, size)) for size in shape]
        return tuple(start), tuple(data.draw(st.integers(0, s - a)) for s, a in zip(shape, start, strict=True))

    one, other = draw_box(), draw_box()
    mask = np.zeros(shape, int)
    mask[boxes.indices(one)] += 1
    mask[boxes.indices(other)] += 1
    found = BoxSet([one]).find_overlaps(other)
    assert sum(math.prod(shared[1]) for _, shared in found) == (mask == 2).sum()
    assert (BoxSet([one, other]).find_clash() is not None) == bool((mask == 2).any())


def test_boxes_that_lead_out_are_told():
    assert boxes.lies_in(((1,), (2,)), (3,))
    assert not boxes.lies_in(((2,), (2,)), (3,))
    assert not boxes.lies_in(((-1,), (2,)), (3,))
    assert not boxes.lies_in(((0, 0), (1, 1)), (3,))
