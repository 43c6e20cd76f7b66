"""`tf1hub apply` gives what `hub.eval_function_for_module` gives, from every kind of signature."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.cli.modules import applied, give_stdin, module_of, refused
from tests.graphs import edited_saved_model, export, spec_with
from tests.module_fns import KINDS
from tests.test_shared_modules import TEXT_MODULES, answers, shared
from tf1hub.cli.main import run


def answers_of(kind: str, inputs, **kwargs):
    with hub.eval_function_for_module(module_of(kind)) as evaluate:
        return evaluate(inputs, **kwargs)


def test_half_plus_two_takes_numbers_negative_ones_too(capsys):
    assert [row["default"] for row in applied(capsys, shared("half_plus_two"), "1", "2", "-4")] == [2.5, 3.0, 0.0]


@pytest.mark.parametrize("name", TEXT_MODULES)
def test_text_modules_answer_as_the_predecessor_did(name, capsys):
    inputs, expected = answers(name)
    rows = applied(capsys, shared(f"text_by_predecessor/{name}"), "--", *inputs)
    np.testing.assert_allclose([row["default"] for row in rows], expected, atol=1e-5)


def test_dm21m_takes_eleven_inputs_with_dollars_in_their_names(tmp_path, capsys):
    module = shared("dm21m")
    random = np.random.RandomState(0)
    infos = hub.load_module_spec(module).get_input_info_dict()
    inputs = {key: random.uniform(0.1, 1.0, [3, info.get_shape()[1]]) for key, info in infos.items()}
    np.savez(tmp_path / "densities.npz", **inputs)
    rows = applied(capsys, module, "--input-file", tmp_path / "densities.npz")
    np.testing.assert_allclose([row["grid_contribution"] for row in rows], [2.7873104, 0.1396753, 0.0488833], rtol=1e-4)
    assert [row["system_contribution"] for row in rows] == [[0.0]] * 3  # one for all


def test_dm21m_from_json_lines(tmp_path, capsys):
    module = shared("dm21m")
    row = {key: [0.5] * info.get_shape()[1] for key, info in hub.load_module_spec(module).get_input_info_dict().items()}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    [answer] = applied(capsys, module, "--input-file", tmp_path / "rows.jsonl", "--output", "grid_contribution")
    with hub.eval_function_for_module(module) as evaluate:
        expected = evaluate({key: [value] for key, value in row.items()}, as_dict=True)["grid_contribution"]
    np.testing.assert_allclose(answer["grid_contribution"], expected[0], rtol=1e-5)


def test_rows_are_the_same_in_batches_of_any_size(tmp_path, capsys):
    rows = np.random.RandomState(1).uniform(-1, 1, [7, 3]).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    expected = answers_of("dense", rows)
    for size in ("1", "3", "7", "100"):
        made = applied(capsys, module_of("dense"), "--input-file", tmp_path / "rows.npy", "--batch-size", size)
        np.testing.assert_allclose([row["default"] for row in made], expected, rtol=1e-5)


def test_a_signature_and_outputs_are_chosen(capsys):
    inputs = {"a": [1.0, 2.0, 3.0], "b": [0.5, 0.0, 4.0]}
    arguments = [f"--input={key}={json.dumps(value)}" for key, value in inputs.items()]
    module = module_of("several_signatures")
    [row] = applied(capsys, module, "--signature", "add", *arguments, "--output", "scaled")
    assert list(row) == ["scaled"]
    expected = answers_of("several_signatures", inputs, signature="add", outputs=["scaled"])
    np.testing.assert_allclose(row["scaled"], expected["scaled"], rtol=1e-5)


def test_the_default_output_is_computed_when_none_is_named(capsys):
    assert [list(row) for row in applied(capsys, module_of("several_outputs"), "[1,2,3]")] == [["default"]]


def test_only_the_outputs_that_are_named_are_computed(tmp_path, capsys):
    def outputs(x):
        return {"sum": tf.reduce_sum(x, 1), "bad": tf.py_func(lambda x: 1 / 0, [x], tf.float32)}

    module = export(spec_with(outputs), tmp_path / "module")
    assert applied(capsys, module, "[1,2,3]", "--output", "sum") == [{"sum": 6.0}]


def test_tags_choose_a_variant(capsys):
    rows = [[1.0, 2.0, 3.0], [4.0, 6.0, 8.0]]
    for tags in (set(), {"train"}):
        made = applied(capsys, module_of("batch_norm"), *map(json.dumps, rows), "--tags", ",".join(tags))
        with hub.eval_function_for_module(module_of("batch_norm"), tags) as evaluate:
            np.testing.assert_allclose([row["default"] for row in made], evaluate(rows), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["odd_keys", "dense", "passed_through", "placeholders_with_defaults", "on_devices"])
def test_kinds_of_modules_answer_as_the_eval_function_does(kind, capsys):
    inputs = KINDS[kind].inputs["default"]
    if kind == "odd_keys":  # vectors of fixed length
        rows = [{key: np.asarray(value).tolist() for key, value in inputs.items()}]
    else:
        batch = len(next(iter(inputs.values())))
        rows = [
            {key: np.asarray(value[at] if np.ndim(value) else value).tolist() for key, value in inputs.items()}
            for at in range(batch)
        ]
    with pytest.MonkeyPatch.context() as patch:
        give_stdin(patch, "\n".join(map(json.dumps, rows)).encode())
        made = applied(capsys, module_of(kind))
    found = np.array([row["default"] for row in made])
    np.testing.assert_allclose(found.reshape(-1), np.ravel(answers_of(kind, inputs)), rtol=1e-4, atol=1e-6)


def test_a_signature_without_inputs_runs_once(capsys):
    expected = answers_of("no_inputs", None, as_dict=True)
    [row] = applied(capsys, module_of("no_inputs"), "--output", "constant", "--output", "default")
    assert row["constant"] == [1, 2, 3]
    np.testing.assert_allclose(row["default"], expected["default"], rtol=1e-6)


def test_settings_hold_for_all_rows_or_change_between_them(capsys, monkeypatch):
    module = module_of("placeholders_with_defaults")
    w = answers_of("placeholders_with_defaults", {"x": [[1.0, 1.0]], "rate": 1.0})[0]
    rows = applied(capsys, module, "--input", "rate=2", "--input", "x=[1,2]", "--input", "x=[3,4]")
    np.testing.assert_allclose([row["default"] for row in rows], [[2, 4] * w, [6, 8] * w], rtol=1e-5)
    give_stdin(monkeypatch, b'{"x": [1, 1], "rate": 2}\n{"x": [1, 1], "rate": 3}\n{"x": [1, 2], "rate": 3}\n')
    rows = applied(capsys, module)
    np.testing.assert_allclose([row["default"] for row in rows], [2 * w, 3 * w, [3, 6] * w], rtol=1e-5)


def test_an_input_given_once_goes_with_every_row(tmp_path, capsys):
    def module_fn():
        x, y = tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.float32, [None])
        hub.add_signature(inputs={"x": x, "y": y}, outputs=tf.reduce_sum(x, 1) + y)

    module = export(hub.create_module_spec(module_fn), tmp_path / "module")
    np.save(tmp_path / "rows.npy", np.eye(3))
    (tmp_path / "rows.jsonl").write_text("[1,0,0]\n" * 3)
    for name in ("rows.npy", "rows.jsonl"):
        assert applied(capsys, module, "--input-file", tmp_path / name, "--input", "y=2") == [{"default": 3.0}] * 3
    assert applied(capsys, module, "--input=y=2", "[1,0,0]", "[2,0,0]") == [{"default": 3.0}, {"default": 4.0}]


def test_small_floats_go_in_and_out(tmp_path, capsys):
    module = export(spec_with(lambda x: x * 2, (None,), tf.bfloat16), tmp_path / "module")
    assert applied(capsys, module, "1.5", "-3") == [{"default": 3.0}, {"default": -6.0}]


def test_a_batch_of_fixed_size_is_filled_up_and_what_fills_it_is_left_out(tmp_path, capsys):
    module = export(spec_with(lambda x: tf.cumsum(x), (2, 3)), tmp_path / "module")
    rows = [[1, 2, 3], [10, 20, 30], [5, 5, 5]]
    made = applied(capsys, module, *map(json.dumps, rows))
    assert [row["default"] for row in made] == [[1, 2, 3], [11, 22, 33], [5, 5, 5]]
    np.save(tmp_path / "rows.npy", np.array(rows, np.float32))
    assert applied(capsys, module, "--input-file", tmp_path / "rows.npy") == made
    assert "takes exactly 2 examples at a time" in refused(capsys, module, "[1,2,3]", "--batch-size", "3")


def test_rows_of_several_shapes_keep_their_order(tmp_path, capsys):
    module = export(spec_with(lambda x: tf.reduce_sum(x, 1), (None, None)), tmp_path / "module")
    rows = applied(capsys, module, "[1,2]", "[3,4]", "[5]", "[]", "[6,7]")
    assert [row["default"] for row in rows] == [3.0, 7.0, 5.0, 0.0, 13.0]


def test_outputs_without_a_value_for_each_example_are_refused_and_whole_runs_take_them(tmp_path, capsys):
    module = export(spec_with(lambda x: tf.tile(x, [2]), (None,)), tmp_path / "module")
    assert "has 4 rows for 2 examples" in refused(capsys, module, "1", "2")
    assert applied(capsys, module, "--whole", "[1,2]", "[3]") == [{"default": [1, 2, 1, 2]}, {"default": [3, 3]}]


def test_no_rows_give_no_results_and_load_no_tensorflow(tmp_path):
    (tmp_path / "none.jsonl").write_text("\n  \n")
    program = (
        "import sys; from tf1hub.cli.main import run; status = run(sys.argv[1:]);"
        "print(status, 'tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", program, "apply", module_of("dense"), "--input-file", tmp_path / "none.jsonl"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "0 False\n"


def test_what_tensorflow_finds_wrong_is_told_with_the_row(tmp_path, capsys):
    def table(x):
        return tf.gather(tf.get_variable("table", [4, 2]), x)

    module = export(spec_with(table, (None,), tf.int32), tmp_path / "module")
    rows = "\n".join(["1", "2", "3", "0", "9"])
    (tmp_path / "rows.jsonl").write_text(rows)
    assert run(["apply", module, "--input-file", str(tmp_path / "rows.jsonl"), "--batch-size", "2"]) == 2
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 4
    assert "rows.jsonl, line 5: TensorFlow says: indices[0] = 9 is not in [0, 4) (at the node '" in printed.err
    assert len(printed.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("rows", "place"),
    [([9], "x.npy[0]:"), ([9, 0], "x.npy[0] and the row after it:"), ([0, 9, 0], "[0] and the 2 rows ")],
)
def test_what_tensorflow_finds_wrong_is_told_with_the_place_in_an_array(rows, place, tmp_path, capsys):
    module = export(spec_with(lambda x: tf.gather(tf.constant([1, 2]), x), (None,), tf.int32), tmp_path / "module")
    np.save(tmp_path / "x.npy", np.int32(rows))
    assert place in refused(capsys, module, "--input-file", tmp_path / "x.npy")


def test_a_module_that_needs_an_unknown_op_says_so(tmp_path, capsys):
    module = export(spec_with(lambda x: tf.nn.relu(x)), tmp_path / "module")
    with edited_saved_model(module) as saved_model:
        for node in saved_model.meta_graphs[0].graph_def.node:
            if node.op == "Relu":
                node.op = "Horovod9"
    assert "ops that this TensorFlow" in refused(capsys, module, "[1,2,3]")
