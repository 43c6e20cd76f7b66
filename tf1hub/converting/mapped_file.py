"""A file of arrays that is mapped into memory, so that what is read of it need not be copied."""

import math
import mmap
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tf1hub.errors import WeightsError
from tf1hub.format.damage import corrupt


@dataclass(frozen=True)
class FileArray:
    """What a file says of one array: its NumPy type and shape."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """The bytes of all its elements."""
        return self.dtype.itemsize * math.prod(self.shape)


class MappedFile:
    """The bytes of an open file, mapped into memory. It must not be cut short while they are in use.

    Args:
      path: the file's path, for messages.
      file: its descriptor, which may be closed afterwards.
    """

    def __init__(self, path: str, file: int) -> None:
        self.path = path
        self._map = _map(file)
        self.data = memoryview(self._map)

    def array(self, name: str, kind: FileArray, offset: int, fortran_order: bool = False) -> npt.NDArray[Any]:
        """The array `name`, whose bytes begin at an offset: a read-only view.

        Raises CorruptModuleError when the file ends before it does, WeightsError when NumPy has no such arrays.
        """
        data = self.data[offset : offset + kind.nbytes]
        if len(data) != kind.nbytes:
            raise corrupt(self.path, offset, f"the file ends at byte {len(self.data)}, inside the array {name!r}")
        try:
            return np.ndarray(kind.shape, kind.dtype, buffer=data, order="F" if fortran_order else "C")
        except (ValueError, OverflowError) as error:
            raise WeightsError(f"{self.path!r} has {name!r} in a shape that NumPy cannot have: {error}.") from error

    def release_memory(self) -> None:
        """Lets the system take back the memory that reading filled; views stay valid and are read again."""
        if isinstance(self._map, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


def open_mapped(path: str) -> MappedFile:
    """A file, mapped. Raises WeightsError when there is none, OSError when it cannot be read."""
    if not os.path.isfile(path):
        what = "is no file" if os.path.exists(path) else "does not exist"
        raise WeightsError(f"{path!r} {what}. Check the path of the file with the weights.")
    with open(path, "rb") as file:
        return MappedFile(path, file.fileno())


def _map(file: int) -> mmap.mmap | bytes:
    # An empty file cannot be mapped.
    if os.fstat(file).st_size == 0:
        return b""
    return mmap.mmap(file, 0, access=mmap.ACCESS_READ)
