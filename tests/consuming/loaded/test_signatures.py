"""`module.signatures` beside what tensorflow_hub gave for the same module, and the programs that use them."""

import gc

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.loaded.loaded_kinds import example, loaded
from tests.graphs import ROWS, export, published
from tests.module_fns import KINDS
from tf1hub.errors import SignatureError

predecessor = pytest.importorskip("tensorflow_hub")

COMPARED = [
    "dense",
    "several_signatures",
    "several_outputs",
    "no_inputs",
    "passed_through",
    "inputs_of_all_types",
    "sparse_in",
    "sparse_in_and_out",
    "ragged_in_and_out",
    "text",
    "image",
    "partitioned_rows",
]


def by_parts(inputs):
    """Inputs as the arguments of a signature, of which sparse and ragged ones are several."""
    arguments = {}
    for key, value in inputs.items():
        parts = tf.nest.flatten(value, expand_composites=True)
        if isinstance(value, tf.SparseTensor):
            names = [f"{key}_indices", f"{key}_values", f"{key}_dense_shape"]
        elif isinstance(value, tf.RaggedTensor):
            names = [f"{key}_component_{i}" for i in range(len(parts))]
        else:
            names = [key]
        arguments |= dict(zip(names, parts, strict=True))
    return arguments


def as_values(outputs):
    return {key: [part.numpy() for part in tf.nest.flatten(value, True)] for key, value in outputs.items()}


@pytest.mark.parametrize("kind", COMPARED)
def test_signatures_are_those_of_the_predecessor(kind):
    theirs, ours = predecessor.load(published(kind)).signatures, loaded(kind).signatures
    assert sorted(theirs) == sorted(ours)
    for name in ours:
        arguments = by_parts(example(kind, name))
        np.testing.assert_equal(as_values(ours[name](**arguments)), as_values(theirs[name](**arguments)))


@pytest.mark.parametrize("kind", COMPARED)
def test_signatures_describe_themselves_as_the_predecessors(kind):
    theirs, ours = predecessor.load(published(kind)).signatures, loaded(kind).signatures
    for name in ours:
        assert ours[name].structured_input_signature == theirs[name].structured_input_signature
        assert [described(f.structured_outputs) for f in (ours[name],)] == [described(theirs[name].structured_outputs)]
        assert {v.name for v in ours[name].variables} == {v.name for v in theirs[name].variables}
        assert sorted(map(str, fed(ours[name]))) == sorted(map(str, fed(theirs[name])))


def described(outputs):
    return {key: (type(value).__name__, value.dtype, value.shape.rank) for key, value in outputs.items()}


def fed(function):
    return [(tensor.dtype, tensor.shape) for tensor in function.inputs if tensor.dtype != tf.resource]


def test_signatures_are_concrete_functions():
    assert (
        type(loaded("dense").signatures["default"])
        in type(tf.function(lambda x: x).get_concrete_function(tf.TensorSpec([]))).mro()
    )


@pytest.mark.parametrize("value", [ROWS.tolist(), ROWS, tf.constant(ROWS)], ids=["list", "numpy", "tensor"])
def test_the_only_input_is_taken_by_position(value):
    module = loaded("dense")
    np.testing.assert_array_equal(module.signatures["default"](value)["default"], module(ROWS))


def test_inputs_with_odd_names_are_taken_by_them():
    module, inputs = loaded("odd_keys"), example("odd_keys")
    outputs = module.signatures["default"](**inputs)
    np.testing.assert_array_equal(outputs["a/b"], module(inputs, as_dict=True)["a/b"])


def test_names_that_no_argument_can_have_get_an_underscore(tmp_path):
    def module_fn():
        inputs = {key: tf.compat.v1.placeholder(tf.float32, []) for key in ["class", "self"]}
        hub.add_signature(inputs=inputs, outputs=inputs["class"] - inputs["self"])

    path = export(hub.create_module_spec(module_fn), tmp_path / "module")
    assert hub.load(path).signatures["default"](class_=3.0, self_=1.0)["default"] == 2.0


@pytest.mark.parametrize("arguments", [{}, {"x": 1.0}, {"default": ROWS, "more": 1.0}, {"default": ["a"]}])
def test_arguments_that_do_not_fit_are_refused_as_before(arguments):
    for signature in (predecessor.load(published("dense")).signatures, loaded("dense").signatures):
        with pytest.raises((TypeError, ValueError), match=r"default|argument"):
            signature["default"](**arguments)


def test_an_unknown_signature_is_told_what_there_is():
    with pytest.raises(SignatureError, match=r"no signature 'x'. It has: \['add', 'default', 'full-projection'\]"):
        loaded("several_signatures").signatures["x"]
    assert "x" not in loaded("several_signatures").signatures


def test_a_signature_lives_on_without_the_module():
    function = loaded("dense").signatures["default"]
    gc.collect()
    with tf.GradientTape() as tape:
        output = function(default=ROWS)["default"]
    assert all(gradient is not None for gradient in tape.gradient(output, function.trainable_variables))


def test_signatures_go_into_functions_and_saved_models(tmp_path):
    module = loaded("dense")
    function = tf.function(lambda x: module.signatures["default"](default=x)["default"])
    np.testing.assert_array_equal(function(ROWS), module(ROWS))
    tf.saved_model.save(module, str(tmp_path), signatures=dict(module.signatures))
    served = tf.saved_model.load(str(tmp_path)).signatures["default"]
    np.testing.assert_array_equal(served(default=tf.constant(ROWS))["default"], module(ROWS))


def test_a_signature_uses_current_values():
    module = loaded("dense")
    before = module.signatures["default"](ROWS)["default"]
    module.variables[0].assign(module.variables[0] * 2.0)
    assert not np.allclose(module.signatures["default"](ROWS)["default"], before)


def test_a_module_is_converted_to_tensorflow_lite():
    concrete = loaded("dense").signatures["default"]
    concrete.inputs[0].set_shape([1, 3])
    assert tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


def test_every_kind_has_its_signatures():
    for kind in ["cond_v1", "while_v1", "reference_variables", "nested_with_assets"]:
        module = loaded(kind)
        for name in KINDS[kind].inputs:
            assert list(module.signatures[name](**example(kind, name))) == list(
                module(example(kind, name), signature=name, as_dict=True)
            )
