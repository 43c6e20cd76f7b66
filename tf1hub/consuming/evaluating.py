"""`hub.eval_function_for_module`: a module as a plain Python function on NumPy values."""

import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tf1hub.consuming.module import Module
from tf1hub.consuming.values import check_value, chosen_outputs, named_inputs
from tf1hub.spec import ModuleSpec, Tags, as_module_spec
from tf1hub.tensor_info import TensorInfo


@contextmanager
def eval_function_for_module(
    spec: ModuleSpec | str | os.PathLike[str], tags: Tags = None
) -> Iterator[Callable[..., Any]]:
    """A context with a function that evaluates a module, in a graph and session of its own.

    Args:
      spec: a module spec, or the path of a module on disk.
      tags: the tags of the graph variant to use; none for the one without tags.

    Yields:
      `f(inputs=None, signature=None, as_dict=None, outputs=None)`. `inputs` is a value that NumPy understands (or a
      `SparseTensorValue` or `RaggedTensorValue`), or a dict of them. It returns NumPy values: the output "default"; all
      outputs by name with `as_dict=True`; those that `outputs` names, and computes nothing else for them. Threads may share
      it. What a signature needs for these outputs is imported when they are first asked for.

    Raises:
      MissingModuleError, TagsError, CheckpointError: as `hub.Module` does; and the function as `hub.Module`'s call.

    >>> with hub.eval_function_for_module(path) as f:
    ...     embeddings = f(["a sentence", "another"])
    """
    evaluator = _Evaluator(as_module_spec(spec), tags)
    try:
        yield evaluator.evaluate
    finally:
        evaluator.close()


class _Evaluator:
    def __init__(self, spec: ModuleSpec, tags: Tags):
        self._graph = tf.Graph()
        self._lock = threading.Lock()
        self._imported: dict[tuple[str, tuple[str, ...]], tuple[dict[str, Any], dict[str, Any]]] = {}
        with self._graph.as_default():
            self._module = Module(spec, tags=tags)
            initializers = [tf.compat.v1.global_variables_initializer(), tf.compat.v1.tables_initializer()]
        self._session = tf.compat.v1.Session(graph=self._graph)
        try:
            self._session.run(initializers)
        except BaseException:
            self._session.close()
            raise

    def close(self) -> None:
        self._session.close()

    def evaluate(
        self,
        inputs: Any = None,
        _sentinel: Any = None,
        signature: str | None = None,
        as_dict: bool | None = None,
        outputs: str | Iterable[str] | None = None,
    ) -> Any:
        """Evaluates a signature; see `eval_function_for_module`."""
        if _sentinel is not None:
            warnings.warn(f"The second argument {_sentinel!r} has no effect; pass `signature` by name.", stacklevel=2)
        signature = signature or "default"
        infos = self._module.get_input_info_dict(signature)
        names = list(self._module.get_output_info_dict(signature))
        wanted = chosen_outputs(signature, names, as_dict, outputs)
        values = named_inputs(inputs, infos, signature)
        placeholders, made = self._applied(signature, infos, tuple(sorted(wanted)))
        try:
            feeds = {placeholders[key]: _as_fed(values[key], info) for key, info in infos.items()}
            results = self._session.run({key: made[key] for key in wanted}, feed_dict=feeds)
        except (AttributeError, TypeError, ValueError):
            for key, info in infos.items():
                check_value(values[key], info, f"{key!r} of the signature {signature!r}")
            raise
        return results if as_dict or outputs is not None else results["default"]

    def _applied(
        self, signature: str, infos: dict[str, TensorInfo], outputs: tuple[str, ...]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The placeholders and the tensors of some outputs, imported when they are first asked for.

        Outputs that nobody asks for stay out: they may be large, or need an op that this TensorFlow lacks.
        """
        key = signature, outputs
        with self._lock:
            if key not in self._imported:
                with self._graph.as_default():
                    placeholders = {name: _placeholder(info) for name, info in infos.items()}
                    made = self._module(placeholders, signature=signature, outputs=outputs)
                self._imported[key] = placeholders, made
            return self._imported[key]


def _placeholder(info: TensorInfo) -> Any:
    if info.is_sparse:
        shape = info.get_shape()
        return tf.compat.v1.sparse_placeholder(info.dtype, None if shape.rank is None else shape.as_list())
    if info.is_composite:
        spec = info.type_spec
        return tf.compat.v1.ragged.placeholder(spec.dtype, spec.ragged_rank, spec.shape[spec.ragged_rank + 1 :])
    return tf.compat.v1.placeholder(info.dtype, info.get_shape())


def _as_fed(value: Any, info: TensorInfo) -> Any:
    """What a session takes for a value: eager tensors and nested lists of a ragged input are none."""
    if info.is_sparse and isinstance(value, tf.SparseTensor):
        return tf.compat.v1.SparseTensorValue(
            *(part.numpy() for part in (value.indices, value.values, value.dense_shape))
        )
    if info.is_sparse or not info.is_composite:
        return value.numpy() if hasattr(value, "numpy") else value
    if isinstance(value, tf.RaggedTensor):
        value = value.to_list()
    if isinstance(value, list | tuple):
        rank = info.type_spec.ragged_rank
        return tf.compat.v1.ragged.constant_value(value, info.dtype.as_numpy_dtype, ragged_rank=rank)
    return value
