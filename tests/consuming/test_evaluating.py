"""`hub.eval_function_for_module`: a module as a function on NumPy values."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import ROWS, eagerly, edited_saved_model, export, names, op_types, scaling_spec, spec_of, spec_with
from tests.module_fns import KINDS
from tests.module_fns.interfaces import RAGGED, SPARSE
from tests.plain_graphs import plain_answers
from tf1hub.errors import GraphError


def test_it_answers_from_a_spec_and_from_a_path(tmp_path):
    path = export(scaling_spec(), tmp_path / "module")
    for module in (scaling_spec(), path, tmp_path / "module"):
        with hub.eval_function_for_module(module) as f:
            found = f(ROWS)
            assert (type(found), found.dtype, found.tolist()) == (np.ndarray, np.float32, (2 * ROWS).tolist())


def test_all_forms_of_inputs():
    with hub.eval_function_for_module(scaling_spec()) as f:
        for form in (
            ROWS,
            ROWS.tolist(),
            {"default": ROWS},
            ROWS.astype(np.float64),
            eagerly(lambda: tf.constant(ROWS)),
        ):
            np.testing.assert_allclose(f(form), 2 * ROWS)


def test_several_inputs_and_signatures():
    with hub.eval_function_for_module(spec_of("several_signatures")) as f:
        a, b = np.ones(3, np.float32), np.zeros(3, np.float32)
        assert f({"a": a, "b": b}, signature="add").tolist() == [1.0, 1.0, 1.0]
        assert sorted(f({"a": a, "b": b}, signature="add", as_dict=True)) == ["default", "scaled"]
        np.testing.assert_array_equal(f({"x": ROWS}, signature="full-projection"), np.maximum(f(ROWS), 0))


def test_no_inputs():
    with hub.eval_function_for_module(spec_of("no_inputs")) as f:
        assert f().shape == (4, 2)
        assert f(as_dict=True)["constant"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "kind", ["text", "sparse_in", "sparse_in_and_out", "ragged_in", "ragged_in_and_out", "odd_keys"]
)
def test_composite_and_text_inputs(kind):
    with hub.eval_function_for_module(spec_of(kind)) as f:
        found = f(KINDS[kind].inputs["default"], as_dict=True)
    assert sorted(found) == sorted(spec_of(kind).get_output_info_dict())


def test_sparse_values_come_back():
    with hub.eval_function_for_module(spec_of("sparse_in_and_out")) as f:
        found = f({"ids": SPARSE, "factor": 3.0}, as_dict=True)
        assert isinstance(found["same"], tf.SparseTensorValue)
        np.testing.assert_array_equal(found["same"].indices, SPARSE.indices)
        eager = eagerly(lambda: tf.SparseTensor(SPARSE.indices, SPARSE.values, SPARSE.dense_shape))
        np.testing.assert_array_equal(f({"ids": eager, "factor": 3.0}, as_dict=True)["dense"], found["dense"])


def test_all_forms_of_ragged_inputs():
    with hub.eval_function_for_module(spec_of("ragged_in_and_out")) as f:
        eager = eagerly(lambda: tf.ragged.constant([[1.0, 2.0, 3.0], [], [4.0]]))
        for form in (RAGGED, eager, [[1.0, 2.0, 3.0], [], [4.0]]):
            found = f({"rows": form, "offset": 0.0}, as_dict=True)
            assert found["lengths"].tolist() == [3, 0, 1]
            assert found["default"].to_list() == [[1.0, 2.0, 3.0], [], [4.0]]


def test_only_the_outputs_that_are_asked_for_are_computed():
    def outputs(x):
        with tf.control_dependencies([tf.debugging.Assert(False, ["costly"])]):
            return {"default": x, "costly": tf.identity(x)}

    with hub.eval_function_for_module(spec_with(outputs)) as f:
        assert f(ROWS).tolist() == ROWS.tolist()
        assert list(f(ROWS, outputs=["default"])) == ["default"]
        assert list(f(ROWS, outputs="default")) == ["default"]
        with pytest.raises(tf.errors.InvalidArgumentError, match="costly"):
            f(ROWS, outputs=["costly"])
        with pytest.raises(tf.errors.InvalidArgumentError, match="costly"):
            f(ROWS, as_dict=True)


def test_what_only_other_outputs_need_is_not_imported(tmp_path):
    path = export(spec_with(lambda x: {"default": x, "cubed": x * x * tf.nn.relu(x)}), tmp_path / "module")
    with edited_saved_model(path) as saved_model:
        for node in saved_model.meta_graphs[0].graph_def.node:
            node.op = "Horovod9" if node.op == "Relu" else node.op
    with hub.eval_function_for_module(path) as f:
        assert f(ROWS).tolist() == f(ROWS, outputs=["default"])["default"].tolist() == ROWS.tolist()
        with pytest.raises(GraphError, match="Horovod9"):
            f(ROWS, as_dict=True)
        assert f(ROWS).tolist() == ROWS.tolist()


def test_choices_of_outputs_share_variables_and_tables():
    with hub.eval_function_for_module(spec_of("control_dependencies")) as f:
        counts = [
            f([1.0, 2.0], outputs=names)["count"].item() for names in (["count"], ["count", "default"], ["count"])
        ]
        assert counts == [1, 2, 3]


def test_variants_by_tags():
    values = {}
    for tags in (None, {"train"}, {"serve", "gpu"}):
        with hub.eval_function_for_module(spec_of("shared_variables"), tags=tags) as f:
            values[str(tags)] = f(ROWS)
            assert f(ROWS).shape == (2, 3)
    with pytest.raises(ValueError, match=r"no graph variant with the tags \['x'\]"):
        hub.eval_function_for_module(spec_of("shared_variables"), tags={"x"}).__enter__()


def test_a_module_with_tables_and_loops(tmp_path):
    for kind in ("while_v1", "cond_v2", "text"):
        path = export(spec_of(kind), tmp_path / kind, values=True)
        with hub.eval_function_for_module(path) as f:
            expected = plain_answers(kind)[0] if kind != "text" else f(KINDS[kind].inputs["default"])
            np.testing.assert_allclose(f(KINDS[kind].inputs["default"]), expected, rtol=1e-5)


def test_the_default_graph_is_untouched(graph):
    with hub.eval_function_for_module(scaling_spec()) as f:
        assert tf.get_default_graph() is graph
        f(ROWS)
    assert op_types(graph) == []
    assert tf.get_default_session() is None


def test_it_works_where_eager_execution_is_on():
    def action():
        with hub.eval_function_for_module(scaling_spec()) as f:
            return f(ROWS), tf.executing_eagerly()

    found, eager = eagerly(action)
    assert (found.tolist(), eager) == ((2 * ROWS).tolist(), True)


def test_threads_share_it():
    with hub.eval_function_for_module(spec_of("several_signatures")) as f, ThreadPoolExecutor(8) as threads:
        projected = list(threads.map(lambda _: f({"x": ROWS}, signature="full-projection"), range(40)))
        plain = list(threads.map(lambda _: f(ROWS), range(40)))
    assert all((one == projected[0]).all() for one in projected)
    assert all((one == plain[0]).all() for one in plain)


def test_the_session_is_closed_afterwards():
    with hub.eval_function_for_module(scaling_spec()) as f:
        f(ROWS)
    with pytest.raises(RuntimeError, match="closed"):
        f(ROWS)


def test_the_session_is_closed_after_an_error():
    with pytest.raises(LookupError), hub.eval_function_for_module(scaling_spec()) as f:
        raise LookupError
    with pytest.raises(RuntimeError, match="closed"):
        f(ROWS)


def test_variables_keep_their_values_between_calls():
    with hub.eval_function_for_module(spec_of("control_dependencies")) as f:
        assert [f([1.0, 2.0], as_dict=True)["count"].item() for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("inputs", "arguments", "message"),
    [
        (ROWS, {"signature": "sum"}, "no signature 'sum'.*'add', 'default'"),
        (ROWS, {"signature": "add"}, "'add' takes 2 inputs; pass a dict"),
        ({"a": ROWS[0]}, {"signature": "add"}, r"missing \['b'\], not known \[\]"),
        (ROWS, {"outputs": ["nothing"]}, r"no output \['nothing'\]. It has: \['default'\]"),
    ],
)
def test_bad_calls_are_refused(inputs, arguments, message):
    with hub.eval_function_for_module(spec_of("several_signatures")) as f, pytest.raises(ValueError, match=message):
        f(inputs, **arguments)


@pytest.mark.parametrize("value", [ROWS[:, :2], ["a"], ROWS[0]])
def test_an_ill_shaped_input_is_named_with_what_is_expected(value):
    message = r"input 'x' of the signature 'full-projection' should be a float32 tensor of shape \(None, 3\)"
    with hub.eval_function_for_module(spec_of("several_signatures")) as f, pytest.raises(ValueError, match=message):
        f({"x": value}, signature="full-projection")


def test_a_second_argument_by_position_is_warned_of():
    with hub.eval_function_for_module(scaling_spec()) as f, pytest.warns(UserWarning, match="no effect"):
        f(ROWS, "default")


def test_a_module_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match="no directory"):
        hub.eval_function_for_module(str(tmp_path / "nothing")).__enter__()


def test_nothing_is_left_in_the_graphs_collections():
    with hub.eval_function_for_module(spec_of("text")) as f:
        f(["the cat"])
    assert names(tf.global_variables()) == []
