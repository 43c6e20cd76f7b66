"""Whether the arrays of a file can be the values of a module's variables."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tf1hub.converting.mapped_file import FileArray
from tf1hub.converting.npz_file import is_foreign
from tf1hub.errors import WeightsError
from tf1hub.format import dtypes
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.close_names import MOST_HINTS, find_close_names


def check_fit(
    module: str, path: str, entries: Mapping[str, TensorEntry], arrays: Mapping[str, FileArray], partial: bool
) -> None:
    """Refuses arrays of the file `path` that the variables of a module cannot take.

    Args:
      module: the module's path, for the message.
      path: the file's path, for the message.
      entries: the variables by name.
      arrays: what the file holds.
      partial: whether it may lack variables.

    Raises:
      WeightsError: with all that is wrong.
    """
    unknown = [name for name in arrays if name not in entries]
    problems = [_unknown_line(name, entries, hint=at < MOST_HINTS) for at, name in enumerate(unknown)]
    for name, entry in entries.items():
        if name in arrays:
            problems += _misfits(entry, arrays[name])
        elif not partial:
            problems.append(f"{name!r} is missing; with `partial` (--partial) it keeps its value")
    if problems:
        raise WeightsError(listed(f"{path!r} does not fit the variables of {module!r}", problems))


def _unknown_line(name: str, entries: Mapping[str, TensorEntry], hint: bool) -> str:
    close = find_close_names(name, entries) if hint else []
    return f"{name!r} is none of its variables" + (f"; close names: {', '.join(close)}" if close else "")


def _misfits(entry: TensorEntry, array: FileArray) -> Iterator[str]:
    if array.shape != entry.shape:
        yield f"{entry.name!r} has the shape {list(array.shape)}, the variable's is {list(entry.shape)}"
    try:
        wanted = dtypes.numpy_dtype(entry.dtype)
    except ValueError as error:
        yield f"{entry.name!r} cannot be replaced: {error}; leave it out, with `partial` (--partial)"
        return
    if not _is_same_type(array.dtype, wanted):
        name = "'S'" if wanted.hasobject else f"ml_dtypes.{wanted.name}" if is_foreign(wanted) else repr(wanted.name)
        found = "raw bytes" if array.dtype.type is np.void else array.dtype.name
        yield f"{entry.name!r} has the dtype {found}, the variable's is {wanted.name}; convert it: `array.astype({name})`"


def _is_same_type(found: np.dtype[Any], wanted: np.dtype[Any]) -> bool:
    """Whether an array of a file has a variable's type; the byte order does not count."""
    if wanted.hasobject:
        return found.kind in "SU"
    if found.type is np.void:  # In .npz files those that NumPy has from ml_dtypes are no more than bytes.
        return is_foreign(wanted) and found.itemsize == wanted.itemsize
    return found == wanted or (not is_foreign(found) and found.newbyteorder("=") == wanted)


def listed(what: str, lines: Iterable[str]) -> str:
    """A message with a line for each thing that it speaks of."""
    return f"{what}:" + "".join(f"\n  {line}" for line in lines)
