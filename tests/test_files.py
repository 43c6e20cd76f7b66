"""Handles and paths."""

import os
from pathlib import Path

import pytest

from tf1hub import files
from tf1hub.errors import MissingModuleError, UnsupportedHandleError


@pytest.mark.parametrize(
    ("handle", "path"),
    [
        ("models/m", "models/m"),
        (Path("/models/m"), "/models/m"),
        ("file:///models/m", "/models/m"),
        ("FILE://localhost/models/m", "/models/m"),
        ("file://localhosts/m", "localhosts/m"),
        ("file:///models/a%20b%23", "/models/a b#"),
        ("file:///models/a#b?c", "/models/a#b?c"),
        ("gs://bucket/m", "gs://bucket/m"),
        ("C:/models", "C:/models"),
        (b"/models/\xc3\xbc", "/models/ü"),
    ],
)
def test_a_handle_speaks_of_a_path(handle, path):
    assert files.resolve(handle) == path


def test_a_path_as_uri_leads_back_to_it():
    assert files.resolve(Path("/models/ü #1").as_uri()) == "/models/ü #1"


@pytest.mark.parametrize("handle", ["https://tfhub.dev/google/nnlm/1", "HTTP://host/m", "hf://m", "kaggle://m"])
def test_web_addresses_are_refused_and_say_what_to_do(handle):
    with pytest.raises(UnsupportedHandleError, match=r"is a web address.*Download the module"):
        files.resolve(handle)


@pytest.mark.parametrize("handle", [None, 3, ["m"]])
def test_what_is_no_path_is_refused(handle):
    with pytest.raises(TypeError, match="A handle is a path; this is"):
        files.resolve(handle)


def test_paths_become_absolute_and_remote_ones_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert files.absolute("m") == str(tmp_path / "m")
    assert files.absolute("gs://b/m") == "gs://b/m"


def test_paths_join_with_the_separator_of_their_kind():
    assert files.join("/a", "b", "c") == "/a/b/c"
    assert files.join("gs://b/a/", "b", "c") == "gs://b/a/b/c"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingModuleError, match=r"There is no file .*nothing"):
        files.read_bytes(str(tmp_path / "nothing"))


def test_files_are_copied_between_local_and_remote_paths(tmp_path):
    pytest.importorskip("tensorflow")
    (tmp_path / "a").write_bytes(b"data")
    files.copy(str(tmp_path / "a"), f"ram:/{tmp_path}/b")
    assert files.exists(f"ram:/{tmp_path}/b")
    assert not files.is_directory(f"ram:/{tmp_path}/b")
    files.copy(f"ram:/{tmp_path}/b", str(tmp_path / "c"))
    assert files.read_bytes(f"ram:/{tmp_path}/b") == (tmp_path / "c").read_bytes() == b"data"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is a pipe or a device"):
        files.read_bytes(str(tmp_path / "pipe"))
    with pytest.raises(IsADirectoryError, match="it is a directory"):
        files.read_bytes(str(tmp_path))
