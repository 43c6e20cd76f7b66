"""Verifying a module on disk: everything that can be checked without running it.

A fault in one file does not keep the others from being checked. What is wrong by consequence is not said again: when a
block of the checkpoint's index cannot be read, the variables that may stand in it do not count as missing.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from tf1hub import files
from tf1hub.checks.verifying.checkpoint_faults import is_data_file, iter_data_faults
from tf1hub.checks.verifying.checkpoint_index import CheckpointIndex
from tf1hub.checks.verifying.file_faults import (
    iter_asset_faults,
    iter_file_notes,
    iter_link_findings,
    iter_marker_faults,
    iter_name_faults,
)
from tf1hub.checks.verifying.findings import FAULT, SEVERITIES, Finding, named
from tf1hub.checks.verifying.graph_faults import iter_graph_faults
from tf1hub.checks.verifying.module_files import ModuleFiles, printable, reason
from tf1hub.checks.verifying.variable_faults import (
    Tags,
    find_spare_tensors,
    iter_missing_checkpoint_findings,
    iter_variable_findings,
)
from tf1hub.errors import CorruptModuleError, Tf1HubError, UnsupportedHandleError, raised_as_tensorflow
from tf1hub.format import module_directory, protos
from tf1hub.format.bundle_data import index_path
from tf1hub.format.messages import parse_message
from tf1hub.garbage import no_garbage_collection
from tf1hub.graph import collections
from tf1hub.graph.assets import assets_on_disk
from tf1hub.graph.index import GraphIndex, tags_of
from tf1hub.graph.variables import StoredVariable, stored_variable

_PREFIX = module_directory.checkpoint_prefix("")
# A file of faults must not fill the memory with them.
_MOST_FINDINGS = 10_000


@dataclass(frozen=True)
class Verification:
    """What came out of verifying a module.

    Attributes:
      findings: what was found, the faults first.
      tensors: how many tensors its checkpoint has.
      files: how many files were checked.
      bytes: how many bytes of them were read and checked.
    """

    findings: list[Finding]
    tensors: int
    files: int
    bytes: int

    @property
    def is_sound(self) -> bool:
        """Whether there is no fault. There may be warnings."""
        return all(finding.severity != FAULT for finding in self.findings)


@raised_as_tensorflow()
def verify(path: str | os.PathLike[str], progress: Callable[[int], None] | None = None) -> Verification:
    """Checks a module on disk as far as that can be done without running it. TensorFlow is not loaded.

    Args:
      path: the module's directory.
      progress: is called now and then with the number of bytes that were checked since the last call; see
        `bytes_to_check`.

    Returns:
      A `Verification`: `findings`, each with `severity` ("fault", "warning", "note"), `message`, `file`, `byte`, `tensor`
      and `tags`; `is_sound`; and how many `tensors`, `files` and `bytes` were checked.

    Raises:
      MissingModuleError: there is no module (an `OSError`).
      CorruptModuleError: none of its files can be read (an `OSError`).
      UnsupportedHandleError: the path is a web address, or remote.

    >>> hub.verify(path).is_sound
    True
    """
    directory = _local_directory(path)
    if not files.exists(files.join(directory, module_directory.MARKER)):
        module_directory.check_marker(directory)
    module = ModuleFiles(directory, progress)
    check = _Check(module)
    findings = _bounded(check.iter_findings())
    if not module.opened:
        where = f"{findings[0].file}: {findings[0].message}"
        raise CorruptModuleError(f"None of the files of the module {directory!r} can be read; {where}.")
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Verification(findings, check.tensors, len(module.opened), module.bytes_read)


def bytes_to_check(path: str | os.PathLike[str]) -> int:
    """How many bytes `verify` will read of a module, about."""
    directory = _local_directory(path)
    names = [module_directory.MARKER, module_directory.SAVED_MODEL, index_path(_PREFIX), *_data_files(directory)]
    total = 0
    for name in names:
        with suppress(OSError):
            total += os.path.getsize(os.path.join(directory, name))
    return total


def _local_directory(path: str | os.PathLike[str]) -> str:
    directory = files.absolute(files.resolve(path))
    if files.is_remote(directory):
        raise UnsupportedHandleError(f"{directory!r} is remote. Copy the module to this machine to verify it.")
    return directory


def _data_files(directory: str) -> list[str]:
    """The data files that are there, by their names inside the module."""
    folder = os.path.join(directory, module_directory.VARIABLES)
    names = os.listdir(folder) if os.path.isdir(folder) and os.access(folder, os.R_OK) else []
    inside = [f"{module_directory.VARIABLES}/{name}" for name in sorted(names)]
    return [name for name in inside if is_data_file(name, _PREFIX)]


def _bounded(findings: Iterable[Finding]) -> list[Finding]:
    """The findings; of very many the first ones, and how many more there are."""
    kept: list[Finding] = []
    more = 0
    worst = len(SEVERITIES) - 1
    for finding in findings:
        if len(kept) < _MOST_FINDINGS:
            kept.append(finding)
            continue
        more += 1
        worst = min(worst, SEVERITIES.index(finding.severity))
    if more:
        kept.append(Finding(SEVERITIES[worst], f"{more:,} more findings, which are not listed"))
    return kept


class _Check:
    """One run over a module: its files, then its graphs, then its checkpoint.

    What the graphs say is None while it is not known, or when it cannot be read as a whole.
    """

    def __init__(self, module: ModuleFiles) -> None:
        self._module = module
        self._variables: dict[Tags, dict[str, StoredVariable]] = {}
        self._assets: dict[str, None] = {}
        # Whether all graphs, and all lists in them, could be read: if not, something may only seem to be unused.
        self._knows_graphs = False
        self.tensors = 0

    def iter_findings(self) -> Iterator[Finding]:
        """All findings."""
        listed = self._module.list_all()
        yield from iter_marker_faults(self._module)
        yield from iter_name_faults(listed)
        yield from iter_link_findings(self._module, listed)
        with no_garbage_collection():
            yield from self._iter_saved_model_findings()
        yield from iter_asset_faults(self._module, self._assets)
        yield from self._iter_checkpoint_findings()
        yield from iter_file_notes(listed, self._assets if self._knows_graphs else None)

    def _iter_saved_model_findings(self) -> Iterator[Finding]:
        name = module_directory.SAVED_MODEL
        try:
            saved_model = parse_message(protos.SavedModel, self._module.read(name), name)
        except FileNotFoundError:
            yield Finding(FAULT, "no such file", name)
            return
        except CorruptModuleError as error:
            yield Finding(FAULT, f"cannot be parsed: {error.found or 'it is no such message'}", name, error.byte)
            return
        except OSError as error:
            yield Finding(FAULT, f"cannot be read: {reason(error)}", name)
            return
        if not saved_model.meta_graphs:
            yield Finding(FAULT, "it holds no graph", name)
            return
        self._knows_graphs = True
        for meta_graph in saved_model.meta_graphs:
            tags = tuple(sorted(tags_of(meta_graph)))
            if tags in self._variables:
                yield Finding(FAULT, "another variant has the same tags", name, None, None, tags)
            for message in iter_graph_faults(meta_graph):
                yield Finding(FAULT, message, name, None, None, tags)
            self._variables[tags] = self._variables_of(GraphIndex(meta_graph))
            try:
                self._assets.update(dict.fromkeys(asset.filename for asset in assets_on_disk(meta_graph)))
            except Tf1HubError:  # said already, of the graph
                self._knows_graphs = False

    def _variables_of(self, index: GraphIndex) -> dict[str, StoredVariable]:
        """The variables of a graph by their names in the checkpoint, as far as they can be read."""
        found = {}
        for value in index.collection_bytes(collections.GLOBAL_VARIABLES):
            try:
                variable = stored_variable(parse_message(protos.VariableDef, value, "A variable"), index)
                found[variable.checkpoint_name] = variable
            except Tf1HubError:  # said already, of the graph
                self._knows_graphs = False
        return found

    def _iter_checkpoint_findings(self) -> Iterator[Finding]:
        name = index_path(_PREFIX)
        data_files = _data_files(self._module.directory)
        try:
            index = CheckpointIndex(self._module.read(name), name)
        except FileNotFoundError:
            if data_files:
                found = f"no such file, without which nothing can be read of {named(list(map(printable, data_files)))}"
                yield Finding(FAULT, found, name)
            else:
                yield from iter_missing_checkpoint_findings(self._variables, name)
            return
        except OSError as error:
            yield Finding(FAULT, f"cannot be read: {reason(error)}", name)
            return
        self.tensors = len(index.tensors)
        yield from index.findings
        yield from iter_data_faults(self._module, _PREFIX, index, data_files)
        yield from iter_variable_findings(self._variables, index, name)
        if self._knows_graphs and (spare := find_spare_tensors(self._variables, index, name)):
            yield spare
