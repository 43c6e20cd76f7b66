"""The values of a checkpoint's index: what is stored of each tensor, and where.

    key             message             fields
    ""              BundleHeaderProto   num_shards, endianness (0: little), version {producer, min_consumer}
    tensor name     BundleEntryProto    dtype, shape, shard_id, offset, size, crc32c (masked, of stored bytes)
    the same, of a partitioned one      dtype, shape, slices; the parts lie under keys of ordered_code.py

The messages are those of tensorflow/core/protobuf/tensor_bundle.proto. A slice is an Extent for each
dimension; one without a length stands for the whole dimension.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from tf1hub.format import dtypes
from tf1hub.format.boxes import Box, lies_in
from tf1hub.format.protos import BundleEntryProto, BundleHeaderProto

_VERSION = 1
_LITTLE_ENDIAN = 0
_MAX_RANK = 254
_MAX_BYTES = (1 << 63) - 1
_LARGEST_ITEM = 16
# A tensor of 10,000 slices takes less than half of that.
_MAX_ENTRY_SIZE = 1 << 20


class EntryError(ValueError):
    """The bytes are no entry. For the caller to turn into an error that names the file."""


class UnsupportedBundleError(EntryError):
    """A header that is well-formed, of a checkpoint that this version cannot read."""


@dataclass(frozen=True, slots=True)
class TensorSlice:
    """A part of a tensor as it is named in a checkpoint; a length of None is the whole dimension."""

    start: tuple[int, ...]
    length: tuple[int | None, ...]

    def box(self, shape: tuple[int, ...]) -> Box:
        """The same with numbers only, in a tensor of that shape."""
        lengths = zip(self.length, shape, strict=True)
        return self.start, tuple(whole if length is None else length for length, whole in lengths)


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """What the index says of a tensor: `size` bytes at `offset` of a data file, or its slices."""

    name: str
    dtype: int
    shape: tuple[int, ...]
    shard_id: int = 0
    offset: int = 0
    size: int = 0
    crc32c: int = 0
    slices: tuple[TensorSlice, ...] = ()

    @property
    def num_elements(self) -> int:
        """How many elements the tensor has."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int | None:
        """The bytes of all its elements, parts included; None for types of no fixed size, such as strings."""
        size = dtypes.item_size(self.dtype)
        return None if size is None else size * self.num_elements

    def encode(self) -> bytes:
        """The entry as it is stored."""
        message = BundleEntryProto(
            dtype=self.dtype, shard_id=self.shard_id, offset=self.offset, size=self.size, crc32c=self.crc32c
        )
        message.shape.SetInParent()
        for size in self.shape:
            message.shape.dim.add(size=size)
        for part in self.slices:
            stored = message.slices.add()
            for start, length in zip(part.start, part.length, strict=True):
                stored.extent.add(start=start, length=length)
        return message.SerializeToString()


def encode_header(num_shards: int) -> bytes:
    """The header of a checkpoint with that many data files."""
    header = BundleHeaderProto(num_shards=num_shards, endianness=_LITTLE_ENDIAN)
    header.version.producer = _VERSION
    return header.SerializeToString()


def parse_header(data: bytes) -> int:
    """The number of data files. Raises EntryError for bytes that are no header that this version can read."""
    try:
        header = BundleHeaderProto.FromString(data)
    except DecodeError as error:
        raise EntryError("a header that cannot be parsed") from error
    if header.endianness != _LITTLE_ENDIAN:
        raise UnsupportedBundleError("a checkpoint in big-endian byte order, of which only little-endian is supported")
    if header.version.min_consumer > _VERSION or _VERSION in header.version.bad_consumers:
        needed = header.version.min_consumer
        raise UnsupportedBundleError(
            f"a checkpoint that needs a reader of version {needed}, where this one is {_VERSION}"
        )
    if header.num_shards < 0:
        raise EntryError(f"{header.num_shards} data files")
    return header.num_shards


def parse_entry(name: str, data: bytes) -> TensorEntry:
    """The entry of the tensor or slice called `name`. Raises EntryError for one that cannot be."""
    if len(data) > _MAX_ENTRY_SIZE:
        raise EntryError(f"an entry for '{name}' of {len(data)} bytes")
    try:
        message = BundleEntryProto.FromString(data)
    except DecodeError as error:
        raise EntryError(f"an entry for '{name}' that cannot be parsed") from error
    shape = _checked_shape(name, (dim.size for dim in message.shape.dim), message.shape.unknown_rank)
    if message.offset < 0 or message.size < 0 or message.shard_id < 0:
        place = f"shard {message.shard_id}, offset {message.offset}, size {message.size}"
        raise EntryError(f"'{name}' in a place that cannot be: {place}")
    slices = tuple(_parse_slices(name, shape, message))
    dtype, shard_id, offset = message.dtype, message.shard_id, message.offset
    return TensorEntry(name, dtype, shape, shard_id, offset, message.size, message.crc32c, slices)


def _checked_shape(name: str, sizes: Iterable[int], unknown_rank: bool) -> tuple[int, ...]:
    shape = tuple(sizes)
    if unknown_rank or len(shape) > _MAX_RANK or any(size < 0 for size in shape):
        raise EntryError(f"'{name}' with a shape that cannot be: {'unknown' if unknown_rank else list(shape)}")
    # Sizes of 0 do not count here: NumPy too refuses shapes that are too large but for a 0.
    if math.prod(max(size, 1) for size in shape) * _LARGEST_ITEM > _MAX_BYTES:
        raise EntryError(f"'{name}' with a shape that is too large: {list(shape)}")
    return shape


def _parse_slices(name: str, shape: tuple[int, ...], message: BundleEntryProto) -> Iterable[TensorSlice]:
    for stored in message.slices:
        start = tuple(extent.start for extent in stored.extent)
        lengths = (extent.length if extent.HasField("length") else None for extent in stored.extent)
        part = TensorSlice(start, tuple(None if length == -1 else length for length in lengths))
        if len(start) != len(shape) or not shape or not lies_in(part.box(shape), shape):
            raise EntryError(f"'{name}' of shape {list(shape)} with a slice that leads out of it: {part}")
        yield part
