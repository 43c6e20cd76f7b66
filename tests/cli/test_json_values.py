"""JSON values as inputs and results as JSON; each against NumPy's or JSON's own reading of them."""

import contextlib
import json
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tf1hub.cli.applying.calls import DENSE, RAGGED, SPARSE, Field, Input
from tf1hub.cli.applying.columns import Ragged, Sparse, SparseRows
from tf1hub.cli.applying.json_values import parse_value, plain_rows, shortest
from tf1hub.errors import InputError, Tf1HubError

FLOAT, DOUBLE, INT32, UINT8, STRING, COMPLEX, INT64, BOOL, UINT64 = 1, 2, 3, 4, 7, 8, 9, 10, 23


def wanted(dtype, shape=None, kind=DENSE, ragged_rank=0):
    return Input(Field("x", kind, dtype, None if shape is None else (None, *shape), ragged_rank), batched=True)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float32_is_written_so_that_it_is_read_back(value):
    [text] = map(repr, shortest(np.float32([value])).tolist())
    assert np.float32(float(text)) == np.float32(value)


@given(st.floats(width=32, min_value=2.0**-13, max_value=2.0**20))
@example(1e6)
@example(1e5)
def test_float32_is_written_as_short_as_numpy_writes_it(value):
    [double] = shortest(np.float32([value])).tolist()
    assert double == float(str(np.float32(value)))


def test_half_and_double():
    assert shortest(np.float16([0.1, -0.0, 65504])).tolist() == [0.1, -0.0, 65500.0]  # as NumPy prints it
    assert shortest(np.array([0.1, 1e300])).tolist() == [0.1, 1e300]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["indices", "values", "shape", "b64"]), inner)
    ),
)


@given(_JSON, st.sampled_from([FLOAT, INT32, STRING, COMPLEX, BOOL]), st.sampled_from([DENSE, SPARSE, RAGGED]))
def test_any_json_is_taken_or_refused_with_our_own_error(value, dtype, kind):
    with contextlib.suppress(Tf1HubError):
        parse_value(value, wanted(dtype, (None,), kind, ragged_rank=1 if kind == RAGGED else 0))


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (FLOAT, ["NaN", "Infinity", -1], np.float32([math.nan, math.inf, -1])),
        (DOUBLE, [1, 2.5], np.array([1, 2.5])),
        (UINT8, [0, 255], np.uint8([0, 255])),
        (INT64, [2**63 - 1, -(2**63)], np.array([2**63 - 1, -(2**63)])),
        (UINT64, [2**64 - 1], np.array([2**64 - 1], np.uint64)),
        (UINT64, [2**64 - 1, 1], np.array([2**64 - 1, 1], np.uint64)),
        (FLOAT, [2**70, 1, 0.5], np.float32([2**70, 1, 0.5])),
        (BOOL, [True, False], np.array([True, False])),
        (COMPLEX, [[1, 2], [3, -4]], np.complex64([1 + 2j, 3 - 4j])),
        (STRING, ["a", {"b64": "/wA="}], np.array([b"a", b"\xff\x00"], object)),
        (FLOAT, [], np.zeros([0], np.float32)),
    ],
)
def test_values_are_exact(dtype, value, expected):
    found = parse_value(value, wanted(dtype, (None,)))
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (UINT8, [256]), (UINT8, [-1]), (INT32, [2**31]), (INT64, [2**63]), (UINT64, [-1]), (UINT64, [2**64]),
        (INT32, [1.0]), (INT32, ["1"]), (INT32, [True]), (FLOAT, ["nan"]), (FLOAT, [None]), (FLOAT, [{}]),
        (STRING, [1]), (STRING, [None]), (STRING, [{"b64": "?"}]), (STRING, [{"b64": 1}]), (STRING, ["\ud800"]),
        (STRING, ["a", ["b"]]), (BOOL, [1]), (FLOAT, [[1], 2]), (UINT64, [2**64, -1]), (FLOAT, [2**70, None]),
    ],
)  # fmt: skip
def test_nothing_is_rounded_cut_or_taken_for_another_type(dtype, value):
    with pytest.raises(InputError):
        parse_value(value, wanted(dtype, (None,)))


@pytest.mark.parametrize(
    ("dtype", "value"),
    [(INT64, [2**63, 1]), (UINT64, [2**64, 1]), (FLOAT, [1e39]), (FLOAT, [10**400]), (INT32, [2**80])],
)
def test_numbers_that_are_too_large_are_called_so(dtype, value):
    with pytest.raises(InputError, match="numbers that are too large for it"):
        parse_value(value, wanted(dtype, (None,)))


def test_sparse_values_are_put_in_order():
    found = parse_value(
        {"indices": [[1, 0], [0, 2]], "values": [5, 6], "shape": [2, 3]}, wanted(FLOAT, (None, 3), SPARSE)
    )
    assert (found.indices.tolist(), found.values.tolist(), found.shape.tolist()) == ([[0, 2], [1, 0]], [6, 5], [2, 3])


def test_a_sparse_value_without_a_shape_is_as_large_as_it_must_be():
    found = parse_value({"indices": [[0, 4]], "values": [5]}, wanted(FLOAT, (None, 9), SPARSE))
    assert found.shape.tolist() == [1, 9]


@pytest.mark.parametrize("shape", [5, [[5]], [[]]])
def test_the_shape_of_a_sparse_value_is_a_list(shape):
    with pytest.raises(InputError, match="has a shape that is no list of whole numbers"):
        parse_value({"indices": [[0]], "values": [1.0], "shape": shape}, wanted(FLOAT, (None,), SPARSE))


def test_columns_become_rows():
    ragged = Ragged(np.float32([0.1, 0.2, 0.3]), [np.array([0, 2, 2]), np.array([0, 1, 3])])
    assert plain_rows(ragged) == [[[0.1], [0.2, 0.3]], []]
    sparse = Sparse(np.array([[2]]), np.array([b"a"], object), np.array([3]))
    assert plain_rows(SparseRows([sparse], np.dtype(object))) == [{"indices": [[2]], "values": ["a"], "shape": [3]}]
    assert plain_rows(np.array([[math.nan, 0.5], [-math.inf, math.inf]])) == [["NaN", 0.5], ["-Infinity", "Infinity"]]


@given(st.lists(st.floats(width=32)))
def test_results_can_be_given_back(values):
    array = np.float32(values)
    again = parse_value(json.loads(json.dumps(plain_rows(array), allow_nan=False)), wanted(FLOAT, (None,)))
    np.testing.assert_array_equal(again, array)
