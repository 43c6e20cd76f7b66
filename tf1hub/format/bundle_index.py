"""Reads the index of a checkpoint: which tensors it holds, and where. NumPy is not needed for that.

    PREFIX.index                    a table (table.py): "" -> header, tensor name -> entry, slice key -> entry

After tensorflow/core/util/tensor_bundle/tensor_bundle.h.
"""

import os
import sys
from collections.abc import Mapping
from types import MappingProxyType

from tf1hub.errors import CheckpointError, UnsupportedModuleError
from tf1hub.files import open_local
from tf1hub.format.bundle_data import index_path
from tf1hub.format.bundle_entry import (
    EntryError,
    TensorEntry,
    TensorSlice,
    UnsupportedBundleError,
    parse_entry,
    parse_header,
)
from tf1hub.format.close_names import find_close_names
from tf1hub.format.damage import corrupt
from tf1hub.format.ordered_code import encode_slice_key, is_slice_key
from tf1hub.format.table import TableEntry, TableReader

# What the index may take of memory for each of its bytes, and on top; real ones take 5 to 15 times their bytes.
_MAX_GROWTH = 12
_MEMORY_ON_TOP = 40 << 20
# What an entry takes besides its key, a dimension, and a slice.
_ENTRY_MEMORY = 400
_DIMENSION_MEMORY = 40
_SLICE_MEMORY = 250


class BundleIndex:
    """The index of a checkpoint.

    Args:
      prefix: the path without `.index`, e.g. `my_module/variables/variables`.
      check_blocks: whether to verify the checksums of its blocks.

    Raises what BundleReader raises.
    """

    def __init__(self, prefix: str | os.PathLike[str], check_blocks: bool = True) -> None:
        self.prefix = os.fspath(prefix)
        self.path = index_path(self.prefix)
        self._slice_values: dict[bytes, TableEntry] = {}
        data = _read_index_file(self.path)
        self._memory_left = _MAX_GROWTH * len(data) + _MEMORY_ON_TOP
        self._read_index(TableReader(data, self.path, check_blocks))

    @property
    def entries(self) -> Mapping[str, TensorEntry]:
        """What the index says of each tensor, by name, in the order of the file (sorted)."""
        return MappingProxyType(self._entries)

    def entry(self, name: str) -> TensorEntry:
        """The entry of a tensor. Raises CheckpointError, with the names closest to it, when there is none."""
        if name not in self._entries:
            close = find_close_names(name, self._entries)
            hint = f"the closest there are: {', '.join(close)}" if close else "list `entries` for those there are"
            raise CheckpointError(f"{self.prefix} has no tensor '{name}'; {hint}.")
        return self._entries[name]

    def slice_entry(self, name: str, part: TensorSlice) -> TensorEntry:
        """The entry of one of the slices listed in `entry(name).slices`; its shape is the slice's."""
        whole = self.entry(name)
        if part not in whole.slices:
            raise CheckpointError(f"'{name}' of {self.prefix} is not stored with a slice {part}.")
        return self.find_slice_entry(whole, part)

    def find_slice_entry(self, whole: TensorEntry, part: TensorSlice) -> TensorEntry:
        """The entry of a slice that `whole` lists. Raises CorruptModuleError when there is none that fits."""
        row = self._slice_values.get(encode_slice_key(whole.name, part.start, part.length))
        if row is None:
            found = f"no entry for the slice {part} that '{whole.name}' lists"
            raise corrupt(self.path, 0, found)
        entry = self._parse_entry(whole.name, row)
        if entry.dtype != whole.dtype or entry.shape != part.box(whole.shape)[1] or entry.slices:
            found = f"an entry of shape {list(entry.shape)} for the slice {part} of '{whole.name}'"
            raise corrupt(self.path, row.offset, found)
        return entry

    def _read_index(self, table: TableReader) -> None:
        """Sort the table's entries into the header, the tensors and the slices."""
        rows = iter(table)
        header = next(rows, None)
        if header is None or header.key != b"":
            raise corrupt(self.path, 0, "a table without a checkpoint's header")
        try:
            self.num_shards = parse_header(header.value)
        except UnsupportedBundleError as error:
            raise UnsupportedModuleError(f"{self.path}: {error}.") from error
        except EntryError as error:
            raise corrupt(self.path, header.offset, str(error)) from error
        self._entries: dict[str, TensorEntry] = {}
        for row in rows:
            if is_slice_key(row.key):
                self._slice_values[row.key] = row
                self._count_memory(row, sys.getsizeof(row.key) + sys.getsizeof(row.value))
            else:
                entry = self._parse_entry(self._parse_name(row), row)
                self._entries[entry.name] = entry
                dimensions = len(entry.shape) * (1 + 2 * len(entry.slices))
                inner = dimensions * _DIMENSION_MEMORY + len(entry.slices) * _SLICE_MEMORY
                self._count_memory(row, sys.getsizeof(entry.name) + inner)

    def _count_memory(self, row: TableEntry, size: int) -> None:
        """Raise when a file that is not large would fill the memory, by keys that share nearly all of their bytes."""
        self._memory_left -= size + _ENTRY_MEMORY
        if self._memory_left < 0:
            raise corrupt(self.path, row.offset, "entries so many and so small that they would fill the memory")

    def _parse_name(self, row: TableEntry) -> str:
        try:
            return row.key.decode()
        except UnicodeDecodeError as error:
            found = f"a tensor's name that is not UTF-8: {row.key!r}"
            raise corrupt(self.path, row.offset, found) from error

    def _parse_entry(self, name: str, row: TableEntry) -> TensorEntry:
        try:
            return parse_entry(name, row.value)
        except EntryError as error:
            raise corrupt(self.path, row.offset, str(error)) from error


def _read_index_file(path: str) -> bytes:
    try:
        with open_local(path) as file:
            return file.read()
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no checkpoint here: {path} does not exist.") from error
    except OSError as error:
        raise corrupt(path, 0, f"the file cannot be read ({error.strerror})") from error
