"""`tf1hub verify`: its output, its exit status, and that nothing makes it fall over."""

import json
import random
import shutil
import subprocess
import sys

import pytest

import tf1hub as hub
from tests.checks.damage import DATA, flip, whole_module
from tf1hub.cli import verify as verify_command
from tf1hub.cli.main import run
from tf1hub.errors import Tf1HubError


@pytest.fixture
def module(tmp_path):
    return whole_module(tmp_path)


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_a_sound_module_is_one_line(module, capsys):
    assert run(["verify", str(module)]) == 0
    assert lines(capsys) == [f"sound: 4 tensors, {hub.verify(module).bytes / 1000:.1f} kB, 5 files checked"]


def test_each_fault_is_a_line_with_file_byte_and_tensor(module, capsys):
    flip(module / DATA, 3)
    (module / "assets/words.txt").unlink()
    assert run(["verify", str(module)]) == 1
    missing, damaged, summary = lines(capsys)
    assert missing == "fault: assets/words.txt: no such file, and the graph reads it"
    assert damaged == f"fault: {DATA}, byte 0, tensor 'a': 24 bytes that do not fit their checksum"
    assert summary.startswith("2 faults: 4 tensors, ")


def test_warnings_do_not_fail(module, tmp_path, capsys):
    shutil.move(module / "variables", tmp_path / "store")
    (module / "variables").symlink_to(tmp_path / "store")
    assert run(["verify", str(module)]) == 0
    warning, summary = lines(capsys)
    assert warning.startswith("warning: variables: a link that leads out of the module")
    assert summary.startswith("sound, 1 warning: ")


def test_json_says_the_same(module, capsys):
    flip(module / DATA, 3)
    assert run(["verify", str(module), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["findings"] == [
        {
            "severity": "fault",
            "message": "24 bytes that do not fit their checksum",
            "file": DATA,
            "byte": 0,
            "tensor": "a",
            "tags": None,
        }
    ]
    assert report["sound"] is False
    assert report["counts"] == {"fault": 1, "warning": 0, "note": 0}
    assert (report["tensors"], report["files"]) == (4, 5)


@pytest.mark.parametrize("marker", [True, False])
def test_what_is_no_module_is_2(module, capsys, marker):
    path = module if marker else module / "nothing"
    (module / "tfhub_module.pb").unlink()
    assert run(["verify", str(path)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert ("plain SavedModel" if marker else "There is no directory") in output.err


def test_names_from_files_cannot_steer_the_terminal(module, capsys):
    (module / "assets/a\x1b[31mb\nc").write_text("x")
    assert run(["verify", str(module)]) == 0
    assert "\x1b" not in lines(capsys)[0]


def test_large_modules_get_a_progress_bar(module, monkeypatch):
    bars = []
    monkeypatch.setattr(verify_command, "_WORTH_A_BAR", 100)
    monkeypatch.setattr(verify_command, "progress", lambda *arguments: bars.append(arguments) or fake_bar(bars))
    assert run(["verify", str(module)]) == 0
    total = bars[0][1]
    assert bars[0][0] == "Checking"
    assert sum(bars[1:]) == total


class fake_bar:  # noqa: N801
    """Takes the place of a progress bar and keeps what it is told."""

    def __init__(self, told):
        self.told = told

    def __enter__(self):
        return self.told.append

    def __exit__(self, *exception):
        pass


def test_ctrl_c_stops_it(module, capsys, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(verify_command, "verify", interrupted)
    assert run(["verify", str(module)]) == 130
    assert capsys.readouterr().err.strip() == "tf1hub: stopped"


def test_it_runs_as_a_program(module):
    flip(module / DATA, 3)
    command = [sys.executable, "-m", "tf1hub", "verify", str(module)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith("fault: variables/")


def test_importing_the_command_loads_neither_tensorflow_nor_numpy():
    program = "import sys, tf1hub.cli.verify; print({'tensorflow', 'numpy', 'rich'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"


def mutated(data, dice):
    """The bytes with something wrong."""
    at = dice.randrange(len(data))
    how = dice.randrange(4)
    if how == 0:
        return data[:at]
    if how == 1:
        return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]
    if how == 2:
        end = dice.randrange(at, len(data))
        return data[:at] + dice.randbytes(end - at) + data[end:]
    return data[:at] + b"\xff" * dice.randrange(12) + data[at:]


def test_mutated_files_raise_only_our_errors(module):
    dice = random.Random(0)
    files = [path for path in module.rglob("*") if path.is_file() and path.name != "words.txt"]
    for _ in range(300):
        file = dice.choice(files)
        whole = file.read_bytes()
        file.write_bytes(mutated(whole, dice))
        try:
            hub.verify(module)
        except Tf1HubError:
            pass
        finally:
            file.write_bytes(whole)
