"""Inputs from `.npy` and `.npz` files: rows along the first dimension."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tf1hub.cli.applying.batches import Batch, stack
from tf1hub.cli.applying.calls import DENSE, Call, Input
from tf1hub.cli.applying.json_values import cast, check_shape
from tf1hub.errors import InputError
from tf1hub.format.dtypes import STRING, numpy_dtype


def read_arrays(file: str, format: str, keys: Sequence[str], call: Call) -> dict[str, np.ndarray]:
    """The arrays of a file by input. That of an `.npy` is mapped into memory, those of an `.npz` are read.

    Raises:
      InputError: the file is broken, or its arrays do not fit the inputs.
    """
    try:
        if format == "npy":
            arrays: dict[str, np.ndarray] = {keys[0]: np.lib.format.open_memmap(file, mode="r")}
        else:
            arrays = _members(file, keys, call)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # NumPy and zipfile raise whatever they stumble upon.
        if isinstance(error, OSError) and error.filename:
            raise
        raise InputError(f"{file}: no .{format} file that NumPy can read: {error}") from error
    for key, array in arrays.items():
        wanted = call.inputs[key]
        try:
            _check(array, wanted)
        except InputError as error:
            raise InputError(f"{file}: the input {key!r} {error}") from error
    lengths = {key: len(array) for key, array in arrays.items() if call.inputs[key].batched}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{key!r} has {length}" for key, length in lengths.items())
        raise InputError(f"{file}: the inputs have different numbers of rows: {found}.")
    return arrays


def _members(file: str, keys: Sequence[str], call: Call) -> dict[str, np.ndarray]:
    with open(file, "rb") as stream:
        archive = np.load(stream, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise InputError(f"{file}: a single array, no .npz; pass --input-format npy.")
        if set(archive.files) != set(keys):
            raise InputError(
                f"{file}: holds the arrays {', '.join(map(repr, archive.files)) or 'none'}, wanted are"
                f" {', '.join(map(repr, keys))}. {call.describe_inputs()}"
            )
        return {key: archive[key] for key in keys}


def _check(array: np.ndarray, wanted: Input) -> None:
    if wanted.field.kind != DENSE:
        raise InputError(f"is {wanted.field.kind}, which arrays cannot hold; give JSON lines")
    if wanted.batched and not array.ndim:
        raise InputError(f"should have rows, {wanted} each, but is a single value")
    check_shape(array.shape[1:] if wanted.batched else array.shape, wanted)
    _fed(array[:0] if array.ndim else array, wanted)


def array_rows(arrays: Mapping[str, np.ndarray], call: Call) -> int:
    """How many examples the arrays hold."""
    return next((len(array) for key, array in arrays.items() if call.inputs[key].batched), 1)


def array_batches(
    arrays: Mapping[str, np.ndarray], constants: Mapping[str, Any], call: Call, size: int, file: str
) -> Iterator[Batch]:
    """The arrays in batches; what the command line gave goes with each."""
    rows = array_rows(arrays, call)
    for start in range(0, rows, size):
        count = min(size, rows - start)
        fed = call.size or count
        place = file if call.whole else f"{file}[{start}]"
        feeds = {key: stack([value] * fed, call.inputs[key]) for key, value in constants.items()}
        for key, array in arrays.items():
            wanted = call.inputs[key]
            part = array[start : start + count] if wanted.batched else array
            try:
                feeds[key] = _filled(_fed(np.asarray(part), wanted), fed) if wanted.batched else _fed(part, wanted)
            except InputError as error:
                raise InputError(f"{place}: the input {key!r} {error}") from error
        yield Batch(feeds, count, place)


def _filled(array: np.ndarray, rows: int) -> np.ndarray:
    """The array with its last row repeated until there are so many."""
    if len(array) == rows:
        return array
    return np.concatenate([array, np.repeat(array[-1:], rows - len(array), axis=0)])


def _fed(array: np.ndarray, wanted: Input) -> np.ndarray:
    """The array in the input's type."""
    if wanted.field.dtype != STRING:
        if array.dtype.kind not in "biufcV":
            raise InputError(f"should be {wanted}, but holds {array.dtype}")
        stored = numpy_dtype(wanted.field.dtype)
        # NumPy saves types that it has from ml_dtypes, such as bfloat16, as raw bytes.
        is_raw = array.dtype.type is np.void and array.dtype.names is None and stored.kind == "V"
        if is_raw and array.dtype.itemsize == stored.itemsize:
            array = array.view(stored)
        return cast(array, wanted.field.dtype)
    if array.dtype.kind not in "SU":
        raise InputError(f"should be {wanted}, but holds {array.dtype}")
    if array.dtype.kind == "U":
        array = np.char.encode(array, "utf-8")
    return array.astype(object)
