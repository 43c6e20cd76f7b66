"""A module's variables as a file of arrays, and a copy of a module with the values of such a file.

The file is an .npz or a .safetensors one, by its name's end. Either way tensors are streamed: a few megabytes of them are
in hand at a time, but for strings, of which it is one variable.
"""

import fnmatch
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from tf1hub import files
from tf1hub.checkpoints import local_checkpoint
from tf1hub.converting.module_copy import find_module_files
from tf1hub.converting.new_file import new_file
from tf1hub.converting.tensor_bytes import iter_part_bytes
from tf1hub.converting.weights_file import WeightsFile, format_of
from tf1hub.converting.weights_fit import check_fit, listed
from tf1hub.errors import MissingCheckpointError, UnsupportedHandleError, WeightsError, raised_as_tensorflow
from tf1hub.format import boxes, dtypes, module_directory
from tf1hub.format.boxes import Box
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.bundle_reader import BundleReader
from tf1hub.format.bundle_writer import BundleWriter
from tf1hub.format.placing import check_free, new_module_directory
from tf1hub.spec import read_spec

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Weight:
    """A variable: its name in the checkpoint, TensorFlow's name of its dtype, its shape, and the bytes it takes there."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int


@dataclass(frozen=True)
class ReplacedWeights:
    """Which variables got new values, and which kept theirs."""

    replaced: tuple[Weight, ...]
    kept: tuple[Weight, ...]


@raised_as_tensorflow()
def export_weights(
    module: str | os.PathLike[str],
    file: str | os.PathLike[str],
    *,
    only: Iterable[str] = (),
    overwrite: bool = False,
    on_progress: Progress | None = None,
) -> list[Weight]:
    """Writes a module's variables to a file of arrays, without TensorFlow. A few megabytes are in memory at a time.

    Args:
      module: the module's path.
      file: the file's path, which ends in `.npz` or `.safetensors`. It is there whole or not at all.
      only: patterns such as `dense/*`; variables whose names match none of them are left out.
      overwrite: whether a file that is there already may be replaced.
      on_progress: called with the bytes that are done, and all there are.

    Returns:
      What was written, in the order of the names. A partitioned variable is written as one.

    Raises:
      MissingModuleError: there is no module.
      MissingCheckpointError: the module's graph has variables, and there is no checkpoint.
      CorruptModuleError: the checkpoint is damaged; it is verified against its checksums.
      WeightsError: the file's format cannot hold some variables, or `only` matches none.
      ModuleExistsError: there is such a file already.

    >>> weights = hub.export_weights(path, new_path + ".npz")
    >>> [(weight.name, weight.dtype, weight.shape) for weight in weights]
    [('vectors', 'float32', (4, 2))]
    """
    path, directory = os.fspath(file), files.resolve(module)
    kind = format_of(path)
    with _open_checkpoint(directory) as reader:
        entries = _chosen(directory, list(reader.entries.values()), tuple(only))
        problems = [f"{entry.name!r} {unfit}" for entry in entries if (unfit := kind.find_unfit(reader, entry))]
        if problems:
            raise WeightsError(
                listed(f"{path!r} cannot hold all variables of {directory!r}", problems)
                + "\nWrite the other format (.npz or .safetensors), or choose variables, with `only` (--only)."
            )
        with new_file(path, overwrite) as target:
            kind.write(target, reader, entries, _counting(entries, on_progress))
        return [_weight(entry) for entry in entries]


@raised_as_tensorflow()
def replace_weights(
    module: str | os.PathLike[str],
    file: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    partial: bool = False,
    on_progress: Progress | None = None,
) -> ReplacedWeights:
    """Copies a module, its variables with the values that a file has, without TensorFlow.

    All else is copied byte for byte. Variables that are partitioned stay so.

    Args:
      module: the path of the module that is copied.
      file: an `.npz` or `.safetensors` file, with an array for each variable, of its shape and dtype.
      output: the path of the copy, which is there whole or not at all.
      partial: whether the file may lack variables; they keep their values.
      on_progress: called with the bytes that are done, and all there are.

    Raises:
      MissingModuleError: there is no module.
      WeightsError: the arrays do not fit the variables. It lists all that is wrong.
      CorruptModuleError: the file, or the checkpoint, is damaged.
      ModuleExistsError: there is a module at `output`.

    >>> weights = hub.export_weights(path, new_path + ".safetensors")
    >>> done = hub.replace_weights(path, new_path + ".safetensors", new_path + "_copy")
    >>> [weight.name for weight in done.replaced], done.kept
    (['vectors'], ())
    """
    path, directory, target = os.fspath(file), files.resolve(module), files.resolve(output)
    kind = format_of(path)
    if files.is_remote(directory):
        raise UnsupportedHandleError(f"{directory!r} is remote. Copy the module to this machine first.")
    check_free(target)
    with _open_checkpoint(directory) as reader:
        source = kind.open(path)
        check_fit(directory, path, reader.entries, source.arrays, partial)
        others = find_module_files(directory)
        entries = list(reader.entries.values())
        with new_module_directory(target) as copy:
            others.copy_to(copy)
            if files.exists(module_directory.checkpoint_prefix(directory) + ".index"):
                _write_checkpoint(reader, source, copy, _counting(entries, on_progress))
        weights = [_weight(entry) for entry in entries]
    replaced = tuple(weight for weight in weights if weight.name in source.arrays)
    return ReplacedWeights(replaced, tuple(weight for weight in weights if weight.name not in source.arrays))


@contextmanager
def _open_checkpoint(directory: str) -> Iterator[BundleReader]:
    """The checkpoint of a module; an empty one for a module that has no variables."""
    module_directory.check_marker(directory)
    prefix = module_directory.checkpoint_prefix(directory)
    if files.exists(prefix + ".index"):
        with local_checkpoint(prefix) as local, BundleReader(local) as reader:
            yield reader
        return
    spec = read_spec(directory)
    if any(spec.stored_variables(tags) for tags in spec.get_tags()):
        raise MissingCheckpointError(
            f"The graph of {directory!r} has variables, and there is no checkpoint {prefix!r}. Fetch the module again."
        )
    with tempfile.TemporaryDirectory(prefix="tf1hub-weights-") as folder:
        BundleWriter(os.path.join(folder, "none")).close()
        with BundleReader(os.path.join(folder, "none")) as reader:
            yield reader


def _chosen(directory: str, entries: list[TensorEntry], patterns: Sequence[str]) -> list[TensorEntry]:
    """The variables that match one of the patterns; all when there are none."""
    chosen = [entry for entry in entries if any(fnmatch.fnmatchcase(entry.name, pattern) for pattern in patterns)]
    if patterns and not chosen:
        raise WeightsError(
            listed(f"No variable of {directory!r} matches {' or '.join(patterns)}. It has", [e.name for e in entries])
        )
    return chosen if patterns else entries


def _counting(entries: Sequence[TensorEntry], on_progress: Progress | None) -> Callable[[int], None]:
    """A function to call with how many more bytes are done."""
    total = sum(map(_size, entries))
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        # Strings may take more room in the file.
        done = min(done + size, total)
        if on_progress:
            on_progress(done, total)

    return advance


def _weight(entry: TensorEntry) -> Weight:
    return Weight(entry.name, dtypes.dtype_name(dtypes.base_dtype(entry.dtype)), entry.shape, _size(entry))


def _size(entry: TensorEntry) -> int:
    return entry.size if entry.nbytes is None else entry.nbytes


def _num_shards(reader: BundleReader) -> int:
    """How many data files the copy gets: as many as are in use."""
    stored = (each for name in reader.entries for each in reader.stored_entries(name))
    return max(1, len({each.shard_id for each in stored}))


def _write_checkpoint(reader: BundleReader, source: WeightsFile, copy: str, advance: Callable[[int], None]) -> None:
    os.makedirs(os.path.join(copy, module_directory.VARIABLES), exist_ok=True)
    with BundleWriter(module_directory.checkpoint_prefix(copy), _num_shards(reader)) as writer:
        for entry in reader.entries.values():
            if entry.name not in source.arrays:
                reader.check_tensor(entry.name)
                writer.add_copy(entry.name, reader, entry)
                advance(_size(entry))
                continue
            array = source.array(entry.name, scratch=copy)
            parts = [part.box(entry.shape) for part in entry.slices] or [boxes.whole(entry.shape)]
            for part in parts:
                _write_part(writer, entry, part, array, source.release_memory, advance)


def _write_part(
    writer: BundleWriter,
    entry: TensorEntry,
    part: Box,
    array: npt.NDArray[Any],
    release_memory: Callable[[], None],
    advance: Callable[[int], None],
) -> None:
    """Writes a variable's part; one that is not partitioned is its only part."""
    start, shape = part
    dtype = dtypes.base_dtype(entry.dtype)
    if dtype == dtypes.STRING:
        writer.add_slice(entry.name, entry.shape, start, array[boxes.indices(part)])
        advance(array.nbytes)
        return

    def chunks() -> Iterator[memoryview]:
        for chunk in iter_part_bytes(array, part, release_memory):
            yield chunk
            advance(len(chunk))

    writer.add_slice_streamed(entry.name, entry.shape, start, dtype, shape, chunks())
