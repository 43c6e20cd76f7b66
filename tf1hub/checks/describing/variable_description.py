"""A module's variables as plain data: what its graphs say of them, and whether its checkpoint has them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tf1hub.errors import Tf1HubError
from tf1hub.format import dtypes, protos
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.messages import parse_message
from tf1hub.graph import collections
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.variables import StoredVariable, stored_variable

Tags = tuple[str, ...]

_MAX_RANK = 254
_MAX_ELEMENTS = (1 << 63) - 1


@dataclass(frozen=True)
class PartDescription:
    """A part of a partitioned variable: where it begins in the whole, and its sizes."""

    offset: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class VariableDescription:
    """One variable, whole when it is partitioned.

    Attributes:
      name: its name in the checkpoint and in `hub.Module.variable_map`.
      shape: its sizes; None when neither the graph nor the checkpoint says them.
      dtype: TensorFlow's name of its type, e.g. "float32".
      parameters: how many numbers (or strings) it holds; None when its shape is not known.
      bytes: its size in the checkpoint; None when that is not known.
      trainable: whether fine-tuning changes it, in any variant.
      partitions: its parts; none when it is not partitioned.
      variants: the tags of each variant that has it.
      in_checkpoint: whether the checkpoint has it, with this shape and dtype; None when there is no checkpoint to ask.
    """

    name: str
    shape: tuple[int, ...] | None
    dtype: str
    parameters: int | None
    bytes: int | None
    trainable: bool
    partitions: tuple[PartDescription, ...]
    variants: tuple[Tags, ...]
    in_checkpoint: bool | None


@dataclass
class _Found:
    """What the variants say of one variable."""

    first: StoredVariable
    trainable: bool = False
    parts: dict[PartDescription, None] = field(default_factory=dict)
    variants: dict[Tags, None] = field(default_factory=dict)


def described_variables(
    graphs: Iterable[tuple[Tags, GraphIndex]], entries: Mapping[str, TensorEntry] | None, problems: list[str]
) -> tuple[VariableDescription, ...]:
    """The variables of all variants, sorted by name. What is wrong with them is added to `problems`.

    Args:
      graphs: each variant's tags and graph.
      entries: what the checkpoint's index says; None when there is none.
    """
    found: dict[str, _Found] = {}
    for tags, index in graphs:
        trainable = {variable.variable_name for variable in _definitions(index, collections.TRAINABLE_VARIABLES, [])}
        for definition in _definitions(index, collections.GLOBAL_VARIABLES, problems):
            try:
                stored = stored_variable(definition, index)
            except Tf1HubError as error:
                problems.append(f"Variant {list(tags)}: {error}")
                continue
            each = found.setdefault(stored.checkpoint_name, _Found(stored))
            each.trainable |= definition.variable_name in trainable
            each.variants[tags] = None
            if stored.offset is not None:
                each.parts[PartDescription(stored.offset, stored.shape or ())] = None
    return tuple(_described(name, found[name], entries, problems) for name in sorted(found))


def _definitions(index: GraphIndex, key: str, problems: list[str]) -> Iterable[protos.VariableDef]:
    for value in index.collection_bytes(key):
        try:
            yield parse_message(protos.VariableDef, value, f"A variable in the collection {key!r}")
        except Tf1HubError as error:
            problems.append(str(error))


def _described(
    name: str, found: _Found, entries: Mapping[str, TensorEntry] | None, problems: list[str]
) -> VariableDescription:
    entry = entries.get(name) if entries is not None else None
    shape, dtype = found.first.full_shape, dtypes.base_dtype(found.first.dtype)
    fits = entry is not None
    if entry is not None and shape is not None and shape != entry.shape:
        fits = False
        problems.append(
            f"The variable {name!r} has the shape {list(entry.shape)} in the checkpoint and {list(shape)} in the graph."
        )
    if entry is not None and dtype != dtypes.base_dtype(entry.dtype):
        fits = False
        problems.append(
            f"The variable {name!r} is {dtypes.dtype_name(entry.dtype)} in the checkpoint and"
            f" {dtypes.dtype_name(dtype)} in the graph."
        )
    if shape is None and entry is not None:
        shape = entry.shape
    if shape is not None and (len(shape) > _MAX_RANK or math.prod(shape) > _MAX_ELEMENTS):
        problems.append(f"The variable {name!r} has a shape that cannot be, of {len(shape)} dimensions.")
        shape = None
    parameters = None if shape is None else math.prod(shape)
    size = dtypes.item_size(dtype)
    stored = entry.size if entry is not None and size is None and not entry.slices else None
    return VariableDescription(
        name=name,
        shape=shape,
        dtype=dtypes.dtype_name(dtype),
        parameters=parameters,
        bytes=stored if size is None or parameters is None else size * parameters,
        trainable=found.trainable,
        partitions=tuple(found.parts),
        variants=tuple(found.variants),
        in_checkpoint=None if entries is None else fits,
    )
