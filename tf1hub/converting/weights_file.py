"""The formats of files of arrays, told apart by how a path ends."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import numpy.typing as npt

from tf1hub.converting import npz_file, safetensors_file
from tf1hub.converting.mapped_file import FileArray
from tf1hub.errors import WeightsError
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.bundle_reader import BundleReader


class WeightsFile(Protocol):
    """An open file of arrays."""

    @property
    def arrays(self) -> Mapping[str, FileArray]:
        """What the file holds, by name."""

    def array(self, name: str, scratch: str) -> npt.NDArray[Any]:
        """An array's value, read-only. What must be unpacked for it goes to the folder `scratch`."""

    def release_memory(self) -> None:
        """Lets the system take back the memory that reading filled."""


@dataclass(frozen=True)
class WeightsFormat:
    """A format of files of arrays.

    Attributes:
      find_unfit: why the format cannot hold a variable, None when it can.
      write: writes variables of a checkpoint to a file, and tells how many bytes were written since it last did.
      open: opens a file of that path.
    """

    find_unfit: Callable[[BundleReader, TensorEntry], str | None]
    write: Callable[[BinaryIO, BundleReader, Sequence[TensorEntry], Callable[[int], None]], None]
    open: Callable[[str], WeightsFile]


FORMATS = {
    ".npz": WeightsFormat(npz_file.find_unfit, npz_file.write, npz_file.NpzFile),
    ".safetensors": WeightsFormat(
        safetensors_file.find_unfit, safetensors_file.write, safetensors_file.SafetensorsFile
    ),
}


def format_of(path: str) -> WeightsFormat:
    """The format of a file of that path. Raises WeightsError for a path that ends otherwise."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in FORMATS:
        raise WeightsError(f"{path!r} must end in {' or '.join(FORMATS)}, which says the format.")
    return FORMATS[suffix]
