"""What is said of a module's files."""

import os
from pathlib import Path

import pytest

import tf1hub as hub
from tests.checks.comparison_modules import write_module

RULES = ["file-names", "file-permissions", "extra-files", "module-size"]


def findings_of(path, rule):
    return [(each.file, each.reason) for each in hub.lint(path, select=[rule]).findings]


@pytest.fixture
def module(tmp_path):
    return write_module(tmp_path / "m", files={"assets/a.txt": b"a"})


def name_faults(module, *names):
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(module), b"assets", os.fsencode(name)))).write_bytes(b"")
    return findings_of(module, "file-names")


@pytest.mark.parametrize("name", ["a?", "a*b", "x|y", 'q"', "<s>", "back\\slash", "a\nb", "del\x7f"])
def test_a_character_that_no_name_may_have_is_shown(module, name):
    [(_, reason)] = name_faults(module, name)
    assert f"{'assets/' + name!r} has a name with" in reason


@pytest.mark.parametrize("name", ["CON", "nul.txt", "lpt1.tar.gz", "Com9"])
def test_a_device_is_no_name(module, name):
    [(file, reason)] = name_faults(module, name)
    assert file == f"assets/{name}"
    assert "the name of a device on Windows" in reason


@pytest.mark.parametrize("name", [" a", "a ", "a."])
def test_spaces_and_dots_at_the_end_are_lost(module, name):
    [(_, reason)] = name_faults(module, name)
    assert "begins or ends with a space or ends with a dot" in reason


@pytest.mark.parametrize("name", ["é.txt", ".hidden", "a b", "lpt10", "nulls", "a,b;c(d)[e]{f}#%&+=@!~", "日本"])
def test_other_names_are_portable(module, name):
    assert name_faults(module, name) == []


def test_bytes_that_are_no_text_are_shown(module):
    [(file, reason)] = name_faults(module, os.fsdecode(b"\xff.txt"))
    assert "a name that is not UTF-8" in reason
    assert file.encode()


@pytest.mark.parametrize("names", [("A.TXT",), ("e\u0301", "é"), ("straße", "STRASSE")])
def test_names_that_some_disks_cannot_tell_apart(module, names):
    [(_, reason)] = name_faults(module, *names)
    assert "has the same name as 'assets/" in reason


def test_names_with_the_same_fault_are_one_finding(module):
    [(file, reason)] = name_faults(module, "con", "nul", "x:y")[:1]
    assert (file, "'assets/con' and 'assets/nul' have the name of a device" in reason) == ("assets/con", True)


@pytest.mark.parametrize(
    ("mode", "fault"),
    [(0o600, "cannot be read by other users"), (0o646, "can be changed by every user"), (0o745, "can be executed")],
)
def test_permissions_are_told_by_what_is_wrong_with_them(module, mode, fault):
    (module / "saved_model.pb").chmod(mode)
    [(file, reason)] = findings_of(module, "file-permissions")
    assert file == "saved_model.pb"
    assert f"'saved_model.pb' (mode {mode:03o}) {fault}" in reason


def test_the_permissions_of_folders_count(module):
    module.chmod(0o700)
    (module / "assets").chmod(0o754)
    [(file, reason)] = findings_of(module, "file-permissions")
    assert (file, "'.' (mode 700) and 'assets' (mode 754) cannot be read" in reason) == (".", True)


def test_files_of_one_mode_are_told_together(module):
    for name, mode in (("saved_model.pb", 0o600), ("tfhub_module.pb", 0o640), ("assets/a.txt", 0o600)):
        (module / name).chmod(mode)
    [(_, reason)] = findings_of(module, "file-permissions")
    assert reason.startswith(
        "'assets/a.txt' and 'saved_model.pb' (mode 600) and 'tfhub_module.pb' (mode 640) cannot be read by other users"
    )


def test_what_is_no_part_of_the_format_is_one_finding_with_its_bytes(module):
    for name in ("README.md", "saved_model.pbtxt", ".DS_Store"):
        (module / name).write_bytes(b"12345")
    (module / "notes").mkdir()
    [(file, reason)] = findings_of(module, "extra-files")
    assert file == ".DS_Store"
    assert reason.startswith(
        "3 files of 15 bytes are no part of the format: '.DS_Store', 'README.md' and 'saved_model.pbtxt'; no reader needs"
    )


def test_a_large_module_is_told_with_its_largest_file(module):
    (module / "assets" / "a.txt").touch()
    os.truncate(module / "assets" / "a.txt", 3 << 29)
    [(file, reason)] = findings_of(module, "module-size")
    assert file == "assets/a.txt"
    assert reason.startswith("The module takes 1.61 GB, of which 'assets/a.txt' takes 1.61:")


def test_links_that_lead_nowhere_or_in_a_circle_do_no_harm(module):
    (module / "assets" / "gone").symlink_to("nothing")
    (module / "assets" / "again").symlink_to(module, target_is_directory=True)
    assert findings_of(module, "extra-files") == []
    assert hub.lint(module, select=RULES).facts is not None


def test_a_spec_in_memory_has_no_files(module):
    spec = hub.create_module_spec(lambda: hub.add_signature(inputs={}, outputs={}))
    assert hub.lint(spec, select=RULES).findings == []
