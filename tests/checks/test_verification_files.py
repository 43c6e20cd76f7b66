"""Verifying files: the marker, assets, links, names, and what cannot be opened."""

import errno
import os
import shutil
import socket

import pytest

import tf1hub as hub
from tests.checks.damage import DATA, INDEX, faults, flip, only_fault, place, whole_module
from tests.graphs import edited_saved_model
from tf1hub.errors import CorruptModuleError, MissingModuleError, UnsupportedHandleError
from tf1hub.format import protos

MARKER = "tfhub_module.pb"


@pytest.fixture
def module(tmp_path):
    return whole_module(tmp_path)


def notes(module):
    return [finding.message for finding in hub.verify(module).findings if finding.severity == "note"]


def rename_asset(module, name):
    """Has the graphs read a file of another name."""
    with edited_saved_model(str(module)) as saved_model:
        for meta_graph in saved_model.meta_graphs:
            listed = meta_graph.collection_def["saved_model_assets"].any_list.value[0]
            asset = protos.AssetFileDef.FromString(listed.value)
            asset.filename = name
            listed.value = asset.SerializeToString()


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        (protos.ModuleDef(format=2).SerializeToString(), "it says format 2, and only format 3 is known"),
        (b"", "it says format 0, and only format 3 is known"),
        (
            protos.ModuleDef(format=3, required_features=["time-travel"]).SerializeToString(),
            "it requires features that are not known: 'time-travel'",
        ),
    ],
)
def test_what_the_marker_asks_for_must_be_known(module, marker, message):
    (module / MARKER).write_bytes(marker)
    fault = only_fault(module)
    assert (fault.file, fault.message) == (MARKER, message)


def test_a_marker_that_cannot_be_parsed(module):
    (module / MARKER).write_bytes(b"\x08\x03\x12")
    assert place(only_fault(module)) == (MARKER, 3, None)


def test_a_corrupt_graph_does_not_stop_the_checks_of_the_checkpoint(module):
    flip(module / DATA, 0)
    data = (module / "saved_model.pb").read_bytes()
    (module / "saved_model.pb").write_bytes(data[:5000])
    # Neither are assets said to be read by nobody, nor tensors to be no variable: that is not known.
    graph, tensor = hub.verify(module).findings
    assert graph.file == "saved_model.pb"
    assert graph.byte is not None
    assert place(tensor) == (DATA, 0, "a")


def test_a_missing_graph_does_not_stop_the_checks_of_the_checkpoint(module):
    flip(module / DATA, 0)
    (module / "saved_model.pb").unlink()
    assert [fault.file for fault in faults(module)] == ["saved_model.pb", DATA]


def test_a_corrupt_checkpoint_does_not_stop_the_checks_of_the_graph(module):
    (module / INDEX).write_bytes(b"nothing")
    with edited_saved_model(str(module)) as saved_model:
        saved_model.meta_graphs[0].signature_def["default"].outputs["default"].name = "gone:0"
    assert [fault.file for fault in faults(module)] == ["saved_model.pb", INDEX]


def test_a_missing_asset(module):
    (module / "assets/words.txt").unlink()
    assert place(only_fault(module)) == ("assets/words.txt", None, None)
    assert only_fault(module).message == "no such file, and the graph reads it"


@pytest.mark.parametrize("name", ["../tfhub_module.pb", "/etc/hostname", "a/../../b", "C:\\x", "gs://a/b", ""])
def test_an_asset_that_leads_out_of_its_folder(module, name):
    rename_asset(module, name)
    fault = only_fault(module)
    assert fault.file == "saved_model.pb"
    assert "leads out of assets/" in fault.message


def test_an_asset_that_is_a_link_out_of_the_module(module, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    (module / "assets/words.txt").unlink()
    (module / "assets/words.txt").symlink_to(tmp_path / "secret.txt")
    fault = only_fault(module)
    assert fault.file == "assets/words.txt"
    assert "a link that leads out of the module, to " in fault.message


def test_a_folder_of_assets_that_is_a_link_out_of_the_module(module, tmp_path):
    shutil.move(module / "assets", tmp_path / "elsewhere")
    (module / "assets").symlink_to(tmp_path / "elsewhere")
    assert only_fault(module).file == "assets"


def test_links_inside_the_module_are_fine(module):
    os.rename(module / "assets/words.txt", module / "assets/real.txt")
    (module / "assets/words.txt").symlink_to("real.txt")
    assert faults(module) == []


def test_a_module_of_links_to_files_elsewhere_is_sound_with_warnings(module, tmp_path):
    shutil.move(module / "variables", tmp_path / "store")
    (module / "variables").symlink_to(tmp_path / "store")
    report = hub.verify(module)
    assert [(finding.severity, finding.file) for finding in report.findings] == [("warning", "variables")]
    assert report.tensors == 4


def test_names_that_differ_only_in_case(module):
    (module / "assets/Words.TXT").write_text("x")
    (module / "Assets").mkdir()
    messages = {fault.file: fault.message for fault in faults(module)}
    assert messages.keys() == {"assets", "assets/words.txt"}
    assert "differs only in case from 'assets/Words.TXT'" in messages["assets/words.txt"]


def test_the_same_name_in_two_folders_is_fine(module):
    (module / "Words.txt").write_text("x")
    assert faults(module) == []


def test_other_files_and_assets_that_nobody_reads_are_notes(module):
    (module / "README.md").write_text("x")
    (module / "assets/spare.txt").write_text("x")
    assert hub.verify(module).is_sound
    assert notes(module) == [
        "not part of the format, and left alone: 'README.md'",
        "assets that no graph reads: 'assets/spare.txt'",
    ]


def test_names_that_are_not_text_can_be_printed(module):
    with open(os.path.join(os.fsencode(module), b"caf\xe9"), "wb"):
        pass
    assert notes(module) == ["not part of the format, and left alone: 'caf\\\\xe9'"]


@pytest.mark.parametrize("name", [MARKER, "saved_model.pb", INDEX, DATA, "assets/words.txt"])
def test_a_file_that_is_a_pipe_is_not_waited_for(module, name):
    (module / name).unlink()
    os.mkfifo(module / name)
    fault = only_fault(module)
    assert fault.file == name
    assert "it is a pipe or a device" in fault.message


@pytest.mark.parametrize("name", [MARKER, "saved_model.pb", INDEX, DATA, "assets/words.txt"])
def test_a_file_that_is_a_directory(module, name):
    (module / name).unlink()
    (module / name).mkdir()
    fault = only_fault(module)
    assert fault.file == name
    assert "it is a directory" in fault.message


@pytest.mark.parametrize("name", [MARKER, "saved_model.pb", INDEX, DATA, "assets/words.txt"])
def test_a_file_that_may_not_be_read(module, name, monkeypatch):
    def open_unless_forbidden(path, *arguments):
        if path == str(module / name):  # not by chmod: root may read everything
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return os_open(path, *arguments)

    os_open = os.open
    monkeypatch.setattr(os, "open", open_unless_forbidden)
    fault = only_fault(module)
    assert fault.file == name
    assert "Permission denied" in fault.message


def test_a_socket_among_the_files_is_not_opened(module, monkeypatch):
    monkeypatch.chdir(module)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert faults(module) == []


def test_links_that_lead_in_circles(module):
    (module / "saved_model.pb").unlink()
    (module / "saved_model.pb").symlink_to("saved_model.pb")
    (module / "assets/loop").symlink_to("../assets")
    assert {fault.file for fault in faults(module)} == {"saved_model.pb"}


def test_nothing_that_can_be_read_is_an_error(module):
    for name in (MARKER, "saved_model.pb", INDEX):
        (module / name).unlink()
        (module / name).mkdir()
    with pytest.raises(CorruptModuleError, match=r"None of the files of the module .* can be read; tfhub_module\.pb: "):
        hub.verify(module)


def test_a_plain_saved_model_is_no_module(module):
    (module / MARKER).unlink()
    with pytest.raises(MissingModuleError, match="a plain SavedModel and no TF1 Hub module"):
        hub.verify(module)


def test_no_directory_is_no_module(tmp_path):
    with pytest.raises(MissingModuleError, match="There is no directory"):
        hub.verify(tmp_path / "nothing")


@pytest.mark.parametrize("path", ["https://example.com/module/1", "gs://bucket/module"])
def test_modules_elsewhere_are_refused(path):
    with pytest.raises(UnsupportedHandleError):
        hub.verify(path)
