"""The header of .npy files."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf1hub.converting.npy_header import NpyError, encode_header, parse_header

TEXT = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"


def header_of(text, version=b"\x01\x00"):
    size = len(text).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + size + text.encode("latin-1")


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (1,) * 30])
@pytest.mark.parametrize("dtype", ["<f4", ">i8", "|b1", "|S7", "<U3", "<c16"])
def test_headers_are_numpys(shape, dtype):
    file = io.BytesIO()
    np.save(file, np.zeros(shape, dtype))
    header = parse_header(file.getvalue())
    assert (header.kind.dtype, header.kind.shape, header.fortran_order) == (np.dtype(dtype), shape, False)
    assert encode_header(dtype, shape) == file.getvalue()[: header.size]


def test_column_major_order_is_told():
    file = io.BytesIO()
    np.save(file, np.zeros((2, 3), order="F"))
    assert parse_header(file.getvalue()).fortran_order


def test_version_2_is_read():
    assert parse_header(header_of(TEXT, b"\x02\x00")).kind.shape == (3,)


HOSTILE = {
    "no magic": b"hello",
    "version 3": header_of(TEXT, b"\x03\x00"),
    "no length": b"\x93NUMPY\x01\x00\x01",
    "cut short": header_of(TEXT)[:-1],
    "too long": header_of(TEXT + " " * 10_000),
    "no dictionary": header_of("3"),
    "code": header_of("__import__('os')"),
    "deep": header_of("(" * 9000),
    "deeper": header_of("-" * 9000 + "1"),
    "unhashable": header_of("{[]: 1}"),
    "zeros": header_of("\0"),
    "a key missing": header_of("{'descr': '<f4', 'shape': (3,)}"),
    "a key more": header_of(TEXT.replace("}", "'x': 1}")),
    "a negative size": header_of(TEXT.replace("3,", "-3,")),
    "a true size": header_of(TEXT.replace("3,", "True,")),
    "a list as shape": header_of(TEXT.replace("(3,)", "[3]")),
    "no order": header_of(TEXT.replace("False", "0")),
    "no type": header_of(TEXT.replace("'<f4'", "4")),
    "another type": header_of(TEXT.replace("<f4", "<f5")),
    "many types": header_of(TEXT.replace("<f4", "<f4,<f4")),
    "a huge type": header_of(TEXT.replace("<f4", "|S999999999999")),
    "objects": header_of(TEXT.replace("<f4", "|O")),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_headers_that_cannot_be_are_refused(data):
    with pytest.raises(NpyError):
        parse_header(data)


@given(st.text(max_size=60) | st.text("{}()[]'\"descrshapefotan_,:<>|0123456789 ", max_size=60))
def test_no_text_gives_another_error(text):
    with pytest.raises(NpyError):
        parse_header(header_of(text.encode("latin-1", "replace").decode("latin-1")))
