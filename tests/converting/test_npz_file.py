"""Files of NumPy: what is refused of those that are read. Those that are written are tested with test_weights.py."""

import io
import random
import struct
import warnings
import zipfile
import zlib

import numpy as np
import pytest

from tests.converting.weight_modules import files_in, make_module
from tf1hub.converting import npz_file
from tf1hub.converting.npy_header import encode_header
from tf1hub.converting.npz_file import NpzFile
from tf1hub.errors import CorruptModuleError, Tf1HubError, WeightsError
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.module_directory import checkpoint_prefix

MUTATIONS = 1500


def npz_of(members, compression=zipfile.ZIP_STORED):
    """A zip archive with these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # A name that is there twice.
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def npy_of(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def saved(save=np.savez, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def opened(tmp_path, data):
    (tmp_path / "x.npz").write_bytes(data)
    return NpzFile(str(tmp_path / "x.npz"))


def arrays_of(file, folder):
    return {name: np.array(file.array(name, str(folder))) for name in file.arrays}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_numpys_files_are_read(tmp_path, save):
    values = {"a/b": np.arange(6).reshape(2, 3), "é": np.array([b"x", b"yy"]), "f": np.eye(3)[::2].T, "0": np.array(5)}
    found = arrays_of(opened(tmp_path, saved(save, **values)), tmp_path)
    assert {name: (array.dtype, array.tolist()) for name, array in found.items()} == {
        name: (array.dtype, array.tolist()) for name, array in values.items()
    }
    assert files_in(tmp_path) == {"x.npz"}


def test_what_is_stored_is_not_copied(tmp_path):
    array = opened(tmp_path, saved(a=np.arange(3))).array("a", "nowhere")
    assert not array.flags.owndata
    assert not array.flags.writeable


def test_the_same_variables_give_the_same_file(tmp_path):
    module = make_module(tmp_path / "module", {"a": np.arange(3)})
    found = []
    for _ in range(2):
        file = io.BytesIO()
        with BundleReader(checkpoint_prefix(module)) as reader:
            npz_file.write(file, reader, list(reader.entries.values()), lambda size: None)
        found.append(file.getvalue())
    assert found[0] == found[1]
    assert zipfile.ZipFile(io.BytesIO(found[0])).testzip() is None


def test_a_file_before_the_archive_does_no_harm(tmp_path):
    found = arrays_of(opened(tmp_path, b"#!/bin/sh\n" + saved(a=np.arange(3))), tmp_path)
    assert found["a"].tolist() == [0, 1, 2]


def encrypted():
    data = bytearray(saved(a=np.arange(3)))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def cut_short():
    """An archive that says it is whole, and whose member's data leads out of it."""
    data = bytearray(npz_of([("a.npy", npy_of(np.arange(3)))]))
    size = struct.pack("<I", len(npy_of(np.arange(3))))
    return bytes(data.replace(size + size, size + struct.pack("<I", 1 << 30)))


HOSTILE = {
    "nothing": b"",
    "no zip": b"\x93NUMPY" + b"\0" * 100,
    "cut short": saved(a=np.arange(3))[:-30],
    "no npy": npz_of([("a.txt", b"")]),
    "no header": npz_of([("a.npy", b"hello")]),
    "an empty member": npz_of([("a.npy", b"")]),
    "twice": npz_of([("a.npy", npy_of(np.arange(3)))] * 2),
    "objects": saved(a=np.array([{}], object)),
    "fields": saved(a=np.zeros(2, "i4,f4")),
    "dates": saved(a=np.zeros(2, "M8[s]")),
    "more data": npz_of([("a.npy", npy_of(np.arange(3)) + b"x")]),
    "less data": npz_of([("a.npy", npy_of(np.arange(3))[:-1])]),
    "a huge shape": npz_of([("a.npy", encode_header("|u1", (1 << 70,)) + b"abc")]),
    "encrypted": encrypted(),
    "packed otherwise": npz_of([("a.npy", npy_of(np.arange(3)))], zipfile.ZIP_LZMA),
    "a wrong size": cut_short(),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_files_that_cannot_be_are_refused_with_their_name(tmp_path, data):
    with pytest.raises(CorruptModuleError, match=r"x\.npz, byte \d+: "):
        arrays_of(opened(tmp_path, data), tmp_path)


def test_pickled_objects_are_not_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("it was unpickled",))

    with pytest.raises(CorruptModuleError, match="pickled and could run code"):
        opened(tmp_path, saved(a=np.array([Trap()], object)))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_data_is_found(tmp_path, save):
    data = bytearray(saved(save, a=np.random.default_rng(1).random(10_000)))
    data[data.rindex(b"PK\x01\x02") - 50] ^= 1
    with pytest.raises(CorruptModuleError, match=r"'a\.npy' cannot be unpacked"):
        arrays_of(opened(tmp_path, bytes(data)), tmp_path)


def test_a_bomb_is_not_unpacked_beyond_what_it_says(tmp_path):
    """A deflated member says that it is small, and is 64 MB."""
    real = npy_of(np.zeros(4, np.uint8))
    data = bytearray(npz_of([("a.npy", real + b"\0" * (1 << 26))], zipfile.ZIP_DEFLATED))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", len(real))
    data[at + 16 : at + 20] = struct.pack("<I", zlib.crc32(real))
    found = arrays_of(opened(tmp_path, bytes(data)), tmp_path)
    assert found["a"].tolist() == [0, 0, 0, 0]


def test_more_dimensions_than_numpy_has_are_refused_when_read(tmp_path):
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {(1,) * 100}, }}".encode()
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + b"x"
    with pytest.raises(WeightsError, match="'a' in a shape that NumPy cannot have"):
        arrays_of(opened(tmp_path, npz_of([("a.npy", npy)])), tmp_path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_nothing_but_our_errors_comes_out(tmp_path, save):
    sound = saved(save, a=np.arange(3, dtype=np.float32), b=np.eye(2, dtype=np.int16), s=np.array([b"x", b"yy"]))
    chance = random.Random(5)
    refused = 0
    for number in range(MUTATIONS // 2):
        data = bytearray(sound)
        if number < len(sound):
            del data[number:]
        else:
            for _ in range(chance.choice([1, 1, 2, 8])):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            arrays_of(opened(tmp_path, bytes(data)), tmp_path)
        except Tf1HubError:
            refused += 1
    assert refused > MUTATIONS / 4
