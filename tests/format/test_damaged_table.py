"""What can be read of a damaged index table, block by block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.format.test_table import LITERAL, encode, parse
from tf1hub.errors import CorruptModuleError
from tf1hub.format.table import TableReader

ROWS = [(b"a", b"1"), (b"b", b"2"), (b"c", b"3"), (b"d", b"4")]


def readable(data):
    """The rows that can be read, and what is lost."""
    lost = []
    rows = [(entry.key, entry.value) for entry in TableReader(data, "x.index").iter_readable(lost.append)]
    return rows, lost


@given(st.dictionaries(st.binary(max_size=12), st.binary(max_size=40), max_size=60), st.integers(1, 300))
def test_a_whole_table_is_read_whole(rows, block_size):
    ordered = sorted(rows.items())
    assert readable(encode(ordered, block_size)) == (ordered, [])


def test_only_the_rows_of_a_damaged_block_are_lost():
    data = bytearray(encode(ROWS, block_size=1))
    data[data.index(b"2")] ^= 1
    rows, [lost] = readable(bytes(data))
    assert rows == [ROWS[0], *ROWS[2:]]
    assert [key for key in b"a b c bb".split() if lost.may_hold(key)] == [b"b"]
    assert lost.error.byte == data.index(b"b") - 3


def test_a_damaged_index_loses_everything():
    data = bytearray(encode(ROWS, block_size=1))
    data[-60] ^= 1
    rows, [lost] = readable(bytes(data))
    assert rows == []
    assert lost.may_hold(b"")
    assert lost.may_hold(b"zzz")


def test_damage_where_no_row_lies_loses_none():
    data = bytearray(LITERAL)
    data[-20] ^= 1  # the footer's padding
    rows, [lost] = readable(bytes(data))
    assert rows == parse(LITERAL)
    assert not lost.may_hold(b"ab")
    assert lost.error.found == "a footer with bits that should be 0"


def test_every_flipped_bit_is_reported():
    magic = len(LITERAL) - 8
    for bit in range(len(LITERAL) * 8):
        data = bytearray(LITERAL)
        data[bit // 8] ^= 1 << bit % 8
        if bit // 8 < magic:
            assert len(readable(bytes(data))[1]) == 1
            continue
        with pytest.raises(CorruptModuleError, match="where a table ends with"):
            readable(bytes(data))


def test_rows_behind_the_last_key_of_their_block_are_lost():
    swapped = encode(ROWS, block_size=1).replace(b"\x00\x01\x01b2", b"\x00\x01\x01z2")
    reader = TableReader(swapped, "x.index", check_blocks=False)
    lost = []
    assert [entry.key for entry in reader.iter_readable(lost.append)] == [b"a", b"c", b"d"]
    assert "behind the last of its block" in lost[0].error.found
