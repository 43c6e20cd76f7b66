"""Which of a module's files a copy has."""

import os

import pytest

from tests.converting.weight_modules import make_module, other_files
from tf1hub.converting.module_copy import find_module_files
from tf1hub.errors import UnsupportedModuleError


@pytest.fixture
def module(tmp_path):
    path = make_module(tmp_path / "module", {"a": [1.0]})
    for folder in ("assets", "assets.extra/deep", "empty"):
        os.makedirs(os.path.join(path, folder))
    for name in ("assets/words.txt", "assets.extra/deep/x", "variables/notes.txt", "variables.index", ".hidden"):
        (tmp_path / "module" / name).write_bytes(name.encode())
    return path


def test_all_but_the_checkpoint_is_copied(module, tmp_path):
    find_module_files(module).copy_to(str(tmp_path / "copy"))
    copied = {str(each.relative_to(tmp_path / "copy")) for each in (tmp_path / "copy").rglob("*")}
    checkpoint = {"variables/variables.index", "variables/variables.data-00000-of-00001"}
    assert copied == {str(each.relative_to(module)) for each in (tmp_path / "module").rglob("*")} - checkpoint
    assert other_files(str(tmp_path / "copy")) == other_files(module)


def test_links_to_files_and_folders_are_followed(module, tmp_path):
    """As those in a cache of downloads, where a module's files are links."""
    (tmp_path / "blob").write_bytes(b"blob")
    os.symlink(tmp_path / "blob", os.path.join(module, "assets", "linked"))
    os.symlink("assets", os.path.join(module, "more"))
    find_module_files(module).copy_to(str(tmp_path / "copy"))
    for name in ("assets/linked", "more/linked"):
        assert (tmp_path / "copy" / name).read_bytes() == b"blob"
        assert not (tmp_path / "copy" / name).is_symlink()


@pytest.mark.parametrize("target", [".", "..", "/"])
def test_a_link_to_a_folder_above_is_refused(module, target):
    os.symlink(target, os.path.join(module, "assets", "loop"))
    with pytest.raises(UnsupportedModuleError, match="links to a folder above itself"):
        find_module_files(module)


def test_what_is_no_file_is_refused(module):
    os.mkfifo(os.path.join(module, "pipe"))
    with pytest.raises(UnsupportedModuleError, match="neither a file nor a folder"):
        find_module_files(module)
