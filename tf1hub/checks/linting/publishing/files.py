"""Rules about the files of a module."""

import re
import unicodedata
from collections.abc import Iterator

from tf1hub.checks.linting.findings import ADVICE, WARNING, Problem, named
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.checks.linting.publishing.file_list import ModuleFile, module_files
from tf1hub.checks.linting.rule import rule
from tf1hub.checks.wording import counted
from tf1hub.format import module_directory
from tf1hub.format.bundle_data import is_checkpoint_file
from tf1hub.graph.assets import ASSETS_DIRECTORY

_LARGE = 1 << 30
_LONGEST_NAME = 255
_LONGEST_PATH = 200
# Windows: names of devices, whatever comes after the dot, and characters that no name may have.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE | re.DOTALL)
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')


@rule("module-size", ADVICE, "a module of more than a gigabyte")
def module_size(module: LintedModule) -> Iterator[Problem]:
    """Speaks of a module of more than 1 GiB."""
    found = module.kept(module_files)
    total = sum(file.bytes for file in found)
    if total > _LARGE:
        largest = max(found, key=lambda file: file.bytes)
        yield Problem(
            f"The module takes {total / 1e9:.2f} GB, of which {largest.name!r} takes {largest.bytes / 1e9:.2f}: everyone"
            " downloads all of it, and it fits into fewer machines and no phone.",
            "See whether a smaller module, one in bfloat16 or float16, or one of fewer rows of embeddings will do, and offer"
            " it beside this one.",
            file=largest.name,
        )


@rule("file-names", WARNING, "names of files that other systems cannot have")
def file_names(module: LintedModule) -> Iterator[Problem]:
    """Yields the files whose names are not portable, by what is wrong with them."""
    wrong: dict[str, list[str]] = {}
    taken: dict[str, str] = {}
    for file in sorted(module.kept(module_files), key=lambda file: not _is_of_format(file.name)):
        other = taken.setdefault(unicodedata.normalize("NFC", file.name).casefold(), file.name)
        name = file.name.rpartition("/")[2]
        fault = _name_fault(name) or (len(file.name) > _LONGEST_PATH and f"a path of over {_LONGEST_PATH} characters")
        if other != file.name:
            fault = f"the same name as {other!r} where case and the forms of accents do not count (Windows, macOS)"
        if fault:
            wrong.setdefault(fault, []).append(file.name)
    for fault, names in wrong.items():
        yield Problem(
            f"{_shown(names)} {'has' if len(names) == 1 else 'have'} {fault}, so on some systems the module cannot be"
            " unpacked whole.",
            "Rename the file before the module is made, to ASCII letters, digits, '.', '_' and '-'; an asset's name is that"
            " of the file which the module_fn reads.",
            file=_readable(names[0]),
        )


def _name_fault(name: str) -> str | None:
    """What is wrong with the last part of a path."""
    if not _is_text(name):
        return "a name that is not UTF-8"
    if _DEVICES.fullmatch(name):
        return "the name of a device on Windows"
    if found := _FORBIDDEN.search(name):
        return f"a name with {found[0]!r} in it"
    if name and (name != name.strip() or name.endswith(".")):
        return "a name that begins or ends with a space or ends with a dot"
    if len(name.encode()) > _LONGEST_NAME:
        return f"a name of more than {_LONGEST_NAME} bytes"
    return None


def _is_text(name: str) -> bool:
    """Whether the name has no bytes that are no text, which Python keeps as halves of surrogate pairs."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _readable(name: str) -> str:
    return name.encode(errors="backslashreplace").decode()


def _shown(names: list[str]) -> str:
    return named([_readable(name) or "." for name in names])


@rule("file-permissions", WARNING, "files that others cannot read, or may change")
def file_permissions(module: LintedModule) -> Iterator[Problem]:
    """Yields the files with permissions that do not suit what is published, by what is wrong with them."""
    found = [file for file in module.kept(module_files) if file.mode is not None]
    yield from _permissions(
        [file for file in found if not _allows(file, 0o5 if file.is_folder else 0o4)],
        "cannot be read by other users, so a copy of the module on a shared disk, or in an archive, is of no use to them",
        "Run `chmod -R a+rX` on the module.",
    )
    yield from _permissions(
        [file for file in found if _allows(file, 0o2)],
        "can be changed by every user, and who loads the module runs what is in it",
        "Run `chmod -R go-w` on the module.",
    )
    yield from _permissions(
        [file for file in found if not file.is_folder and file.mode is not None and file.mode & 0o111],
        "can be executed, and no file of a module is a program",
        "Run `chmod a-x` on the file.",
    )


def _allows(file: ModuleFile, wanted: int) -> bool:
    """Whether other users have all these permissions."""
    return file.mode is not None and file.mode & wanted == wanted


def _permissions(wrong: list[ModuleFile], fault: str, remedy: str) -> Iterator[Problem]:
    if wrong:
        by_mode: dict[int | None, list[str]] = {}
        for file in wrong:
            by_mode.setdefault(file.mode, []).append(file.name)
        told = [f"{_shown(names)} (mode {mode or 0:03o})" for mode, names in by_mode.items()]
        yield Problem(f"{' and '.join(told)} {fault}.", remedy, file=_readable(wrong[0].name) or ".")


@rule("extra-files", ADVICE, "files that are no part of the format")
def extra_files(module: LintedModule) -> Iterator[Problem]:
    """Yields the files that no reader of modules looks at."""
    extra = [file for file in module.kept(module_files) if not file.is_folder and not _is_of_format(file.name)]
    if extra:
        size = sum(file.bytes for file in extra)
        are = "is" if len(extra) == 1 else "are"
        yield Problem(
            f"{counted(len(extra), 'file')} of {counted(size, 'byte')} {are} no part of the format:"
            f" {_shown([file.name for file in extra])}; no reader needs it, no export keeps it, and it may be something"
            " that was not meant to be published.",
            "Delete what is extra, or keep it beside the module's directory.",
            file=_readable(extra[0].name),
        )


def _is_of_format(name: str) -> bool:
    prefix = module_directory.checkpoint_prefix("")
    messages = {module_directory.MARKER, module_directory.SAVED_MODEL}
    return name in messages or name.startswith(f"{ASSETS_DIRECTORY}/") or is_checkpoint_file(name, prefix)


RULES = (module_size, file_names, file_permissions, extra_files)
