"""Every kind of result of `tf1hub apply`: JSON lines, `.npz`, Parquet. Files are there whole or not at all."""

import errno
import json
import os
import resource
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.cli.modules import applied, module_of, refused, rows_of
from tests.graphs import export, spec_with
from tests.module_fns import KINDS
from tf1hub.cli.applying import result_tables
from tf1hub.cli.applying.calls import DENSE, Call, Field
from tf1hub.cli.applying.results import open_results
from tf1hub.cli.main import run

ROWS = np.random.RandomState(3).uniform(-1, 1, [10, 3]).astype(np.float32)
ALL = ("--output", "default", "--output", "hidden", "--output", "first")


@pytest.fixture
def rows_file(tmp_path):
    np.save(tmp_path / "rows.npy", ROWS)
    return tmp_path / "rows.npy"


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """A module whose outputs are of many types, and may be anything but numbers."""

    def outputs(x):
        infinite = tf.stack([x / 0.0, -x / 0.0, x * 0.0 / 0.0], 1)
        text = tf.strings.as_string(x)
        return {
            "infinite": infinite, "complex": tf.complex(x, -x), "bfloat16": tf.cast(x, tf.bfloat16),
            "text": text, "bytes": tf.strings.join([text, tf.constant(b"\xff")]), "true": x > 0.0,
            "half": tf.cast(x, tf.half), "long": tf.cast(x, tf.int64) + 2**60, "tenths": x / 10.0,
        }  # fmt: skip

    return export(spec_with(outputs, (None,)), tmp_path_factory.mktemp("typed") / "module")


def expected_outputs():
    with hub.eval_function_for_module(module_of("several_outputs")) as evaluate:
        return evaluate(ROWS, outputs=["default", "hidden", "first"])


def apply_to_file(*arguments):
    assert run(["apply", *map(str, arguments)]) == 0


def test_an_npz_has_an_array_for_each_output(rows_file, tmp_path, capsys):
    arguments = [module_of("several_outputs"), "--input-file", rows_file, *ALL, "--batch-size", "3"]
    apply_to_file(*arguments, "--output-file", tmp_path / "results.npz")
    with np.load(tmp_path / "results.npz") as results:
        assert sorted(results) == ["default", "first", "hidden"]
        for key, expected in expected_outputs().items():
            assert results[key].dtype == expected.dtype
            np.testing.assert_allclose(results[key], expected, rtol=1e-5, atol=1e-6)
    assert capsys.readouterr().out.startswith("10 examples: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.npz", "rows.npy"]


def test_parquet_has_a_column_of_lists_for_each_output(rows_file, tmp_path, monkeypatch):
    monkeypatch.setattr(result_tables, "_ROW_GROUP", 100)  # a row group for each batch
    arguments = [module_of("several_outputs"), "--input-file", rows_file, *ALL, "--batch-size", "3"]
    apply_to_file(*arguments, "--output-file", tmp_path / "results.parquet")
    table = pq.read_table(tmp_path / "results.parquet")
    assert table.num_rows == 10
    assert pq.ParquetFile(tmp_path / "results.parquet").num_row_groups == 4
    for key, expected in expected_outputs().items():
        np.testing.assert_allclose(table[key].to_pylist(), expected, rtol=1e-5, atol=1e-6)


def test_a_json_lines_file_is_what_would_be_printed(rows_file, tmp_path, capsys):
    arguments = [module_of("several_outputs"), "--input-file", rows_file, *ALL]
    printed = applied(capsys, *arguments)
    apply_to_file(*arguments, "--output-file", tmp_path / "results.jsonl")
    assert rows_of((tmp_path / "results.jsonl").read_text()) == printed


def test_json_summarizes_what_is_in_the_file(rows_file, tmp_path, capsys):
    file = tmp_path / "results.jsonl"
    apply_to_file(module_of("dense"), "--input-file", rows_file, "--output-file", file, "--json")
    summary = json.loads(capsys.readouterr().out)
    assert summary.pop("seconds") > 0
    assert summary == {
        "signature": "default", "outputs": ["default"], "examples": 10, "output_file": str(file),
        "bytes": file.stat().st_size,
    }  # fmt: skip


def test_values_that_are_no_numbers_are_still_json(typed, capsys):
    keys = ["infinite", "complex", "bytes", "text", "true", "half", "bfloat16", "long", "tenths"]
    made = applied(capsys, typed, "1", "-3", *(f"--output={key}" for key in keys))
    assert made[0] == {
        "infinite": ["Infinity", "-Infinity", "NaN"], "complex": [1.0, -1.0], "bytes": {"b64": "MS4wMDAwMDD/"},
        "text": "1.000000", "true": True, "half": 1.0, "bfloat16": 1.0, "long": 2**60 + 1, "tenths": 0.1,
    }  # fmt: skip
    assert made[1]["infinite"] == ["-Infinity", "Infinity", "NaN"]
    assert made[1]["tenths"] == -0.3


def test_values_of_many_types_in_tables(typed, tmp_path):
    keys = ["infinite", "complex", "bytes", "text", "true", "half", "bfloat16", "long", "tenths"]
    arguments = [typed, "1", "-3", *(f"--output={key}" for key in keys), "--batch-size", "1"]
    apply_to_file(*arguments, "--output-file", tmp_path / "results.npz")
    apply_to_file(*arguments, "--output-file", tmp_path / "results.parquet")
    with hub.eval_function_for_module(typed) as evaluate:
        expected = evaluate(np.float32([1, -3]), as_dict=True)
    table = pq.read_table(tmp_path / "results.parquet")
    with np.load(tmp_path / "results.npz") as results:
        for key in keys:
            values = expected[key].astype(np.float32) if key == "bfloat16" else expected[key]
            np.testing.assert_array_equal(results[key], values.astype("S") if values.dtype == object else values)
            if key == "complex":
                values = np.stack([values.real, values.imag], 1)
            np.testing.assert_array_equal(np.array(table[key].to_pylist()), np.array(values.tolist()))


@pytest.mark.parametrize("kind", ["sparse_in_and_out", "ragged_in_and_out"])
def test_sparse_and_ragged_outputs(kind, tmp_path, capsys):
    given = {
        "sparse_in_and_out": ["--input=ids=[1,null,2]", "--input=ids=[]", "--input=ids=[null,5]", "--input=factor=2"],
        "ragged_in_and_out": ["--input=rows=[1,2]", "--input=rows=[]", "--input=rows=[3]", "--input=offset=1"],
    }[kind]
    made = applied(capsys, module_of(kind), *given)
    apply_to_file(module_of(kind), *given, "--output-file", tmp_path / "results.parquet")
    assert pq.read_table(tmp_path / "results.parquet", columns=["default"]).num_rows == 3
    found = pq.read_table(tmp_path / "results.parquet").to_pylist()
    assert [str(row) for row in found] != []
    with hub.eval_function_for_module(module_of(kind)) as evaluate:
        if kind == "sparse_in_and_out":
            value = tf.SparseTensorValue([[0, 0], [0, 2], [2, 1]], np.float32([1, 2, 5]), [3, 3])
            expected = evaluate({"ids": value, "factor": 2.0})
            assert [row["default"]["indices"] for row in made] == [[[0], [2]], [], [[1]]]
            assert [row["default"]["shape"] for row in made] == [[3]] * 3
            flat = [value for row in made for value in row["default"]["values"]]
            np.testing.assert_allclose(flat, expected.values, rtol=1e-5)
            assert [row["default"]["indices"] for row in found] == [[[0], [2]], [], [[1]]]
        else:
            expected = evaluate({"rows": [[1.0, 2.0], [], [3.0]], "offset": 1.0}).to_list()
            for rows in (made, found):
                assert [len(row["default"]) for row in rows] == [2, 0, 1]
                np.testing.assert_allclose(rows[0]["default"], expected[0], rtol=1e-5)
    assert "which .npz cannot hold; use .jsonl or .parquet" in refused(
        capsys, module_of(kind), *given, "--output-file", tmp_path / "results.npz"
    )


def test_rows_of_several_shapes_fit_a_parquet_column_but_no_array(tmp_path, capsys):
    module = export(spec_with(lambda x: x * 2.0, (None, None)), tmp_path / "module")
    arguments = [module, "[1,2]", "[3]", "--output-file"]
    assert "has rows of shape [2] and then [1]" in refused(capsys, *arguments, tmp_path / "results.npz")
    apply_to_file(*arguments, tmp_path / "results.parquet")
    table = pq.read_table(tmp_path / "results.parquet")
    assert table["default"].to_pylist() == [[2.0, 4.0], [6.0]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["module", "results.parquet"]


def test_strings_that_numpy_would_cut_are_refused(tmp_path, capsys):
    module = export(spec_with(tf.identity, (None,), tf.string), tmp_path / "module")
    (tmp_path / "rows.jsonl").write_text('"a\\u0000"\n')
    arguments = [module, "--input-file", tmp_path / "rows.jsonl", "--output-file"]
    assert "ends in a zero byte" in refused(capsys, *arguments, tmp_path / "results.npz")
    apply_to_file(*arguments, tmp_path / "results.parquet")
    assert pq.read_table(tmp_path / "results.parquet")["default"].to_pylist() == [b"a\0"]


def test_no_rows_give_empty_tables(tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    for kind in ("several_outputs", "sparse_in_and_out", "ragged_in_and_out", "image"):
        arguments = [module_of(kind), "--input-file", tmp_path / "none.jsonl", "--output-file"]
        apply_to_file(*arguments, tmp_path / "none.parquet")
        assert pq.read_table(tmp_path / "none.parquet").num_rows == 0
    apply_to_file(module_of("image"), "--input-file", tmp_path / "none.jsonl", "--output-file", tmp_path / "none.npz")
    with np.load(tmp_path / "none.npz") as results:
        assert results["default"].shape == (0, 2)


def test_a_failed_run_leaves_no_file_and_touches_no_older_one(tmp_path, capsys):
    (tmp_path / "bad.jsonl").write_text("[1,2,3]\n[1,2,3]\n[1,2]\n")
    for suffix in ("jsonl", "npz", "parquet"):
        for older in (False, True):
            file = tmp_path / f"results.{suffix}"
            if older:
                file.write_text("older")
            told = refused(
                capsys, module_of("dense"), "--input-file", tmp_path / "bad.jsonl", "--batch-size", "1",
                "--output-file", file,
            )  # fmt: skip
            assert "line 3" in told
            assert file.exists() == older
            assert not older or file.read_text() == "older"
    assert len(list(tmp_path.iterdir())) == 4


def test_a_file_that_is_there_is_replaced_and_a_directory_is_not(rows_file, tmp_path, capsys):
    (tmp_path / "results.npz").write_text("older")
    apply_to_file(module_of("dense"), "--input-file", rows_file, "--output-file", tmp_path / "results.npz")
    with np.load(tmp_path / "results.npz") as results:
        assert results["default"].shape == (10, 2)
    (tmp_path / "folder.npz").mkdir()
    told = refused(capsys, module_of("dense"), "[1,2,3]", "--output-file", tmp_path / "folder.npz")
    assert f"{str(tmp_path / 'folder.npz')!r} is a folder" in told


def test_small_batches_do_not_make_parquet_slow(tmp_path):
    call = Call("default", {}, {"x": Field("x", DENSE, 1, (None, 2))}, None, whole=False)
    batch, batches = np.ones((1, 2), np.float32), 8_000
    start = time.process_time()
    with open_results(str(tmp_path / "x.parquet"), call) as write:
        for _ in range(batches):
            write({"x": batch})
    assert time.process_time() - start < 5  # it took 80 s when each batch weighed all before it anew
    assert pq.read_table(tmp_path / "x.parquet").num_rows == batches


def test_a_folder_that_is_not_there_and_a_full_disk_are_told_with_the_path(rows_file, tmp_path, capsys, monkeypatch):
    told = refused(capsys, module_of("dense"), "[1,2,3]", "--output-file", tmp_path / "nothing" / "x.jsonl")
    assert f"There is no folder '{tmp_path / 'nothing'}' to write 'x.jsonl' to" in told

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(result_tables.zipfile, "ZipFile", full)
    told = refused(capsys, module_of("dense"), "[1,2,3]", "--output-file", tmp_path / "x.npz")
    assert f"{tmp_path / 'x.npz'}: No space left on device" in told
    assert not list(tmp_path.glob("*x.npz*"))


@pytest.fixture
def small_disk():
    """No file becomes larger than 100 kB."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("suffix", ["jsonl", "npz", "parquet"])
def test_a_file_that_outgrows_the_disk_is_told_and_leaves_the_older_one(suffix, tmp_path, small_disk):
    call = Call("default", {}, {"x": Field("x", DENSE, 1, (None, 1000))}, None, whole=False)
    file = tmp_path / f"results.{suffix}"
    file.write_text("older")

    def write_much():
        with open_results(str(file), call) as write:
            write({"x": np.random.RandomState(0).uniform(size=[100, 1000]).astype(np.float32)})

    with pytest.raises(OSError, match="File too large") as caught:
        write_much()
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(file))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(file.name, "older")]


def test_what_a_link_leads_to_is_replaced(rows_file, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.npz").symlink_to(tmp_path / "folder" / "results.npz")
    apply_to_file(module_of("dense"), "--input-file", rows_file, "--output-file", tmp_path / "link.npz")
    assert (tmp_path / "link.npz").is_symlink()
    with np.load(tmp_path / "folder" / "results.npz") as results:
        assert results["default"].shape == (10, 2)


def test_whole_runs_are_rows_of_a_table(tmp_path):
    apply_to_file(module_of("no_inputs"), "--output-file", tmp_path / "results.npz")
    with np.load(tmp_path / "results.npz") as results:
        assert results["default"].shape == (1, 4, 2)
    keys = list(KINDS["odd_keys"].inputs["default"])
    given = [f"--input={key}={json.dumps(value)}" for key in keys for value in ([1, 2], [3, 4], [5, 6])]
    apply_to_file(module_of("odd_keys"), *given, "--output=a/b", "--output-file", tmp_path / "results.npz")
    with np.load(tmp_path / "results.npz") as results:
        assert results["a/b"].shape == (3, 2)
