"""Cases of the rules about the files of a module."""

import os
from pathlib import Path

import tf1hub as hub
from tests.checks.linting.cases.building import dense, rows, written
from tests.checks.linting.cases.registry import breaks, keeps
from tests.checks.linting.cases.text_modules import sentence_module, vocabulary


def _module(folder: Path) -> Path:
    def module_fn():
        given = rows()
        hub.add_signature(inputs=given, outputs=dense(given, 4))

    return Path(written(hub.create_module_spec(module_fn), folder))


def _data_file(module: Path) -> Path:
    return module / "variables" / "variables.data-00000-of-00001"


@breaks("module-size")
def _more_than_a_gigabyte(folder: Path) -> str:
    """The file has a hole: it takes no room on the disk."""
    module = _module(folder)
    os.truncate(_data_file(module), (1 << 30) + 1)
    return str(module)


@keeps("module-size")
def _just_a_gigabyte(folder: Path) -> str:
    module = _module(folder)
    others = (
        sum(path.stat().st_size for path in module.rglob("*") if path.is_file()) - _data_file(module).stat().st_size
    )
    os.truncate(_data_file(module), (1 << 30) - others)
    return str(module)


def _with_vocabulary(folder: Path, name: str) -> str:
    """A module whose vocabulary has that name."""
    path = Path(vocabulary(folder))
    renamed = path.with_name(name)
    path.rename(renamed)
    return written(sentence_module(str(renamed), rows=7), folder)


@breaks("file-names")
def _a_colon(folder: Path) -> str:
    return _with_vocabulary(folder, "en:tokens.txt")


@breaks("file-names")
def _a_device_of_windows(folder: Path) -> str:
    return _with_vocabulary(folder, "AUX.txt")


@breaks("file-names")
def _a_space_at_the_end(folder: Path) -> str:
    return _with_vocabulary(folder, "tokens ")


@breaks("file-names", also=("asset-unread",))
def _the_same_name_in_other_letters(folder: Path) -> str:
    """An export never writes such names, so one of the two is a file that was put there."""
    module = Path(_with_vocabulary(folder, "tokens.txt"))
    (module / "assets" / "Tokens.txt").write_text("the\n")
    return str(module)


@keeps("file-names")
def _names_that_are_like_devices(folder: Path) -> str:
    return _with_vocabulary(folder, "console.con.com10 (2)~é.txt")


@breaks("file-permissions")
def _others_cannot_read_a_file(folder: Path) -> str:
    module = _module(folder)
    _data_file(module).chmod(0o600)
    return str(module)


@breaks("file-permissions")
def _others_cannot_enter_a_folder(folder: Path) -> str:
    module = _module(folder)
    (module / "variables").chmod(0o744)
    return str(module)


@breaks("file-permissions")
def _everyone_may_change_it(folder: Path) -> str:
    module = _module(folder)
    (module / "saved_model.pb").chmod(0o666)
    return str(module)


@breaks("file-permissions")
def _executable(folder: Path) -> str:
    module = _module(folder)
    (module / "tfhub_module.pb").chmod(0o755)
    return str(module)


@keeps("file-permissions")
def _no_one_may_change_it(folder: Path) -> str:
    module = _module(folder)
    for path in [module, *module.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return str(module)


@breaks("extra-files")
def _a_readme(folder: Path) -> str:
    module = _module(folder)
    (module / "README.md").write_text("notes")
    return str(module)


@breaks("extra-files")
def _what_a_saver_leaves(folder: Path) -> str:
    module = _module(folder)
    (module / "variables" / "checkpoint").write_text('model_checkpoint_path: "variables"')
    return str(module)


@keeps("extra-files")
def _assets_and_variables(folder: Path) -> str:
    return _with_vocabulary(folder, "tokens.txt")
