"""An Estimator's graph for predictions, in a session with the values of a checkpoint."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf1hub import files
from tf1hub.checkpoints import find_checkpoint_prefix, local_checkpoint
from tf1hub.errors import CheckpointError, MissingCheckpointError, raised_as_tensorflow
from tf1hub.format.bundle_entry import TensorEntry
from tf1hub.format.bundle_index import BundleIndex
from tf1hub.format.close_names import MOST_HINTS, find_close_names

# `ModeKeys.PREDICT`, which belongs to the Estimators, theirs and ours.
_PREDICT = "infer"


@dataclass(frozen=True)
class ServingGraph:
    """What a `model_fn` has built for predictions, restored.

    Attributes:
      session: a `tf.compat.v1.Session` on the current graph, with the checkpoint's values. Tables are not initialized.
      saver: the saver that restored them.
      spec: the EstimatorSpec that the `model_fn` returned.
      receiver: what the serving input function returned.
      checkpoint: the checkpoint's prefix.
    """

    session: Any
    saver: Any
    spec: Any
    receiver: Any
    checkpoint: str


@contextmanager
def restored_serving_graph(
    estimator: Any, serving_input_fn: Callable[[], Any], checkpoint_path: str | None = None
) -> Iterator[ServingGraph]:
    """Calls an Estimator's `model_fn` to predict, and restores what it built.

    Args:
      estimator: an Estimator, ours or `tf.estimator`'s.
      serving_input_fn: returns a ServingInputReceiver; its features go to the `model_fn`.
      checkpoint_path: the checkpoint; when left out, the Estimator's latest one.

    Raises:
      MissingCheckpointError: there is no checkpoint, as before the first training (also a `tf.errors.NotFoundError`).
      CheckpointError: the checkpoint lacks variables of the graph, or has them with another shape or dtype.
    """
    with raised_as_tensorflow():
        checkpoint = _find_checkpoint(estimator, checkpoint_path)
    with tf.Graph().as_default():
        tf.compat.v1.train.create_global_step()
        tf.compat.v1.set_random_seed(estimator.config.tf_random_seed)
        receiver = serving_input_fn()
        if not hasattr(receiver, "features"):
            raise TypeError(
                f"The serving input function returned {type(receiver).__name__}; it must return a ServingInputReceiver."
            )
        spec = estimator.model_fn(features=receiver.features, labels=None, mode=_PREDICT, config=estimator.config)
        saver = spec.scaffold.saver or tf.compat.v1.train.Saver(sharded=True)
        config = estimator.config.session_config or tf.compat.v1.ConfigProto(allow_soft_placement=True)
        with tf.compat.v1.Session(config=config) as session:
            _restore(saver, session, checkpoint)
            yield ServingGraph(session, saver, spec, receiver, checkpoint)


def _find_checkpoint(estimator: Any, checkpoint_path: str | None) -> str:
    path = checkpoint_path or estimator.latest_checkpoint()
    if not path:
        raise MissingCheckpointError(
            f"The Estimator has no checkpoint in {estimator.model_dir!r} to export. Train it first, or pass"
            " `checkpoint_path`."
        )
    return find_checkpoint_prefix(files.resolve(path))


def _restore(saver: Any, session: Any, checkpoint: str) -> None:
    with local_checkpoint(checkpoint, index_only=True) as local:
        known = BundleIndex(local).entries
    restored = dict(_restored_variables(saver, session.graph))
    faults = list(_shape_faults(restored, known))
    if not faults:
        try:
            saver.restore(session, checkpoint)
            return
        except tf.errors.NotFoundError:
            faults = list(_missing(restored, known))
            if not faults:
                raise  # Something else is not there, such as a file of the checkpoint.
        except tf.errors.InvalidArgumentError as error:
            faults = [error.message]
    raise CheckpointError(
        f"The checkpoint {checkpoint!r} does not fit the graph that the model_fn builds for predictions:\n  "
        + "\n  ".join(faults)
    )


def _missing(names: Iterable[str], known: Mapping[str, TensorEntry]) -> Iterator[str]:
    for number, name in enumerate(name for name in sorted(names) if name not in known):
        close = find_close_names(name, known) if number < MOST_HINTS else []
        yield f"it lacks the variable {name!r}" + (f"; close names: {close}" if close else "")


def _shape_faults(restored: dict[str, list[int] | None], known: Mapping[str, TensorEntry]) -> Iterator[str]:
    """Variables with another shape: a saver would give them values that do not fit, and say nothing."""
    for name, shape in sorted(restored.items()):
        if name in known and shape is not None and list(known[name].shape) != shape:
            yield f"variable {name!r} has the shape {list(known[name].shape)}, the graph's has {shape}"


def _restored_variables(saver: Any, graph: Any) -> Iterator[tuple[str, list[int] | None]]:
    """The names by which a saver's ops look for variables, each with its shape, or None where TensorFlow checks it."""
    waiting = [graph.get_operation_by_name(saver.saver_def.restore_op_name)]
    seen = set(waiting)
    while waiting:
        op = waiting.pop()
        if op.type == "RestoreV2":
            _, names, slices = map(tf.get_static_value, op.inputs)
            for name, part, value in zip(names, slices, op.outputs, strict=True):
                yield name.decode(), None if part else _assigned_shape(value)
            continue
        needed = {tensor.op for tensor in op.inputs} | set(op.control_inputs)
        waiting += needed - seen
        seen |= needed


def _assigned_shape(value: Any) -> list[int] | None:
    """The shape of the variable that a value is assigned to."""
    for op in value.consumers():
        if op.type == "Identity":
            return _assigned_shape(op.outputs[0])
        if op.type == "AssignVariableOp" and op.inputs[0].op.type == "VarHandleOp":
            shape = tf.TensorShape(op.inputs[0].op.get_attr("shape"))
            return shape.as_list() if shape.is_fully_defined() else None
    return None
