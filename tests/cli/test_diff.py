"""`tf1hub diff`: what it prints, and its exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.checks.comparison_modules import add_asset, variant, write_module
from tests.graph.graphs import definition, node
from tf1hub.cli import diff
from tf1hub.cli.main import run


def fine_tuned(tmp_path):
    """A module before and after its training, with a kernel, a bias that began at zero, an average and a step."""
    graph = variant(node("x"), trainable_variables=[definition("dense/kernel"), definition("dense/bias")])
    before = {
        "dense/kernel": np.array([3.0, 4.0], np.float32),
        "dense/bias": np.zeros(2, np.float32),
        "norm/moving_mean": np.array([1.0, 1.0], np.float32),
        "step": np.int64(7),
    }
    after = {
        **before,
        "dense/kernel": np.array([3.0, 4.5], np.float32),
        "norm/moving_mean": np.array([2.0, 1.0], np.float32),
    }
    return [str(write_module(tmp_path / name, graph, values=each)) for name, each in (("a", before), ("b", after))]


def printed(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    status = run(["diff", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_the_head_says_what_fine_tuning_changed(tmp_path, capsys):
    status, out, err = printed(capsys, *fine_tuned(tmp_path))
    assert (status, err) == (1, "")
    assert squeezed(out).startswith(
        "2 of 4 variables changed, 1 trainable and 1 not; most of all dense/kernel, by 10% of its norm (no value by"
        " more than 0.5). The other 2 are equal to the bit. All else is the same: variants, signatures, graphs,"
        " collections, attached messages, assets and other files."
    )
    assert "Trainable variables that changed: 1" in out
    assert "10%      0.5          5      5.408  dense/kernel  float32 [2]" in out


def test_all_that_is_not_trainable_stayed(tmp_path, capsys):
    graph = variant(node("x"), trainable_variables=[definition("v")])
    values = {"u": np.ones(1), "v": np.ones(1), "w": np.ones(1)}
    for name, each in (("a", values), ("b", {**values, "v": np.zeros(1)})):
        write_module(tmp_path / name, graph, values=each)
    _, out, _ = printed(capsys, str(tmp_path / "a"), str(tmp_path / "b"))
    assert "1 of 3 variables changed: v, which is trainable, by 100% of its norm (no value by" in squeezed(out)
    assert "The other 2 are equal to the bit, among them all that are not trainable." in squeezed(out)


def test_a_variable_that_was_zeros_is_named_when_there_is_no_other(tmp_path, capsys):
    for name, value in (("a", 0.0), ("b", 0.5)):
        write_module(tmp_path / name, values={"w": np.full(2, value), "v": np.ones(1)})
    _, out, _ = printed(capsys, str(tmp_path / "a"), str(tmp_path / "b"))
    assert "1 of 2 variables changed: w, which is not trainable, from zeros (no value by" in squeezed(out)
    assert "The other one, v, is equal to the bit." in squeezed(out)
    assert "  from 0      0.5          0     0.7071  w         float64 [2]" in out


def test_the_same(tmp_path, capsys):
    path = fine_tuned(tmp_path)[0]
    status, out, err = printed(capsys, path, path)
    assert (status, err) == (0, "")
    assert out.startswith("The modules are the same. The 4 variables are equal to the bit.\n")


def test_json_has_the_head_and_all_else(tmp_path, capsys):
    status, out, err = printed(capsys, "--json", *fine_tuned(tmp_path))
    answer = json.loads(out)
    assert (status, err, answer["same"]) == (1, "", False)
    assert answer["summary"].startswith("2 of 4 variables changed")
    kernel = next(each for each in answer["variables"] if each["name"] == "dense/kernel")
    assert (kernel["status"], kernel["trainable"], kernel["difference"]["norm_a"]) == ("changed", True, 5.0)
    assert set(answer) == {
        *("summary", "same", "a", "b", "tensorflow_versions", "variants", "common_variants", "variables"),
        *("assets", "other_files", "problems"),
    }


def test_long_lists_are_shortened_unless_all_is_wanted(tmp_path, capsys):
    names = [f"block_{at % 3}/layer_{at}/w" for at in range(30)]
    for name, value in (("a", 1.0), ("b", 2.0)):
        write_module(tmp_path / name, values={each: np.full(2, value) for each in names})
    paths = [str(tmp_path / name) for name in "ab"]
    _, out, _ = printed(capsys, *paths)
    assert out.count("float64 [2]") == 20
    assert "  ... 10 more, which --all shows\n" in out
    assert "  100%        1  10 of 10  block_0\n" in out
    _, out, _ = printed(capsys, *paths, "--all")
    assert out.count("float64 [2]") == 30
    assert "--all" not in out


def test_changes_of_graphs_are_printed_with_what_changed_first(tmp_path, capsys):
    a = write_module(tmp_path / "a", variant(node("gone"), node("y", "Mul", "x"), tags=("train",)))
    b = write_module(tmp_path / "b", variant(node("y", "Add", "x"), tags=("train",)))
    _, out, _ = printed(capsys, str(a), str(b))
    assert (
        "Nodes of the variant train: 1 changed, 1 only in A\n  ~ y  Mul -> Add\n      ~ op  Mul -> Add\n  - gone  Identity\n"
        in out
    )


def test_what_only_one_has_and_what_moved(tmp_path, capsys):
    a = write_module(tmp_path / "a", values={"w": np.ones(2), "v": np.ones(3)})
    b = write_module(tmp_path / "b", values={"m/w": np.ones(2), "m/v": np.ones(3), "head": np.ones(1)})
    _, out, _ = printed(capsys, str(a), str(b))
    assert "1 variable is only in B. 2 variables are in another scope in B: v is m/v there." in squeezed(out)
    assert "Variables only in B: 1\n  head  float64 [1]" in out


def test_values_that_are_no_numbers_any_more_are_in_the_head(tmp_path, capsys):
    a = write_module(tmp_path / "a", values={"u": np.ones(2), "w": np.ones(2)})
    b = write_module(tmp_path / "b", values={"u": np.full(2, 7.0), "w": np.array([1.0, np.nan])})
    _, out, _ = printed(capsys, str(a), str(b))
    assert "More values are NaN or infinite in B than in A: in w." in squeezed(out)
    first = out.splitlines()[out.splitlines().index("Variables that changed and are not trainable: 2") + 2]
    assert squeezed(first) == "? 0 1 1 w float64 [2], NaN or infinite: 0 -> 1"


def test_other_dtypes_and_shapes_are_in_the_head(tmp_path, capsys):
    values = {"s": np.ones(2), "t": np.ones(3), "d": np.ones(1, np.float32)}
    a = write_module(tmp_path / "a", values=values)
    b = write_module(tmp_path / "b", values={"s": np.ones(4), "t": np.ones(1), "d": np.ones(1)})
    _, out, _ = printed(capsys, str(a), str(b))
    head = "3 of 3 variables changed, none of them trainable; 2 have another shape; 1 has another dtype. All else is"
    assert squeezed(out).startswith(head)


def test_what_cannot_be_read_is_told_after_what_can(tmp_path, capsys):
    graph = variant(node("w"), variables=[definition("w")])
    a = write_module(tmp_path / "a", graph, values={"w": np.ones(2)})
    b = write_module(tmp_path / "b", graph, files={"README": b""})
    status, out, err = printed(capsys, str(a), str(b))
    assert status == 2
    assert "Not everything could be compared" in squeezed(out)
    assert "+ README  0 bytes" in out
    assert "there is no checkpoint here" in err


def test_unknown_tags_are_bad_usage(tmp_path, capsys):
    status, _, err = printed(capsys, *fine_tuned(tmp_path), "--tags", "train,big")
    assert (status, "Neither module has a variant with the tags" in err) == (2, True)


def test_the_empty_tags_are_the_variant_without(tmp_path, capsys):
    status, out, _ = printed(capsys, *fine_tuned(tmp_path), "--tags", "")
    assert (status, out.partition("\n")[0]) == (0, "The modules are the same.")


@pytest.mark.parametrize("content", [b"", b"\xff\xff", b"\x12\x02\x0a\x00"])
def test_what_cannot_be_read_at_all_is_one_message(tmp_path, capsys, content):
    path = write_module(tmp_path / "a")
    (path / "saved_model.pb").write_bytes(content)
    status, out, err = printed(capsys, str(path), str(tmp_path / "nothing"))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "internal error" not in err


def test_damaged_modules_end_in_messages(tmp_path, capsys):
    whole, damaged = fine_tuned(tmp_path)
    random = Random(0)
    found = set()
    for _ in range(150):
        path = random.choice([each for each in Path(damaged).rglob("*") if each.is_file()])
        content = path.read_bytes()
        changed = bytearray(content[: random.choice([len(content), random.randrange(len(content))])])
        if len(changed) == len(content):
            changed[random.randrange(len(content))] ^= 1 << random.randrange(8)
        path.write_bytes(changed)
        status, _, err = printed(capsys, *random.sample([whole, damaged], 2))
        path.write_bytes(content)
        assert "internal error" not in err
        assert (status == 2) == bool(err)
        found.add(status)
    assert found == {1, 2}


def test_names_from_files_are_escaped(tmp_path, capsys):
    graph = variant(node("\x1b[2J", "Op\n"))
    add_asset(graph, "p:0", "w\x1b.txt")
    files = {"assets/w\x1b.txt": b"", os.fsdecode(b"\xff\x07"): b""}
    a = write_module(tmp_path / "a", graph, values={"\x1b[31m": np.ones(1)}, files=files)
    b = write_module(tmp_path / "b")
    status, out, _ = printed(capsys, str(a), str(b))
    assert (status, "\x1b" in out, "\x07" in out) == (1, False, False)
    status, out, _ = printed(capsys, str(a), str(b), "--json")
    assert json.loads(out)["other_files"][0]["name"] == os.fsdecode(b"\xff\x07")


def test_large_modules_get_a_progress_bar(monkeypatch):
    totals = []
    monkeypatch.setattr(diff, "progress", lambda description, total: totals.append(total))
    diff.watch(1 << 30)
    with diff.watch(1 << 10) as advance:
        advance(3)
    assert totals == [1 << 30]


def test_the_command_loads_neither_tensorflow_nor_numpy_when_nothing_differs(tmp_path):
    path = fine_tuned(tmp_path)[0]
    program = (
        "import sys; from tf1hub.cli.main import run; status = run(['diff', sys.argv[1], sys.argv[1]]);"
        "print(status, [name for name in ('tensorflow', 'numpy', 'rich') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "0 []"


def test_as_a_process(tmp_path):
    command = [sys.executable, "-m", "tf1hub", "diff", *fine_tuned(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (1, "")
    assert "2 of 4 variables changed" in result.stdout
