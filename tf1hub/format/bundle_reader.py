"""Reads a checkpoint (TensorFlow's TensorBundle) without TensorFlow.

    PREFIX.index                    which tensors there are, and where (bundle_index.py)
    PREFIX.data-0000I-of-0000N      the tensors' bytes: little-endian elements in row-major order, or strings
                                    (string_tensor.py)

After tensorflow/core/util/tensor_bundle/tensor_bundle.h. Opening reads the index alone. Tensors are read-only
views of the mapped data files where that can be, so a data file must not be cut short while they are in use.
"""

import itertools
import math
import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from tf1hub.errors import CheckpointError, CorruptModuleError
from tf1hub.format import boxes, dtypes
from tf1hub.format.box_set import BoxSet
from tf1hub.format.boxes import Box
from tf1hub.format.bundle_data import DataFiles
from tf1hub.format.bundle_entry import TensorEntry, TensorSlice
from tf1hub.format.bundle_index import BundleIndex
from tf1hub.format.checksums import extend_crc, mask_crc, unmask_crc
from tf1hub.format.damage import corrupt
from tf1hub.format.string_tensor import StringTensorError, check_strings, parse_strings

# Searching for parts that overlap takes time that is quadratic in their number.
_MAX_SLICES = 10_000
_CHECKED_AT_ONCE = 32 << 20


class BundleReader:
    """An open checkpoint.

    Args:
      prefix: the path without `.index`, e.g. `my_module/variables/variables`.
      check_blocks: whether to verify the checksums of the index now; `check_tensor` does tensors.

    Raises CheckpointError when there is no such checkpoint, CorruptModuleError when its index cannot be read,
    and UnsupportedModuleError when it is big-endian or of a later version.
    """

    def __init__(self, prefix: str | os.PathLike[str], check_blocks: bool = True) -> None:
        self.index = BundleIndex(prefix, check_blocks)
        self.prefix = self.index.prefix
        self._boxes: dict[str, tuple[list[TensorEntry], BoxSet]] = {}
        self._files: DataFiles | None = DataFiles(self.prefix, self.index.num_shards)

    def __enter__(self) -> "BundleReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the data files. Arrays that were read stay valid."""
        if self._files:
            self._files.close()
        self._files = None

    @property
    def entries(self) -> Mapping[str, TensorEntry]:
        """What the index says of each tensor, by name, in the order of the file (sorted)."""
        return self.index.entries

    def entry(self, name: str) -> TensorEntry:
        """The entry of a tensor. Raises CheckpointError, with the names closest to it, when there is none."""
        return self.index.entry(name)

    def slice_entry(self, name: str, part: TensorSlice) -> TensorEntry:
        """The entry of one of the slices listed in `entry(name).slices`; its shape is the slice's."""
        return self.index.slice_entry(name, part)

    def read(self, name: str, check: bool = False) -> npt.NDArray[Any]:
        """A tensor's value.

        Args:
          name: the tensor's name.
          check: whether to verify its checksum first.

        Returns a read-only view of the data file for a tensor that is stored whole, a new array for a
        partitioned one, and a new array of objects of type bytes for strings.

        Raises CheckpointError for an unknown name or a type that NumPy lacks, CorruptModuleError for bytes
        that cannot be read.
        """
        if check:
            self.check_tensor(name)
        return self.read_slice(name, *boxes.whole(self.entry(name).shape))

    def read_slice(self, name: str, start: tuple[int, ...], shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """A part of a tensor, which begins at the index `start` and has that shape.

        Only that part is read: as a read-only view when it lies in one stored piece, else as a new array.

        Raises CheckpointError when the part leads out of the tensor, and otherwise what `read` raises.
        """
        entry = self.entry(name)
        box = (tuple(start), tuple(shape))
        if not boxes.lies_in(box, entry.shape):
            raise CheckpointError(f"start {start}, shape {shape} leads out of '{name}', shape {list(entry.shape)}.")
        if not entry.slices:
            return self._read_stored(entry)[boxes.indices(box)]
        return self._assemble(entry, box)

    def raw(self, entry: TensorEntry) -> memoryview:
        """The stored bytes of a whole tensor or of a slice, not copied.

        Raises CorruptModuleError when the data file is missing or too short, or the size is wrong.
        """
        if self._files is None:
            raise CheckpointError(f"{self.prefix} was closed; open it again to read '{entry.name}'.")
        if entry.slices:
            raise CheckpointError(f"'{entry.name}' is stored in slices; take the raw bytes of each `slice_entry`.")
        if entry.nbytes is not None and entry.nbytes != entry.size:
            found = f"{entry.size} bytes for '{entry.name}', whose shape {list(entry.shape)} takes {entry.nbytes}"
            raise corrupt(self._files.path(entry.shard_id), entry.offset, found)
        return self._files.view(entry.name, entry.shard_id, entry.offset, entry.size)

    def stored_entries(self, name: str) -> list[TensorEntry]:
        """The entries that hold a tensor's bytes: its own, or those of its slices in the order listed."""
        entry = self.entry(name)
        return self._parts(entry)[0] if entry.slices else [entry]

    def release_memory(self) -> None:
        """Let the system take back the memory that reading filled, as who copies large files should.

        Arrays stay valid; they are read from the file again when they are used.
        """
        if self._files:
            self._files.release_memory()

    def check_tensor(self, name: str) -> None:
        """Verify the checksums of a tensor's bytes. Raises CorruptModuleError when one does not fit."""
        for entry in self.stored_entries(name):
            data = self.raw(entry)
            if dtypes.base_dtype(entry.dtype) == dtypes.STRING:
                try:
                    check_strings(data, entry.num_elements, unmask_crc(entry.crc32c))
                except StringTensorError as error:
                    raise self._corrupt_data(entry, error.position, str(error)) from error
            elif self._checksum(data) != entry.crc32c:
                raise self._corrupt_data(entry, 0, f"{entry.size} bytes that do not fit their checksum")

    def _checksum(self, data: memoryview) -> int:
        """The masked crc of mapped bytes, of which not all are in memory at once."""
        crc = 0
        for start in range(0, len(data), _CHECKED_AT_ONCE):
            crc = extend_crc(crc, data[start : start + _CHECKED_AT_ONCE])
            if len(data) > _CHECKED_AT_ONCE:
                self.release_memory()
        return mask_crc(crc)

    def _parts(self, entry: TensorEntry) -> tuple[list[TensorEntry], BoxSet]:
        """The entries of a partitioned tensor's slices and their places, which do not overlap."""
        if entry.name not in self._boxes:
            if len(entry.slices) > _MAX_SLICES:
                found = f"'{entry.name}' in {len(entry.slices)} slices, where at most {_MAX_SLICES} are supported"
                raise corrupt(self.index.path, 0, found)
            places = BoxSet([part.box(entry.shape) for part in entry.slices])
            clash = places.find_clash()
            if clash:
                one, other = (entry.slices[index] for index in clash)
                found = f"'{entry.name}' with slices that overlap: {one} and {other}"
                raise corrupt(self.index.path, 0, found)
            found_entries = [self.index.find_slice_entry(entry, part) for part in entry.slices]
            self._check_apart(found_entries)
            self._boxes[entry.name] = found_entries, places
        return self._boxes[entry.name]

    def _check_apart(self, stored: list[TensorEntry]) -> None:
        """Raise when slices share bytes: few bytes could then become an array of any size."""
        ordered = sorted(stored, key=lambda each: (each.shard_id, each.offset, each.size))
        for one, other in itertools.pairwise(ordered):
            if one.shard_id == other.shard_id and one.offset + one.size > other.offset:
                raise self._corrupt_data(other, 0, f"slices that share bytes from {other.offset} on")

    def _assemble(self, entry: TensorEntry, box: Box) -> npt.NDArray[Any]:
        """The part `box` of a partitioned tensor."""
        stored, places = self._parts(entry)
        overlaps = places.find_overlaps(box)
        found = sum(math.prod(overlap[1]) for _, overlap in overlaps)
        if found != math.prod(box[1]):
            missing = f"slices of '{entry.name}' for {found} of the {math.prod(box[1])} elements wanted"
            raise corrupt(self.index.path, 0, missing)
        # All parts are found in the files before the array is made, which bounds its size.
        values = [
            (overlap, self._read_stored(stored[at])[boxes.indices(boxes.inside(overlap, places.box(at)))])
            for at, overlap in overlaps
        ]
        if len(values) == 1:
            return values[0][1]
        target = np.empty(box[1], self._numpy_dtype(entry))
        for overlap, value in values:
            target[boxes.indices(boxes.inside(overlap, box))] = value
        return target

    def _read_stored(self, entry: TensorEntry) -> npt.NDArray[Any]:
        """The value of a tensor or slice that is stored in one piece."""
        dtype = self._numpy_dtype(entry)
        if len(entry.shape) > _max_rank():
            raise CheckpointError(f"'{entry.name}' has {len(entry.shape)} dimensions, more than NumPy can hold.")
        if dtypes.base_dtype(entry.dtype) != dtypes.STRING:
            return np.frombuffer(self.raw(entry), dtype).reshape(entry.shape)
        try:
            strings = parse_strings(self.raw(entry), entry.num_elements)
        except StringTensorError as error:
            raise self._corrupt_data(entry, error.position, str(error)) from error
        return np.fromiter(strings, object, entry.num_elements).reshape(entry.shape)

    def _numpy_dtype(self, entry: TensorEntry) -> np.dtype[Any]:
        try:
            return dtypes.numpy_dtype(entry.dtype)
        except ValueError as error:
            raise CheckpointError(f"'{entry.name}' of {self.prefix} cannot be read as an array: {error}.") from error

    def _corrupt_data(self, entry: TensorEntry, position: int, found: str) -> CorruptModuleError:
        path = DataFiles(self.prefix, self.index.num_shards).path(entry.shard_id)
        return corrupt(path, entry.offset + position, f"'{entry.name}': {found}")


def _max_rank() -> int:
    """The dimensions that an array can have: 64, or 32 before NumPy 2."""
    return 64 if int(np.__version__.split(".")[0]) >= 2 else 32
