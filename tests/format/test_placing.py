"""Placing a module's directory: there whole or not at all, and nothing of others is lost."""

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from tf1hub.errors import ModuleExistsError
from tf1hub.format import placing, staging
from tf1hub.format.module_directory import MARKER
from tf1hub.format.placing import new_module_directory

FILES = {"assets/words.txt": b"words", "saved_model.pb": b"graph", "variables/variables.index": b"index"}
WHOLE = {**FILES, MARKER: b"\x08\x03"}


class StopError(Exception):
    """What goes wrong in these tests."""


def build(directory, contents=WHOLE, stop_at=None):
    for number, (name, data) in enumerate(contents.items()):
        if number == stop_at:
            raise StopError
        Path(directory, name).parent.mkdir(exist_ok=True)
        Path(directory, name).write_bytes(data)
    if stop_at == len(contents):
        raise StopError


def export(path, contents=WHOLE, stop_at=None):
    with new_module_directory(str(path)) as directory:
        build(directory, contents, stop_at)


def found(directory):
    """All files below a directory with their contents, and its empty folders with None."""
    below = [path for path in Path(directory).rglob("*") if path.is_file() or not any(path.iterdir())]
    return {str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None for path in below}


def test_a_new_path_becomes_the_module_and_its_parents_are_made(tmp_path):
    export(tmp_path / "a/b/module")
    assert found(tmp_path) == {f"a/b/module/{name}": data for name, data in WHOLE.items()}


def test_an_empty_directory_becomes_the_module_and_keeps_its_permissions(tmp_path):
    target = tmp_path / "module"
    target.mkdir()
    target.chmod(0o750)
    export(target)
    assert found(tmp_path / "module") == WHOLE
    assert stat.S_IMODE(target.stat().st_mode) == 0o750


def test_a_new_directory_has_the_permissions_that_mkdir_gives(tmp_path):
    (tmp_path / "plain").mkdir()
    export(tmp_path / "module")
    assert (tmp_path / "module").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_files_of_others_stay_beside_the_module(tmp_path):
    others = {"README.md": b"read", "variables/mine": b"mine", "assets/more.txt": b"more"}
    build(tmp_path, others)
    export(tmp_path)
    assert found(tmp_path) == {**WHOLE, **others}


@pytest.mark.parametrize("stop_at", range(len(WHOLE) + 1))
def test_an_error_in_the_body_leaves_no_new_directory(tmp_path, stop_at):
    with pytest.raises(StopError):
        export(tmp_path / "module", stop_at=stop_at)
    assert found(tmp_path) == {}


@pytest.mark.parametrize("stop_at", range(len(WHOLE) + 1))
def test_an_error_in_the_body_leaves_other_files_as_they_were(tmp_path, stop_at):
    before = {"README.md": b"read", "variables/mine": b"mine"}
    build(tmp_path, before)
    with pytest.raises(StopError):
        export(tmp_path, stop_at=stop_at)
    assert found(tmp_path) == before


@pytest.mark.parametrize("stop_at", range(len(WHOLE)))
def test_an_error_while_files_are_placed_takes_them_out_again(tmp_path, monkeypatch, stop_at):
    (tmp_path / "README.md").write_bytes(b"read")
    (tmp_path / "variables").mkdir()
    before = found(tmp_path)
    place, calls = placing._place, []

    def failing(source, target):
        calls.append(target)
        if len(calls) > stop_at:
            raise StopError
        place(source, target)

    monkeypatch.setattr(placing, "_place", failing)
    with pytest.raises(StopError):
        export(tmp_path)
    assert found(tmp_path) == before
    assert not (tmp_path / "assets").exists()


def test_the_marker_is_placed_last(tmp_path, monkeypatch):
    (tmp_path / "README.md").write_bytes(b"read")
    place, placed = placing._place, []
    monkeypatch.setattr(placing, "_place", lambda *paths: (placed.append(paths[1].name), place(*paths)))
    export(tmp_path, {**WHOLE, "zebra": b""})
    assert placed[-1] == MARKER
    assert len(placed) == 5


def test_an_older_module_is_not_touched(tmp_path):
    export(tmp_path / "module")
    with pytest.raises(ModuleExistsError, match=r"There is a module at .* already"):
        export(tmp_path / "module", {**WHOLE, "saved_model.pb": b"other"})
    assert found(tmp_path / "module") == WHOLE


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index", "variables"])
def test_a_file_that_is_in_the_way_is_refused_and_stays(tmp_path, name):
    build(tmp_path, {"README.md": b"read", name: b"old"})
    with pytest.raises(ModuleExistsError, match=rf"{name}' exists already.*replaces nothing"):
        export(tmp_path)
    assert found(tmp_path) == {"README.md": b"read", name: b"old"}


def test_a_broken_link_in_the_way_is_refused_and_stays(tmp_path):
    (tmp_path / "saved_model.pb").symlink_to("nowhere")
    with pytest.raises(ModuleExistsError, match="exists already"):
        export(tmp_path)
    assert os.listdir(tmp_path) == ["saved_model.pb"]


def test_a_file_that_comes_while_the_module_is_built_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "README.md").write_bytes(b"read")
    place = placing._place

    def after_another(source, target):
        if target.name == "saved_model.pb":
            target.write_bytes(b"theirs")
        place(source, target)

    monkeypatch.setattr(placing, "_place", after_another)
    with pytest.raises(ModuleExistsError, match="came to be there"):
        export(tmp_path)
    assert found(tmp_path) == {"README.md": b"read", "saved_model.pb": b"theirs"}


def test_without_hard_links_files_are_renamed(tmp_path, monkeypatch):
    def no_links(*_):
        raise PermissionError("no hard links here")

    (tmp_path / "README.md").write_bytes(b"read")
    monkeypatch.setattr(os, "link", no_links)
    export(tmp_path)
    assert found(tmp_path) == {"README.md": b"read", **WHOLE}


def test_a_path_that_comes_to_hold_files_is_not_replaced(tmp_path):
    def race():
        with new_module_directory(str(tmp_path / "module")) as directory:
            build(directory)
            (tmp_path / "module").mkdir()
            build(tmp_path / "module", {"theirs": b""})

    with pytest.raises(ModuleExistsError, match="came to hold files"):
        race()
    assert found(tmp_path) == {"module/theirs": b""}


def test_a_file_as_path_is_refused(tmp_path):
    (tmp_path / "module").write_bytes(b"file")
    with pytest.raises(ModuleExistsError, match="is a file; a module is a directory"):
        export(tmp_path / "module")
    assert (tmp_path / "module").read_bytes() == b"file"


def test_a_file_above_the_path_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"file")
    with pytest.raises(ModuleExistsError, match=r"since '.*file' is none"):
        placing.check_free(str(tmp_path / "file" / "a" / "module"))
    assert found(tmp_path) == {"file": b"file"}


def test_a_link_above_the_path_may_lead_to_what_is_not_there_yet(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "later")
    placing.check_free("/")
    placing.check_free(str(tmp_path / "link" / "module"))
    export(tmp_path / "link" / "module")
    assert found(tmp_path / "later" / "module") == WHOLE


def test_another_failure_to_rename_is_raised_as_it_is(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "not allowed")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(PermissionError, match="not allowed"):
        export(tmp_path / "module")
    assert found(tmp_path) == {}


@pytest.mark.parametrize("path", [".", "../here", ""])
def test_the_working_directory_stays_the_same_directory(tmp_path, monkeypatch, path):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    export(path)
    assert found(".") == WHOLE
    assert os.path.samefile(".", tmp_path / "here")


def test_an_empty_directory_in_a_parent_that_cannot_be_written_is_filled(tmp_path, monkeypatch):
    target = tmp_path / "module"
    target.mkdir()
    inode = target.stat().st_ino
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    export(target)
    assert found(tmp_path / "module") == WHOLE
    assert target.stat().st_ino == inode


def test_an_empty_mounted_directory_is_filled(tmp_path, monkeypatch):
    (tmp_path / "module").mkdir()
    inode = (tmp_path / "module").stat().st_ino
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == tmp_path / "module")
    export(tmp_path / "module")
    assert found(tmp_path / "module") == WHOLE
    assert (tmp_path / "module").stat().st_ino == inode


@pytest.mark.parametrize("contents", [{}, {"README.md": b"read"}])
def test_a_link_to_a_directory_stays_a_link(tmp_path, contents):
    (tmp_path / "real").mkdir()
    build(tmp_path / "real", contents)
    (tmp_path / "link").symlink_to("real")
    export(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert found(tmp_path / "real") == {**contents, **WHOLE}


@pytest.mark.parametrize("name", ["model[1]", "*", "über", "n" * 250])
def test_names_with_any_characters_are_paths(tmp_path, name):
    export(tmp_path / name)
    assert found(tmp_path / name) == WHOLE


def leave_behind(parent, prefix, process, plan=None):
    leftover = parent / f"{prefix}tf1hub-export-{staging.owner(process)}-00000000"
    leftover.mkdir()
    if plan is not None:
        (leftover / "moved.json").write_text(plan)
    return leftover


def dead_process():
    process = multiprocessing.get_context("spawn").Process(target=os.getpid)
    process.start()
    process.join()
    return process.pid


@pytest.mark.parametrize("name", ["module", "model[1]"])
def test_what_a_killed_export_left_beside_is_cleared_away(tmp_path, name):
    leave_behind(tmp_path, f".{name}.", dead_process())
    living = leave_behind(tmp_path, f".{name}.", os.getppid())
    export(tmp_path / name)
    assert set(os.listdir(tmp_path)) == {name, living.name}


@pytest.mark.parametrize("plan", ["", '{"files": {"READ', '{"files": {"README.md": [1, 4, 2]}, "folders": []}'])
def test_clearing_away_removes_only_what_the_killed_export_placed(tmp_path, plan):
    (tmp_path / "README.md").write_bytes(b"read")
    leave_behind(tmp_path, ".", dead_process(), plan)
    export(tmp_path)
    assert found(tmp_path) == {"README.md": b"read", **WHOLE}


def export_marked(path, letter, barrier, results):
    barrier.wait()
    try:
        export(path, {**dict.fromkeys(FILES, letter), f"assets/{letter.decode()}": letter, MARKER: letter})
        results.put(letter)
    except (ModuleExistsError, OSError):
        results.put(None)


@pytest.mark.parametrize("contents", [None, {}, {"README.md": b"read"}])
def test_two_exports_at_once_do_not_mix(tmp_path, contents):
    context = multiprocessing.get_context("spawn")
    for number in range(2):
        target = tmp_path / str(number)
        if contents is not None:
            target.mkdir()
            build(target, contents)
        barrier, results = context.Barrier(2), context.Queue()
        work = [
            context.Process(target=export_marked, args=(target, letter, barrier, results)) for letter in (b"A", b"B")
        ]
        for process in work:
            process.start()
        winners = {results.get(timeout=60) for _ in work} - {None}
        for process in work:
            process.join()
        assert len(winners) <= 1
        ours = {name: data for name, data in found(target).items() if name != "README.md"} if winners else {}
        assert set(ours.values()) <= winners
        assert len(ours) == (5 if winners else 0)
        assert not contents or (target / "README.md").read_bytes() == b"read"


def test_a_remote_module_is_copied_with_the_marker_last(tmp_path, monkeypatch):
    tf = pytest.importorskip("tensorflow")
    copied, copy = [], tf.io.gfile.copy
    monkeypatch.setattr(tf.io.gfile, "copy", lambda *paths: (copied.append(paths[1]), copy(*paths)))
    export(f"ram:/{tmp_path}/module")
    assert copied[-1] == f"ram:/{tmp_path}/module/{MARKER}"
    assert {name: tf.io.gfile.GFile(f"ram:/{tmp_path}/module/{name}", "rb").read() for name in WHOLE} == WHOLE


@pytest.mark.parametrize("stop_at", range(len(WHOLE)))
def test_an_error_while_copying_leaves_no_remote_file(tmp_path, monkeypatch, stop_at):
    tf = pytest.importorskip("tensorflow")
    copied, copy = [], tf.io.gfile.copy

    def failing(*paths):
        if len(copied) == stop_at:
            raise StopError
        copied.append(paths[1])
        copy(*paths)

    monkeypatch.setattr(tf.io.gfile, "copy", failing)
    with pytest.raises(StopError):
        export(f"ram:/{tmp_path}/module")
    assert not any(tf.io.gfile.exists(name) for name in copied)


def test_a_remote_module_is_not_exported_over(tmp_path):
    pytest.importorskip("tensorflow")
    export(f"ram:/{tmp_path}/module")
    with pytest.raises(ModuleExistsError, match="There is a module at"):
        export(f"ram:/{tmp_path}/module")


def test_a_remote_file_is_not_replaced(tmp_path):
    tf = pytest.importorskip("tensorflow")
    tf.io.gfile.makedirs(f"ram:/{tmp_path}/module")
    with tf.io.gfile.GFile(f"ram:/{tmp_path}/module/saved_model.pb", "wb") as file:
        file.write(b"theirs")
    with pytest.raises(ModuleExistsError, match=r"saved_model.pb' exists already"):
        export(f"ram:/{tmp_path}/module")
    assert tf.io.gfile.listdir(f"ram:/{tmp_path}/module") == ["saved_model.pb"]
