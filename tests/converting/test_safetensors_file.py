"""Files of safetensors: the bytes that are written, and what is refused of those that are read."""

import io
import json
import random
import struct
import tracemalloc

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy

from tests.converting.weight_modules import BOTH, make_module
from tf1hub.converting import safetensors_file
from tf1hub.converting.safetensors_file import SafetensorsFile
from tf1hub.errors import CorruptModuleError, Tf1HubError, WeightsError
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.module_directory import checkpoint_prefix

MUTATIONS = 1500
ENTRY = {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}


def written(tmp_path, values, **options):
    file = io.BytesIO()
    with BundleReader(checkpoint_prefix(make_module(tmp_path / "module", values, **options))) as reader:
        safetensors_file.write(file, reader, list(reader.entries.values()), lambda size: None)
    return file.getvalue()


def file_of(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def opened(tmp_path, data):
    (tmp_path / "x.safetensors").write_bytes(data)
    return SafetensorsFile(str(tmp_path / "x.safetensors"))


def arrays_of(file):
    return {name: np.array(file.array(name, "")) for name in file.arrays}


def test_the_bytes_are_those_of_the_format(tmp_path):
    values = {"b": np.array([1, 2], np.uint8), "a": np.array(1.0, np.float32)}
    header = (
        b'{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}'
    )
    assert len(header) == 105
    assert written(tmp_path, values) == b"p\0\0\0\0\0\0\0" + header + b"       " + b"\0\0\x80\x3f\x01\x02"


def test_the_bytes_are_those_that_its_library_writes(tmp_path):
    values = {f"v{size}": np.arange(size, dtype=np.float32) for size in (3, 0, 20)}
    values |= {"i": np.arange(3), "scalar": np.array(2), "b": np.array([True]), "h": np.ones((2, 1), np.float16)}
    assert written(tmp_path, values) == safetensors.numpy.save(values)


@pytest.mark.parametrize("name", sorted(BOTH))
def test_each_type_is_known_to_its_library(tmp_path, name):
    data = written(tmp_path, {"x": BOTH[name]})
    if safetensors.__version__.startswith("0.4.") and BOTH[name].dtype == np.complex64:
        pytest.skip("this release of safetensors has no complex64")
    [(_, found)] = safetensors.deserialize(data)
    assert (found["shape"], bytes(found["data"])) == (list(BOTH[name].shape), BOTH[name].tobytes())
    array = opened(tmp_path, data).array("x", "")
    assert (array.dtype, array.shape, array.tobytes()) == (BOTH[name].dtype, BOTH[name].shape, BOTH[name].tobytes())


def test_a_file_of_its_library_is_read(tmp_path):
    values = {"w": np.eye(3, dtype=np.float16), "é/b": np.arange(4), "empty": np.zeros((0, 2))}
    data = safetensors.numpy.save(values, metadata={"format": "np"})
    found = arrays_of(opened(tmp_path, data))
    assert {name: (array.dtype, array.tolist()) for name, array in found.items()} == {
        name: (array.dtype, array.tolist()) for name, array in values.items()
    }


def test_a_partitioned_variable_is_put_together(tmp_path):
    value = np.arange(12, dtype=np.int16).reshape(3, 4)
    data = written(tmp_path, {"w/cut": value}, parts=2, axis=1)
    assert opened(tmp_path, data).array("w/cut", "").tolist() == value.tolist()


def test_arrays_are_read_only_views(tmp_path):
    array = opened(tmp_path, file_of({"a": ENTRY}, b"ab")).array("a", "")
    assert not array.flags.writeable
    assert not array.flags.owndata


def test_bfloat16_is_read(tmp_path):
    entry = {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}
    assert opened(tmp_path, file_of({"a": entry}, b"\x80\x3f")).array("a", "").tolist() == [ml_dtypes.bfloat16(1)]


HOSTILE = {
    "nothing": b"",
    "cut short": b"\x02\0\0\0",
    "a header longer than the file": struct.pack("<Q", 3) + b"{}",
    "a header of 2**63 bytes": struct.pack("<Q", 1 << 63) + b"{}",
    "no JSON": file_of(b"{'a': 1}"),
    "no UTF-8": file_of(b'{"\xff": 1}'),
    "a list": file_of(b"[]"),
    "a name twice": file_of(f'{{"a": {json.dumps(ENTRY)}, "a": {json.dumps(ENTRY)}}}'.encode(), b"ab"),
    "no dictionary": file_of({"a": 3}),
    "no shape": file_of({"a": {"dtype": "U8", "data_offsets": [0, 2]}}, b"ab"),
    "a negative size": file_of({"a": {**ENTRY, "shape": [-2]}}, b"ab"),
    "a size that is no integer": file_of({"a": {**ENTRY, "shape": [2.0]}}, b"ab"),
    "a size that is a truth": file_of({"a": {**ENTRY, "shape": [2, True]}}, b"ab"),
    "another size": file_of({"a": {**ENTRY, "shape": [3]}}, b"ab"),
    "a huge size": file_of({"a": {**ENTRY, "shape": [1 << 64, 1 << 64]}}, b"ab"),
    "a number of 5000 digits": file_of(b'{"a": {"dtype": "U8", "shape": [' + b"9" * 5000 + b"]}}", b"ab"),
    "offsets that go back": file_of({"a": {**ENTRY, "data_offsets": [2, 0]}}, b"ab"),
    "three offsets": file_of({"a": {**ENTRY, "data_offsets": [0, 2, 2]}}, b"ab"),
    "offsets out of the file": file_of({"a": {**ENTRY, "data_offsets": [1, 3]}}, b"ab"),
    "less data": file_of({"a": ENTRY}, b"a"),
    "more data": file_of({"a": ENTRY}, b"abc"),
    "a gap": file_of({"a": {**ENTRY, "data_offsets": [1, 3]}}, b"abc"),
    "an overlap": file_of({"a": ENTRY, "b": ENTRY}, b"ab"),
    "brackets in brackets": file_of(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_files_that_cannot_be_are_refused_with_their_name(tmp_path, data):
    with pytest.raises(CorruptModuleError, match=r"x\.safetensors, byte \d: "):
        opened(tmp_path, data)


@pytest.mark.parametrize("dtype", ["F4", "F8_E8M0", "C128", "nonsense", ""])
def test_a_type_that_no_variable_has_is_named(tmp_path, dtype):
    with pytest.raises(WeightsError, match=f"'a' .* has the dtype '{dtype}'"):
        opened(tmp_path, file_of({"a": {**ENTRY, "dtype": dtype}}, b"ab"))


def test_more_dimensions_than_numpy_has_are_refused_when_read(tmp_path):
    file = opened(tmp_path, file_of({"a": {"dtype": "U8", "shape": [1] * 100, "data_offsets": [0, 1]}}, b"a"))
    with pytest.raises(WeightsError, match="'a' in a shape that NumPy cannot have"):
        file.array("a", "")


@pytest.mark.parametrize("pattern", [b"[],", b"{},", b"[[[[[]]]]],", b"[ ],", b'{"":[]},'])
def test_a_header_does_not_fill_the_memory(tmp_path, pattern):
    data = file_of(b'{"a": [' + pattern * 300_000 + b"0]}")
    tracemalloc.start()
    with pytest.raises(CorruptModuleError):
        opened(tmp_path, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * len(data)


def test_nothing_but_our_errors_comes_out_and_nothing_that_its_library_refuses(tmp_path):
    values = {"a": np.arange(3, dtype=np.float32), "b/c": np.eye(2, dtype=np.int16), "e": np.zeros((0, 2))}
    sound = written(tmp_path, values)
    chance = random.Random(5)
    refused = 0
    for number in range(MUTATIONS):
        data = bytearray(sound)
        if number < len(sound):
            del data[number:]
        else:
            for _ in range(chance.choice([1, 1, 2, 8])):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            found = arrays_of(opened(tmp_path, bytes(data)))
        except Tf1HubError:
            refused += 1
            continue
        theirs = {name: bytes(each["data"]) for name, each in safetensors.deserialize(bytes(data))}
        assert {name: array.tobytes() for name, array in found.items()} == theirs
    assert MUTATIONS / 2 < refused < MUTATIONS
