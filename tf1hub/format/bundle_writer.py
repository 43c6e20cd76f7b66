"""Writes a checkpoint (TensorFlow's TensorBundle) without TensorFlow.

    PREFIX.data-0000I-of-0000N      the tensors' bytes as they are added, back to back
    PREFIX.index                    a table (table.py): "" -> header, tensor name -> entry, slice key -> entry

After tensorflow/core/util/tensor_bundle/tensor_bundle.h. Data is written in sequence and the index last. All
files bear the suffix `.partial` until `close`, so nothing that was there before is touched by a failure.
"""

import contextlib
import dataclasses
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from tf1hub.errors import CheckpointError
from tf1hub.format import boxes, dtypes
from tf1hub.format.boxes import Box
from tf1hub.format.bundle_data import data_path, index_path
from tf1hub.format.bundle_entry import TensorEntry, TensorSlice, encode_header
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.checksums import BytesLike, extend_crc, mask_crc
from tf1hub.format.ordered_code import encode_slice_key
from tf1hub.format.string_tensor import encode_strings
from tf1hub.format.table import TableWriter

_PARTIAL = ".partial"
# Bytes of a tensor that are in hand at a time.
CHUNK_SIZE = 4 << 20


class _DataFile:
    """A data file that is being written."""

    def __init__(self, path: str, shard_id: int) -> None:
        self.path = path
        self.shard_id = shard_id
        self.size = 0
        self.file = open(path + _PARTIAL, "wb")  # noqa: SIM115 (closed by the writer)

    def write(self, data: BytesLike) -> None:
        try:
            self.file.write(data)
        except OSError as error:  # Of a full disk the system does not say which file it was.
            raise OSError(error.errno, error.strerror, self.path) from error
        self.size += len(data)


class BundleWriter:
    """A checkpoint that is being written; use it in a `with` statement, whose end writes the index.

    Args:
      prefix: the path without `.index`; its directory must exist. Files of that name are replaced at the end.
      num_shards: the number of data files. Each tensor goes to the one with the fewest bytes.

    When the `with` statement is left by an exception, nothing is kept. Whatever cannot be written as asked
    raises CheckpointError; what was added before stays.

    >>> import tempfile
    >>> prefix = tempfile.mkdtemp() + '/variables'
    >>> with BundleWriter(prefix) as writer:
    ...     writer.add('weights', np.eye(2, dtype=np.float32))
    >>> BundleReader(prefix).read('weights').tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, prefix: str | os.PathLike[str], num_shards: int = 1) -> None:
        if num_shards < 1:
            raise CheckpointError(f"num_shards is {num_shards}; a checkpoint has at least one data file.")
        self.prefix = os.fspath(prefix)
        self._num_shards = num_shards
        self._entries: dict[str, TensorEntry] = {}
        self._slice_entries: dict[bytes, TensorEntry] = {}
        self._data_files: list[_DataFile] = []
        self._open = True
        try:
            for shard_id in range(num_shards):
                self._data_files.append(_DataFile(data_path(self.prefix, shard_id, num_shards), shard_id))
        except OSError:
            self.abandon()
            raise

    def __enter__(self) -> "BundleWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def add(self, name: str, array: npt.ArrayLike, dtype: int | None = None) -> None:
        """Write a tensor.

        Args:
          name: its name.
          array: its value; for strings an array of bytes or str, the latter stored as UTF-8.
          dtype: its DataType number where NumPy's type does not tell, as for quantised integers.
        """
        value, number = _as_tensor(name, array, dtype)
        self._check_new(name)
        self._entries[name] = self._store_array(name, number, value)

    def add_streamed(self, name: str, dtype: int, shape: Sequence[int], chunks: Iterable[BytesLike]) -> None:
        """Write a tensor from its bytes (little-endian, row-major), cut anywhere into chunks."""
        self._check_new(name)
        self._entries[name] = self._store_chunks(name, dtype, tuple(shape), chunks)

    def add_rows_streamed(self, name: str, dtype: int, row_shape: Sequence[int], chunks: Iterable[BytesLike]) -> None:
        """Write a tensor whose number of rows shows when its bytes end; a row is a tensor of `row_shape`."""
        self._check_new(name)
        row_size = (dtypes.item_size(dtypes.base_dtype(dtype)) or 0) * math.prod(row_shape)
        if row_size <= 0:
            raise CheckpointError(
                f"'{name}' cannot be streamed in rows of {dtypes.dtype_name(dtype)} {list(row_shape)}."
            )
        target = self._emptiest()
        offset = target.size
        crc = _write_chunks(target, chunks)
        rows, rest = divmod(target.size - offset, row_size)
        if rest:
            raise CheckpointError(f"the bytes of '{name}' end in row {rows}, after {rest} of its {row_size} bytes.")
        shape = (rows, *row_shape)
        self._entries[name] = TensorEntry(
            name, dtypes.base_dtype(dtype), shape, target.shard_id, offset, target.size - offset, mask_crc(crc)
        )

    def add_slice(
        self,
        full_name: str,
        full_shape: Sequence[int],
        start: Sequence[int],
        array: npt.ArrayLike,
        dtype: int | None = None,
    ) -> None:
        """Write the part of a partitioned tensor that begins at the index `start` and has the array's shape.

        The parts of a tensor may be added in any order, and among other tensors. One that is all of it is
        stored as a tensor that is not partitioned.
        """
        value, number = _as_tensor(full_name, array, dtype)
        box = (tuple(start), value.shape)
        self._check_part(full_name, number, tuple(full_shape), box)
        self._add_part(self._store_array(full_name, number, value), tuple(full_shape), box)

    def add_slice_streamed(
        self,
        full_name: str,
        full_shape: Sequence[int],
        start: Sequence[int],
        dtype: int,
        shape: Sequence[int],
        chunks: Iterable[BytesLike],
    ) -> None:
        """Write a part of a partitioned tensor, of that shape, from its bytes, cut anywhere into chunks."""
        box = (tuple(start), tuple(shape))
        self._check_part(full_name, dtype, tuple(full_shape), box)
        self._add_part(self._store_chunks(full_name, dtype, box[1], chunks), tuple(full_shape), box)

    def add_copy(self, name: str, reader: BundleReader, entry: TensorEntry) -> None:
        """Write a tensor of another checkpoint under `name`, byte by byte, with its slices and checksums.

        The checksums are not verified: what was damaged there is known to be damaged here.
        """
        self._check_new(name)
        dtype = dtypes.base_dtype(entry.dtype)
        if not entry.slices:
            self._entries[name] = self._store_raw(name, reader, entry, dtype)
            return
        for part in entry.slices:
            stored = self._store_raw(name, reader, reader.slice_entry(entry.name, part), dtype)
            self._slice_entries[encode_slice_key(name, part.start, part.length)] = stored
        self._entries[name] = TensorEntry(name, dtype, entry.shape, slices=entry.slices)

    def close(self) -> None:
        """Write the index and give all files their names. Nothing can be added afterwards."""
        if not self._open:
            return
        try:
            for each in self._data_files:
                each.file.close()
            with open(index_path(self.prefix) + _PARTIAL, "wb") as file:
                self._write_index(TableWriter(file))
        except BaseException:
            self.abandon()
            raise
        for path in self._paths():
            os.replace(path + _PARTIAL, path)
        self._open = False

    def abandon(self) -> None:
        """Remove what was written."""
        if not self._open:
            return
        self._open = False
        for each in self._data_files:
            with contextlib.suppress(OSError):
                each.file.close()
        for path in self._paths():
            with contextlib.suppress(OSError):
                os.remove(path + _PARTIAL)

    def _paths(self) -> list[str]:
        """The files, the index last."""
        return [*(each.path for each in self._data_files), index_path(self.prefix)]

    def _write_index(self, table: TableWriter) -> None:
        rows = {name.encode(): entry for name, entry in self._entries.items()} | self._slice_entries
        table.add(b"", encode_header(self._num_shards))
        for key in sorted(rows):
            table.add(key, rows[key].encode())
        table.finish()

    def _check_new(self, name: str) -> None:
        """Raise unless a tensor can be added under `name`."""
        if not self._open:
            raise CheckpointError(f"the checkpoint {self.prefix} is finished; '{name}' comes too late.")
        if not name or name.startswith("\x00"):
            raise CheckpointError(f"{name!r} cannot be a tensor's name; give one that is not empty.")
        if name in self._entries:
            raise CheckpointError(f"'{name}' was added to {self.prefix} before; each name can be there once.")

    def _check_part(self, name: str, dtype: int, full_shape: tuple[int, ...], box: Box) -> None:
        """Raise unless the part fits its tensor and the parts that are there."""
        if not boxes.lies_in(box, full_shape):
            raise CheckpointError(
                f"the part of '{name}' at {box[0]}, of shape {box[1]}, leads out of shape {list(full_shape)}."
            )
        known = self._entries.get(name)
        if not known or not known.slices:
            self._check_new(name)
            return
        if (known.shape, known.dtype) != (full_shape, dtypes.base_dtype(dtype)):
            raise CheckpointError(
                f"a part of '{name}' is one of shape {list(full_shape)}, {dtypes.dtype_name(dtype)}; "
                f"those before are of {list(known.shape)}, {dtypes.dtype_name(known.dtype)}."
            )
        if TensorSlice(*box) in known.slices:
            raise CheckpointError(f"the part of '{name}' with start {box[0]} was added before.")

    def _add_part(self, stored: TensorEntry, full_shape: tuple[int, ...], box: Box) -> None:
        """Enter a part that is stored and checked."""
        name = stored.name
        if box == boxes.whole(full_shape):
            self._entries[name] = stored
            return
        whole = self._entries.get(name, TensorEntry(name, stored.dtype, full_shape))
        self._entries[name] = dataclasses.replace(whole, slices=(*whole.slices, TensorSlice(*box)))
        self._slice_entries[encode_slice_key(name, *box)] = stored

    def _store_array(self, name: str, dtype: int, value: npt.NDArray[Any]) -> TensorEntry:
        if dtype != dtypes.STRING:
            return self._store_chunks(name, dtype, value.shape, iter_array_bytes(value))
        data, crc = encode_strings(_as_bytes(name, value))
        target = self._emptiest()
        entry = TensorEntry(name, dtype, value.shape, target.shard_id, target.size, len(data), mask_crc(crc))
        target.write(data)
        return entry

    def _store_chunks(self, name: str, dtype: int, shape: tuple[int, ...], chunks: Iterable[BytesLike]) -> TensorEntry:
        dtype = dtypes.base_dtype(dtype)
        size = dtypes.item_size(dtype)
        if size is None or any(count < 0 for count in shape):
            raise CheckpointError(
                f"'{name}' of type {dtypes.dtype_name(dtype)}, shape {list(shape)} cannot be streamed."
            )
        expected = size * math.prod(shape)
        target = self._emptiest()
        offset = target.size
        crc = _write_chunks(target, chunks, expected)
        if target.size - offset > expected:
            raise CheckpointError(f"more than the {expected} bytes of '{name}', shape {list(shape)}, came.")
        if target.size - offset != expected:
            raise CheckpointError(
                f"{target.size - offset} of the {expected} bytes of '{name}', shape {list(shape)}, came."
            )
        return TensorEntry(name, dtype, shape, target.shard_id, offset, expected, mask_crc(crc))

    def _store_raw(self, name: str, reader: BundleReader, entry: TensorEntry, dtype: int) -> TensorEntry:
        target = self._emptiest()
        offset = target.size
        data = reader.raw(entry)
        for at in range(0, len(data), CHUNK_SIZE):
            target.write(data[at : at + CHUNK_SIZE])
            reader.release_memory()
        return dataclasses.replace(entry, name=name, dtype=dtype, shard_id=target.shard_id, offset=offset)

    def _emptiest(self) -> _DataFile:
        return min(self._data_files, key=lambda each: each.size)


def _write_chunks(target: _DataFile, chunks: Iterable[BytesLike], most: float = math.inf) -> int:
    """Write a tensor's bytes, and stop after more than `most`; returns their checksum."""
    crc = 0
    end = target.size + most
    for chunk in chunks:
        view = memoryview(chunk)
        data = view if view.nbytes == 0 else view.cast("B")
        target.write(data)
        crc = extend_crc(crc, data)
        if target.size > end:
            break
    return crc


def iter_array_bytes(array: npt.NDArray[Any]) -> Iterator[memoryview]:
    """The bytes of an array (little-endian, row-major), a chunk at a time; no whole copy is made."""
    little = array.dtype.newbyteorder("<")
    for box in boxes.iter_runs(boxes.whole(array.shape), max(1, CHUNK_SIZE // array.itemsize)):
        piece = np.ascontiguousarray(array[boxes.indices(box)], little)
        yield piece.reshape(-1).view(np.uint8).data


def _as_tensor(name: str, array: npt.ArrayLike, dtype: int | None) -> tuple[npt.NDArray[Any], int]:
    """The array, and the number of its type."""
    # Not NumPy's own type for bytes, which drops zeros at the end.
    value = np.array(array, object) if isinstance(array, bytes) else np.asarray(array)
    try:
        number = dtypes.dtype_of(value.dtype)
        if dtype is None:
            return value, number
        if dtypes.numpy_dtype(number) == dtypes.numpy_dtype(dtype):
            return value, dtypes.base_dtype(dtype)
    except ValueError as error:
        raise CheckpointError(f"'{name}' cannot be written: {error}.") from error
    raise CheckpointError(f"'{name}' is an array of {value.dtype}, which cannot be a {dtypes.dtype_name(dtype)}.")


def _as_bytes(name: str, value: npt.NDArray[Any]) -> list[bytes]:
    """The strings of an array in row-major order."""
    strings = [each.encode() if isinstance(each, str) else each for each in value.reshape(-1).tolist()]
    for each in strings:
        if not isinstance(each, bytes):
            raise CheckpointError(f"'{name}' holds {each!r}, which is neither bytes nor str.")
    return strings
