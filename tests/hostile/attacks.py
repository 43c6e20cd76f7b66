"""Modules that somebody who wants to do harm would write: nested, cyclic, dense, quadratic. Each is a few files.

`ATTACKS` maps a name to a function that gives the files that differ from those of the seed module `mixed`.
"""

import random

import cramjam
import numpy as np

from tests.hostile import mutations, seeds
from tf1hub.format import protos
from tf1hub.format.bundle_entry import TensorEntry, TensorSlice, encode_header
from tf1hub.format.checksums import mask_crc
from tf1hub.format.ordered_code import encode_slice_key
from tf1hub.format.string_tensor import encode_strings
from tf1hub.format.varints import encode_varint

INDEX = "variables/variables.index"
DATA = "variables/variables.data-00000-of-00001"
GRAPH = "saved_model.pb"
ATTACKS = {}


def attack(function):
    ATTACKS[function.__name__] = function
    return function


def field(number, content):
    return encode_varint(number << 3 | 2) + encode_varint(len(content)) + content


def saved_model(*node_fields):
    """A graph from the bytes of its fields."""
    return {GRAPH: field(2, field(2, b"".join(node_fields)))}


def edited(edit):
    """The seed's graph, edited."""
    graph = seeds.meta_graph([])
    edit(graph)
    return {GRAPH: protos.SavedModel(meta_graphs=[graph]).SerializeToString()}


def table(rows):
    """A table with right checksums, of one block that is not compressed."""

    class NeverCompressed(random.Random):
        def random(self):
            return 1.0

        def choice(self, options):
            return options[-1]

    return mutations.encode_table(NeverCompressed(), rows)


def checkpoint(*entries, data=b"", slices=()):
    rows = {each.name.encode(): each.encode() for each in entries}
    rows |= {encode_slice_key(name, *box): each.encode() for name, box, each in slices}
    return {INDEX: table([(b"", encode_header(1)), *sorted(rows.items())]), DATA: data}


@attack
def attributes_nested_deep():
    inner = b""
    for _ in range(500):  # AttrValue: list: func: attr: value
        inner = field(1, field(9, field(2, field(1, b"k") + field(2, inner))))
    return saved_model(field(1, field(1, b"n") + field(5, field(1, b"a") + field(2, inner))))


@attack
def types_nested_deep():
    inner = b""
    for _ in range(20_000):
        inner = field(51, field(1, inner))
    info = field(5, field(1, field(2, inner)))
    signature = field(5, field(1, b"default") + field(2, field(2, field(1, b"default") + field(2, info))))
    return {GRAPH: field(2, signature)}


@attack
def a_part_that_does_not_fit():
    def edit(graph):
        values = graph.collection_def["variables"].bytes_list.value
        variable = protos.VariableDef.FromString(values[1])
        variable.save_slice_info_def.var_offset.append(0)
        values[1] = variable.SerializeToString()

    return edited(edit)


@attack
def an_attached_message_that_is_none():
    def edit(graph):
        attached = protos.ModuleAttachment(key="size", value=b"\xff\xff")
        graph.collection_def["hub_module_attachments"].bytes_list.value[:] = [attached.SerializeToString()]

    return edited(edit)


@attack
def a_colocation_that_is_no_text():
    def edit(graph):
        for each in graph.graph_def.node:
            each.attr["_class"].list.s[:] = [b"loc:@\xff"]

    return edited(edit)


@attack
def contexts_nested_deep():
    loop = b""
    for _ in range(300):
        loop = field(12, field(2, field(1, b"c") + loop))
    return edited(lambda graph: graph.collection_def["while_context"].bytes_list.value.append(loop))


@attack
def contexts_that_touch_one_another():
    """Each context is needed because of the one before, and the last one comes first."""
    count = 1500

    def edit(graph):
        graph.graph_def.node.extend(seeds.node(f"c{i}", "NoOp") for i in range(count + 1))
        graph.graph_def.node.extend([seeds.node("last", "NoOp", "^c0")])
        graph.collection_def["update_ops"].node_list.value.append("last")
        for i in reversed(range(count)):
            context = protos.CondContextDef(context_name=str(i), pred_name=f"c{i + 1}")
            context.values_def.values.append(f"c{i}")
            graph.collection_def["cond_context"].bytes_list.value.append(context.SerializeToString())

    return edited(edit)


@attack
def nodes_in_a_cycle():
    nodes = [seeds.node(f"n{i}", "Identity", f"n{(i + 1) % 5000}", "^x") for i in range(5000)]
    return edited(lambda graph: (graph.graph_def.node.extend(nodes), graph.graph_def.node[0].input.append("n0")))


@attack
def nodes_that_feed_and_are_placed_with_themselves():
    def edit(graph):
        for each in graph.graph_def.node:
            each.input[:] = [each.name, f"^{each.name}"]
            each.attr["_class"].list.s[:] = [f"loc:@{each.name}".encode()] * 50

    return edited(edit)


@attack
def functions_that_call_one_another():
    def edit(graph):
        for i in range(1000):
            function = graph.graph_def.library.function.add()
            function.signature.name = f"f{i}"
            function.node_def.extend(
                seeds.node(f"n{j}", f"f{(i + j) % 1000}", f=seeds._calls(f"f{i}")) for j in range(3)
            )
            graph.graph_def.library.gradient.add(function_name=f"f{i}", gradient_func=f"f{(i * 7) % 1000}")
        graph.graph_def.node.extend([seeds.node("calls", "f0", "x")])
        graph.signature_def["default"].outputs["default"].name = "calls:0"

    return edited(edit)


@attack
def many_update_ops_over_a_long_chain():
    def edit(graph):
        graph.graph_def.node.extend(seeds.node(f"n{i}", "Identity", f"n{i - 1}" if i else "x") for i in range(4000))
        graph.collection_def["update_ops"].node_list.value.extend(f"n{i}" for i in range(4000))

    return edited(edit)


@attack
def many_defaults_for_many_nodes():
    def edit(graph):
        op = graph.meta_info_def.stripped_op_list.op.add(name="Wide")
        for i in range(3000):
            op.attr.add(name=f"a{i}", default_value=protos.AttrValue(i=i))
        graph.graph_def.node.extend(seeds.node(f"n{i}", "Wide") for i in range(3000))

    return edited(edit)


@attack
def names_that_are_taken():
    taken = ["checkpoint_initializer", *(f"checkpoint_initializer_{i}" for i in range(1, 4000))]
    return edited(lambda graph: graph.graph_def.node.extend(seeds.node(name, "NoOp") for name in taken))


@attack
def variables_that_the_checkpoint_lacks():
    def edit(graph):
        for i in range(1500):
            name = f"some/long/scope/of/a/layer_{i}/kernel"
            graph.graph_def.node.append(seeds.node(name, "VarHandleOp", dtype=1, shape=(2,)))
            definition = protos.VariableDef(variable_name=f"{name}:0")
            graph.collection_def["variables"].bytes_list.value.append(definition.SerializeToString())

    zeros = bytes(4)
    others = [TensorEntry(f"some/long/scope/of/a/layer_{i}/bias", 1, (1,), size=4) for i in range(1500)]
    return edited(edit) | checkpoint(*others, data=zeros)


@attack
def a_variable_that_is_listed_many_times():
    def edit(graph):
        values = graph.collection_def["variables"].bytes_list.value
        values.extend([values[1]] * 5000)

    return edited(edit)


DENSE = {
    "nodes": (b"\x0a\x00", lambda body: field(2, field(2, body))),
    "tensors": (b"\x42\x00", lambda body: field(2, field(2, field(1, field(5, field(2, field(1, body))))))),
    "arguments": (b"\x12\x00", lambda body: field(2, field(1, field(2, field(1, body))))),
    "graphs": (b"\x12\x00", lambda body: body),
    "variables": (b"\x0a\x00", lambda body: field(2, field(4, field(1, b"variables") + field(2, field(2, body))))),
    "assets": (
        b"\x0a\x00",
        lambda body: field(2, field(4, field(1, b"saved_model_assets") + field(2, field(5, body)))),
    ),
    "inputs": (b"\x1a\x00", lambda body: field(2, field(2, field(1, field(1, b"n") + body)))),
    "texts": (b"\x0a\x00", lambda body: field(2, field(4, field(1, b"update_ops") + field(2, field(1, body))))),
}


def _dense(kind, size):
    element, wrap = DENSE[kind]
    return lambda: {GRAPH: wrap(element * (size // len(element)))}


for _kind in DENSE:
    for _size in (100_000, 1_500_000):
        ATTACKS[f"dense_{_kind}_{_size}"] = _dense(_kind, _size)


@attack
def dense_nodes_with_names():
    body = b"".join(b"\x0a\x06\x0a\x04%04x" % i for i in range(65_536))
    return {GRAPH: field(2, field(2, body)), "tfhub_module.pb": b"\x08\x03"}


@attack
def dense_attributes_with_names():
    body = b"".join(b"\x2a\x06\x0a\x04%04x" % i for i in range(65_536))
    return {GRAPH: field(2, field(2, field(1, field(1, b"n") + body)))}


@attack
def dense_entries():
    rows = [(b"", encode_header(1)), *((b"%06x" % i, b"") for i in range(60_000))]
    return {INDEX: table(rows)}


@attack
def keys_that_share_nearly_everything():
    first = b"k" * 30_000
    entries = b"\x00" + encode_varint(len(first)) + b"\x02" + first + b"\x08\x01"
    for at in range(60_000):
        entries += encode_varint(len(first)) + b"\x05\x02" + b"%05x" % at + b"\x08\x01"
    block = b"\x00\x00\x02\x08\x01" + entries + bytes(4) + b"\x01\x00\x00\x00"
    data = mutations.sealed(block)
    handle = encode_varint(0) + encode_varint(len(block))
    index = b"\x00\x01" + encode_varint(len(handle)) + b"\xff" + handle + bytes(4) + b"\x01\x00\x00\x00"
    meta = bytes(4) + b"\x01\x00\x00\x00"
    handles = encode_varint(len(data)) + b"\x08" + encode_varint(len(data) + 13) + encode_varint(len(index))
    footer = handles.ljust(40, b"\x00") + mutations.MAGIC
    return {INDEX: data + mutations.sealed(meta) + mutations.sealed(index) + footer}


@attack
def a_block_that_snappy_blows_up():
    block = bytes(cramjam.snappy.compress_raw(bytes(100_000_000)))
    return {INDEX: _one_packed_block(block)}


@attack
def a_block_that_says_it_is_huge():
    return {INDEX: _one_packed_block(encode_varint(2**32 - 1) + bytes(300))}


def _one_packed_block(block):
    data = mutations.sealed(block, 1)
    meta = bytes(4) + b"\x01\x00\x00\x00"
    handle = encode_varint(0) + encode_varint(len(block))
    index = b"\x00\x01" + encode_varint(len(handle)) + b"\xff" + handle + bytes(4) + b"\x01\x00\x00\x00"
    handles = encode_varint(len(data)) + b"\x08" + encode_varint(len(data) + 13) + encode_varint(len(index))
    return data + mutations.sealed(meta) + mutations.sealed(index) + handles.ljust(40, b"\x00") + mutations.MAGIC


@attack
def slices_that_share_their_bytes():
    boxes = [((row, 0), (1, 8)) for row in range(5000)]
    entry = TensorEntry("x", 3, (5000, 8), slices=tuple(TensorSlice(*box) for box in boxes))
    return checkpoint(entry, data=bytes(32), slices=[("x", box, TensorEntry("", 3, box[1], size=32)) for box in boxes])


@attack
def slices_that_are_beside_one_another_on_every_axis():
    boxes = [((i, i), (10_000 - i, 1)) for i in range(9000)]
    boxes += [((0,) * 2, (0,) * 2)]
    return checkpoint(TensorEntry("x", 3, (10_000, 10_000), slices=tuple(TensorSlice(*box) for box in boxes)))


@attack
def slices_of_very_many_dimensions():
    rank = 250
    boxes = [((0,) * rank, (0,) * rank)] * 500
    return checkpoint(TensorEntry("x", 3, (1,) * rank, slices=tuple(TensorSlice(*box) for box in boxes)))


@attack
def very_many_empty_strings():
    count = 1_000_000
    data, crc = encode_strings([b""] * count)
    return checkpoint(TensorEntry("x", 7, (count,), size=len(data), crc32c=mask_crc(crc)), data=data)


@attack
def very_many_short_strings():
    texts = [b"%02x" % (i % 256) for i in range(500_000)]
    data, crc = encode_strings(texts)
    return checkpoint(TensorEntry("x", 7, (len(texts),), size=len(data), crc32c=mask_crc(crc)), data=data)


@attack
def strings_that_are_longer_than_anything():
    return checkpoint(TensorEntry("x", 7, (2,), size=40), data=mutations.HUGE_VARINTS[0] * 2 + bytes(40))


@attack
def tensors_that_share_all_their_bytes():
    data = bytes(1_000_000)
    return checkpoint(*(TensorEntry(f"x{i}", 1, (250_000,), size=len(data)) for i in range(300)), data=data)


@attack
def a_name_with_a_sign_that_makes_all_others_wide():
    rows = [(b"", encode_header(1))]
    rows += [(f"\U0001f600{'k' * 2000}{i:05}".encode(), b"\x08\x01\x12\x00") for i in range(3000)]
    return {INDEX: table(rows)}


@attack
def an_array_that_is_nothing_but_shape():
    sizes = [(2**40, 0), (0,) * 60, (1,) * 64, (1,) * 65, (0, 2**62)]
    return checkpoint(*(TensorEntry(f"x{i}", 1, size, size=4 * int(np.prod(size))) for i, size in enumerate(sizes)))
