"""Element types without TensorFlow. tests/differential compares them with TensorFlow's."""

import ml_dtypes
import numpy as np
import pytest

from tf1hub.format import dtypes


@pytest.mark.parametrize(
    ("number", "name"),
    [(1, "float32"), (7, "string"), (14, "bfloat16"), (19, "float16"), (101, "float32_ref")],
)
def test_names_and_numbers(number, name):
    assert dtypes.dtype_name(number) == name
    assert dtypes.dtype_number(name) == number


def test_a_reference_type_has_a_base():
    assert dtypes.base_dtype(103) == dtypes.INT32
    assert dtypes.base_dtype(3) == 3
    assert dtypes.numpy_dtype(101) == np.float32


@pytest.mark.parametrize("number", [each for each in range(1, 31) if each not in (20, 21)])
def test_numpy_types_have_the_stored_size(number):
    dtype = dtypes.numpy_dtype(number)
    assert dtypes.item_size(number) == (None if number == dtypes.STRING else dtype.itemsize)
    name = dtypes.dtype_name(number)
    assert dtypes.dtype_of(dtype) == (dtypes.dtype_number(name.lstrip("q")) if "q" in name else number)


@pytest.mark.parametrize("dtype", [">f4", "<f4", "f4"])
def test_byte_order_does_not_matter(dtype):
    assert dtypes.dtype_of(np.dtype(dtype)) == dtypes.FLOAT32


def test_text_bytes_and_objects_are_strings():
    assert [dtypes.dtype_of(np.dtype(each)) for each in ("S2", "U2", object)] == [dtypes.STRING] * 3


def test_what_numpy_lacks_is_refused_by_name():
    with pytest.raises(ValueError, match="variant has no NumPy type"):
        dtypes.numpy_dtype(dtypes.VARIANT)
    with pytest.raises(ValueError, match="unknown type 99"):
        dtypes.numpy_dtype(99)
    with pytest.raises(ValueError, match="datetime64"):
        dtypes.dtype_of(np.dtype("M8[s]"))
    with pytest.raises(ValueError, match="'float31' is no TensorFlow dtype"):
        dtypes.dtype_number("float31")


def test_bfloat16_is_ml_dtypes():
    assert dtypes.numpy_dtype(14) == np.dtype(ml_dtypes.bfloat16)
