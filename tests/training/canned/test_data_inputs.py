"""Input functions over arrays and data frames: what batches they give, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tf1hub.estimator.inputs import numpy_input_fn, pandas_input_fn

X = {"b": np.arange(10.0).reshape(5, 2), "a": np.arange(5)}
Y = np.arange(5) * 10
FRAME = pd.DataFrame({"text": ["u", "v", "w"], "number": [1, 2, 3]}, index=[5, 6, 7])
TARGETS = pd.Series([0, 1, 0], index=[5, 6, 7])


def batches(input_fn, most=20):
    found = []
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tensors = input_fn()
        try:
            while len(found) < most:
                found.append(session.run(tensors))
        except tf.errors.OutOfRangeError:
            pass
    return found


def test_batches_are_in_order_and_the_last_is_smaller():
    found = batches(numpy_input_fn(X, Y, batch_size=2, shuffle=False))
    assert [labels.tolist() for _, labels in found] == [[0, 10], [20, 30], [40]]
    assert found[1][0]["b"].tolist() == [[4.0, 5.0], [6.0, 7.0]]
    assert list(found[0][0]) == ["a", "b"]


def test_a_batch_reaches_into_the_next_epoch():
    found = batches(numpy_input_fn(X["a"], Y, batch_size=3, num_epochs=2, shuffle=False))
    assert [rows.tolist() for rows, _ in found] == [[0, 1, 2], [3, 4, 0], [1, 2, 3], [4]]


def test_without_labels_there_are_features_alone():
    assert [list(each) for each in batches(numpy_input_fn(X, batch_size=5, shuffle=False))] == [["a", "b"]]


def test_no_number_of_epochs_is_for_ever_and_all_batches_are_full():
    input_fn = numpy_input_fn(X["a"], batch_size=3, num_epochs=None, shuffle=False)
    assert len(batches(input_fn, most=7)) == 7
    with tf.Graph().as_default():
        assert input_fn().shape == [3]


def test_each_epoch_has_all_examples_in_an_order_of_its_own():
    [rows] = batches(numpy_input_fn(np.arange(200), batch_size=400, num_epochs=2, shuffle=True))
    first, second = rows[:200].tolist(), rows[200:].tolist()
    assert sorted(first) == sorted(second) == list(range(200))
    assert first != second != list(range(200))


def test_a_seed_gives_the_same_order_again():
    def order():
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            tf.compat.v1.set_random_seed(7)
            return session.run(numpy_input_fn(np.arange(50), batch_size=50, shuffle=True)()).tolist()

    assert order() == order()


def test_strings_and_labels_by_name():
    [(features, labels)] = batches(numpy_input_fn({"s": np.array(["a", "b"])}, {"y": np.array([1, 2])}, shuffle=False))
    assert features["s"].tolist() == [b"a", b"b"]
    assert labels["y"].tolist() == [1, 2]


def test_data_frames_become_features_by_column():
    [(features, labels)] = batches(pandas_input_fn(FRAME, TARGETS, shuffle=False))
    assert {name: column.tolist() for name, column in features.items()} == {
        "text": [b"u", b"v", b"w"],
        "number": [1, 2, 3],
    }
    assert labels.tolist() == [0, 1, 0]
    [(_, labels)] = batches(pandas_input_fn(FRAME, FRAME[["number"]], shuffle=False))
    assert labels["number"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (({"a": X["a"]}, Y), ValueError, "shuffle is None"),
        (({}, Y, 2, 1, False), ValueError, "x is an empty dict"),
        ((X, {}, 2, 1, False), ValueError, "y is an empty dict"),
        ((X, {"a": Y}, 2, 1, False), ValueError, r"both have \['a'\]"),
        ((X, Y[:3], 2, 1, False), ValueError, "shapes"),
        (([1, 2], Y, 2, 1, False), TypeError, "not list"),
        ((X, Y, 0, 1, False), ValueError, "batch_size is 0"),
    ],
)
def test_arrays_that_cannot_be_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        numpy_input_fn(*arguments)


@pytest.mark.parametrize(
    ("x", "y", "options", "error", "message"),
    [
        (FRAME, TARGETS, {}, ValueError, "shuffle is None"),
        ({"a": [1]}, TARGETS, {"shuffle": False}, TypeError, "not dict"),
        (FRAME, TARGETS.reset_index(drop=True), {"shuffle": False}, ValueError, "different indexes"),
        (FRAME, TARGETS, {"shuffle": False, "target_column": "text"}, ValueError, "a column named 'text'"),
    ],
)
def test_data_frames_that_cannot_be_are_refused(x, y, options, error, message):
    with pytest.raises(error, match=message):
        pandas_input_fn(x, y, **options)


@pytest.mark.parametrize("dtype", ["Int64", "Float32", "boolean"])
def test_numbers_in_pandas_own_types_stay_numbers(dtype):
    column = pd.Series([1, 0, 1], dtype=dtype)
    [(features, labels)] = batches(pandas_input_fn(pd.DataFrame({"x": column}), column, shuffle=False))
    assert features["x"].dtype == labels.dtype == np.dtype(dtype.lower().replace("boolean", "bool"))
    assert labels.tolist() == [1, 0, 1]


def test_a_missing_number_in_pandas_own_types_is_refused():
    with pytest.raises(ValueError, match="convert"):
        pandas_input_fn(pd.DataFrame({"x": pd.Series([1, None], dtype="Int64")}), shuffle=False)


def test_texts_in_any_script_are_encoded():
    texts = np.array(["b\u00e9", "\u6f22\u5b57"])
    (found,) = batches(numpy_input_fn({"text": texts}, shuffle=False))
    assert [text.decode() for text in found["text"]] == texts.tolist()
