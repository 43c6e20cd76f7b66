"""The bytes of tensors, a few megabytes at a time: out of a checkpoint, and out of mapped files."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy.typing as npt

from tf1hub.errors import CheckpointError
from tf1hub.format import boxes, dtypes
from tf1hub.format.boxes import Box
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import CHUNK_SIZE, iter_array_bytes


def iter_tensor_bytes(reader: BundleReader, entry: TensorEntry) -> Iterator[memoryview]:
    """A tensor of a checkpoint (little-endian, row-major), its parts put together.

    Raises CorruptModuleError when it does not fit its checksums; that is found before the first bytes are given.
    """
    size = dtypes.item_size(entry.dtype)
    if size is None:
        raise CheckpointError(f"'{entry.name}' of type {dtypes.dtype_name(entry.dtype)} has no elements of one size.")
    # What is written has no checksums of ours: damaged bytes would look sound.
    reader.check_tensor(entry.name)
    for run in boxes.iter_runs(boxes.whole(entry.shape), max(1, CHUNK_SIZE // size)):
        yield from iter_array_bytes(reader.read_slice(entry.name, *run))
        reader.release_memory()


def iter_part_bytes(array: npt.NDArray[Any], part: Box, release_memory: Callable[[], None]) -> Iterator[memoryview]:
    """A part of an array on a mapped file (little-endian, row-major)."""
    for run in boxes.iter_runs(part, max(1, CHUNK_SIZE // array.itemsize)):
        yield from iter_array_bytes(array[boxes.indices(run)])
        # A column-major array is read all over for each run.
        if array.flags.c_contiguous:
            release_memory()
    release_memory()
