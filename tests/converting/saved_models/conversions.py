"""What the tests of conversions share: modules and the SavedModels made of them, each once, and what others answer."""

import functools
import tempfile
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import tensorflow as tf

import tf1hub as hub
from tests.graphs import evaluate, published
from tests.module_fns import KINDS, as_tensors
from tf1hub.converting.saved_models.conversion import to_saved_model


@functools.cache
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="tf1hub-conversions-")


@functools.cache
def converted(kind: str, **options: Any) -> str:
    """The path of the SavedModel made of such a module. It is not to be changed."""
    path = tempfile.mkdtemp(prefix=f"{kind}-", dir=_folder().name) + "/saved_model"
    tags = KINDS[kind].tags[0]
    only = {"training_tags": tags} if KINDS[kind].not_on_disk else {}
    to_saved_model(published(kind), path, tags=tags, **only, **options)
    return path


def load(kind: str, **options: Any) -> Any:
    """The same, loaded by TensorFlow."""
    return tf.saved_model.load(converted(kind, **options))


def example(kind: str, signature: str = "default") -> Any:
    """Inputs for `__call__`: a dict, or a tensor when there is one input only."""
    inputs = as_tensors(KINDS[kind].inputs[signature])
    return inputs if len(inputs) > 1 else next(iter(inputs.values()), None)


def parts(inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs as a signature of a SavedModel takes them, sparse and ragged ones in parts."""
    result = {}
    for key, value in inputs.items():
        if isinstance(value, tf.SparseTensor):
            tensors = (value.indices, value.values, value.dense_shape)
            result |= {
                f"{key}_{part}": each for part, each in zip(("indices", "values", "dense_shape"), tensors, strict=True)
            }
        elif isinstance(value, tf.RaggedTensor):
            flat = tf.nest.flatten(value, expand_composites=True)
            result |= {f"{key}_component_{i}": each for i, each in enumerate(flat)}
        else:
            result[key] = value
    return result


def graph_answers(kind: str, signature: str, tags: Any = None, updates: bool = False) -> dict[str, Any]:
    """What `hub.Module` gives in a graph, and with `updates` its variables after the update ops have run."""
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        module = hub.Module(published(kind), tags=KINDS[kind].tags[0] if tags is None else tags, trainable=updates)
        outputs = module(as_tensors(KINDS[kind].inputs[signature]), signature=signature, as_dict=True)
        if not updates:
            return evaluate(outputs)
        steps = graph.get_collection(v1.GraphKeys.UPDATE_OPS)
        with v1.Session() as session:
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            answers, _ = session.run([outputs, steps])
            return {"outputs": answers, "variables": session.run(module.variable_map)}


def assert_same(actual: Any, expected: Any) -> None:
    """Two dicts of values by name are equal: dense, sparse or ragged, numbers or strings."""
    assert set(actual) == set(expected)
    for key in expected:
        for one, other in zip(_arrays(actual[key]), _arrays(expected[key]), strict=True):
            if other.dtype.kind in "OSU":
                assert one.tolist() == other.tolist()
            else:
                wide = np.complex128 if other.dtype.kind == "c" else np.float64
                np.testing.assert_allclose(np.asarray(one, wide), np.asarray(other, wide), rtol=1e-5, atol=1e-6)


def _arrays(value: Any) -> list[np.ndarray]:
    if isinstance(value, tf.compat.v1.SparseTensorValue):
        return [np.asarray(part) for part in value]
    if isinstance(value, tf.compat.v1.ragged.RaggedTensorValue):
        return [np.asarray(value.flat_values), *map(np.asarray, value.nested_row_splits)]
    return [np.asarray(part) for part in tf.nest.flatten(value, expand_composites=True)]


@functools.cache
def tensorflow_hub() -> ModuleType:
    """The predecessor, for its readers of TF2 SavedModels. It is imported with warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow_hub
    return tensorflow_hub
