"""What a signature gives becomes rows; values as TensorFlow's sessions give them, made by hand."""

from collections import namedtuple

import ml_dtypes
import numpy as np
import pytest

from tf1hub.cli.applying.calls import DENSE, RAGGED, SPARSE, Call, Field, Input
from tf1hub.cli.applying.columns import columns_of
from tf1hub.cli.applying.json_values import plain_rows
from tf1hub.errors import InputError

SparseValue = namedtuple("SparseValue", ["indices", "values", "dense_shape"])
RaggedValue = namedtuple("RaggedValue", ["flat_values", "nested_row_splits"])


def rows(value, shape, count, kind=DENSE, size=None, whole=False):
    """The rows of one output of this shape, for a batch of so many examples."""
    inputs = {"x": Input(Field("x", DENSE, 1, (size, 3)), batched=not whole)}
    call = Call("default", inputs, {"y": Field("y", kind, 1, shape)}, size, whole)
    return plain_rows(columns_of({"y": value}, call, count)["y"])


def test_a_value_for_each_example():
    assert rows(np.array([[1, 2], [3, 4]]), (None, 2), 2) == [[1, 2], [3, 4]]
    assert rows(np.array([1, 2]), None, 2) == [1, 2]


def test_a_value_for_all_examples_is_repeated():
    assert rows(np.array(5), (), 2) == [5, 5]
    assert rows(np.array(5), None, 2) == [5, 5]
    assert rows(np.array([1, 2]), (2,), 2) == [[1, 2], [1, 2]]


def test_what_fills_up_a_batch_is_left_out():
    assert rows(np.array([1, 2, 2, 2]), (4,), 2, size=4) == [1, 2]
    ragged = RaggedValue(np.arange(6), [np.array([0, 1, 3, 5]), np.array([0, 2, 3, 3, 5, 6])])
    assert rows(ragged, (None, None, None), 2, RAGGED, size=3) == [[[0, 1]], [[2], []]]
    sparse = SparseValue(np.array([[0, 1], [2, 0]]), np.array([5, 6]), np.array([3, 2]))
    assert rows(sparse, (None, 2), 2, SPARSE, size=3) == [
        {"indices": [[1]], "values": [5], "shape": [2]},
        {"indices": [], "values": [], "shape": [2]},
    ]


def test_whole_values_are_one_row():
    assert rows(np.array([1, 2]), (None,), 1, whole=True) == [[1, 2]]
    ragged = RaggedValue(np.arange(3), [np.array([0, 1, 3])])
    assert rows(ragged, (None, None), 1, RAGGED, whole=True) == [[[0], [1, 2]]]
    sparse = SparseValue(np.array([[0, 1]]), np.array([5]), np.array([1, 2]))
    assert rows(sparse, None, 1, SPARSE, whole=True) == [{"indices": [[0, 1]], "values": [5], "shape": [1, 2]}]


def test_sparse_values_out_of_order_go_to_their_rows():
    sparse = SparseValue(np.array([[1, 0], [0, 1], [1, 1]]), np.array([5, 6, 7]), np.array([2, 2]))
    assert [row["values"] for row in rows(sparse, (None, 2), 2, SPARSE)] == [[6], [5, 7]]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.arange(3), DENSE),
        (RaggedValue(np.arange(3), [np.array([0, 1, 2, 3])]), RAGGED),
        (SparseValue(np.zeros([0, 2], int), np.zeros(0), np.array([3, 2])), SPARSE),
    ],
)
def test_rows_that_are_not_those_of_the_batch_are_refused(value, kind):
    with pytest.raises(InputError, match=r"'y' has 3 rows for 2 examples.*--whole"):
        rows(value, (None, None), 2, kind)


def test_small_floats_and_quantized_integers_become_plain_ones():
    assert rows(np.array([1.5, -2], ml_dtypes.bfloat16), (None,), 2) == [1.5, -2.0]
    assert rows(np.array([(3,), (-4,)], [("qint8", "i1")]), (None,), 2) == [3, -4]
    assert rows(np.array([3, -4]).astype(ml_dtypes.int4), (None,), 2) == [3, -4]
