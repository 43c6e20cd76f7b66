"""Files of input that are damaged give our own errors or values, whatever is in them. No TensorFlow."""

import random

import numpy as np
import pytest
from click import UsageError
from PIL import Image

from tests.cli.test_calls import spec_of
from tf1hub.cli.applying.calls import call_of
from tf1hub.cli.applying.inputs import Given, open_source
from tf1hub.cli.applying.pictures import ImageReader
from tf1hub.errors import Tf1HubError


def write_npy(path):
    np.save(path, np.eye(3))


def write_npz(path):
    np.savez(path, x=np.eye(3))


def write_compressed(path):
    np.savez_compressed(path, x=np.eye(3))


def write_json(path):
    path.write_text('[1, 2, 3]\n{"x": [4, 5, 6]}\n')


def write_picture(path):
    Image.fromarray(np.random.RandomState(0).randint(0, 256, [8, 8, 3]).astype(np.uint8)).save(path)


def damaged(data: bytes, seed: int) -> bytes:
    """The bytes cut short, or some of them changed."""
    choices = random.Random(seed)
    if seed % 5 == 0:
        return data[: choices.randrange(len(data))]
    changed = bytearray(data)
    for _ in range(choices.randrange(1, 4)):
        changed[choices.randrange(len(data))] = choices.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize(
    ("write", "name", "shape"),
    [
        (write_npy, "x.npy", (None, 3)),
        (write_npz, "x.npz", (None, 3)),
        (write_compressed, "x.npz", (None, 3)),
        (write_json, "x.jsonl", (None, 3)),
        (write_picture, "x.png", (None, 8, 8, 3)),
        (write_picture, "x.jpg", (None, 8, 8, 3)),
    ],
)
def test_damaged_files_give_our_own_errors(write, name, shape, tmp_path):
    file = tmp_path / name
    write(file)
    data, spec = file.read_bytes(), spec_of({"x": shape})
    call, messages = call_of(spec, frozenset(), None), []
    for seed in range(400):
        file.write_bytes(damaged(data, seed))
        try:
            source = open_source(Given((), {}, (str(file),), None), call, 2, ImageReader(spec, frozenset()))
            assert all(len(batch.feeds["x"]) == batch.count for batch in source.batches)
        except (Tf1HubError, UsageError) as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert [message for message in messages if name not in message] == []
