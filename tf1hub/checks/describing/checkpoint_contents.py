"""What a module's checkpoint says that it holds, as far as its index and the sizes of its files tell."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tf1hub.checkpoints import local_checkpoint
from tf1hub.errors import Tf1HubError
from tf1hub.format import dtypes, module_directory
from tf1hub.format.bundle_data import data_path, index_path
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.bundle_index import BundleIndex


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of the checkpoint that is no variable of any variant."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int


def checkpoint_entries(
    directory: str, file_sizes: Mapping[str, int], needed: bool, problems: list[str]
) -> Mapping[str, TensorEntry] | None:
    """The index of a module's checkpoint; None when it cannot be read. What is wrong is added to `problems`.

    Args:
      directory: the module's.
      file_sizes: bytes of its files, by path inside it.
      needed: whether the graphs have variables; if not, a missing checkpoint is fine.
    """
    prefix = module_directory.checkpoint_prefix(directory)
    inside = index_path(module_directory.checkpoint_prefix(""))
    if inside not in file_sizes:
        if needed:
            problems.append(f"There is no {inside}, so the variables have no values.")
        return {}
    try:
        with local_checkpoint(prefix, index_only=True) as local:
            index = BundleIndex(local)
    except (Tf1HubError, OSError) as error:
        problems.append(str(error))
        return None
    problems.extend(_faults_of_data_files(index, file_sizes))
    return index.entries


def _faults_of_data_files(index: BundleIndex, file_sizes: Mapping[str, int]) -> list[str]:
    ends: dict[int, int] = {}
    for entry in index.entries.values():
        if not entry.slices:
            ends[entry.shard_id] = max(entry.offset + entry.size, ends.get(entry.shard_id, 0))
    faults = []
    for shard_id, end in sorted(ends.items()):
        name = data_path(module_directory.checkpoint_prefix(""), shard_id, index.num_shards)
        if name not in file_sizes:
            faults.append(f"There is no {name}, which values of variables lie in.")
        elif file_sizes[name] < end:
            faults.append(f"{name} has {file_sizes[name]:,} bytes; the values of the variables take {end:,}.")
    return faults


def other_tensors(entries: Mapping[str, TensorEntry] | None, names: Collection[str]) -> tuple[StoredTensor, ...]:
    """What a checkpoint holds besides the variables with these names."""
    return tuple(
        StoredTensor(name, entry.shape, dtypes.dtype_name(entry.dtype), entry.nbytes or entry.size)
        for name, entry in (entries or {}).items()
        if name not in names
    )
