"""What the values of variables in a checkpoint range over, read once and some megabytes at a time.

NumPy, which takes a fifth of a second to import, is loaded when there are values to read.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tf1hub.checkpoints import local_checkpoint
from tf1hub.checks.linting.dataflow.ops import FLOATS
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.format import dtypes

if TYPE_CHECKING:
    from tf1hub.format.bundle_entry import TensorEntry
    from tf1hub.format.bundle_reader import BundleReader

# What is looked at at once stays in the processor's cache; what was read is given back to the system.
_BYTES_AT_ONCE = 1 << 19
_BYTES_IN_MEMORY = 1 << 25


@dataclass(frozen=True)
class ValueRange:
    """The values of one variable of floats.

    Attributes:
      shape: the variable's, of all its parts together.
      least, largest: the values, NaN or infinite when some are.
      not_finite: how many are NaN or infinite.
    """

    shape: tuple[int, ...]
    least: float
    largest: float
    not_finite: int

    @property
    def elements(self) -> int:
        """How many elements the variable has."""
        found = 1
        for size in self.shape:
            found *= size
        return found

    @property
    def constant(self) -> float | None:
        """The value that all elements have, None when they differ."""
        return self.least if self.least == self.largest and not self.not_finite else None


def value_ranges(module: LintedModule) -> dict[str, ValueRange]:
    """The range of each variable of floats in the checkpoint that has elements, in the order of the checkpoint.

    Raises what reading a checkpoint raises: CheckpointError, CorruptModuleError.
    """
    entries = [entry for entry in module.stored_entries.values() if _has_floats(entry)]
    if not entries or module.spec.checkpoint is None:
        return {}
    from tf1hub.format.bundle_reader import BundleReader

    with local_checkpoint(module.spec.checkpoint) as prefix, BundleReader(prefix) as reader:
        stored = {entry.name: reader.stored_entries(entry.name) for entry in entries}
        entries.sort(key=lambda entry: [(part.shard_id, part.offset) for part in stored[entry.name][:1]])
        reading = _Reading(reader)
        return {entry.name: reading.range_of(entry, stored[entry.name]) for entry in entries}


def _has_floats(entry: "TensorEntry") -> bool:
    return dtypes.base_dtype(entry.dtype) in FLOATS and entry.num_elements > 0


class _Reading:
    """Going through the values of one checkpoint."""

    def __init__(self, reader: "BundleReader"):
        self._reader = reader
        self._read = 0

    def range_of(self, entry: "TensorEntry", parts: "list[TensorEntry]") -> ValueRange:
        """The range of a variable whose bytes lie in some parts."""
        import numpy as np

        dtype = dtypes.numpy_dtype(entry.dtype)
        step = _BYTES_AT_ONCE // dtype.itemsize
        least, largest, not_finite = np.inf, -np.inf, 0
        for part in parts:
            values = np.frombuffer(self._reader.raw(part), dtype)
            for start in range(0, values.size, step):
                run = values[start : start + step]
                # NumPy has no fast minimum of 16 bits.
                run = run if dtype.itemsize > 2 else run.astype(np.float32)
                low, high = float(run.min()), float(run.max())
                if not (math.isfinite(low) and math.isfinite(high)):
                    not_finite += int(np.count_nonzero(~np.isfinite(run)))
                least, largest = float(np.minimum(least, low)), float(np.maximum(largest, high))
                self._count(run.nbytes)
        return ValueRange(entry.shape, least, largest, not_finite)

    def _count(self, read: int) -> None:
        self._read += read
        if self._read > _BYTES_IN_MEMORY:
            self._reader.release_memory()
            self._read = 0
