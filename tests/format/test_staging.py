"""Hidden directories: whose they are, and which of them a dead process has left."""

import multiprocessing
import os

import pytest

from tf1hub.format.staging import find_leftovers, hidden_path, hidden_prefix, locked, owner, staging_directory


def leave_behind(folder, process, prefix="."):
    left = folder / f"{prefix}tf1hub-export-{process}-00000000"
    left.mkdir()
    return left


def dead_process():
    process = multiprocessing.get_context("spawn").Process(target=os.getpid)
    process.start()
    process.join()
    return process.pid


def test_a_staging_directory_is_hidden_and_gone_afterwards(tmp_path):
    with staging_directory(tmp_path) as staging:
        (staging / "file").write_bytes(b"data")
        assert staging.parent == tmp_path
        assert staging.name.startswith(".")
    assert os.listdir(tmp_path) == []


def test_an_error_is_passed_on_and_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), staging_directory(tmp_path):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_what_moved_elsewhere_stays(tmp_path):
    with staging_directory(tmp_path) as staging:
        staging.rename(tmp_path / "named")
    assert os.listdir(tmp_path) == ["named"]


def test_a_hidden_path_is_not_made(tmp_path):
    with hidden_path(tmp_path) as hidden:
        assert not hidden.exists()


def test_only_what_dead_processes_of_this_machine_left_is_found(tmp_path):
    left = leave_behind(tmp_path, owner(dead_process()))
    leave_behind(tmp_path, owner(os.getppid()))
    leave_behind(tmp_path, f"another-host-{dead_process()}")
    leave_behind(tmp_path, "no-number")
    leave_behind(tmp_path, owner(dead_process()), hidden_prefix("module"))
    assert find_leftovers(tmp_path) == [left]


def test_an_earlier_process_with_the_same_number_is_dead(tmp_path):
    left = leave_behind(tmp_path, owner(os.getpid()))
    with staging_directory(tmp_path):
        assert find_leftovers(tmp_path) == [left]


def test_nothing_is_left_in_a_folder_that_is_not_there(tmp_path):
    assert find_leftovers(tmp_path / "nothing") == []


def test_hidden_names_are_not_longer_than_file_systems_allow(tmp_path):
    with staging_directory(tmp_path, hidden_prefix("n" * 255)) as staging:
        assert len(staging.name) < 255


def test_what_is_locked_is_used_by_a_process_of_another_container(tmp_path):
    left = leave_behind(tmp_path, owner(dead_process()))
    with locked(left):
        assert find_leftovers(tmp_path) == []
    assert find_leftovers(tmp_path) == [left]


def test_a_directory_that_is_built_in_is_locked(tmp_path):
    with staging_directory(tmp_path) as staging:
        as_another_container_sees_it = tmp_path / f".tf1hub-export-{owner(dead_process())}-00000000"
        staging.rename(as_another_container_sees_it)
        assert find_leftovers(tmp_path) == []
    assert find_leftovers(tmp_path) == [as_another_container_sees_it]
