"""Mutations of a module's files: of bytes anywhere, and of what the bytes mean, with checksums that fit.

A mutation takes a random generator and a file's bytes and gives other bytes. The same generator gives the same.
"""

import cramjam
from google.protobuf.message import DecodeError

from tf1hub.errors import Tf1HubError
from tf1hub.format import protos
from tf1hub.format.checksums import masked_crc
from tf1hub.format.table import TableReader
from tf1hub.format.varints import encode_varint

NUMBERS = [
    *(0, 1, -1, 2, 3, 7, 8, 63, 127, 128, 255, 300, 2**16, 2**20, 2**31 - 1, 2**31, 2**32, 2**40),
    *(2**62, 2**63 - 1, -2, -(2**31), -(2**63)),
]
HUGE_VARINTS = [
    b"\xff" * 9 + b"\x01",
    b"\xff" * 10,
    b"\xff" * 9 + b"\x7f",
    b"\x80" * 9 + b"\x01",
    b"\xff\xff\xff\xff\x0f",
]
MAGIC = bytes.fromhex("57fb808b247547db")
TEXTS = [
    "",
    "a",
    ":",
    "^",
    "^^x",
    "x:y:z",
    ":0",
    "x" * 3000,
    "../../x",
    "/etc/passwd",
    "\x00",
    "äöü\U0001f600",
    "gs://b/x",
]
MESSAGES_IN_COLLECTIONS = {
    "variables": protos.VariableDef,
    "trainable_variables": protos.VariableDef,
    "while_context": protos.WhileContextDef,
    "cond_context": protos.CondContextDef,
    "hub_module_attachments": protos.ModuleAttachment,
}


def truncated(rng, data):
    return data[: rng.randrange(len(data) + 1)]


def bit_flipped(rng, data):
    changed = bytearray(data)
    if changed:
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def pieces_swapped(rng, data):
    """Two pieces of equal size change places."""
    if len(data) < 4:
        return data[::-1]
    size = rng.randrange(1, len(data) // 2)
    one = rng.randrange(len(data) - 2 * size + 1)
    other = rng.randrange(one + size, len(data) - size + 1)
    middle = data[one + size : other]
    return data[:one] + data[other : other + size] + middle + data[one : one + size] + data[other + size :]


def varint_blown_up(rng, data):
    """A byte becomes a varint that says very much."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(HUGE_VARINTS) + data[at + 1 :]


def piece_repeated(rng, data):
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.randrange(1, 80)]
    return data[:start] + piece * rng.choice([2, 3, 50]) + data[start:]


def piece_overwritten(rng, data):
    start = rng.randrange(len(data) + 1)
    size = rng.randrange(1, 12)
    new = rng.choice([bytes(size), b"\xff" * size, rng.randbytes(size)])
    return data[:start] + new + data[start + size :]


BYTES = [truncated, bit_flipped, pieces_swapped, varint_blown_up, piece_repeated, piece_overwritten]


def index_rows_altered(rng, data):
    """The index decoded, one or two of its rows altered, and written again with right checksums."""
    rows = _rows(data)
    if not rows:
        return bit_flipped(rng, data)
    for _ in range(rng.choice([1, 1, 2])):
        rng.choice(ROWS)(rng, rows)
    return encode_table(rng, rows)


def index_bytes_altered(rng, data):
    """A block's bytes are mutated, and its checksum fits them."""
    rows = _rows(data)
    return encode_table(rng, rows, rng.choice(BYTES)) if rows else bit_flipped(rng, data)


def data_read_as_index(rng, data):
    """Random entries in a table that is whole."""
    return encode_table(
        rng, [(b"", b"\x08\x01"), *((bytes([97 + i]), rng.randbytes(rng.randrange(40))) for i in range(9))]
    )


INDEX = [
    index_rows_altered,
    index_rows_altered,
    index_rows_altered,
    index_bytes_altered,
    index_bytes_altered,
    data_read_as_index,
]


def _rows(data):
    try:
        return [(entry.key, entry.value) for entry in TableReader(data, "seed")]
    except Tf1HubError:
        return []


def _entry_altered(rng, rows):
    at = rng.randrange(len(rows))
    kind = protos.BundleEntryProto if rows[at][0] else protos.BundleHeaderProto
    try:
        message = kind.FromString(rows[at][1])
    except DecodeError:  # It was mutated before.
        return
    if rng.random() < 0.5 and rows[at][0]:
        field = rng.choice(["dtype", "shard_id", "offset", "size", "crc32c"])
        _set_number(rng, message, field)
    elif message.ListFields():
        alter(rng, message, TEXTS)
    rows[at] = (rows[at][0], message.SerializeToString())


def _row_bytes_altered(rng, rows):
    at = rng.randrange(len(rows))
    rows[at] = (rows[at][0], rng.choice(BYTES)(rng, rows[at][1]))


def _key_altered(rng, rows):
    at = rng.randrange(len(rows))
    rows[at] = (rng.choice([*BYTES, lambda *_: rows[0][0], lambda *_: b"k" * 5000])(rng, rows[at][0]), rows[at][1])


def _row_repeated(rng, rows):
    rows.insert(rng.randrange(len(rows) + 1), rng.choice(rows))


def _row_lost(rng, rows):
    del rows[rng.randrange(len(rows))]


def _rows_disordered(rng, rows):
    rng.shuffle(rows)


def _values_swapped(rng, rows):
    one, other = rng.randrange(len(rows)), rng.randrange(len(rows))
    rows[one], rows[other] = (rows[one][0], rows[other][1]), (rows[other][0], rows[one][1])


ROWS = [_entry_altered, _entry_altered, _entry_altered, _row_bytes_altered, _key_altered, _row_repeated, _row_lost]
ROWS += [_rows_disordered, _values_swapped]


def sealed(block, kind=0):
    """A block as it stands in a file."""
    data = block + bytes([kind])
    return data + masked_crc(data).to_bytes(4, "little")


def encode_table(rng, rows, alter_block=None):
    """A table of one block or several, compressed or not, whatever the rows are."""
    size = rng.choice([1, 3, len(rows) or 1])
    groups = [rows[at : at + size] for at in range(0, len(rows), size)]
    packed = rng.random() < 0.3
    data, index = b"", []
    for group in groups:
        block = _encode_block(group)
        if alter_block and rng.random() < 1 / len(groups):
            block = alter_block(rng, block)
        offset = len(data)
        data += _stored(rng, block, packed, alter_block)
        index.append((group[-1][0], encode_varint(offset) + encode_varint(len(data) - offset - 5)))
    meta_at = len(data)
    data += sealed(_encode_block([]))
    index_at = len(data)
    data += _stored(rng, _encode_block(index), packed, alter_block)
    handles = encode_varint(meta_at) + b"\x08" + encode_varint(index_at) + encode_varint(len(data) - index_at - 5)
    return data + handles.ljust(40, b"\x00") + MAGIC


def _stored(rng, block, packed, alter_block):
    if not packed:
        return sealed(block)
    data = bytes(cramjam.snappy.compress_raw(block))
    if alter_block and rng.random() < 0.3:
        data = rng.choice(BYTES)(rng, data)
    return sealed(data, 1)


def _encode_block(rows):
    entries = b"".join(
        b"\x00" + encode_varint(len(key)) + encode_varint(len(value)) + key + value for key, value in rows
    )
    return entries + bytes(4) + b"\x01\x00\x00\x00"


def saved_model_altered(rng, data):
    """One to three fields of the messages altered, those that lie in collections as bytes too."""
    saved_model = protos.SavedModel.FromString(data)
    names = [node.name for graph in saved_model.meta_graphs for node in graph.graph_def.node]
    names += [
        function.signature.name for graph in saved_model.meta_graphs for function in graph.graph_def.library.function
    ]
    texts = names + [rng.choice(["^{}", "{}:0", "{}:1"]).format(name) for name in names] + TEXTS
    for _ in range(rng.choice([1, 1, 2, 3])):
        if not saved_model.meta_graphs:
            break
        graph = rng.choice(saved_model.meta_graphs)
        if rng.random() < 0.3:
            _alter_collection(rng, graph, texts)
        else:
            alter(rng, rng.choice([graph, graph.graph_def, graph.graph_def, saved_model]), texts)
    return saved_model.SerializeToString()


def _alter_collection(rng, graph, texts):
    keys = [key for key in MESSAGES_IN_COLLECTIONS if key in graph.collection_def]
    if "saved_model_assets" in graph.collection_def and rng.random() < 0.2:
        for item in graph.collection_def["saved_model_assets"].any_list.value:
            asset = protos.AssetFileDef.FromString(item.value)
            alter(rng, asset, texts)
            item.value = asset.SerializeToString()
    elif keys:
        key = rng.choice(keys)
        values = graph.collection_def[key].bytes_list.value
        if values:
            at = rng.randrange(len(values))
            try:
                message = MESSAGES_IN_COLLECTIONS[key].FromString(values[at])
            except DecodeError:
                return
            alter(rng, message, texts)
            values[at] = rng.choice([message.SerializeToString()] * 4 + [rng.choice(BYTES)(rng, values[at])])


def alter(rng, message, texts):
    """One field of the message, or of one somewhere in it, is altered."""
    fields = [field for field, _ in message.ListFields()]
    if not fields or rng.random() < 0.05:
        numbers = [field for field in message.DESCRIPTOR.fields if _is_single(field)]
        if numbers:
            _set_single(rng, message, rng.choice(numbers), texts)
        return
    field = rng.choice(fields)
    value = getattr(message, field.name)
    if _is_map(field):
        _alter_map(rng, field, value, texts)
    elif _is_single(field):
        _set_single(rng, message, field, texts)
    elif field.message_type is None:
        _alter_list(rng, field, value, texts)
    elif not hasattr(value, "add"):
        if rng.random() < 0.1:
            message.ClearField(field.name)
        else:
            alter(rng, value, texts)
    elif rng.random() < 0.25:
        _alter_messages(rng, value)
    else:
        alter(rng, rng.choice(value), texts)


def _is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _is_single(field):
    repeated = field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED
    return field.message_type is None and not repeated


def _alter_map(rng, field, value, texts):
    key = rng.choice(sorted(value))
    inner = field.message_type.fields_by_name["value"]
    if rng.random() < 0.15:
        del value[key]
    elif inner.message_type is None:
        value[key] = rng.choice(texts)
    elif rng.random() < 0.15:
        value[rng.choice(texts)].CopyFrom(value[key])
    else:
        alter(rng, value[key], texts)


def _alter_messages(rng, values):
    at = rng.randrange(len(values))
    action = rng.randrange(4)
    if action == 0:
        del values[at]
    elif action == 1:
        values.add().CopyFrom(values[at])
    elif action == 2:
        values[at].CopyFrom(rng.choice(values))
    else:
        values.extend([values[at]] * 20)


def _alter_list(rng, field, values, texts):
    at = rng.randrange(len(values))
    action = rng.randrange(4)
    if action == 0:
        del values[at]
    elif action == 1:
        values.extend([values[at]] * rng.choice([1, 30]))
    elif action == 2:
        values[:] = list(values)[::-1]
    else:
        values[at] = _other_value(rng, field, values[at], texts)


def _set_single(rng, message, field, texts):
    if field.cpp_type in (field.CPPTYPE_STRING, field.CPPTYPE_BOOL):
        setattr(message, field.name, _other_value(rng, field, getattr(message, field.name), texts))
    else:
        _set_number(rng, message, field.name)


def _set_number(rng, message, name):
    number = rng.choice([*NUMBERS, getattr(message, name) + 1, getattr(message, name) - 1])
    try:
        setattr(message, name, number)
    except (ValueError, TypeError):  # Out of the field's range.
        setattr(message, name, 1)


def _other_value(rng, field, value, texts):
    if field.cpp_type == field.CPPTYPE_BOOL:
        return not value
    if field.cpp_type == field.CPPTYPE_STRING:
        text = rng.choice(texts)
        if field.type == field.TYPE_STRING:
            return text
        return rng.choice([text.encode(), b"loc:@" + text.encode(), b"loc:@\xff\xfe", rng.choice(BYTES)(rng, value)])
    return rng.choice([0, 1, 7, 20, 99, 2**31 - 1]) if field.cpp_type != field.CPPTYPE_FLOAT else 1.0


def strings_altered(rng, data):
    """A data file's start, where `mixed` has strings' lengths, becomes lengths that are huge."""
    at = rng.randrange(max(1, len(data) - 8))
    return data[:at] + rng.choice([*HUGE_VARINTS, b"\xff\xff\x03", b"\x00" * 8]) + data[at:]
