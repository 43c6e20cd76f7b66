"""A folder of exports: names in the order of age, whole or not at all, and nothing but exports removed."""

import multiprocessing
import os
import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from tf1hub import files
from tf1hub.format.staging import owner
from tf1hub.training.exports import export_folder
from tf1hub.training.exports.export_folder import ExportFolder

NOW = 1_700_000_000


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(export_folder.time, "time", lambda: NOW + 0.9)


def is_export(directory):
    return files.exists(files.join(directory, "export"))


def folder_of(path, exports_to_keep=None):
    return ExportFolder(path, exports_to_keep, is_export)


def make_export(folder):
    with folder.new_export() as new:
        Path(new.staging, "export").write_bytes(b"whole")
    return new.path


def place(folder, name, file="export"):
    (folder / name).mkdir(parents=True)
    (folder / name / file).write_bytes(b"")


def names(folder):
    return sorted(os.listdir(folder))


def test_an_export_is_named_after_the_second(tmp_path):
    folder = folder_of(tmp_path / "a/b")
    path = make_export(folder)
    assert path == str(tmp_path / f"a/b/{NOW}")
    assert folder.exports() == [path]
    assert Path(path, "export").read_bytes() == b"whole"
    assert names(tmp_path / "a/b") == [str(NOW)]


def test_exports_in_one_second_get_names_of_their_own_in_order(tmp_path):
    folder = folder_of(tmp_path)
    made = [make_export(folder) for _ in range(3)]
    assert [os.path.basename(path) for path in made] == [str(NOW + number) for number in range(3)]
    assert folder.exports() == made


def test_a_name_is_never_lower_than_that_of_an_older_export(tmp_path):
    place(tmp_path, "1800000000")
    assert os.path.basename(make_export(folder_of(tmp_path))) == "1800000001"


def test_names_that_others_took_are_passed_over(tmp_path):
    place(tmp_path, str(NOW), "no export")
    (tmp_path / str(NOW + 1)).write_bytes(b"a file")
    (tmp_path / str(NOW + 2)).symlink_to("nowhere")
    assert os.path.basename(make_export(folder_of(tmp_path))) == str(NOW + 3)


def test_a_foreign_folder_does_not_raise_the_names(tmp_path):
    place(tmp_path, "9999999999", "no export")
    assert os.path.basename(make_export(folder_of(tmp_path))) == str(NOW)


def test_no_name_after_the_last_one(tmp_path):
    place(tmp_path, "9999999999")
    with pytest.raises(FileExistsError, match="no name of ten digits is free: the newest is 9999999999"):
        make_export(folder_of(tmp_path))
    assert names(tmp_path) == ["9999999999"]


def test_nothing_is_visible_before_the_export_is_whole(tmp_path):
    with folder_of(tmp_path).new_export() as new:
        Path(new.staging, "export").write_bytes(b"half")
        assert [name for name in names(tmp_path) if not name.startswith(".")] == []
        assert new.path == ""
    assert names(tmp_path) == [str(NOW)]


def fail_within(folder, error):
    with folder.new_export() as new:
        Path(new.staging, "export").write_bytes(b"half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_nothing_behind(tmp_path, error):
    with pytest.raises(error):
        fail_within(folder_of(tmp_path / "a/b"), error)
    assert names(tmp_path) == []


def test_older_exports_are_removed_and_the_newest_kept(tmp_path):
    folder = folder_of(tmp_path, 2)
    made = [make_export(folder) for _ in range(4)]
    assert folder.exports() == made[2:]
    assert names(tmp_path) == [os.path.basename(path) for path in made[2:]]


def test_none_keeps_all(tmp_path):
    folder = folder_of(tmp_path)
    assert folder.exports() == []
    assert len({make_export(folder) for _ in range(8)}) == len(folder.exports()) == 8


@pytest.mark.parametrize("exports_to_keep", [0, -1])
def test_less_than_one_export_cannot_be_kept(tmp_path, exports_to_keep):
    with pytest.raises(ValueError, match=f"`exports_to_keep` is {exports_to_keep}; it must be at least 1"):
        folder_of(tmp_path, exports_to_keep)


@pytest.mark.parametrize("name", ["7", "12345678901", "1600000000x", "١٦٠٠٠٠٠٠٠٠", ".1600000000", "export"])
def test_what_is_not_named_by_ten_digits_is_not_removed(tmp_path, name):
    place(tmp_path, name)
    make_export(folder_of(tmp_path, 1))
    assert is_export(str(tmp_path / name))


def test_what_holds_no_export_is_not_removed(tmp_path):
    place(tmp_path, "1600000000", "precious")
    (tmp_path / "1600000001").write_bytes(b"precious")
    (tmp_path / "1600000002").mkdir()
    make_export(folder_of(tmp_path, 1))
    assert names(tmp_path) == ["1600000000", "1600000001", "1600000002", str(NOW)]


def test_links_are_not_exports_and_not_followed(tmp_path):
    place(tmp_path, "elsewhere")
    place(tmp_path, "folder/1500000000")
    (tmp_path / "folder/1500000000/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder/1600000000").symlink_to(tmp_path / "elsewhere")
    made = make_export(folder_of(tmp_path / "folder", 1))
    assert folder_of(tmp_path / "folder").exports() == [made]
    assert names(tmp_path / "folder") == ["1600000000", str(NOW)]
    assert is_export(str(tmp_path / "elsewhere"))


def test_the_folder_may_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert make_export(folder_of(tmp_path / "link")) == str(tmp_path / f"link/{NOW}")
    assert (tmp_path / "link").is_symlink()


def test_the_working_directory_may_change_meanwhile(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    folder = folder_of("exports")
    with folder.new_export() as new:
        Path(new.staging, "export").write_bytes(b"")
        os.chdir(tmp_path / "other")
    assert new.path == str(tmp_path / f"exports/{NOW}")
    assert folder.exports() == [new.path]


def test_a_directory_made_within_can_become_the_export(tmp_path):
    with folder_of(tmp_path).new_export() as new:
        place(Path(new.staging), "inner")
        new.staging += "/inner"
    assert os.listdir(new.path) == ["export"]
    assert names(tmp_path) == [str(NOW)]


def test_an_export_that_another_process_removes_too_is_no_error(tmp_path, monkeypatch):
    place(tmp_path, "1600000000")
    rename = os.rename

    def after_another(source, target):
        if source.endswith("1600000000"):
            shutil.rmtree(source)
        rename(source, target)

    monkeypatch.setattr(os, "rename", after_another)
    make_export(folder_of(tmp_path, 1))
    assert names(tmp_path) == [str(NOW)]


def test_an_older_export_that_cannot_be_removed_is_a_warning(tmp_path, monkeypatch):
    place(tmp_path, "1600000000")
    rename = os.rename

    def refuse(source, target):
        if source.endswith("1600000000"):
            raise PermissionError(13, "not yours")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.warns(UserWarning, match=r"older export .*1600000000' cannot be removed .*not yours"):
        made = make_export(folder_of(tmp_path, 1))
    assert names(tmp_path) == ["1600000000", os.path.basename(made)]


def test_what_a_dead_process_left_hidden_is_cleared_away(tmp_path):
    left = tmp_path / f".tf1hub-export-{owner(os.getpid())}-00000000"
    place(tmp_path, left.name)
    with folder_of(tmp_path).new_export() as new:
        assert names(tmp_path) == [os.path.basename(new.staging)]


def test_a_name_is_chosen_under_a_lock(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    rename = os.rename

    def while_locked(source, target):
        with open_directory(tmp_path) as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        rename(source, target)

    monkeypatch.setattr(os, "rename", while_locked)
    made = make_export(folder_of(tmp_path))
    assert names(tmp_path) == [os.path.basename(made)]


@contextmanager
def open_directory(path):
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_a_name_that_another_machine_takes_meanwhile_is_left_to_it(tmp_path, monkeypatch):
    rename = os.rename

    def after_another(source, target):
        if not os.path.exists(tmp_path / str(NOW)):
            place(tmp_path, str(NOW), "theirs")
        rename(source, target)

    monkeypatch.setattr(os, "rename", after_another)
    assert os.path.basename(make_export(folder_of(tmp_path))) == str(NOW + 1)
    assert os.listdir(tmp_path / str(NOW)) == ["theirs"]


@pytest.mark.parametrize("exports_to_keep", [None, 1])
def test_processes_that_export_at_once_do_not_take_each_others_names(tmp_path, exports_to_keep):
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(3), context.Queue()
    arguments = (str(tmp_path), exports_to_keep, barrier, results)
    work = [context.Process(target=export_ten, args=arguments) for _ in range(3)]
    for process in work:
        process.start()
    made = [path for _ in work for path in results.get(timeout=60)]
    for process in work:
        process.join()
    assert len(set(made)) == len(made) == 30
    assert names(tmp_path) == sorted(map(os.path.basename, made))[-(exports_to_keep or 30) :]
    assert all(is_export(path) for path in folder_of(tmp_path).exports())


def export_ten(path, exports_to_keep, barrier, results):
    barrier.wait()
    results.put([make_export(folder_of(path, exports_to_keep)) for _ in range(10)])


def remote_names(path):
    tf = pytest.importorskip("tensorflow")
    return sorted(name.rstrip("/") for name in tf.io.gfile.listdir(path))


@pytest.fixture
def remote():
    pytest.importorskip("tensorflow")
    return f"ram://{uuid.uuid4().hex}"


def test_exports_to_a_remote_folder_are_uploaded_and_older_ones_removed(remote):
    folder = folder_of(remote, 2)
    made = [make_export(folder) for _ in range(4)]
    assert made[-1] == f"{remote}/{NOW + 3}"
    assert folder.exports() == made[2:]
    assert remote_names(remote) == [str(NOW + 2), str(NOW + 3)]


def test_the_files_that_make_an_export_whole_are_uploaded_last(remote, monkeypatch):
    tf = pytest.importorskip("tensorflow")
    copied, copy = [], tf.io.gfile.copy
    monkeypatch.setattr(tf.io.gfile, "copy", lambda *paths: (copied.append(paths[1]), copy(*paths)))
    with folder_of(remote).new_export() as new:
        for name in ("a/saved_model.pb", "a/tfhub_module.pb", "b/saved_model.pb", "b/variables", "export"):
            Path(new.staging, name).parent.mkdir(exist_ok=True)
            Path(new.staging, name).write_bytes(b"")
    order = ["b/variables", "export", "a/saved_model.pb", "b/saved_model.pb", "a/tfhub_module.pb"]
    assert copied == [f"{remote}/{NOW}/{name}" for name in order]


def test_an_export_that_cannot_be_uploaded_is_an_os_error_and_leaves_no_files(remote, monkeypatch):
    tf = pytest.importorskip("tensorflow")
    made = make_export(folder_of(remote))

    def refuse(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "the bucket is full")

    monkeypatch.setattr(tf.io.gfile, "copy", refuse)
    with pytest.raises(OSError, match=r"could not be copied to .*the bucket is full"):
        make_export(folder_of(remote))
    assert folder_of(remote).exports() == [made]


def test_an_unfinished_remote_export_is_not_removed(remote):
    tf = pytest.importorskip("tensorflow")
    tf.io.gfile.makedirs(f"{remote}/1600000000")
    with tf.io.gfile.GFile(f"{remote}/1600000000/other", "w") as file:
        file.write("precious")
    make_export(folder_of(remote, 1))
    assert remote_names(remote) == ["1600000000", str(NOW)]
