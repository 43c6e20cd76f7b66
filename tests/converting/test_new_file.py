"""Files that are there whole or not at all."""

import errno
import os

import pytest

from tests.converting.weight_modules import files_in
from tf1hub.converting.new_file import new_file
from tf1hub.errors import ModuleExistsError


def test_a_file_is_seen_when_it_is_whole(tmp_path):
    with new_file(str(tmp_path / "a")) as file:
        file.write(b"1")
        assert "a" not in files_in(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"1"
    assert files_in(tmp_path) == {"a"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_what_was_there(tmp_path, error):
    (tmp_path / "a").write_bytes(b"old")

    def fail():
        with new_file(str(tmp_path / "a"), overwrite=True) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert (tmp_path / "a").read_bytes() == b"old"
    assert files_in(tmp_path) == {"a"}


def test_a_file_that_comes_to_be_there_meanwhile_is_kept(tmp_path):
    with pytest.raises(ModuleExistsError), new_file(str(tmp_path / "a")):
        (tmp_path / "a").write_bytes(b"another's")
    assert (tmp_path / "a").read_bytes() == b"another's"
    assert files_in(tmp_path) == {"a"}


def test_a_folder_is_never_replaced(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(ModuleExistsError, match="is a folder"), new_file(str(tmp_path / "a"), overwrite=True):
        pass


def test_a_full_disk_is_told_with_the_path(tmp_path):
    with pytest.raises(OSError, match="No space left on device") as caught, new_file(str(tmp_path / "a")):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(tmp_path / "a")


def test_an_error_of_another_file_keeps_its_path(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, new_file(str(tmp_path / "a")):
        (tmp_path / "b").read_bytes()
    assert caught.value.filename == str(tmp_path / "b")


def test_a_long_name_can_be_written(tmp_path):
    with new_file(str(tmp_path / ("a" * 255))) as file:
        file.write(b"1")
    assert files_in(tmp_path) == {"a" * 255}
