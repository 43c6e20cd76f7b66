"""Faults of a checkpoint's data files: their sizes, what lies where in them, and each byte."""

import os
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from tf1hub.checks.verifying.checkpoint_index import CheckpointIndex
from tf1hub.checks.verifying.findings import FAULT, Finding, named
from tf1hub.checks.verifying.module_files import ModuleFiles, printable, reason
from tf1hub.checks.wording import quoted
from tf1hub.format import dtypes
from tf1hub.format.bundle_data import DataFiles, data_path, index_path
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.checksums import extend_crc, mask_crc, unmask_crc
from tf1hub.format.string_tensor import StringTensorError, check_strings

_DATA_FILE = re.compile(r"\.data-(\d{5,10})-of-(\d{5,10})")
# TensorFlow can be told to align tensors, with zeros before them. More than a page is no alignment.
_LONGEST_PADDING = 4096


def is_data_file(name: str, prefix: str) -> bool:
    """Whether a file has the name of a data file of the checkpoint."""
    return name.startswith(prefix) and _DATA_FILE.fullmatch(name, len(prefix)) is not None


def iter_data_faults(
    files: ModuleFiles, prefix: str, index: CheckpointIndex, names: Iterable[str]
) -> Iterator[Finding]:
    """Faults of the data files of a checkpoint, whose bytes are read in the order in which they lie there.

    Args:
      files: the module's.
      prefix: the checkpoint's inside the module, without `.index`.
      index: what can be read of its index.
      names: the data files that are there.
    """
    matches = [match for name in names if (match := _DATA_FILE.fullmatch(name, len(prefix)))]
    num_shards = index.num_shards
    if num_shards is None:
        counts = {int(match[2]) for match in matches}
        if len(counts) != 1:
            return
        num_shards = counts.pop()
    stored: dict[int, list[TensorEntry]] = {int(match[1]): [] for match in matches if int(match[2]) == num_shards}
    for entry in index.stored:
        stored.setdefault(entry.shard_id, []).append(entry)
    for shard_id, entries in sorted(stored.items()):
        if shard_id < num_shards:
            yield from _DataFile(files, prefix, shard_id, num_shards, index.is_whole).iter_faults(entries)
            continue
        for entry in entries:
            found = f"it is said to lie in data file {shard_id}, and there are {num_shards}, counted from 0"
            yield Finding(FAULT, found, index_path(prefix), None, entry.name)
    yield from _iter_count_faults(prefix, num_shards, stored, matches)


def _iter_count_faults(
    prefix: str, num_shards: int, stored: dict[int, list[TensorEntry]], matches: list[re.Match[str]]
) -> Iterator[Finding]:
    """Data files that are not there though nothing lies in them, and those that the index does not speak of."""
    known = sum(shard_id < num_shards for shard_id in stored)
    if known < num_shards:
        first = next(shard_id for shard_id in range(num_shards) if shard_id not in stored)
        others = f", nor are {num_shards - known - 1:,} others" if known + 1 < num_shards else ""
        found = f"no such file, though the index speaks of {num_shards:,} data files{others}"
        yield Finding(FAULT, found, data_path(prefix, first, num_shards))
    for match in matches:
        if int(match[2]) != num_shards or int(match[1]) >= num_shards:
            found = f"a data file that the index does not speak of: it has {num_shards:,}"
            yield Finding(FAULT, found, printable(match.string))


class _DataFile:
    """One data file, and what was seen of it so far."""

    def __init__(self, files: ModuleFiles, prefix: str, shard_id: int, num_shards: int, is_whole: bool) -> None:
        self._files = files
        self._name = data_path(prefix, shard_id, num_shards)
        self._views = DataFiles(files.path(prefix), num_shards)
        self._is_whole = is_whole
        self._size = 0
        # Where the tensors so far end, and which of them ends there.
        self._end = 0
        self._last = ""

    def iter_faults(self, entries: list[TensorEntry]) -> Iterator[Finding]:
        """Faults of the file, which shall hold these tensors and nothing else."""
        entries = sorted(entries, key=lambda each: (each.offset, each.size))
        try:
            file = self._files.open(self._name)
        except OSError as error:
            why = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {reason(error)}"
            names = list(dict.fromkeys(entry.name for entry in entries))
            found = f"{why}; in it lie {named(names)}" if names else why
            yield Finding(FAULT, found, self._name, None, names[0] if names else None)
            return
        cut_off = []
        with file:
            self._size = os.fstat(file.fileno()).st_size
            for entry in entries:
                faults = list(self._iter_place_faults(file, entry))
                yield from faults
                if entry.offset + entry.size > self._size:
                    cut_off.append(entry)
                elif not faults and (finding := self._find_damage(file, entry)):
                    yield finding
                if entry.offset + entry.size > self._end:
                    self._end, self._last = entry.offset + entry.size, entry.name
        self._views.close()
        if cut_off:
            yield self._ends_early(cut_off)
        elif self._is_whole and self._size > self._end:
            found = f"{self._size - self._end:,} bytes behind the last tensor that belong to none"
            yield Finding(FAULT, found, self._name, self._end)

    def _ends_early(self, cut_off: list[TensorEntry]) -> Finding:
        """The fault of a file that ends inside of or before tensors."""
        first = cut_off[0]
        found = f"the file ends here, {'inside of' if first.offset < self._size else 'before'} {quoted(first.name)}"
        if len(cut_off) > 1:
            found += f"; behind its end lie {named([entry.name for entry in cut_off[1:]])}"
        return Finding(FAULT, found, self._name, self._size, first.name)

    def _iter_place_faults(self, file: BinaryIO, entry: TensorEntry) -> Iterator[Finding]:
        """What is wrong with where a tensor lies, and how long it is. Bytes with such faults are not checked further."""
        if entry.nbytes is not None and entry.nbytes != entry.size:
            dtype = dtypes.dtype_name(entry.dtype)
            found = f"{entry.size:,} bytes, where {dtype} of shape {list(entry.shape)} takes {entry.nbytes:,}"
            yield self._fault(entry, found)
        if not entry.size:
            return
        if entry.offset < self._end:
            found = f"its bytes from here on are those of {quoted(self._last)} too, up to byte {self._end:,}"
            yield self._fault(entry, found)
        elif entry.offset > self._end and self._is_whole and not self._is_padding(file, entry.offset):
            found = f"{entry.offset - self._end:,} bytes that belong to no tensor, before {quoted(entry.name)}"
            yield Finding(FAULT, found, self._name, self._end)

    def _is_padding(self, file: BinaryIO, offset: int) -> bool:
        """Whether the bytes before a tensor are zeros that align it, to a power of two."""
        size = offset - self._end
        if size >= _LONGEST_PADDING or offset > self._size or offset % (1 << size.bit_length()):
            return False
        try:
            return not any(b"".join(self._files.iter_pieces(file, self._end, size)))
        except OSError:
            return False

    def _find_damage(self, file: BinaryIO, entry: TensorEntry) -> Finding | None:
        """What is wrong with the bytes of a tensor."""
        if entry.nbytes is None and dtypes.base_dtype(entry.dtype) != dtypes.STRING:
            return self._fault(entry, f"{dtypes.dtype_name(entry.dtype)} cannot be checked")
        try:
            if entry.nbytes is None:
                self._check_strings(entry)
                return None
            crc = 0
            for piece in self._files.iter_pieces(file, entry.offset, entry.size):
                crc = extend_crc(crc, piece)
        except StringTensorError as error:
            return self._fault(entry, str(error), error.position)
        except OSError as error:
            return self._fault(entry, f"cannot be read: {reason(error)}")
        fits = mask_crc(crc) == entry.crc32c
        return None if fits else self._fault(entry, f"{entry.size:,} bytes that do not fit their checksum")

    def _check_strings(self, entry: TensorEntry) -> None:
        data = self._views.view(entry.name, entry.shard_id, entry.offset, entry.size)
        check_strings(data, entry.num_elements, unmask_crc(entry.crc32c))
        self._files.count(entry.size)
        self._views.release_memory()

    def _fault(self, entry: TensorEntry, found: str, position: int = 0) -> Finding:
        return Finding(FAULT, found, self._name, entry.offset + position, entry.name)
