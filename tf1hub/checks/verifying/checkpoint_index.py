"""What can be read of a checkpoint's index, whatever is wrong with the rest of it."""

from bisect import bisect_left
from collections.abc import Iterator

from tf1hub.checks.verifying.findings import FAULT, Finding
from tf1hub.checks.verifying.slice_cover import find_uncovered
from tf1hub.errors import CorruptModuleError
from tf1hub.format import dtypes
from tf1hub.format.bundle_entry import (
    EntryError,
    TensorEntry,
    TensorSlice,
    UnsupportedBundleError,
    parse_entry,
    parse_header,
)
from tf1hub.format.ordered_code import encode_slice_key, is_slice_key, slice_key_name
from tf1hub.format.table import LostEntries, TableEntry, TableReader

_HEADER = b""
_LONGEST_MESSAGE = 1000


class CheckpointIndex:
    """The readable part of the index whose bytes are `data`; findings call its file `file`.

    Attributes:
      tensors: the entry of each tensor, by name.
      stored: the entries that say where bytes lie: of tensors that are stored whole, and of slices.
      num_shards: how many data files there are; None when the header cannot be read.
      findings: what is wrong with the index.
    """

    def __init__(self, data: bytes, file: str) -> None:
        self.tensors: dict[str, TensorEntry] = {}
        self.stored: list[TensorEntry] = []
        self.num_shards: int | None = None
        self.findings: list[Finding] = []
        self._file = file
        self._lost_keys: set[bytes] = set()
        # Where entries are lost, in ascending order: above which key, and up to which.
        self._lost_from: list[bytes] = []
        self._lost_to: list[bytes | None] = []
        try:
            self._read(TableReader(data, file))
        except CorruptModuleError as error:
            self._lose(LostEntries(error, None, None))

    @property
    def is_whole(self) -> bool:
        """Whether every entry could be read, so that what is not there is known not to be there."""
        return not self._lost_from and not self._lost_keys

    def may_hold(self, name: str) -> bool:
        """Whether the tensor is there, or its entry may be one that cannot be read."""
        return name in self.tensors or self._may_have_lost(name.encode())

    def _may_have_lost(self, key: bytes) -> bool:
        at = bisect_left(self._lost_from, key) - 1
        if at >= 0 and ((last := self._lost_to[at]) is None or key <= last):
            return True
        return key in self._lost_keys

    def _lose(self, lost: LostEntries) -> None:
        self._add_fault(lost.error.found or str(lost.error), lost.error.byte)
        if lost.last != b"":
            self._lost_from.append(lost.after or b"")
            self._lost_to.append(lost.last)

    def _add_fault(self, message: str, byte: int | None, tensor: str | None = None) -> None:
        self.findings.append(Finding(FAULT, message[:_LONGEST_MESSAGE], self._file, byte, tensor))

    def _read(self, table: TableReader) -> None:
        """Sorts the table's entries into the header, the tensors and the slices."""
        slices: dict[bytes, TableEntry] = {}
        has_header = False
        for row in table.iter_readable(self._lose):
            if row.key == _HEADER:
                has_header = True
                if not self._read_header(row):
                    return
            elif is_slice_key(row.key):
                slices[row.key] = row
            else:
                self._read_tensor(row)
        if not has_header and b"" not in self._lost_from:
            self._add_fault("a table without a checkpoint's header", 0)
        for entry in self.tensors.values():
            for message in self._take_slices(entry, slices):
                self._add_fault(message, None, entry.name)
        self._read_unlisted(slices)

    def _read_header(self, row: TableEntry) -> bool:
        """Whether what follows can be understood."""
        try:
            self.num_shards = parse_header(row.value)
        except UnsupportedBundleError as error:
            self._lose(_damage(row, str(error)))
            return False
        except EntryError as error:
            self._add_fault(str(error), row.offset)
        return True

    def _read_tensor(self, row: TableEntry) -> None:
        try:
            name = row.key.decode()
        except UnicodeDecodeError:
            self._add_fault(f"a tensor's name that is not UTF-8: {row.key[:200]!r}", row.offset)
            self._lost_keys.add(row.key)
            return
        entry = self._parse_entry(name, row)
        if entry:
            self.tensors[name] = entry
            if not entry.slices:
                self.stored.append(entry)

    def _parse_entry(self, name: str, row: TableEntry) -> TensorEntry | None:
        try:
            return parse_entry(name, row.value)
        except EntryError as error:
            self._add_fault(str(error), row.offset, name)
            self._lost_keys.add(row.key)
            return None

    def _take_slices(self, entry: TensorEntry, rows: dict[bytes, TableEntry]) -> Iterator[str]:
        """Takes the slices that a tensor lists out of `rows`; says what is wrong with them."""
        if not entry.slices:
            return
        yield from _uncovered(entry)
        for part in dict.fromkeys(entry.slices):
            key = encode_slice_key(entry.name, part.start, part.length)
            row = rows.pop(key, None)
            stored = self._parse_entry(entry.name, row) if row else None
            if row is None and not self._may_have_lost(key):
                yield f"there is no entry for its slice {_slice_text(part)}"
            if stored is None:
                continue
            self.stored.append(stored)
            shape = part.box(entry.shape)[1]
            if stored.dtype != entry.dtype or stored.shape != shape or stored.slices:
                found = f"{dtypes.dtype_name(stored.dtype)} of shape {list(stored.shape)}"
                wanted = f"{dtypes.dtype_name(entry.dtype)} of shape {list(shape)}"
                yield f"its slice {_slice_text(part)} is {found}, where {wanted} should be"

    def _read_unlisted(self, rows: dict[bytes, TableEntry]) -> None:
        """Slices that are there though no tensor lists them."""
        for key, row in rows.items():
            name = slice_key_name(key).decode("utf-8", "backslashreplace")
            if name not in self.tensors and self.may_hold(name):
                continue
            stored = self._parse_entry(name, row)
            if stored:
                self.stored.append(stored)
                self._add_fault(f"a slice of shape {list(stored.shape)} that no tensor lists", row.offset, name)


def _damage(row: TableEntry, found: str) -> LostEntries:
    """All of an index, lost by what is found in one of its entries."""
    error = CorruptModuleError(found)
    error.byte, error.found = row.offset, found
    return LostEntries(error, None, None)


def _uncovered(entry: TensorEntry) -> Iterator[str]:
    """What is wrong with the places of a tensor's slices."""
    try:
        wrong = find_uncovered([part.box(entry.shape) for part in entry.slices], entry.shape)
    except ValueError as error:
        yield str(error)
        return
    if wrong:
        element, times = wrong
        yield f"its {len(entry.slices):,} slices cover the element {list(element)} {times} times instead of once"


def _slice_text(part: TensorSlice) -> str:
    """A slice as Python writes it."""
    return "[" + ", ".join(
        ":" if length is None else f"{start}:{start + length}"
        for start, length in zip(part.start, part.length, strict=True)
    ) + "]"  # fmt: skip
