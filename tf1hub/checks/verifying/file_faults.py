"""Faults of a module's files as such: the marker, names, links, and the assets."""

import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from tf1hub.checks.verifying.checkpoint_faults import is_data_file
from tf1hub.checks.verifying.findings import FAULT, NOTE, WARNING, Finding, named
from tf1hub.checks.verifying.module_files import ListedFile, ModuleFiles, printable, reason
from tf1hub.checks.wording import quoted
from tf1hub.errors import CorruptModuleError, Tf1HubError
from tf1hub.format import module_directory, protos
from tf1hub.format.bundle_data import index_path
from tf1hub.format.messages import parse_message
from tf1hub.graph.assets import ASSETS_DIRECTORY, check_file_name

_IN_ASSETS = ASSETS_DIRECTORY + "/"


def iter_marker_faults(files: ModuleFiles) -> Iterator[Finding]:
    """What is wrong with `tfhub_module.pb`: it cannot be read, or speaks of what this version does not know."""
    name = module_directory.MARKER
    try:
        module_def = parse_message(protos.ModuleDef, files.read(name), name)
    except CorruptModuleError as error:
        yield Finding(FAULT, f"cannot be parsed: {error.found or 'it is no such message'}", name, error.byte)
    except OSError as error:
        yield Finding(FAULT, f"cannot be read: {reason(error)}", name)
    else:
        known = module_directory.FORMAT_VERSION
        if module_def.format != known:
            yield Finding(FAULT, f"it says format {module_def.format}, and only format {known} is known", name)
        if module_def.required_features:
            features = named(sorted(module_def.required_features))
            yield Finding(FAULT, f"it requires features that are not known: {features}", name)


def iter_name_faults(listed: Sequence[ListedFile]) -> Iterator[Finding]:
    """Names that are one and the same where file systems ignore case, as those of Windows and macOS do."""
    taken: dict[tuple[str, str], str] = {}
    for file in listed:
        folder, _, name = file.name.rpartition("/")
        other = taken.setdefault((folder, unicodedata.normalize("NFC", name).casefold()), file.name)
        if other != file.name:
            found = (
                f"its name differs only in case from {quoted(printable(other))}: on many disks one replaces the other"
            )
            yield Finding(FAULT, found, printable(file.name))


def iter_link_findings(files: ModuleFiles, listed: Iterable[ListedFile]) -> Iterator[Finding]:
    """Links that lead out of the module. For an asset, which travels on with each export, that is a fault."""
    for file in listed:
        if file.is_link and files.leads_out(file.name):
            target = quoted(printable(os.path.realpath(files.path(file.name))))
            is_asset = (file.name + "/").startswith(_IN_ASSETS)
            found = f"a link that leads out of the module, to {target}"
            yield Finding(FAULT if is_asset else WARNING, found, printable(file.name))


def iter_asset_faults(files: ModuleFiles, assets: Iterable[str]) -> Iterator[Finding]:
    """What is wrong with the files that graphs read."""
    for asset in assets:
        name = _IN_ASSETS + asset
        try:
            check_file_name(asset)
        except Tf1HubError:
            found = f"the graph reads an asset {quoted(asset)}, which leads out of {_IN_ASSETS}"
            yield Finding(FAULT, found, module_directory.SAVED_MODEL)
            continue
        try:
            files.open(name).close()
        except FileNotFoundError:
            yield Finding(FAULT, "no such file, and the graph reads it", name)
        except (OSError, ValueError) as error:
            why = reason(error) if isinstance(error, OSError) else "it is no name of a file"
            yield Finding(FAULT, f"cannot be read, and the graph reads it: {why}", name)


def iter_file_notes(listed: Iterable[ListedFile], assets: Iterable[str] | None) -> Iterator[Finding]:
    """What else lies in the module. `assets` are the files that graphs read, None when that is not known."""
    names = [file.name for file in listed if not file.is_directory]
    prefix = module_directory.checkpoint_prefix("")
    folders = {module_directory.VARIABLES, ASSETS_DIRECTORY}  # which may be links
    ours = {module_directory.MARKER, module_directory.SAVED_MODEL, index_path(prefix), *folders}
    others = [
        printable(name)
        for name in names
        if name not in ours and not name.startswith(_IN_ASSETS) and not is_data_file(name, prefix)
    ]
    if others:
        yield Finding(NOTE, f"not part of the format, and left alone: {named(others)}")
    if assets is not None:
        read = {os.path.normpath(_IN_ASSETS + asset) for asset in assets}
        unread = [printable(name) for name in names if name.startswith(_IN_ASSETS) and name not in read]
        if unread:
            yield Finding(NOTE, f"assets that no graph reads: {named(unread)}")
