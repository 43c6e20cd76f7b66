"""The sorted table that a checkpoint's index file is (LevelDB's; tensorflow/core/lib/io/table_format.txt).

    file     block*  meta-index block  index block  footer
    block    entry*  restart offset* (uint32)  n (uint32)    then, not counted in the block's size:
             type byte (0: not compressed)  masked crc32c of block and type byte (uint32)
    entry    varint shared  varint unshared  varint value size  key bytes [unshared]  value bytes
             (the first `shared` bytes are those of the previous key; a restart is an entry that shares none)
    index    one entry a block: a key not below the block's last and below the next block's first -> handle
    handle   varint offset  varint size
    footer   handle of the meta-index (a block without entries)  handle of the index  zeros up to 40 bytes
             magic number 0xdb4775248b80fb57 (uint64)

Numbers are little-endian. Keys ascend, byte by byte, and none comes twice.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from tf1hub.errors import CorruptModuleError, UnsupportedModuleError
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


class TableEntry(NamedTuple):
    """A key, its value, and the file offset of the value."""

    key: bytes
    value: bytes
    offset: int


class _Handle(NamedTuple):
    """Where a block lies."""

    offset: int
    size: int

    def encode(self) -> bytes:
        return encode_varint(self.offset) + encode_varint(self.size)


class TableReader:
    """Reads the entries of a table from the bytes of its file; `path` is for messages.

    Anything that is not a whole, uncompressed table raises CorruptModuleError, here or while iterating.
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
        last = None
        key_bytes = 0
        for block in self._blocks():
            for entry in self._block_entries(block):
                if last is not None and entry.key <= last:
                    raise self._corrupt(entry.offset, f"key {entry.key!r} after key {last!r}, out of order")
                last = entry.key
                key_bytes += len(last)
                if key_bytes > _MAX_KEY_GROWTH * len(self._data):
                    found = f"{key_bytes} bytes of keys in a file of {len(self._data)}"
                    raise self._corrupt(entry.offset, found)
                yield entry

    def _blocks(self) -> Iterator[_Handle]:
        """The blocks that hold the entries; each lies behind the one before."""
        _, position = self._parse_handle(self._footer, len(self._data) - len(_MAGIC))
        index, _ = self._parse_handle(position, len(self._data) - len(_MAGIC))
        end = 0
        for entry in self._block_entries(index):
            handle, _ = self._parse_handle(entry.offset, entry.offset + len(entry.value))
            if handle.offset < end:
                raise self._corrupt(entry.offset, f"a block at byte {handle.offset}, inside the one before")
            end = handle.offset + handle.size
            yield handle

    def _parse_handle(self, position: int, end: int) -> tuple[_Handle, int]:
        offset, after_offset = self._parse_varint(position, end)
        size, after_size = self._parse_varint(after_offset, end)
        return self._checked(_Handle(offset, size), position), after_size

    def _checked(self, handle: _Handle, position: int) -> _Handle:
        """The handle, if its block lies before the footer, is not compressed and fits its checksum."""
        end = handle.offset + handle.size
        if handle.size < 4 or end + _TRAILER_SIZE > self._footer:
            raise self._corrupt(
                position, f"a block of {handle.size} bytes at byte {handle.offset}, outside the file"
            )
        if self._check_blocks:
            stored = int.from_bytes(self._data[end + 1 : end + _TRAILER_SIZE], "little")
            if stored != masked_crc(self._data[handle.offset : end + 1]):
                found = f"a block of {handle.size} bytes that does not fit its checksum"
                raise self._corrupt(handle.offset, found)
        kind = self._data[end]
        if kind == _SNAPPY:
            raise UnsupportedModuleError(
                f"{self._path}, byte {end}: a block compressed with snappy, which this version cannot read; "
                "load the checkpoint with TensorFlow and save it again."
            )
        if kind != _NOT_COMPRESSED:
            raise self._corrupt(end, f"a block of type {kind}, where only 0 (not compressed) is known")
        return handle

    def _block_entries(self, block: _Handle) -> Iterator[TableEntry]:
        end = block.offset + block.size
        restarts = int.from_bytes(self._data[end - 4 : end], "little")
        end -= 4 * (restarts + 1)
        if end < block.offset:
            raise self._corrupt(block.offset, f"a block of {block.size} bytes with {restarts} restarts")
        position = block.offset
        key = b""
        while position < end:
            entry = self._parse_entry(key, position, end)
            key = entry.key
            position = entry.offset + len(entry.value)
            yield entry

    def _parse_entry(self, previous_key: bytes, position: int, end: int) -> TableEntry:
        shared, at = self._parse_varint(position, end)
        unshared, at = self._parse_varint(at, end)
        value_size, at = self._parse_varint(at, end)
        if shared > len(previous_key):
            raise self._corrupt(position, f"a key sharing {shared} bytes with one of {len(previous_key)}")
        if at + unshared + value_size > end:
            found = f"an entry of {unshared} + {value_size} bytes that leads out of its block"
            raise self._corrupt(position, found)
        value_at = at + unshared
        key = previous_key[:shared] + self._data[at:value_at]
        return TableEntry(key, self._data[value_at : value_at + value_size], value_at)

    def _parse_varint(self, position: int, end: int) -> tuple[int, int]:
        try:
            return parse_varint(self._data, position, end)
        except VarintError as error:
            raise self._corrupt(error.position, str(error)) from error

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
        handles = meta_index.encode() + index.encode()
        self._file.write(handles.ljust(_FOOTER_SIZE - len(_MAGIC), b"\x00") + _MAGIC)

    def _write_block(self, block: _BlockBuilder) -> _Handle:
        data = block.encode()
        handle = _Handle(self._offset, len(data))
        data += bytes([_NOT_COMPRESSED])
        self._file.write(data + masked_crc(data).to_bytes(4, "little"))
        self._offset += handle.size + _TRAILER_SIZE
        return handle


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
