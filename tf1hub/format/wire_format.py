"""The wire format of protocol messages, walked without making any: where bytes break it, and what memory they take.

    field     varint tag = number << 3 | kind   then by its kind
    kind 0    a varint
    kind 1    eight bytes
    kind 3    nothing, then fields up to one of the same number and kind 4: a group, which only old messages have
    kind 5    four bytes
    kind 2    varint size, that many bytes: text, bytes, packed numbers, or a message, which is fields again

protobuf says neither which byte is wrong nor how large a message gets: an empty one takes two bytes here and 150 in
memory. So this file walks what cannot be parsed for its first fault, and looks over what is large before it is parsed.
"""

import random
import zlib
from typing import Any

from tf1hub.format.varints import VarintError, parse_varint

_VARINT, _EIGHT_BYTES, _SIZED, _FOUR_BYTES = 0, 1, 2, 5
_GROUP = (3, 4)
_FIXED_SIZES = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}
# protobuf refuses deeper messages, whatever they mean.
_MAX_DEPTH = 100
# A message's memory: its own head and the pointer to it, a pointer or number for each field, two for text and bytes.
_HEAD = 32
_WORD = 8
# What is kept in Python besides: a wrapper, a name, places in lists and dictionaries.
_KEPT = {"NodeDef": 300, "FunctionDef": 300, "OpDef": 300, "SignatureDef": 300, "TensorInfo": 200}
_KEPT |= {"MetaGraphDef": 2000, "Any": 1500}
# Bytes that are parsed one by one later, each into memory of its own.
_MESSAGE_IN_BYTES = 600
_HOLDERS = ("BytesList",)
# A text in a list, there and in Python.
_TEXT = 80
# Of messages of at most so many bytes one in so many is looked into, when memory is estimated.
_SMALL_MESSAGE = 1024
_SAMPLED = 32


class WireError(ValueError):
    """Bytes that are no message, at `position`; callers make it an error that names the file."""

    def __init__(self, position: int, found: str) -> None:
        super().__init__(found)
        self.position = position


class _Layout:
    """What a walk needs to know of a kind of message: its memory, and which fields, by tag, are what."""

    def __init__(self, descriptor: Any) -> None:
        _LAYOUTS[descriptor.full_name] = self
        fields = {field.number << 3 | _SIZED: field for field in descriptor.fields}
        words = sum(2 if field.cpp_type == field.CPPTYPE_STRING else 1 for field in fields.values())
        self.memory = _HEAD + _WORD * words + _KEPT.get(descriptor.name, 0)
        self.messages = {tag: _layout(field.message_type) for tag, field in fields.items() if field.message_type}
        self.texts = {tag for tag, field in fields.items() if field.type == field.TYPE_STRING}
        lists = {tag: field for tag, field in fields.items() if field.default_value == []}
        self.packed = {tag: _number_size(field) for tag, field in lists.items() if field.cpp_type in _NUMBERS}
        texts = [tag for tag, field in lists.items() if field.cpp_type == field.CPPTYPE_STRING]
        self.lists = dict.fromkeys(texts, _MESSAGE_IN_BYTES if descriptor.name in _HOLDERS else _TEXT)


# CPPTYPE_INT32 to CPPTYPE_BOOL.
_NUMBERS = range(1, 8)
_LAYOUTS: dict[str, _Layout] = {}


def _layout(descriptor: Any) -> _Layout:
    return _LAYOUTS.get(descriptor.full_name) or _Layout(descriptor)


def _number_size(field: Any) -> int:
    """The bytes of each number in a list of them; 0 for varints."""
    return {field.CPPTYPE_FLOAT: 4, field.CPPTYPE_DOUBLE: 8}.get(field.cpp_type, 0)


def find_fault(kind: Any, data: bytes) -> WireError | None:
    """The first fault in bytes that should be a message of class `kind`; None when this walk finds none."""
    layout, position, end = _layout(kind.DESCRIPTOR), 0, len(data)
    outer: list[tuple[_Layout, int]] = []
    try:
        while position < end or outer:
            if position >= end:
                layout, end = outer.pop()
                continue
            start = position
            tag, position, behind = _parse_field(data, position, end)
            if tag & 7 in _GROUP:
                raise WireError(start, f"a group (field {tag >> 3}), which no message of a module has")
            inner = layout.messages.get(tag)
            if inner:
                outer.append((layout, end))
                layout, end = inner, behind
            else:
                if tag in layout.texts:
                    _check_text(data, position, behind)
                if tag in layout.packed:
                    _check_numbers(data, position, behind, layout.packed[tag])
                position = behind
            if len(outer) >= _MAX_DEPTH:
                raise WireError(start, f"messages nested more than {_MAX_DEPTH} deep")
    except WireError as error:
        return error
    return None


def estimate_memory(kind: Any, data: bytes, limit: int) -> int:
    """About how many bytes of memory the message in `data` would take. The walk ends above the limit, or at a fault.

    Of small messages, such as most nodes of a graph, one in some 30 is looked into.
    """
    # Seeded by the data: nobody can write a file around it, and each file is treated the same every time.
    chance = random.Random(zlib.crc32(data))
    layout, position, end, weight = _layout(kind.DESCRIPTOR), 0, len(data), 1
    outer: list[tuple[_Layout, int, int]] = []
    memory = pause = 0
    while (position < end or outer) and memory <= limit:
        if position >= end:
            layout, end, weight = outer.pop()
            continue
        try:
            tag, position, behind = _parse_field(data, position, end)
        except WireError:
            break
        inner = layout.messages.get(tag)
        memory += weight * (inner.memory if inner else layout.lists.get(tag, 0))
        is_small = behind - position <= _SMALL_MESSAGE and weight == 1
        pause -= is_small
        if not inner or (is_small and pause >= 0) or len(outer) >= _MAX_DEPTH:
            position = behind
            continue
        outer.append((layout, end, weight))
        layout, end = inner, behind
        if is_small:
            weight, pause = _SAMPLED, chance.randrange(2 * _SAMPLED - 1)
    return memory


def _parse_field(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    """The tag of the field at `position`, where its bytes begin, and where they end, which is not behind `end`."""
    start = position
    # Numbers of one byte are read right here: nearly all are, and a call takes longer than the rest.
    tag, position = (data[position], position + 1) if data[position] < 0x80 else _parse_number(data, position, end)
    kind = tag & 7
    if tag >> 32 or tag < 8:
        raise WireError(start, f"a field of number {tag >> 3}, which cannot be")
    if kind == _SIZED:
        if position < end and data[position] < 0x80:
            size, position = data[position], position + 1
        else:
            size, position = _parse_number(data, position, end)
        behind = position + size
    elif kind == _VARINT:
        behind = _parse_number(data, position, end)[1]
    elif kind in _FIXED_SIZES:
        behind = position + _FIXED_SIZES[kind]
    elif kind in _GROUP:
        behind = position
    else:
        raise WireError(start, f"a field of kind {kind}, which cannot be")
    if behind > end:
        raise WireError(start, f"a field of {behind - position} bytes where {end - position} are left")
    return tag, position, behind


def _parse_number(data: bytes, position: int, end: int) -> tuple[int, int]:
    try:
        return parse_varint(data, position, end)
    except VarintError as error:
        # protobuf lets a number be too large that ends with its tenth byte.
        if position + 10 <= end and data[position + 9] < 0x80 and min(data[position : position + 9]) >= 0x80:
            return 1 << 64, position + 10
        raise WireError(error.position, str(error)) from error


def _check_text(data: bytes, start: int, end: int) -> None:
    try:
        data[start:end].decode()
    except UnicodeDecodeError as error:
        raise WireError(start + error.start, "text that is not UTF-8") from error


def _check_numbers(data: bytes, start: int, end: int, size: int) -> None:
    if size and (end - start) % size:
        raise WireError(start, f"{end - start} bytes of numbers that take {size} each")
    position = start
    while position < end and not size:
        position = _parse_number(data, position, end)[1]
