"""What all commands have in common: help, bad usage, encodings that lack letters, and an output that is closed."""

import json
import os
import subprocess
import sys

import click
import pytest

from tests.checks.comparison_modules import variant, write_module
from tests.graph.graphs import node
from tf1hub.cli.main import commands, run

NAME = "größe/日本"
NAMES = commands.list_commands(click.Context(commands))
SHOW = [sys.executable, "-m", "tf1hub", "show"]


@pytest.fixture
def module(tmp_path):
    """A module whose checkpoint has a tensor that is named in letters of several alphabets."""
    return str(write_module(tmp_path / "m", variant(node("x")), values={NAME: 1.0}))


def printed(arguments, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    return subprocess.run(arguments, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize("name", NAMES)
def test_help_has_examples_exit_statuses_and_json(name, capsys):
    assert run([name, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in (f"Usage: tf1hub {name}", "Examples:", f" tf1hub {name} ", "Exit status", "--json"):
        assert part in text


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_one_message(name, capsys):
    assert run([name, "a", "b", "--nonsense"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"Usage: tf1hub {name}")
    [message] = [line for line in err.splitlines() if line.startswith("Error: ")]
    assert "No such option" in message
    assert "--nonsense" in message
    assert "Traceback" not in err


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "cp932"])
def test_letters_that_the_output_lacks_are_escaped(module, encoding):
    result = printed([*SHOW, module], encoding)
    assert (result.returncode, result.stderr) == (0, b"")
    assert NAME.encode(encoding, "backslashreplace") in result.stdout


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_json_stays_json_in_any_encoding(module, encoding):
    result = printed([*SHOW, module, "--json"], encoding)
    assert (result.returncode, result.stderr) == (0, b"")
    assert [tensor["name"] for tensor in json.loads(result.stdout)["other_tensors"]] == [NAME]


def test_errors_name_what_the_output_lacks_the_letters_of(module):
    result = printed([*SHOW, module, "--signature", NAME], "latin-1")
    assert result.returncode == 2
    assert result.stderr.startswith(b"tf1hub: The module has no signature 'gr\xf6\xdfe/\\u65e5\\u672c'.")


@pytest.mark.skipif(os.name == "nt", reason="a shell's way of closing an output")
def test_a_closed_output_is_no_error(module):
    command = 'exec "$0" -m tf1hub show "$1" >&-'
    result = subprocess.run(["sh", "-c", command, sys.executable, module], capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
@pytest.mark.parametrize("name", ["tfhub_module.pb", "saved_model.pb", "variables/variables.index"])
def test_a_pipe_in_the_place_of_a_file_stops_no_command(module, capsys, name):
    os.remove(os.path.join(module, name))
    os.mkfifo(os.path.join(module, name))
    statuses = [run(arguments) for arguments in (["show", module], ["verify", module], ["diff", module, module])]
    assert statuses == ([0, 1, 2] if name.startswith("variables") else [2, 1, 2])
    assert "it is a pipe or a device" in capsys.readouterr().err
