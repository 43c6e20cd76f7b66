"""Every kind of module, loaded: each variant and signature answers as in a graph of TensorFlow 1, and goes back to disk."""

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.graphs import export, spec_of
from tests.module_fns import KINDS, as_tensors

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

# What draws random numbers, or says where it runs, answers otherwise each time.
_RANDOM = {"random_with_seeds", "random_with_a_graph_seed"}


def cases():
    for kind in KINDS.values():
        for tags in kind.tags:
            yield pytest.param(kind, tags, id=f"{kind.name}-{'+'.join(sorted(tags)) or 'plain'}")


@pytest.mark.parametrize(("kind", "tags"), list(cases()))
def test_answers_are_those_of_a_tf1_graph_also_after_export(kind, tags, tmp_path):
    if not kind.available():
        pytest.skip(f"{kind.needs} is not installed")
    if tags in kind.not_on_disk:
        pytest.skip("this variant has variables that are not on disk")
    path = export(spec_of(kind.name), tmp_path / "module", tags=kind.exported, values=True)
    module = hub.load(path, tags=tags, training_tags=tags)
    module.export(tmp_path / "exported")
    again = hub.load(tmp_path / "exported", tags=tags, training_tags=tags)
    for signature in module.get_signature_names():
        inputs = kind.inputs[signature] if signature in kind.inputs else next(iter(kind.inputs.values()))
        found = module(as_tensors(inputs), signature, as_dict=True)
        if kind.name in _RANDOM or (tags and "dropout" in kind.name):
            continue
        with hub.eval_function_for_module(path, tags=tags) as evaluate:
            expected = evaluate(inputs, signature=signature, as_dict=True)
        assert_same(found, expected)
        assert_same(again(as_tensors(inputs), signature, as_dict=True), expected)


def assert_same(found, expected):
    assert sorted(found) == sorted(expected)
    for key, value in found.items():
        ours = tf.nest.flatten(value, expand_composites=True)
        theirs = parts(expected[key])
        for one, other in zip(ours, theirs, strict=True):
            if one.dtype.is_floating:
                np.testing.assert_allclose(one.numpy().astype(np.float64), other.astype(np.float64), rtol=1e-5, atol=1e-6)
            else:
                np.testing.assert_array_equal(one.numpy(), other)


def parts(value):
    """The arrays that a value is made of."""
    if isinstance(value, tf.compat.v1.SparseTensorValue):
        return list(value)
    if isinstance(value, tf.compat.v1.ragged.RaggedTensorValue):
        return [value.flat_values, *value.nested_row_splits]
    return [value]
