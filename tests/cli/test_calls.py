"""Which inputs have a value for each example, and what else the command line reads in a signature. No TensorFlow."""

import pytest

from tf1hub.cli.applying.calls import call_of
from tf1hub.errors import InputError, SignatureError, TagsError, UnsupportedModuleError
from tf1hub.format import protos
from tf1hub.spec import ModuleSpec

FLOAT, STRING, RESOURCE = 1, 7, 20


def spec_of(inputs, outputs=("default",), dtype=FLOAT):
    """A spec whose signature has inputs of these shapes; a shape of None is open in all."""
    meta_graph = protos.MetaGraphDef()
    signature = meta_graph.signature_def["default"]
    for key, shape in inputs.items():
        info = signature.inputs[key]
        info.name, info.dtype = f"{key}:0", dtype
        info.tensor_shape.unknown_rank = shape is None
        for size in shape or ():
            info.tensor_shape.dim.add(size=-1 if size is None else size)
    for key in outputs:
        signature.outputs[key].name = f"{key}:0"
        signature.outputs[key].dtype = FLOAT
    return ModuleSpec(protos.SavedModel(meta_graphs=[meta_graph]))


@pytest.mark.parametrize(
    ("shapes", "batched", "size"),
    [
        ({"x": (None, 3)}, {"x"}, None),
        ({"x": None}, {"x"}, None),
        ({"x": (None, 3), "rate": ()}, {"x"}, None),
        ({"x": (None, 3), "mean": (3,)}, {"x"}, None),
        ({"x": (1, 224, 224, 3)}, {"x"}, 1),
        ({"x": (1,)}, {"x"}, 1),
        ({"x": (8, 3), "y": (8,), "rate": ()}, {"x", "y"}, 8),
        ({"x": (300,)}, set(), None),
        ({"x": (2, 3), "y": (4, 3)}, set(), None),
        ({"rate": ()}, set(), None),
        ({}, set(), None),
    ],
)
def test_the_batch_is_found_in_the_shapes(shapes, batched, size):
    call = call_of(spec_of(shapes), frozenset(), None)
    assert {key for key, each in call.inputs.items() if each.batched} == batched
    assert (call.size, call.whole) == (size, not batched)


def test_whole_means_that_there_are_no_batches():
    call = call_of(spec_of({"x": (None, 3)}), frozenset(), None, whole=True)
    assert (call.whole, call.size, call.inputs["x"].value_shape) == (True, None, (None, 3))


def test_a_value_has_the_shape_without_the_batch():
    inputs = call_of(spec_of({"x": (None, 3), "rate": (), "any": None}), frozenset(), None).inputs
    assert {key: each.value_shape for key, each in inputs.items()} == {"x": (3,), "rate": (), "any": None}


def test_outputs_are_those_named_or_default_or_all():
    some = spec_of({}, ["hidden", "default"])
    assert list(call_of(some, frozenset(), None).outputs) == ["default"]
    assert list(call_of(some, frozenset(), None, ["hidden", "default", "hidden"]).outputs) == ["hidden", "default"]
    assert list(call_of(spec_of({}, ["b", "a"]), frozenset(), None).outputs) == ["a", "b"]


def test_what_there_is_not_is_refused():
    spec = spec_of({"x": (None,)})
    with pytest.raises(TagsError):
        call_of(spec, frozenset({"train"}), None)
    with pytest.raises(SignatureError):
        call_of(spec, frozenset(), "nothing")
    with pytest.raises(InputError, match=r"has no output 'nothing'\. It has: 'default'"):
        call_of(spec, frozenset(), None, ["nothing"])
    with pytest.raises(InputError, match="'x' of the signature 'default' is a resource"):
        call_of(spec_of({"x": ()}, dtype=RESOURCE), frozenset(), None)


def test_composite_tensors_of_other_kinds_are_refused():
    spec = spec_of({"x": (None,)})
    info = spec.signature().inputs["x"]
    info.composite_tensor.type_spec.type_spec_class = 2
    with pytest.raises(UnsupportedModuleError, match="'x' is a composite tensor of type number 2"):
        call_of(spec, frozenset(), None)
    info.composite_tensor.type_spec.type_spec_class = 3  # ragged, and nothing else is told of it
    with pytest.raises(UnsupportedModuleError):
        call_of(spec, frozenset(), None)


def test_inputs_are_described():
    described = call_of(spec_of({"$": (None, 3), "x": ()}), frozenset(), None).describe_inputs()
    assert described == ("The signature 'default' takes:\n  '$': float32 of shape [?, 3]\n  'x': a float32")
    assert call_of(spec_of({}), frozenset(), None).describe_inputs() == "The signature 'default' takes no inputs."
