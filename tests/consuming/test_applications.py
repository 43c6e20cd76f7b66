"""What one application brings into a graph: shapes, names, functions, random ops, and what is pruned."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import ROWS, evaluate, export, op_types, scaling_spec, spec_of, spec_with, started_session
from tests.module_fns import KINDS, as_tensors


def applied_ops(scope="module_apply_default"):
    return [op.name for op in tf.get_default_graph().get_operations() if op.name.startswith(scope + "/")]


def test_output_shapes_are_inferred_anew():
    module = hub.Module(spec_of("dense"))
    assert module(np.zeros([7, 3], np.float32)).shape.as_list() == [7, 2]
    assert module(tf.placeholder(tf.float32, [None, 3])).shape.as_list() == [None, 2]
    assert module(tf.placeholder(tf.float32)).shape.as_list() == [None, 2]


def test_inner_tensors_are_fed_and_fetched_by_name():
    module = hub.Module(spec_of("several_outputs"))
    y = module(ROWS)
    hidden = tf.get_default_graph().get_tensor_by_name("module_apply_default/hidden_relu:0")
    with started_session() as session:
        module.variable_map["output/w"].load(np.ones([5, 2]), session)
        np.testing.assert_allclose(session.run(y, {hidden: np.full([2, 5], 3.0)}), np.full([2, 2], 15.0))
        assert (session.run(hidden) >= 0).all()


def test_an_inner_tensor_of_the_second_application():
    module = hub.Module(spec_of("several_outputs"))
    module(ROWS), module(ROWS)
    assert tf.get_default_graph().get_tensor_by_name("module_apply_default_1/hidden_relu:0").shape == [2, 5]


def test_only_what_the_signature_needs_is_imported():
    hub.Module(spec_of("several_signatures"))(ROWS)
    assert not {"Relu", "AddV2"} & {tf.get_default_graph().get_operation_by_name(name).type for name in applied_ops()}
    assert "Placeholder" not in op_types()


def test_only_what_the_outputs_need_is_imported():
    module = hub.Module(spec_of("several_outputs"))
    found = module(ROWS, outputs=["hidden"])
    assert list(found) == ["hidden"]
    assert not [name for name in applied_ops() if "split" in name or name.endswith("MatMul_1")]


def test_without_pruning_every_node_is_there():
    nodes = [node.name for node in spec_of("several_signatures").variant().meta_graph.graph_def.node]
    module = hub.Module(spec_of("several_signatures"), prune=False)
    state = {op.name for op in tf.get_default_graph().get_operations()}
    assert {f"module/{name}" for name in nodes} <= state
    y = module(ROWS)
    assert {f"module_apply_default/{name}" for name in nodes} <= set(applied_ops())
    assert evaluate(y).shape == (2, 2)


@pytest.mark.parametrize(
    "kind", ["while_v1", "cond_v1", "batch_norm", "text", "partitioned_rows", "defun", "colocated"]
)
def test_pruning_changes_no_answer(kind, tmp_path):
    path = export(spec_of(kind), tmp_path / "module", values=True)
    inputs = as_tensors(KINDS[kind].inputs["default"])
    pruned, whole = (hub.Module(path, trainable=True, prune=prune, name=f"m{prune}")(inputs) for prune in (True, False))
    np.testing.assert_array_equal(*evaluate([pruned, whole]))


def test_a_device_or_name_scope_applies_to_what_is_called_in_it():
    module = hub.Module(scaling_spec(), name="a/b")
    with tf.name_scope("scope"):
        assert module(ROWS).name.startswith("scope/b_apply_default/")
    assert module(ROWS).name.startswith("b_apply_default/")


def library():
    return {function.signature.name for function in tf.get_default_graph().as_graph_def().library.function}


def test_only_functions_that_are_used_are_imported():
    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3])
        hub.add_signature(inputs=x, outputs=tf.function(lambda x: x * 2.0)(x))
        hub.add_signature("other", inputs=x, outputs=tf.function(lambda x: x * 3.0)(x))

    module = hub.Module(hub.create_module_spec(module_fn))
    assert library() == set()
    y = module(ROWS)
    assert len(library()) == 1
    np.testing.assert_allclose(evaluate(y), 2 * ROWS)
    np.testing.assert_allclose(evaluate(module(ROWS, signature="other")), 3 * ROWS)


def defun_spec(factor, name="inner"):
    from tensorflow.python.framework import function

    def module_fn():
        inner = function.Defun(tf.float32, func_name=name)(lambda x: x * factor)
        outer = function.Defun(tf.float32, func_name="outer")(lambda x: inner(x) + 1.0)
        x = tf.placeholder(tf.float32, [None, 3])
        hub.add_signature(inputs=x, outputs=outer(x))

    return hub.create_module_spec(module_fn)


def test_functions_of_two_modules_with_the_same_name_and_other_bodies():
    two, three = hub.Module(defun_spec(2.0)), hub.Module(defun_spec(3.0))
    found = evaluate([two(ROWS), three(ROWS), two(ROWS)])
    np.testing.assert_allclose(found, [2 * ROWS + 1, 3 * ROWS + 1, 2 * ROWS + 1])


def test_a_function_of_the_callers_with_the_same_name_and_another_body():
    from tensorflow.python.framework import function

    inner = function.Defun(tf.float32, func_name="inner")(lambda x: x * 5.0)
    mine = inner(tf.constant(ROWS))
    theirs = hub.Module(defun_spec(2.0))(ROWS)
    np.testing.assert_allclose(evaluate([tf.reshape(mine, [2, 3]), theirs]), [5 * ROWS, 2 * ROWS + 1])


def clashing_specs(make):
    """Two specs whose functions have the same names and other bodies, as those of two publishers may."""
    from tf1hub.format import protos

    first, second = (spec_with(lambda x, factor=factor: make(x, factor)) for factor in (2.0, 3.0))
    theirs = [f.signature.name for f in first.variant().meta_graph.graph_def.library.function]
    ours = [f.signature.name for f in second.variant().meta_graph.graph_def.library.function]
    data = second.variant().meta_graph
    from tf1hub.graph.library import with_renamed_functions

    assert len(ours) == len(theirs) > 0
    meta_graph = protos.MetaGraphDef()
    meta_graph.CopyFrom(data)
    meta_graph.graph_def.CopyFrom(with_renamed_functions(data.graph_def, dict(zip(ours, theirs, strict=True))))
    return first, hub.ModuleSpec(protos.SavedModel(meta_graphs=[meta_graph]))


def in_a_function(x, factor):
    return tf.function(lambda x: x * factor)(x)


def in_a_branch(x, factor):
    from tests.module_fns.registry import control_flow_v2

    with control_flow_v2():
        return tf.cond(tf.reduce_sum(x) > -100.0, lambda: x * factor, lambda: x)


@pytest.mark.parametrize("make", [in_a_function, in_a_branch])
def test_functions_and_branches_of_two_publishers(make):
    first, second = (hub.Module(spec, trainable=True) for spec in clashing_specs(make))
    x = tf.constant(ROWS)
    found = [first(x), second(x)]
    gradients = [tf.gradients(y, x)[0] for y in found]
    np.testing.assert_allclose(evaluate(found), [2 * ROWS, 3 * ROWS])
    np.testing.assert_allclose(evaluate(gradients), [np.full_like(ROWS, 2), np.full_like(ROWS, 3)])


def test_random_ops_with_seeds_draw_the_same_in_every_graph():
    def draws():
        with tf.Graph().as_default():
            module = hub.Module(spec_of("random_with_seeds"))
            outputs = module(np.arange(5.0, dtype=np.float32), as_dict=True)
            return evaluate(outputs)

    first, second = draws(), draws()
    for key in first:
        np.testing.assert_array_equal(first[key], second[key])


def test_two_applications_with_a_seed_draw_alike_and_each_run_anew():
    module = hub.Module(spec_of("random_with_seeds"))
    one, other = module(np.zeros(5, np.float32)), module(np.zeros(5, np.float32))
    with started_session() as session:
        first, second = session.run([one, other]), session.run([one, other])
    np.testing.assert_array_equal(first[0], first[1])
    assert (first[0] != second[0]).all()


def test_a_value_that_is_converted_comes_from_any_form():
    module = hub.Module(scaling_spec())
    forms = [ROWS, ROWS.tolist(), tf.constant(ROWS), {"default": ROWS}, tf.Variable(ROWS), ROWS.astype(np.float64)]
    for found in evaluate([module(form) for form in forms]):
        np.testing.assert_allclose(found, 2 * ROWS)


def test_outputs_of_all_types_and_dtypes():
    kind = KINDS["inputs_of_all_types"]
    outputs = evaluate(hub.Module(spec_of("inputs_of_all_types"))(as_tensors(kind.inputs["default"]), as_dict=True))
    for key, value in kind.inputs["default"].items():
        np.testing.assert_array_equal(outputs[key], np.tile(np.array(value), 2))


@pytest.mark.parametrize("kind", ["sparse_in_and_out", "ragged_in_and_out"])
def test_composite_outputs_are_composite_tensors(kind):
    inputs = KINDS[kind].inputs["default"]
    outputs = hub.Module(spec_of(kind))(as_tensors(inputs), as_dict=True)
    composite = [type(value).__name__ for value in outputs.values()]
    assert {"SparseTensor", "RaggedTensor"} & set(composite)
    found = evaluate(outputs)
    if kind == "sparse_in_and_out":
        np.testing.assert_array_equal(found["same"].values, inputs["ids"].values)
        np.testing.assert_allclose(found["default"].values.sum(), found["dense"], rtol=1e-6)
    else:
        assert found["lengths"].tolist() == [3, 0, 1]
        assert [len(row) for row in found["default"].to_list()] == [3, 0, 1]
