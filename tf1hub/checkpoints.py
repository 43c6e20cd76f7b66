"""Checkpoints as a module needs them: where one lies, and whether it has the variables of a graph."""

import difflib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tf1hub import files
from tf1hub.errors import CheckpointError, MissingCheckpointError
from tf1hub.format import dtypes
from tf1hub.format.bundle_index import BundleIndex
from tf1hub.format.close_names import MOST_HINTS, find_close_names
from tf1hub.format.wanted_variable import WantedVariable
from tf1hub.graph.variables import StoredVariable


def check_checkpoint(prefix: str, stored: list[StoredVariable]) -> None:
    """Refuses a checkpoint that lacks variables of a graph, or has them otherwise. Reads its index only.

    Raises:
      MissingCheckpointError: there is none.
      CheckpointError: it says all that is missing, and all that has another shape or dtype.
    """
    if not files.exists(prefix + ".index"):
        raise MissingCheckpointError(
            f"There is no checkpoint {prefix!r} (no file {prefix + '.index'!r}), and the module's graph has"
            f" {len(stored)} variables. Fetch the module again."
        )
    with local_checkpoint(prefix, index_only=True) as local:
        index = BundleIndex(local)
        faults: list[str] = []
        for variable in stored:
            faults += _faults(variable, index, hint=len(faults) < MOST_HINTS)
    if faults:
        raise CheckpointError(f"The checkpoint {prefix!r} does not fit the module's graph:\n  " + "\n  ".join(faults))


def _faults(variable: StoredVariable, index: BundleIndex, hint: bool) -> Iterator[str]:
    name = variable.checkpoint_name
    if name not in index.entries:
        close = find_close_names(name, index.entries) if hint else []
        yield f"it lacks the variable {name!r}" + (f"; close names: {close}" if close else "")
        return
    entry = index.entries[name]
    if variable.full_shape is not None and entry.shape != variable.full_shape:
        yield f"variable {name!r} has the shape {list(entry.shape)}, the graph's has {list(variable.full_shape)}"
    elif dtypes.base_dtype(entry.dtype) != dtypes.base_dtype(variable.dtype):
        yield (
            f"variable {name!r} has the dtype {dtypes.dtype_name(entry.dtype)}, the graph's has"
            f" {dtypes.dtype_name(variable.dtype)}"
        )


@contextmanager
def local_checkpoint(prefix: str, index_only: bool = False) -> Iterator[str]:
    """The prefix of a checkpoint on this machine: of its own, or of a copy when it is remote."""
    if not files.is_remote(prefix):
        yield prefix
        return
    with tempfile.TemporaryDirectory(prefix="tf1hub-checkpoint-") as directory:
        local = os.path.join(directory, "variables")
        for path in files.matching(prefix + (".index" if index_only else ".*")):
            files.copy(path, local + path.removeprefix(prefix))
        yield local


def wanted_variables(stored: list[StoredVariable], rename: Callable[[str], str], prefix: str) -> list[WantedVariable]:
    """The variables to copy from a checkpoint, the parts of partitioned ones put together.

    A variable whose shape is not known before it is initialized takes the one that the checkpoint has.
    """
    parts: dict[str, list[StoredVariable]] = {}
    for variable in stored:
        parts.setdefault(variable.checkpoint_name, []).append(variable)
    wanted = []
    entries = BundleIndex(prefix).entries
    for name, group in parts.items():
        first, source = group[0], rename(name)
        if not isinstance(source, str):
            raise TypeError(
                f"`name_transform_fn` gives {source!r} for {name!r}; it must give a checkpoint's name, a str."
            )
        shape = first.full_shape
        if shape is None:
            shape = entries[source].shape if source in entries else ()
        slices = None
        if first.offset is not None:
            slices = tuple((part.offset or (), part.shape or ()) for part in group)
        wanted.append(WantedVariable(name, source, first.dtype, shape, slices))
    return wanted


def find_checkpoint_prefix(path: str) -> str:
    """The prefix of a checkpoint's files: `path` itself, or the latest one of a training directory.

    Raises:
      MissingCheckpointError: there is none.
      CheckpointError: it has the format of before TensorFlow 1.0.
    """
    if files.exists(path + ".index"):
        return path
    if files.is_directory(path):
        state = files.join(path, "checkpoint")
        if not files.exists(state):
            raise MissingCheckpointError(
                f"The directory {path!r} has no file `checkpoint`, so no latest checkpoint is known."
            )
        latest = re.search(rb'^model_checkpoint_path: "(.+)"', files.read_bytes(state), re.MULTILINE)
        if latest is None:
            raise MissingCheckpointError(f"The file {state!r} names no latest checkpoint. Pass a checkpoint's prefix.")
        name = _unescaped(latest.group(1))
        prefix = name if os.path.isabs(name) else files.join(path, name)
        if files.exists(prefix + ".index") or not files.is_directory(prefix):
            return find_checkpoint_prefix(prefix)
        raise MissingCheckpointError(f"The file {state!r} names a directory, {name!r}, where a checkpoint should be.")
    if part := re.fullmatch(r"(.+)\.(index|data-\d{5}-of-\d{5})", path):
        if files.exists(part[1] + ".index"):
            raise CheckpointError(
                f"{path!r} is one file of a checkpoint. Pass what all its files begin with: {part[1]!r}."
            )
    elif files.exists(path):
        raise CheckpointError(
            f"{path!r} is a checkpoint of the old format (V1). Restore it and save it with `tf.compat.v1.train.Saver`,"
            " which writes the current one."
        )
    raise MissingCheckpointError(
        f"There is no checkpoint {path!r} (no file {path + '.index'!r}){_close_checkpoints(path)}."
    )


def _close_checkpoints(path: str) -> str:
    folder = os.path.dirname(path) or "."
    if files.is_remote(path) or not os.path.isdir(folder):
        return ""
    found = [name.removesuffix(".index") for name in os.listdir(folder) if name.endswith(".index")]
    close = difflib.get_close_matches(os.path.basename(path), found, 3, 0.3)
    return f"; in its directory there are {close}" if close else ""


def _unescaped(text: bytes) -> str:
    """A string of a protocol buffer's text format: older TensorFlows escape bytes that are not ASCII, newer do not."""
    return os.fsdecode(text.decode("unicode_escape").encode("latin-1"))
