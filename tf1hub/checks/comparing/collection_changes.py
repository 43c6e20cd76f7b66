"""What differs between the collections of two variants, and between the messages attached to them."""

from typing import Any

from tf1hub.checks.comparing.changes import Change, by_name, find_changes, shortened
from tf1hub.checks.wording import counted
from tf1hub.format import protos
from tf1hub.format.messages import parse_message
from tf1hub.graph import collections

# Compared elsewhere: as messages, and as files.
_TOLD_ELSEWHERE = {collections.ATTACHMENTS, collections.SAVED_MODEL_ASSETS, collections.ASSET_FILEPATHS}
_CONTEXTS: dict[str, Any] = {
    collections.COND_CONTEXT: protos.CondContextDef,
    collections.WHILE_CONTEXT: protos.WhileContextDef,
}

Entries = dict[str, bytes]


def find_collection_changes(a: protos.MetaGraphDef, b: protos.MetaGraphDef) -> tuple[Change, ...]:
    """The collections that differ. The parts of one are its entries; none when only their order differs."""
    found = []
    entries_a, entries_b = _collections(a), _collections(b)
    for key in sorted({*entries_a, *entries_b}):
        one, other = entries_a.get(key, {}), entries_b.get(key, {})
        parts = find_changes(one, other, lambda value: counted(len(value), "byte") if value else "")
        if parts:
            found.append(Change(key, counted_entries(len(one)), counted_entries(len(other)), parts))
        elif list(one) != list(other):
            found.append(Change(key, counted_entries(len(one)), "the same in another order"))
    return tuple(found)


def find_attachment_changes(a: protos.MetaGraphDef, b: protos.MetaGraphDef) -> tuple[Change, ...]:
    """The attached messages that differ, by their keys."""
    return find_changes(_attachments(a), _attachments(b), lambda value: counted(len(value), "byte"))


def counted_entries(number: int) -> str:
    """A number of entries.

    >>> counted_entries(1), counted_entries(2)
    ('1 entry', '2 entries')
    """
    return f"{number:,} {'entry' if number == 1 else 'entries'}"


def _attachments(meta_graph: protos.MetaGraphDef) -> dict[str, bytes]:
    if collections.ATTACHMENTS not in meta_graph.collection_def:
        return {}
    listed = meta_graph.collection_def[collections.ATTACHMENTS].bytes_list.value
    parsed = [parse_message(protos.ModuleAttachment, value, "An attached message") for value in listed]
    return {item.key: item.value for item in parsed}


def _collections(meta_graph: protos.MetaGraphDef) -> dict[str, Entries]:
    return {
        key: _entries(key, collection)
        for key, collection in meta_graph.collection_def.items()
        if key not in _TOLD_ELSEWHERE
    }


def _entries(key: str, collection: protos.CollectionDef) -> Entries:
    """The entries of a collection, in order, by name where they have one."""
    kind = collection.WhichOneof("kind")
    if kind is None:
        return {}
    values = getattr(collection, kind).value
    if kind == "bytes_list" and key in collections.VARIABLE_COLLECTIONS:
        parsed = [parse_message(protos.VariableDef, value, f"A variable in the collection {key!r}") for value in values]
        return {name: _encoded(each) for name, each in by_name(parsed, lambda each: each.variable_name).items()}
    if kind == "bytes_list" and key in _CONTEXTS:
        contexts = [parse_message(_CONTEXTS[key], value, f"A context in the collection {key!r}") for value in values]
        return {name: _encoded(each) for name, each in by_name(contexts, lambda each: each.context_name).items()}
    if kind == "node_list":
        return dict.fromkeys(by_name(values, str), b"")
    if kind in ("bytes_list", "any_list"):
        return {
            f"entry {place}": value if isinstance(value, bytes) else value.SerializeToString()
            for place, value in enumerate(values)
        }
    return dict.fromkeys(by_name(values, lambda value: shortened(str(value))), b"")


def _encoded(message: Any) -> bytes:
    message.DiscardUnknownFields()
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded
