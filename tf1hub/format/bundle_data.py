"""The data files of a checkpoint: the bytes of its tensors, back to back.

PREFIX.data-00000-of-00002      file 0 of 2; an index entry's shard_id, offset and size lead into them
PREFIX.data-00001-of-00002
"""

import mmap
import os
import re

from tf1hub.files import open_local
from tf1hub.format.damage import corrupt

_CHECKPOINT_FILE = re.compile(r"\.(index|data-\d+-of-\d+)")


def data_path(prefix: str, shard_id: int, num_shards: int) -> str:
    """The path of a data file.

    >>> data_path('variables', 0, 2)
    'variables.data-00000-of-00002'
    """
    return f"{prefix}.data-{shard_id:05d}-of-{num_shards:05d}"


def index_path(prefix: str) -> str:
    """The path of the index file."""
    return f"{prefix}.index"


def is_checkpoint_file(path: str, prefix: str) -> bool:
    """Whether a path is that of the index or of a data file of a checkpoint.

    >>> is_checkpoint_file("v/v.data-00000-of-00002", "v/v"), is_checkpoint_file("v/v.data-0", "v/v")
    (True, False)
    """
    return path.startswith(prefix) and _CHECKPOINT_FILE.fullmatch(path, len(prefix)) is not None


class DataFiles:
    """The data files of one checkpoint, each mapped into memory when it is first needed."""

    def __init__(self, prefix: str, num_shards: int) -> None:
        self._prefix = prefix
        self._num_shards = num_shards
        self._maps: dict[int, memoryview] = {}

    def path(self, shard_id: int) -> str:
        """The path of a data file, for messages."""
        return data_path(self._prefix, shard_id, self._num_shards)

    def view(self, name: str, shard_id: int, offset: int, size: int) -> memoryview:
        """The stored bytes of the tensor `name`, not copied. The view outlives `close`.

        Raises CorruptModuleError when the file is missing or too short.
        """
        if shard_id >= self._num_shards:
            found = f"no such file: '{name}' is said to lie in file {shard_id} of {self._num_shards}"
            raise corrupt(self.path(shard_id), 0, found)
        data = self._map(name, shard_id)
        if offset + size > len(data):
            found = f"the file ends at byte {len(data)}, inside the {size} bytes of '{name}'"
            raise corrupt(self.path(shard_id), offset, found)
        return data[offset : offset + size]

    def release_memory(self) -> None:
        """Let the system take back the memory that reading filled; views stay valid and are read again."""
        for view in self._maps.values():
            if isinstance(view.obj, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                view.obj.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Let go of the files; views that are still in use keep theirs."""
        self._maps.clear()

    def _map(self, name: str, shard_id: int) -> memoryview:
        if shard_id not in self._maps:
            path = self.path(shard_id)
            try:
                self._maps[shard_id] = _map_file(path)
            except OSError as error:
                found = f"no such file, but '{name}' lies in it"
                if not isinstance(error, FileNotFoundError):
                    found = f"the file, which holds '{name}', cannot be read ({error.strerror})"
                raise corrupt(path, 0, found) from error
        return self._maps[shard_id]


def _map_file(path: str) -> memoryview:
    with open_local(path) as file:
        # An empty file cannot be mapped.
        if os.fstat(file.fileno()).st_size == 0:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
