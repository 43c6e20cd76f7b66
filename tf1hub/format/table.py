"""The sorted table that a checkpoint's index file is (LevelDB's; tensorflow/core/lib/io/table_format.txt).

    file     block*  meta-index block  index block  footer
    block    entry*  restart offset* (uint32)  n (uint32)    then, not counted in the block's size:
             type byte (0: not compressed, 1: snappy)  masked crc32c of block and type byte (uint32)
    entry    varint shared  varint unshared  varint value size  key bytes [unshared]  value bytes
             (the first `shared` bytes are those of the previous key; a restart is an entry that shares none)
    index    one entry a block: a key not below the block's last and below the next block's first -> handle
    handle   varint offset  varint size
    footer   handle of the meta-index (a block without entries)  handle of the index  zeros up to 40 bytes
             magic number 0xdb4775248b80fb57 (uint64)

Numbers are little-endian. Keys ascend, byte by byte, and none comes twice. Today's TensorFlow compresses no block;
older ones did, with snappy's raw format, which starts with the size of what comes out as a varint.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from tf1hub.errors import CorruptModuleError
from tf1hub.format.checksums import masked_crc
from tf1hub.format.damage import corrupt
from tf1hub.format.varints import VarintError, encode_varint, parse_varint

_MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_FOOTER_SIZE = 48
_TRAILER_SIZE = 5
_NOT_COMPRESSED = 0
_SNAPPY = 1
# TensorFlow's settings (table_options.h), so that the same entries make the same bytes.
_BLOCK_SIZE = 1 << 18
_RESTART_INTERVAL = 16
# Prefix compression makes keys at most about 16 times as long as their file; more is an attack on memory.
_MAX_KEY_GROWTH = 64
# Snappy's densest element makes 64 bytes of 3; a block that claims to grow more is an attack on memory, and so are
# blocks of more than 16 MB that make four times of the whole file.
_MAX_SNAPPY_GROWTH = 64
_MAX_SNAPPY_OF_FILE = 4
_SNAPPY_ON_TOP = 16 << 20


class TableEntry(NamedTuple):
    """A key, its value, and the file offset of the value, or of its block when that is compressed."""

    key: bytes
    value: bytes
    offset: int


class LostEntries(NamedTuple):
    """Entries that cannot be read: why, and the keys between which they would be, above `after` and up to `last`.

    None stands for either end of the table. Damage by which no entry is lost has b"" for both.
    """

    error: CorruptModuleError
    after: bytes | None
    last: bytes | None

    def may_hold(self, key: bytes) -> bool:
        """Whether the entry of a key can be among them."""
        return (self.after is None or key > self.after) and (self.last is None or key <= self.last)


class _Keys:
    """The keys that were read so far: the last one, and the bytes of all of them."""

    def __init__(self) -> None:
        self.last: bytes | None = None
        self.size = 0


class _Handle(NamedTuple):
    """Where a block lies."""

    offset: int
    size: int

    def encode(self) -> bytes:
        return encode_varint(self.offset) + encode_varint(self.size)


class _Block(NamedTuple):
    """The bytes of a part of the file, and where they come from; decompressed ones stand nowhere in it."""

    data: bytes
    offset: int
    was_compressed: bool = False

    def file_offset(self, position: int) -> int:
        """Where a byte stands in the file, or as near to that as can be said."""
        return self.offset if self.was_compressed else self.offset + position


class TableReader:
    """Reads the entries of a table from the bytes of its file; `path` is for messages.

    Anything that is not a whole table raises CorruptModuleError, here or while iterating.
    """

    def __init__(self, data: bytes, path: str, check_blocks: bool = True) -> None:
        self._data = data
        self._path = path
        self._check_blocks = check_blocks
        self._footer = len(data) - _FOOTER_SIZE
        if self._footer < 0:
            raise self._corrupt(0, f"{len(data)} bytes, fewer than the {_FOOTER_SIZE} of a table's footer")
        if data[-len(_MAGIC) :] != _MAGIC:
            found = data[-len(_MAGIC) :].hex()
            raise self._corrupt(len(data) - len(_MAGIC), f"{found} where a table ends with {_MAGIC.hex()}")

    def __iter__(self) -> Iterator[TableEntry]:
        keys = _Keys()
        meta_index, index = self._parse_footer()
        self._read_block(meta_index, self._footer)
        for separator, handle in self._iter_handles(index):
            for entry in self._iter_entries(self._read_block(handle, separator.offset)):
                self._add_key(keys, entry)
                yield entry

    def iter_readable(self, report: Callable[[LostEntries], None]) -> Iterator[TableEntry]:
        """The entries of all blocks that can be read; `report` is told of all damage, and what is lost by it.

        Stricter than iterating: bytes of the file that nothing speaks of, and that TensorFlow leaves 0 or out, count.
        """
        keys = _Keys()
        low: bytes | None = None
        try:
            blocks = [*self._parse_footer()]
            for separator, handle in self._iter_handles(blocks[1]):
                blocks.append(handle)
                self._add_key(keys, separator)
                keys.last, entries = low, []
                try:
                    for entry in self._iter_entries(self._read_block(handle, separator.offset)):
                        self._add_key(keys, entry)
                        entries.append(entry)
                    if entries and entries[-1].key > separator.key:
                        raise self._corrupt(entries[-1].offset, f"key {entries[-1].key!r} behind the last of its block")
                except CorruptModuleError as error:
                    report(LostEntries(error, low, separator.key))
                    entries = []
                yield from entries
                keys.last = low = separator.key
            self._report_spare_bytes(blocks, report)
        except CorruptModuleError as error:
            report(LostEntries(error, low, None))

    def _report_spare_bytes(self, blocks: list[_Handle], report: Callable[[LostEntries], None]) -> None:
        """Reports damage to what holds no entry: the meta-index, the footer, bytes between the blocks."""
        try:
            self._read_block(blocks[0], self._footer)
            # The footer has no checksum, and some of its bits do not change what it says.
            if self._data[self._footer :] != _encode_footer(blocks[0], blocks[1]):
                raise self._corrupt(self._footer, "a footer with bits that should be 0")
            end = 0
            for block in sorted(blocks):
                if block.offset != end:
                    raise self._corrupt(end, f"{block.offset - end} bytes between this and the next block")
                end = block.offset + block.size + _TRAILER_SIZE
            if end != self._footer:
                raise self._corrupt(end, f"{self._footer - end} bytes between this and the footer")
        except CorruptModuleError as error:
            report(LostEntries(error, b"", b""))

    def _add_key(self, keys: _Keys, entry: TableEntry) -> None:
        if keys.last is not None and entry.key <= keys.last:
            raise self._corrupt(entry.offset, f"key {entry.key!r} after key {keys.last!r}, out of order")
        keys.last = entry.key
        keys.size += len(entry.key)
        if keys.size > _MAX_KEY_GROWTH * len(self._data):
            found = f"{keys.size} bytes of keys in a file of {len(self._data)}"
            raise self._corrupt(entry.offset, found)

    def _parse_footer(self) -> tuple[_Handle, _Handle]:
        """Where the meta-index and the index lie."""
        footer = _Block(self._data[self._footer : -len(_MAGIC)], self._footer)
        meta_index, position = self._parse_handle(footer, 0)
        return meta_index, self._parse_handle(footer, position)[0]

    def _iter_handles(self, index_handle: _Handle) -> Iterator[tuple[TableEntry, _Handle]]:
        """The index's entries, each with the block that it speaks of; each lies behind the one before."""
        index = self._read_block(index_handle, self._footer)
        end = 0
        for entry in self._iter_entries(index):
            handle, _ = self._parse_handle(_Block(entry.value, entry.offset, index.was_compressed), 0)
            if handle.offset < end:
                raise self._corrupt(entry.offset, f"a block at byte {handle.offset}, inside the one before")
            end = handle.offset + handle.size
            yield entry, handle

    def _parse_handle(self, block: _Block, position: int) -> tuple[_Handle, int]:
        offset, after_offset = self._parse_varint(block, position, len(block.data))
        size, after_size = self._parse_varint(block, after_offset, len(block.data))
        return _Handle(offset, size), after_size

    def _read_block(self, handle: _Handle, named_at: int) -> _Block:
        """The block, if it lies before the footer and fits its checksum; its handle stands at `named_at`."""
        end = handle.offset + handle.size
        if end + _TRAILER_SIZE > self._footer:
            found = f"a block of {handle.size} bytes at byte {handle.offset}, outside the file"
            raise self._corrupt(named_at, found)
        if self._check_blocks:
            stored = int.from_bytes(self._data[end + 1 : end + _TRAILER_SIZE], "little")
            if stored != masked_crc(self._data[handle.offset : end + 1]):
                found = f"a block of {handle.size} bytes that does not fit its checksum"
                raise self._corrupt(handle.offset, found)
        data, kind = self._data[handle.offset : end], self._data[end]
        if kind not in (_NOT_COMPRESSED, _SNAPPY):
            found = f"a block of type {kind}, where only 0 (not compressed) and 1 (snappy) are known"
            raise self._corrupt(end, found)
        if kind == _SNAPPY:
            data = self._decompress(data, handle.offset)
        if len(data) < 4:
            raise self._corrupt(handle.offset, f"a block of {len(data)} bytes, too few for its restarts")
        return _Block(data, handle.offset, kind == _SNAPPY)

    def _decompress(self, data: bytes, offset: int) -> bytes:
        # Late, since hardly any checkpoint is compressed.
        import cramjam

        size, _ = self._parse_varint(_Block(data, offset), 0, len(data))
        if size > min(_MAX_SNAPPY_GROWTH * len(data), _MAX_SNAPPY_OF_FILE * len(self._data) + _SNAPPY_ON_TOP):
            found = f"a block of {len(data)} bytes, compressed with snappy, that claims to hold {size}"
            raise self._corrupt(offset, found)
        try:
            return bytes(cramjam.snappy.decompress_raw(data))
        except cramjam.DecompressionError as error:
            raise self._corrupt(offset, f"a block that snappy cannot decompress ({error})") from error

    def _iter_entries(self, block: _Block) -> Iterator[TableEntry]:
        end = len(block.data)
        restarts = int.from_bytes(block.data[end - 4 :], "little")
        end -= 4 * (restarts + 1)
        if end < 0:
            raise self._corrupt(block.offset, f"a block of {len(block.data)} bytes with {restarts} restarts")
        position = 0
        key = b""
        while position < end:
            key, value_at, after = self._parse_entry(block, key, position, end)
            yield TableEntry(key, block.data[value_at:after], block.file_offset(value_at))
            position = after

    def _parse_entry(self, block: _Block, previous: bytes, position: int, end: int) -> tuple[bytes, int, int]:
        """The key of an entry, and where its value starts and ends in the block."""
        shared, at = self._parse_varint(block, position, end)
        unshared, at = self._parse_varint(block, at, end)
        value_size, at = self._parse_varint(block, at, end)
        if shared > len(previous):
            found = f"a key sharing {shared} bytes with one of {len(previous)}"
            raise self._corrupt(block.file_offset(position), found)
        if at + unshared + value_size > end:
            found = f"an entry of {unshared} + {value_size} bytes that leads out of its block"
            raise self._corrupt(block.file_offset(position), found)
        value_at = at + unshared
        return previous[:shared] + block.data[at:value_at], value_at, value_at + value_size

    def _parse_varint(self, block: _Block, position: int, end: int) -> tuple[int, int]:
        try:
            return parse_varint(block.data, position, end)
        except VarintError as error:
            raise self._corrupt(block.file_offset(error.position), str(error)) from error

    def _corrupt(self, offset: int, found: str) -> CorruptModuleError:
        return corrupt(self._path, offset, found)


class _BlockBuilder:
    """Collects the entries of one block."""

    def __init__(self, restart_interval: int) -> None:
        self._restart_interval = restart_interval
        self._entries = bytearray()
        self._restarts = [0]
        self._count = 0
        self.last_key = b""

    def __len__(self) -> int:
        return len(self._entries) + 4 * (len(self._restarts) + 1)

    def is_empty(self) -> bool:
        return not self._entries

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self._count == self._restart_interval:
            self._restarts.append(len(self._entries))
            self._count = 0
        else:
            shared = _common_prefix(self.last_key, key)
        self._entries += encode_varint(shared) + encode_varint(len(key) - shared) + encode_varint(len(value))
        self._entries += key[shared:] + value
        self._count += 1
        self.last_key = key

    def encode(self) -> bytes:
        numbers = [*self._restarts, len(self._restarts)]
        return bytes(self._entries) + b"".join(number.to_bytes(4, "little") for number in numbers)


class TableWriter:
    """Writes a table to a file from its start: `add` the keys in ascending order, then `finish`."""

    def __init__(self, file: BinaryIO, block_size: int = _BLOCK_SIZE) -> None:
        self._file = file
        self._block_size = block_size
        self._offset = 0
        self._block = _BlockBuilder(_RESTART_INTERVAL)
        self._index = _BlockBuilder(1)
        self._last_key: bytes | None = None
        # The block that is written but not yet indexed, since its index key depends on the key that follows.
        self._pending: _Handle | None = None

    def add(self, key: bytes, value: bytes) -> None:
        """Add an entry. Raises ValueError for a key not above the last one."""
        if self._last_key is not None and key <= self._last_key:
            raise ValueError(f"key {key!r} comes after {self._last_key!r}; a table's keys must ascend")
        if self._pending:
            self._index.add(_separator(self._block.last_key, key), self._pending.encode())
            self._pending = None
            self._block = _BlockBuilder(_RESTART_INTERVAL)
        self._block.add(key, value)
        self._last_key = key
        if len(self._block) >= self._block_size:
            self._pending = self._write_block(self._block)

    def finish(self) -> None:
        """Write what is left: the last block, the indices and the footer. The file stays open."""
        if not self._pending and not self._block.is_empty():
            self._pending = self._write_block(self._block)
        meta_index = self._write_block(_BlockBuilder(_RESTART_INTERVAL))
        if self._pending:
            self._index.add(_successor(self._block.last_key), self._pending.encode())
        index = self._write_block(self._index)
        self._file.write(_encode_footer(meta_index, index))

    def _write_block(self, block: _BlockBuilder) -> _Handle:
        data = block.encode()
        handle = _Handle(self._offset, len(data))
        data += bytes([_NOT_COMPRESSED])
        self._file.write(data + masked_crc(data).to_bytes(4, "little"))
        self._offset += handle.size + _TRAILER_SIZE
        return handle


def _encode_footer(meta_index: _Handle, index: _Handle) -> bytes:
    handles = meta_index.encode() + index.encode()
    return handles.ljust(_FOOTER_SIZE - len(_MAGIC), b"\x00") + _MAGIC


def _common_prefix(one: bytes, other: bytes) -> int:
    """How many bytes both start with."""
    limit = min(len(one), len(other))
    if one[:limit] == other[:limit]:
        return limit
    return next(i for i in range(limit) if one[i] != other[i])


def _separator(low: bytes, high: bytes) -> bytes:
    """A short key that is at least `low` and below `high`."""
    shared = _common_prefix(low, high)
    if shared < len(low) and low[shared] < 0xFF and low[shared] + 1 < high[shared]:
        return low[:shared] + bytes([low[shared] + 1])
    return low


def _successor(key: bytes) -> bytes:
    """A short key that is at least `key`."""
    for index, byte in enumerate(key):
        if byte < 0xFF:
            return key[:index] + bytes([byte + 1])
    return key
