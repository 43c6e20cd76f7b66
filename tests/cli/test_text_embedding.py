"""The command that makes a module of an embedding file."""

import bz2
import gzip
import io
import json
import lzma
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.publishing.embeddings import binary, many_lines, table, vocabulary
from tf1hub.cli.main import run

ROOT = Path(__file__).parents[2]
TEXT = b"the 1 2\ncat 0.5 -1.5\nthe 3 4\n\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(TEXT)
    return path


def made(file, *options: str) -> Path:
    module = file.with_name("module")
    assert run(["text-embedding", "--embedding-file", str(file), "--export-path", str(module), *options]) == 0
    return module


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("vectors.txt", data)
    return buffer.getvalue()


def piped(data: bytes, target: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tf1hub", "text-embedding", "--embedding-file", "-", "--export-path", str(target)]
    return subprocess.run(command, cwd=ROOT, input=data, capture_output=True, timeout=60)


def signature(module: Path) -> bytes:
    return b"tokens" if b"sentences" not in (module / "saved_model.pb").read_bytes() else b"sentences"


def test_it_says_what_it_made(file, capsys):
    module = made(file)
    out = capsys.readouterr().out
    for text in ("tokens             2\n", "1 duplicate, 1 empty line", "30 B (text)", "1 bucket", str(module)):
        assert text in out
    assert vocabulary(module) == [b"the", b"cat"]


def test_its_snippet_applies_the_module(file, capsys):
    for options in ([], ["--no-preprocess-text"]):
        made(file, *options)
        code = "".join(line[4:] + "\n" for line in capsys.readouterr().out.partition("apply it:")[2].splitlines())
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True)
        assert done.stdout == "[[0. 0.]\n [0. 0.]]\n", done.stderr
        shutil.rmtree(file.with_name("module"))


def test_json_has_the_summary(file, capsys):
    module = made(file, "--json", "--limit", "1", "--num-oov-buckets", "3")
    found = json.loads(capsys.readouterr().out)
    assert found.pop("seconds") > 0
    assert found.pop("bytes_written") == sum(path.stat().st_size for path in module.rglob("*") if path.is_file())
    assert found == {
        "path": str(module),
        "format": "text",
        "tokens": 1,
        "dimension": 2,
        "num_oov_buckets": 3,
        "duplicates": 0,
        "skipped_lines": 0,
        "bytes_read": len(TEXT),
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("options", "op"),
    [
        (["--combiner", "mean"], b"SparseSegmentMean"),
        (["--combiner=sum"], b"SparseSegmentSum"),
        ([], b"SparseSegmentSqrtN"),
        (["--lowercase"], b"StringLower"),
        (["--trainable"], b"trainable_variables"),
    ],
)
def test_options_show_in_the_graph(file, options, op):
    graph = (made(file, *options) / "saved_model.pb").read_bytes()
    assert op in graph
    assert (b"StringLower" in graph) == (options == ["--lowercase"])


def test_a_table_may_be_kept_from_fine_tuning(file):
    assert b"trainable_variables" not in (made(file, "--no-trainable") / "saved_model.pb").read_bytes()


@pytest.mark.parametrize(
    "option", ["--preprocess_text=False", "--preprocess-text=false", "--no-preprocess-text", "--no_preprocess_text"]
)
def test_false_means_false(file, option):
    assert signature(made(file, option)) == b"tokens"


@pytest.mark.parametrize("option", ["--preprocess_text=True", "--preprocess-text"])
def test_true_means_true(file, option):
    assert signature(made(file, option)) == b"sentences"


def test_the_predecessors_spelling_is_taken(file):
    module = file.with_name("module")
    arguments = [
        f"--embedding_file={file}",
        "--export_path",
        str(module),
        "--num_oov_buckets=2",
        "--preprocess_text=False",
    ]
    assert run(["text-embedding", *arguments]) == 0
    assert table(module).shape == (4, 2)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (b"a 1 2\nb 1\n", [], "vectors.txt, line 2: it has 1 of the 2 values that the others have."),
        (b"a 1 nan\n", [], "line 1: value 2 is nan"),
        (b"", [], "it is empty"),
        (TEXT, ["--export-path", ""], "--export-path is empty"),
        (TEXT, ["--preprocess_text=maybe"], "neither true nor false"),
        (TEXT, ["--num-oov-buckets", "0"], "0 is not in the range"),
        (TEXT, ["--combiner", "max"], "'max' is not one of"),
        (TEXT, ["--limit", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_is_said_in_a_line_and_leaves_nothing(file, capsys, text, options, message):
    file.write_bytes(text)
    arguments = ["--embedding-file", str(file), "--export-path", str(file.with_name("module")), *options]
    assert run(["text-embedding", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert list(file.parent.iterdir()) == [file]


def test_a_missing_file_is_said(file, capsys):
    assert run(["text-embedding", "--embedding-file", "none.txt", "--export-path", str(file.parent / "module")]) == 2
    assert capsys.readouterr().err == "tf1hub: none.txt: No such file or directory\n"


def test_a_module_that_is_there_is_kept(file, capsys):
    module = made(file)
    assert run(["text-embedding", "--embedding-file", "none.txt", "--export-path", str(module)]) == 2
    assert "There is a module at" in capsys.readouterr().err


def test_values_that_are_not_finite_can_be_allowed(file):
    file.write_bytes(b"a 1 nan\n")
    assert table(made(file, "--allow-nonfinite")).shape == (2, 2)


def test_a_warning_goes_to_standard_error(file, capsys):
    file.write_bytes(b"7 2\n" + TEXT)
    made(file, "--json")
    out, err = capsys.readouterr()
    assert "promises 7 vectors, and it holds 3" in json.loads(out)["warnings"][0]
    assert err.startswith("tf1hub: warning: The first line of")


@pytest.mark.parametrize("data", [TEXT, b"2 2\n" + TEXT, binary([b"the", b"cat"], np.eye(2))])
def test_standard_input_is_read(tmp_path, data):
    done = piped(data, tmp_path / "m")
    assert (done.returncode, done.stderr.count(b"\n")) == (0, int(data.startswith(b"2 2\nthe 1")))
    assert vocabulary(tmp_path / "m") == [b"the", b"cat"]


def test_a_closed_standard_input_is_said(tmp_path):
    command = [
        sys.executable,
        "-m",
        "tf1hub",
        "text-embedding",
        "--embedding-file",
        "-",
        "--export-path",
        tmp_path / "m",
    ]
    done = subprocess.run(["sh", "-c", '"$@" <&-', "sh", *command], cwd=ROOT, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr.startswith(b"tf1hub: standard input is closed")) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_above_the_path_is_said_without_tensorflow(file):
    program = "import sys; from tf1hub.cli.main import run; print(run(sys.argv[1:]), 'tensorflow' in sys.modules)"
    arguments = ["text-embedding", "--embedding-file", str(file), "--export-path", str(file / "a" / "b")]
    done = subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "2 False\n"
    assert f"since {str(file)!r} is none" in done.stderr


def test_compressed_standard_input_is_read(tmp_path):
    for name, compress in {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zip": zipped}.items():
        target = tmp_path / f"m{name}"
        done = piped(compress(TEXT), target)
        assert (done.returncode, done.stderr) == (0, b""), name
        assert vocabulary(target) == [b"the", b"cat"]


def test_help_has_examples_and_exit_statuses(capsys):
    assert run(["text-embedding", "--help"]) == 0
    out = capsys.readouterr().out
    assert "Examples:" in out
    assert "Exit status: 0 when the module was made; 2 when it was not." in out


def test_progress_is_told_in_bytes_of_the_file(file, monkeypatch):
    told = []

    class Bar:
        def __init__(self, description, total):
            told.append(total)

        def __enter__(self):
            return told.append

        def __exit__(self, *error):
            return None

    monkeypatch.setattr("tf1hub.cli.text_embedding.progress", Bar)
    file.write_bytes(many_lines(20_000, 30))
    made(file)
    assert told[0] == sum(told[1:]) == file.stat().st_size


def test_importing_the_command_loads_neither_numpy_nor_tensorflow():
    code = "import sys, tf1hub.cli.text_embedding; print({'numpy', 'tensorflow', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "set()\n"
