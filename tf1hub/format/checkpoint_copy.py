"""Copies variables from a checkpoint into a new one, renamed and cut anew, without a graph or a session.

    source                          target                          how
    the same slices, or none        the same                        verified, then stored bytes and checksums as they are
    whole or in slices              whole or in other slices        verified, then cut and checksummed anew

Either way a few megabytes are in hand at a time, but for strings that are cut anew.
"""

import os
from collections.abc import Iterable, Iterator

from tf1hub.errors import CheckpointError
from tf1hub.format import boxes, dtypes
from tf1hub.format.box_set import BoxSet
from tf1hub.format.boxes import Box
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import CHUNK_SIZE, BundleWriter, iter_array_bytes
from tf1hub.format.close_names import MOST_HINTS, find_close_names
from tf1hub.format.wanted_variable import WantedVariable

_OBJECT_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def copy_checkpoint(
    source_prefix: str | os.PathLike[str],
    target_prefix: str | os.PathLike[str],
    wanted: Iterable[WantedVariable],
    num_shards: int = 1,
) -> None:
    """Write a checkpoint with the wanted variables, their values taken from another one.

    Args:
      source_prefix: the checkpoint that is copied from, without `.index`.
      target_prefix: the checkpoint that is written; its directory must exist.
      wanted: what it shall hold.
      num_shards: the number of its data files.

    Raises CheckpointError, before anything is written, that lists every variable that is missing or of
    another shape or type; CorruptModuleError when the source cannot be read, and then nothing is left of the
    target.
    """
    variables = list(wanted)
    with BundleReader(source_prefix) as reader:
        check_wanted(reader, variables)
        with BundleWriter(target_prefix, num_shards) as writer:
            for variable in variables:
                _copy_variable(reader, writer, variable)


def check_wanted(reader: BundleReader, wanted: Iterable[WantedVariable]) -> None:
    """Raise CheckpointError, with all that is wrong, unless the checkpoint holds the wanted variables."""
    variables = list(wanted)
    variables_by_source = {each.source_name: each for each in variables}
    missing = [variables_by_source[name] for name in sorted(variables_by_source) if name not in reader.entries]
    problems = [_missing_line(reader, variable, hint=at < MOST_HINTS) for at, variable in enumerate(missing)]
    seen: set[str] = set()
    for variable in variables:
        if variable.name in seen:
            problems.append(f"'{variable.name}' is wanted twice")
        seen.add(variable.name)
        entry = reader.entries.get(variable.source_name)
        if entry:
            problems += _mismatches(variable, entry)
        problems += _misfits(variable)
    if problems:
        lines = "".join(f"\n  {line}" for line in problems)
        raise CheckpointError(f"{reader.prefix} does not hold the variables that are wanted:{lines}")


def _missing_line(reader: BundleReader, variable: WantedVariable, hint: bool) -> str:
    name = variable.source_name
    close = _find_likely_names(name, reader.entries) if hint else []
    wanted_for = "" if name == variable.name else f" (wanted for '{variable.name}')"
    return f"'{name}'{wanted_for} is missing" + (f"; the closest there are: {', '.join(close)}" if close else "")


def _find_likely_names(name: str, known: Iterable[str]) -> list[str]:
    """Names that may be meant: the same in a scope, or as `tf.train.Checkpoint` writes it, else close ones."""
    meant = (each.removesuffix(_OBJECT_SUFFIX) for each in known)
    found = [each for each, plain in zip(known, meant, strict=True) if plain == name or plain.endswith("/" + name)]
    return found[:3] or find_close_names(name, known)


def _mismatches(variable: WantedVariable, entry: TensorEntry) -> Iterator[str]:
    """What is wrong with the stored tensor."""
    if entry.shape != tuple(variable.shape):
        yield f"'{entry.name}' is of shape {list(entry.shape)}, where {list(variable.shape)} is wanted"
    if dtypes.base_dtype(entry.dtype) != dtypes.base_dtype(variable.dtype):
        stored, wanted = dtypes.dtype_name(entry.dtype), dtypes.dtype_name(dtypes.base_dtype(variable.dtype))
        yield f"'{entry.name}' is of type {stored}, where {wanted} is wanted"


def _misfits(variable: WantedVariable) -> Iterator[str]:
    """What is wrong with the slices that are asked for."""
    if variable.slices is None:
        return
    outside = [part for part in variable.slices if not boxes.lies_in(part, variable.shape)]
    for start, shape in outside:
        yield f"'{variable.name}' of shape {list(variable.shape)} cannot have a slice {shape} at {start}"
    if not variable.slices:
        yield f"'{variable.name}' is wanted in slices, but none is given"
    elif variable.shape and not outside and BoxSet(variable.slices).find_clash():
        yield f"'{variable.name}' is wanted in slices that overlap"


def _copy_variable(reader: BundleReader, writer: BundleWriter, variable: WantedVariable) -> None:
    entry = reader.entry(variable.source_name)
    # A module of damaged values would be found out by its users only; new checksums would even hide the damage.
    reader.check_tensor(entry.name)
    if set(variable.parts) == _stored_parts(entry):
        writer.add_copy(variable.name, reader, entry)
        return
    for part in variable.parts:
        _cut(reader, writer, variable, part)


def _stored_parts(entry: TensorEntry) -> set[Box]:
    if not entry.slices:
        return {boxes.whole(entry.shape)}
    return {part.box(entry.shape) for part in entry.slices}


def _cut(reader: BundleReader, writer: BundleWriter, variable: WantedVariable, part: Box) -> None:
    """Write a part that the source does not store as one piece."""
    start, shape = part
    dtype = dtypes.base_dtype(variable.dtype)
    size = dtypes.item_size(dtype)
    if size is None:
        value = reader.read_slice(variable.source_name, start, shape)
        writer.add_slice(variable.name, variable.shape, start, value)
        return
    chunks = _iter_part_bytes(reader, variable.source_name, part, max(1, CHUNK_SIZE // size))
    writer.add_slice_streamed(variable.name, variable.shape, start, dtype, shape, chunks)


def _iter_part_bytes(reader: BundleReader, name: str, part: Box, limit: int) -> Iterator[memoryview]:
    """The bytes of a part of a tensor, at most `limit` elements at a time."""
    for run in boxes.iter_runs(part, limit):
        yield from iter_array_bytes(reader.read_slice(name, *run))
        reader.release_memory()
