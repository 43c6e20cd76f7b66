"""The index file's table, byte by byte and in round trips."""

import io

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf1hub.errors import CorruptModuleError
from tf1hub.format.checksums import masked_crc
from tf1hub.format.table import TableReader, TableWriter
from tf1hub.format.varints import encode_varint

# Two entries, (ab, 1) and (ac, 2), as LevelDB's layout has them: block, meta-index, index, footer.
BLOCK = bytes.fromhex("000201616231" + "0101016332" + "00000000" + "01000000")
META = bytes.fromhex("00000000" + "01000000")
INDEX = bytes.fromhex("0001026200" + "13" + "00000000" + "01000000")


def sealed(block, kind=0):
    data = block + bytes([kind])
    return data + masked_crc(data).to_bytes(4, "little")


def footer(*numbers):
    return bytes(numbers).ljust(40, b"\x00") + bytes.fromhex("57fb808b247547db")


LITERAL = sealed(BLOCK) + sealed(META) + sealed(INDEX) + footer(24, 8, 37, 14)


def encode(rows, block_size=1 << 18):
    file = io.BytesIO()
    writer = TableWriter(file, block_size)
    for key, value in rows:
        writer.add(key, value)
    writer.finish()
    return file.getvalue()


def parse(data, **options):
    return [(entry.key, entry.value) for entry in TableReader(data, "x.index", **options)]


def test_literal_bytes_are_read_and_written():
    rows = [(b"ab", b"1"), (b"ac", b"2")]
    assert parse(LITERAL) == rows
    assert encode(rows).hex() == LITERAL.hex()


def test_an_entry_knows_where_its_value_lies():
    assert [LITERAL[entry.offset :][:1] for entry in TableReader(LITERAL, "x.index")] == [b"1", b"2"]


@given(st.dictionaries(st.binary(max_size=12), st.binary(max_size=40), max_size=60), st.integers(1, 300))
def test_what_was_written_is_read(rows, block_size):
    ordered = sorted(rows.items())
    assert parse(encode(ordered, block_size)) == ordered


def test_keys_must_ascend():
    with pytest.raises(ValueError, match="must ascend"):
        encode([(b"b", b""), (b"a", b"")])


def packed(block):
    return bytes(cramjam.snappy.compress_raw(block))


def compressed_table(block=BLOCK):
    """A table with one block, all of its blocks compressed."""
    data, meta = packed(block), packed(META)
    size = encode_varint(len(data))
    index = packed(bytes([0, 1, 1 + len(size), 0xFF, 0]) + size + META)
    start = len(data) + 5
    handles = [start, len(meta), start + len(meta) + 5, len(index)]
    return sealed(data, 1) + sealed(meta, 1) + sealed(index, 1) + footer(*b"".join(map(encode_varint, handles)))


def test_blocks_compressed_with_snappy_are_read():
    assert parse(compressed_table()) == [(b"ab", b"1"), (b"ac", b"2")]


@given(st.dictionaries(st.binary(max_size=12), st.binary(max_size=40), max_size=60))
def test_a_compressed_table_reads_as_what_was_compressed(rows):
    ordered = sorted(rows.items())
    table = encode(ordered, 1 << 18)
    size = table.index(sealed(META), 0)  # the only block, up to its trailer
    assert parse(compressed_table(table[: size - 5]) if rows else table) == ordered


def test_an_error_in_a_compressed_block_names_the_block():
    with pytest.raises(CorruptModuleError, match=r"x.index, byte 0: a key sharing 5 bytes"):
        parse(compressed_table(bytes.fromhex("050201616231") + META))


@pytest.mark.parametrize("size", [(1 << 32) - 1, 1 << 40, 64 * 24 + 1])
def test_a_block_that_claims_to_hold_too_much_is_refused(size, monkeypatch):
    block = (encode_varint(size) + packed(BLOCK)[1:]).ljust(24, b"\x00")[:24]
    monkeypatch.setattr(cramjam, "snappy", None)  # nothing may be allocated for it
    with pytest.raises(CorruptModuleError, match=rf"byte 0: a block of 24 bytes.* claims to hold {size}"):
        parse(sealed(block, 1) + tail_for(block))


def tail_for(block):
    """What follows a table's only block."""
    index = bytes([0, 1, 2, 0x62, 0, len(block)]) + META
    start = len(block) + 5
    return sealed(META) + sealed(index) + footer(start, 8, start + 13, 14)


@pytest.mark.parametrize("block", [b"", b"\x80", packed(BLOCK)[:-3], packed(b""), packed(b"abc"), b"\x08\xff\xff"])
def test_blocks_that_snappy_cannot_make_are_refused(block):
    with pytest.raises(CorruptModuleError, match="byte 0: "):
        parse(sealed(block, 1) + tail_for(block))


@given(st.integers(0, len(compressed_table()) * 8 - 1))
def test_a_flipped_bit_in_a_compressed_table_is_refused_or_does_not_matter(bit):
    data = bytearray(compressed_table())
    data[bit // 8] ^= 1 << bit % 8
    for check in (True, False):
        try:
            rows = parse(bytes(data), check_blocks=check)
        except CorruptModuleError:
            continue
        assert not check or rows == parse(LITERAL)


@given(st.binary(max_size=60))
def test_random_compressed_blocks_are_read_or_refused(block):
    try:
        rows = parse(sealed(block, 1) + tail_for(block))
    except CorruptModuleError:
        return
    assert rows == sorted(rows)


def test_an_error_says_file_offset_and_what_to_do():
    damaged = b"\x01" + LITERAL[1:]
    with pytest.raises(CorruptModuleError, match=r"x.index, byte 0: a block .* checksum.*again"):
        parse(damaged)


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("050201616231" + "00000000" + "01000000", "sharing 5 bytes"),
        ("00ff01616231" + "00000000" + "01000000", "leads out of its block"),
        ("0002ffffffffffffffffff7f616231" + "00000000" + "01000000", "64 bits"),
        ("0002" + "00000000" + "01000000", "cut off"),
        ("000100620001006100000000" + "01000000", "out of order"),
        ("00000000" + "ffffffff", "restarts"),
    ],
)
def test_blocks_that_cannot_be_are_refused(block, found):
    data = bytes.fromhex(block)
    index = bytes([0, 1, 2, 0x62, 0, len(data)]) + META
    start = len(data) + 5
    table = sealed(data) + sealed(META) + sealed(index) + footer(start, 8, start + 13, 14)
    with pytest.raises(CorruptModuleError, match=found):
        parse(table)


def test_a_block_that_is_listed_twice_is_refused():
    index = bytes.fromhex("0001026200" + "13" + "0001026300" + "13") + META
    table = sealed(BLOCK) + sealed(META) + sealed(index) + footer(24, 8, 37, 20)
    with pytest.raises(CorruptModuleError, match="inside the one before"):
        parse(table)


def table_of(entries):
    """A table with one block, of these bytes before its restarts."""
    block = entries + META
    size = encode_varint(len(block))
    index = bytes([0, 1, 1 + len(size), 0xFF, 0]) + size + META
    start = len(block) + 5
    handles = encode_varint(start) + b"\x08" + encode_varint(start + 13) + encode_varint(len(index))
    return sealed(block) + sealed(META) + sealed(index) + footer(*handles)


def test_keys_that_grow_out_of_bounds_are_refused():
    first = 40_000
    entries = b"\x00" + encode_varint(first) + b"\x00" + b"k" * first
    for at in range(4000):
        entries += encode_varint(first + at) + b"\x01\x00" + b"k"
    with pytest.raises(CorruptModuleError, match="bytes of keys"):
        parse(table_of(entries))


def test_a_table_cut_short_anywhere_is_refused():
    for size in range(len(LITERAL)):
        with pytest.raises(CorruptModuleError):
            parse(LITERAL[:size])


@given(st.integers(0, len(LITERAL) * 8 - 1))
def test_a_flipped_bit_is_refused_or_does_not_matter(bit):
    data = bytearray(LITERAL)
    data[bit // 8] ^= 1 << bit % 8
    for check in (True, False):
        try:
            rows = parse(bytes(data), check_blocks=check)
        except CorruptModuleError:
            continue
        assert not check or rows == parse(LITERAL)


@given(st.binary(max_size=120))
def test_random_blocks_are_read_or_refused(entries):
    try:
        rows = parse(table_of(entries))
    except CorruptModuleError:
        return
    assert rows == sorted(rows)
