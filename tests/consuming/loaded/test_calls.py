"""Calls of loaded modules: every kind of input and output, in eager code, in functions and in what is saved."""

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.loaded.loaded_kinds import example, graph_answers, loaded, op_types_of
from tests.graphs import ROWS, edited_saved_model, export, published, spec_with
from tests.interop.exchange import as_data, difference
from tests.module_fns import KINDS
from tests.module_fns.interfaces import RAGGED, SPARSE

RANDOM = ["random_with_seeds", "random_with_a_graph_seed"]
COMPARED = [name for name in KINDS if name not in RANDOM]


def plain(outputs):
    """Outputs of a loaded module as NumPy and TF1 have them."""
    values = {}
    for key, value in outputs.items():
        if isinstance(value, tf.SparseTensor):
            value = tf.compat.v1.SparseTensorValue(*(part.numpy() for part in tf.nest.flatten(value, True)))
        elif isinstance(value, tf.RaggedTensor):
            value = tf.compat.v1.ragged.RaggedTensorValue(value.values.numpy(), value.row_splits.numpy())
        else:
            value = value.numpy()
        values[key] = value
    return as_data(values)


@pytest.mark.parametrize("kind", COMPARED)
def test_every_kind_answers_as_in_a_graph(kind):
    if not KINDS[kind].available():
        pytest.skip(f"{KINDS[kind].needs} is not installed")
    tags = KINDS[kind].tags[0]
    eager, traced = (loaded(kind, tags=tags, training_tags=tags) for _ in range(2))
    for signature in KINDS[kind].inputs:
        inputs = example(kind, signature)
        expected = as_data(graph_answers(published(kind), inputs, signature, tags))
        assert difference(plain(eager(inputs, signature=signature, as_dict=True)), expected) is None
        function = tf.function(lambda given, name=signature: traced(given, signature=name, as_dict=True))
        assert difference(plain(function(inputs)), expected) is None


@pytest.mark.parametrize(
    "value",
    [
        ROWS.tolist(),
        ROWS,
        ROWS.astype(np.float64),
        tf.constant(ROWS),
        tf.Variable(ROWS),
        {"default": ROWS},
        tuple(ROWS),
    ],
    ids=["list", "numpy", "doubles", "tensor", "variable", "dict", "tuple"],
)
def test_whatever_tensorflow_converts_is_an_input(value):
    expected = graph_answers(published("dense"), ROWS)["default"]
    np.testing.assert_allclose(loaded("dense")(value), expected, rtol=1e-6)


def test_the_default_output_or_a_dict_of_all():
    module, inputs = loaded("several_outputs"), example("several_outputs")
    every = module(inputs, as_dict=True)
    assert sorted(every) == ["default", "first", "hidden", "second"]
    np.testing.assert_array_equal(module(inputs), every["default"])


def test_only_the_outputs_asked_for_are_returned():
    module, inputs = loaded("several_outputs"), example("several_outputs")
    assert list(module(inputs, outputs=["second", "first"])) == ["second", "first"]
    assert list(module(inputs, outputs="hidden")) == ["hidden"]
    assert module(inputs, outputs=[]) == {}


def test_only_what_the_outputs_need_is_computed():
    module, spec = loaded("several_outputs"), tf.TensorSpec([None, 3])
    assert op_types_of(lambda x: module(x), spec).count("MatMul") == 2
    hidden = op_types_of(lambda x: module(x, outputs=["hidden"])["hidden"], spec)
    assert (hidden.count("MatMul"), hidden.count("SplitV")) == (1, 0)


def test_an_output_that_nobody_asks_for_may_need_an_op_that_is_missing(tmp_path):
    path = export(spec_with(lambda x: {"default": x * 2.0, "odd": tf.math.erf(x)}), tmp_path / "module")
    with edited_saved_model(path) as saved_model:
        for node in saved_model.meta_graphs[0].graph_def.node:
            node.op = "NobodyHasThis" if node.op == "Erf" else node.op
    assert hub.load(path)(ROWS, outputs=["default"])["default"].shape == (2, 3)


def test_a_signature_without_inputs():
    module = loaded("no_inputs")
    np.testing.assert_array_equal(module(as_dict=True)["constant"], [1, 2, 3])
    np.testing.assert_array_equal(module({}), module())


def test_keys_with_odd_characters():
    module = loaded("odd_keys")
    outputs = module(example("odd_keys"), as_dict=True)
    assert sorted(outputs) == ["$", "0", "a/b", "default"]
    assert list(module({"a b": [1.0, 2.0]}, signature="Image.features-2_x", as_dict=True)) == ["out put"]


def test_sparse_tensors_and_values():
    module = loaded("sparse_in_and_out")
    tensor = tf.SparseTensor(SPARSE.indices, SPARSE.values, SPARSE.dense_shape)
    for value in [tensor, SPARSE]:
        outputs = module({"ids": value, "factor": 1.0}, as_dict=True)
        assert isinstance(outputs["default"], tf.SparseTensor)
        np.testing.assert_array_equal(outputs["same"].values, SPARSE.values)


def test_ragged_tensors_values_and_lists():
    module = loaded("ragged_in_and_out")
    tensor = tf.RaggedTensor.from_row_splits(RAGGED.values, RAGGED.row_splits)
    for value in [tensor, RAGGED, tensor.to_list()]:
        outputs = module({"rows": value, "offset": 0.0}, as_dict=True)
        assert isinstance(outputs["default"], tf.RaggedTensor)
        np.testing.assert_array_equal(outputs["lengths"], [3, 0, 1])


@pytest.mark.parametrize("shape", [[2, 3], [None, 3], [7, 3]])
def test_static_shapes_follow_those_of_the_caller(shape):
    module = loaded("dense")
    function = tf.function(lambda x: module(x)).get_concrete_function(tf.TensorSpec(shape, tf.float32))
    assert function.output_shapes.as_list() == [shape[0], 2]


def test_a_tensor_of_unknown_shape_is_taken():
    module = loaded("dense")
    function = tf.function(lambda x: module(x), input_signature=[tf.TensorSpec(None, tf.float32)])
    assert function(ROWS).shape == (2, 2)


def test_a_training_step_calls_no_function():
    """XLA takes the variables that such a call gets for constants, so it would compile each step anew."""
    module = loaded("dense")

    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(module(x) ** 2)
        return tape.gradient(loss, module.trainable_variables)

    graph = tf.function(step).get_concrete_function(tf.TensorSpec([4, 3])).graph
    assert not [op.name for op in graph.get_operations() if "Call" in op.type]


def test_numeric_modules_compile():
    module = loaded("dense")
    compiled = tf.function(lambda x: module(x), jit_compile=True)
    np.testing.assert_allclose(compiled(ROWS), module(ROWS), rtol=1e-5)


def test_in_the_input_pipeline():
    module = loaded("text")
    sentences = ["the cat", "a mat"]
    dataset = tf.data.Dataset.from_tensor_slices(sentences).batch(1).map(lambda batch: module(batch))
    np.testing.assert_array_equal(np.concatenate(list(dataset)), module(sentences))


class Classifier(tf.Module):
    """What users build round a module."""

    def __init__(self, module):
        super().__init__()
        self.module = module
        self.scale = tf.Variable(3.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, sentences):
        return self.module(sentences) * self.scale


def test_a_module_within_what_is_saved_takes_its_variables_tables_and_assets_along(tmp_path):
    classifier = Classifier(loaded("text"))
    assert sorted(variable.name for variable in classifier.variables) == ["Variable:0", "embeddings:0"]
    expected = classifier(tf.constant(["the cat", "unknown"]))
    tf.saved_model.save(classifier, str(tmp_path / "saved"))
    (tmp_path / "saved").rename(tmp_path / "moved")
    assert [file.name for file in (tmp_path / "moved" / "assets").iterdir()] == ["tokens.txt"]
    restored = tf.saved_model.load(str(tmp_path / "moved"))
    np.testing.assert_array_equal(restored(tf.constant(["the cat", "unknown"])), expected)


def test_a_checkpoint_holds_the_variables(tmp_path):
    module = loaded("batch_norm")
    prefix = tf.train.Checkpoint(module=module).save(str(tmp_path / "checkpoint"))
    before = [variable.numpy() for variable in module.variables]
    for variable in module.variables:
        variable.assign(variable * 0.0)
    tf.train.Checkpoint(module=module).restore(prefix).assert_consumed()
    other = loaded("batch_norm")
    other.variables[0].assign_add(tf.ones_like(other.variables[0]))
    tf.train.Checkpoint(module=other).restore(prefix).assert_existing_objects_matched()
    for one in [module, other]:
        np.testing.assert_array_equal(one.variables[0], before[0])
