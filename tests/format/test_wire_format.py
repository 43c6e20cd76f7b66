"""Walking messages: where bytes are wrong, and how much memory they would take."""

import random

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile import mutations, seeds
from tf1hub.errors import CorruptModuleError
from tf1hub.format import protos
from tf1hub.format.messages import parse_message
from tf1hub.format.wire_format import estimate_memory, find_fault

GRAPH = seeds.module_files()["saved_model.pb"]


def parses(kind, data):
    try:
        kind.FromString(data)
    except DecodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("data", "position", "found"),
    [
        ("0a05ab", 0, "a field of 5 bytes where 1 are left"),
        ("0801" + "80", 2, "cut off"),
        ("00", 0, "a field of number 0"),
        ("0801" + "0f", 2, "kind 7"),
        ("0801" + "1203ff4142", 4, "text that is not UTF-8"),
        ("08ffffffffffffffffffff7f", 1, "more than 64 bits"),
        ("0affffffffffffffffff7f", 0, "a field of 18446744073709551616 bytes where 0 are left"),
        ("0b", 0, "a group"),
        ("fdffffff7f00", 0, "number"),
    ],
)
def test_a_fault_has_a_place_and_a_name(data, position, found):
    fault = find_fault(protos.ModuleDef, bytes.fromhex(data))
    assert fault.position == position
    assert found in str(fault)
    assert not parses(protos.ModuleDef, bytes.fromhex(data))


def test_a_fault_inside_messages_is_counted_from_the_file():
    inner = protos.NodeDef(name="n", op="Const").SerializeToString()
    data = b"\x12" + bytes([len(inner) + 4]) + b"\x12" + bytes([len(inner) + 2]) + b"\x0a" + bytes([len(inner)]) + inner
    assert find_fault(protos.SavedModel, data) is None
    assert find_fault(protos.SavedModel, data.replace(b"Const", b"Con\xffs")).position == len(data) - 2


def test_numbers_in_a_row_are_looked_at():
    assert "numbers that take 4" in str(find_fault(protos.TensorProto, b"\x2a\x03abc"))
    assert "cut off" in str(find_fault(protos.TensorProto, b"\x3a\x01\x80"))


@settings(max_examples=500, deadline=None)
@given(st.randoms(use_true_random=False))
def test_there_is_a_fault_exactly_when_protobuf_finds_one(rng):
    data = rng.choice(mutations.BYTES)(rng, GRAPH)
    fault = find_fault(protos.SavedModel, data)
    if parses(protos.SavedModel, data):  # Groups that are whole are skipped by protobuf.
        assert fault is None or "a group" in str(fault)
    else:
        assert fault is not None


def test_messages_nested_too_deep_are_a_fault():
    data = b""
    for _ in range(120):
        data = b"\x0a" + mutations.encode_varint(len(data)) + data  # ListValue: values: ...
        data = b"\x9a\x03" + mutations.encode_varint(len(data)) + data
    assert "nested more than 100 deep" in str(find_fault(protos.StructuredValue, data))
    assert not parses(protos.StructuredValue, data)


def test_damage_is_told_with_its_byte():
    with pytest.raises(
        CorruptModuleError, match=r"a graph \(3 bytes\) cannot be parsed, at byte 0: a field of 9 bytes"
    ):
        parse_message(protos.SavedModel, b"\x12\x09\x00", "a graph")


def test_a_number_that_protobuf_cuts_to_64_bits_is_no_fault():
    data = bytes.fromhex("08ffffffffffffffffff7f")
    assert parses(protos.ModuleDef, data)
    assert find_fault(protos.ModuleDef, data) is None


def test_a_graph_of_very_short_names_takes_less_than_what_is_allowed():
    assert 5 < estimate_memory(protos.SavedModel, GRAPH * 100, 1 << 40) / (100 * len(GRAPH)) < 16


def test_the_estimate_is_near_what_looking_at_everything_gives(monkeypatch):
    data = GRAPH * 100
    sampled = estimate_memory(protos.SavedModel, data, 1 << 40)
    monkeypatch.setattr("tf1hub.format.wire_format._SMALL_MESSAGE", -1)
    assert sampled == pytest.approx(estimate_memory(protos.SavedModel, data, 1 << 40), rel=0.2)


@pytest.mark.parametrize("seed", range(5))
def test_dense_messages_among_others_are_refused(seed):
    rng = random.Random(seed)
    nodes = []
    for _ in range(40_000):
        tensors = b"\x42\x00" * rng.randrange(40, 60)
        attr = b"\x12" + bytes([len(tensors) + 2]) + b"\x0a" + bytes([len(tensors)]) + tensors
        node = b"\x2a" + mutations.encode_varint(len(attr)) + attr
        nodes.append(b"\x0a" + mutations.encode_varint(len(node)) + node)
    graph = b"".join(nodes)
    inner = b"\x12" + mutations.encode_varint(len(graph)) + graph
    data = b"\x12" + mutations.encode_varint(len(inner)) + inner
    with pytest.raises(CorruptModuleError, match="so many and so small messages"):
        parse_message(protos.SavedModel, data, "a graph")
