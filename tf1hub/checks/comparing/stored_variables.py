"""The variables in a checkpoint as pieces of bytes, without NumPy."""

from collections.abc import Iterator
from dataclasses import dataclass

from tf1hub.format import dtypes
from tf1hub.format.boxes import Box
from tf1hub.format.bundle_data import DataFiles
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.bundle_index import BundleIndex
from tf1hub.format.damage import corrupt


@dataclass(frozen=True)
class StoredForm:
    """How a checkpoint stores a variable: dtype, shape, and in how many parts (1 when it is whole)."""

    dtype: str
    shape: tuple[int, ...]
    parts: int


class StoredVariables:
    """The variables of one of the modules: some of its checkpoint's tensors.

    Args:
      prefix: the checkpoint's, None when the module has none.
      names: the variables' names; None for all that are there.
    """

    def __init__(self, prefix: str | None, names: frozenset[str] | None) -> None:
        self.prefix = prefix
        self._index = BundleIndex(prefix) if prefix is not None else None
        entries = self._index.entries if self._index is not None else {}
        self.entries = {name: entry for name, entry in entries.items() if names is None or name in names}
        self._files = DataFiles(prefix or "", self._index.num_shards if self._index is not None else 0)

    def form(self, name: str) -> StoredForm | None:
        """How a variable is stored; None when there is no such variable."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        return StoredForm(dtypes.dtype_name(entry.dtype), entry.shape, len(entry.slices) or 1)

    def size(self, name: str) -> int:
        """The bytes of a variable."""
        entry = self.entries[name]
        return entry.nbytes or entry.size

    def pieces(self, name: str) -> Iterator[tuple[TensorEntry, memoryview]]:
        """The stored pieces of a variable in the order of their places, with their bytes."""
        entry = self.entries[name]
        assert self._index is not None
        stored = [entry]
        if entry.slices:
            places = sorted(entry.slices, key=lambda part: part.box(entry.shape))
            stored = [self._index.find_slice_entry(entry, part) for part in places]
        for piece in stored:
            if piece.nbytes is not None and piece.nbytes != piece.size:
                found = f"{piece.size} bytes for '{name}', whose shape {list(piece.shape)} takes {piece.nbytes}"
                raise corrupt(self._files.path(piece.shard_id), piece.offset, found)
            yield piece, self._files.view(name, piece.shard_id, piece.offset, piece.size)

    def places(self, name: str) -> list[Box]:
        """Where the stored pieces of a variable lie in it."""
        entry = self.entries[name]
        return sorted(part.box(entry.shape) for part in entry.slices)

    def close(self) -> None:
        """Lets go of the files."""
        self._files.close()

    def release_memory(self) -> None:
        """Lets the system take back the memory that reading filled."""
        self._files.release_memory()
