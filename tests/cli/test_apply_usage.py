"""Bad usage of `tf1hub apply`, and inputs that do not fit, are told at once: before TensorFlow is loaded."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from tests.cli.modules import give_stdin, module_of, refused

_PROGRAM = """
import json, sys
from tf1hub.cli.main import run
statuses = [run(["apply", *arguments]) for arguments in json.loads(sys.argv[1])]
print(json.dumps([statuses, sorted({"tensorflow", "numpy", "PIL", "pyarrow"} & set(sys.modules))]))
"""


def run_in_a_new_process(*commands: list[str]) -> tuple[list[int], list[str], str]:
    """The exit statuses of `apply` with some arguments, which heavy modules were imported, and what was complained of."""
    command = [sys.executable, "-c", _PROGRAM, json.dumps([list(map(str, each)) for each in commands])]
    result = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    statuses, imported = json.loads(result.stdout.splitlines()[-1])
    return statuses, imported, result.stderr


def test_help_and_bad_usage_import_neither_tensorflow_nor_numpy(tmp_path):
    module = module_of("several_outputs")
    statuses, imported, _ = run_in_a_new_process(
        ["--help"],
        [],
        [tmp_path / "nothing", "[1,2,3]"],
        [module, "[1,2,3]", "--signature", "nothing"],
        [module, "[1,2,3]", "--tags", "nothing"],
        [module, "[1,2,3]", "--output", "nothing"],
        [module, "[1,2,3]", "--nothing"],
    )
    assert statuses == [0, 2, 2, 2, 2, 2, 2]
    assert imported == []


def test_inputs_that_do_not_fit_are_told_before_tensorflow_is_loaded(tmp_path):
    dense, image = module_of("dense"), module_of("image")
    (tmp_path / "bad.jsonl").write_text("[1,2]\n")
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY")
    statuses, imported, complaints = run_in_a_new_process(
        [dense, "[1,2]"],
        [dense, "--input", "x=1"],
        [dense, "--input-file", tmp_path / "nothing.jsonl"],
        [dense, "--input-file", tmp_path / "bad.jsonl"],
        [dense, "--input-file", tmp_path / "bad.npy"],
        [image, tmp_path / "nothing.png"],
        [dense, "[1,2,3]", "--output-file", tmp_path / "no_folder" / "x.npz"],
        [dense, "[1,2,3]", "--output-file", tmp_path / "x.csv"],
    )
    assert statuses == [2] * 8
    assert "tensorflow" not in imported
    assert "Traceback" not in complaints


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["[1,2]"], "should be float32 of shape [3], but has the shape [2]"),
        (["abc"], "'abc' is no JSON"),
        (['["a","b","c"]'], "should be float32, but holds text"),
        (["[true,false,true]"], "should be float32, but holds true or false"),
        (["[1,[2],3]"], "has lists of different lengths or depths"),
        (["[1,null,3]"], "holds null or something else"),
        (["[1,2,3]", "--input-file", "x.jsonl"], "Give values or --input-file, not both"),
        (["--input", "default=[1,2,3]", "--input-file", "x.jsonl"], "Nothing is left to take from 'x.jsonl'"),
        (["--input", "x=[1,2,3]"], "is not NAME=VALUE of an input. The signature 'default' takes: 'default': float32"),
        (["--input-file", "x.json"], "does not tell its format by its name; pass --input-format"),
        (["--input-file", "-", "--input-format", "npy"], "Arrays cannot be read from standard input"),
        (["--input-file", "-", "--input-format", "text"], "Text lines are for an input of strings"),
        (["[1,2,3]", "--output", "nothing"], "has no output 'nothing'. It has: 'default'"),
        (["[1,2,3]", "--signature", "nothing"], "has no signature 'nothing'"),
        (["[1,2,3]", "--ouput", "x"], "No such option"),
        (["-Infinity"], "No such option '-Infinity'. Values that begin with '-' and are no numbers go after '--'"),
        ([".5"], "and '.5' is no JSON (such as 0.5, [1, 2])"),
        (["[1,2,3]", "--output-file", "x.csv"], "end it in .jsonl, .npz or .parquet"),
        (["[1,2,3]", "--batch-size", "0"], "--batch-size"),
    ],
)
def test_messages_say_what_is_wrong(arguments, message, capsys):
    assert message in refused(capsys, module_of("dense"), *arguments)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "line 2: no JSON"),
        (b"[" * 100_000, "line 2: no JSON"),
        (b"\xff", "line 2: no JSON"),
        (b"1" * 5000, "line 2"),
        (b"[1e999, 2, 3, 4]", "has the shape [4]"),
        (b'{"default": [1,2,3], "y": 1}', "the row has 'y', not known or given by --input. The signature"),
        (b'{"y": 1}', "the row lacks 'default', and has 'y', not known or given by --input"),
        (b"{}", "the row lacks 'default'. The signature 'default' takes: 'default': float32 of shape [?, 3]"),
        (b'{"default": [[1,2,3]]}', "line 2: the input 'default' should be float32 of shape [3]"),
    ],
)
def test_bad_rows_are_told_with_their_line(line, message, capsys, monkeypatch):
    give_stdin(monkeypatch, b"\n" + line)
    told = refused(capsys, module_of("dense"))
    assert "standard input, line 2" in told
    assert message in told


def test_several_inputs_need_names(capsys):
    assert "write --input NAME=VALUE" in refused(capsys, module_of("odd_keys"), "[1,2]")
    assert "Values are missing for 'a/b'" in refused(
        capsys, module_of("odd_keys"), "--input=$=[1,2]", "--input=$=[3,4]", "--input=0=[1,2]"
    )
    assert "there are 2 for '$', 3 for '0'" in refused(
        capsys, module_of("odd_keys"), *["--input=$=[1,2]"] * 2, *["--input=0=[1,2]"] * 3
    )


def test_a_terminal_is_not_read(capsys, monkeypatch):
    give_stdin(monkeypatch, b"")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert "give values, --input-file or standard input" in refused(capsys, module_of("dense"))


@pytest.mark.skipif(os.name == "nt", reason="a shell's way of closing a stream")
@pytest.mark.parametrize(
    ("kind", "arguments", "closing", "message"),
    [
        ("dense", ["--input-file", "-"], "<&-", "Standard input is closed; give a file, or pipe one."),
        ("image", ["--input-file", "-", "--input-format", "image"], "<&-", "Standard input is closed"),
        ("image", ["-"], "<&-", "Standard input is closed"),
        ("dense", ["[1,2,3]"], ">&-", "Standard output is closed; give --output-file."),
    ],
)
def test_closed_streams_are_told(kind, arguments, closing, message):
    shell = ["sh", "-c", f'exec "$0" -m tf1hub apply "$@" {closing}', sys.executable, module_of(kind), *arguments]
    result = subprocess.run(shell, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith(f"Error: {message}")


@pytest.mark.parametrize(
    ("library", "extra", "arguments"),
    [
        ("tensorflow", "tf", ["[1,2,3]"]),
        ("pyarrow", "parquet", ["[1,2,3]", "--output-file", "x.parquet"]),
    ],
)
def test_a_missing_library_is_told_with_its_extra(library, extra, arguments, capsys, monkeypatch, tmp_path):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == library else real(name, *rest))
    monkeypatch.chdir(tmp_path)
    assert f"pip install 'tf1hub[{extra}]'" in refused(capsys, module_of("dense"), *arguments)
    assert list(tmp_path.iterdir()) == []
