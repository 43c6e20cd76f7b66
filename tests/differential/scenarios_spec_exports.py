"""Specs exported with the values of a checkpoint, `spec.export(path, checkpoint_path=, name_transform_fn=)`."""

import os

import numpy as np

from tests.differential.recording import (
    dense_spec,
    differs,
    evaluate,
    exported,
    files_in,
    new_dir,
    outcome,
    outcomes,
    raised,
    scenario,
)
from tests.differential.scenarios_export import checkpoint_of, initialised_session
from tests.module_fns import KINDS


def _written_checkpoint(tf, names):
    path = new_dir() + "/model.ckpt"
    with tf.Graph().as_default():
        variables = [tf.get_variable(name, initializer=value) for name, value in names.items()]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            return tf.train.Saver(variables).save(session, path)


@scenario(
    deliberate=differs(
        "a checkpoint that does not fit is a ValueError, whatever does not fit",
        {"/integers": (raised("InvalidArgumentError", "OpError"), raised("ValueError"))},
    )
    | differs(
        "a name that is no string is a TypeError", {"/transform_fails": (raised("ValueError"), raised("TypeError"))}
    )
)
def export_of_a_spec_with_a_checkpoint(hub, tf):
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    plain = _written_checkpoint(tf, {"w": values, "global_step": np.int64(7)})
    prefixed = _written_checkpoint(tf, {"model/enc/w": values})
    narrow = _written_checkpoint(tf, {"w": values[:2]})
    integers = _written_checkpoint(tf, {"w": values.astype(np.int32)})

    def export(*args, **kwargs):
        def action():
            path = new_dir() + "/module"
            try:
                dense_spec(hub).export(path, *args, **kwargs)
            except Exception:
                assert not os.path.exists(path + "/tfhub_module.pb")
                raise
            with tf.Graph().as_default():
                return [evaluate(hub.Module(path)([[1.0, 1.0, 1.0]])), checkpoint_of(tf, path)]

        return action

    return outcomes(
        plain=export(checkpoint_path=plain),
        renamed=export(checkpoint_path=prefixed, name_transform_fn=lambda name: "model/enc/" + name),
        not_renamed=export(checkpoint_path=prefixed),
        narrow=export(checkpoint_path=narrow),
        integers=export(checkpoint_path=integers),
        nowhere=export(checkpoint_path="/nonsense/model.ckpt"),
        positional=export(plain),
        nothing=export(),
        number=export(checkpoint_path=5),
        directory=export(checkpoint_path=os.path.dirname(plain)),
        no_such_name=export(checkpoint_path=plain, name_transform_fn=lambda name: "nonsense"),
        transform_fails=export(checkpoint_path=plain, name_transform_fn=lambda name: None),
    )


@scenario
def export_of_partitioned_specs_with_a_checkpoint(hub, tf):
    """From a checkpoint with a full variable, with the same partitions, and with others."""
    found = {}
    for name, partitioner in [
        ("full", None),
        ("same", tf.fixed_size_partitioner(3)),
        ("others", tf.fixed_size_partitioner(2)),
    ]:
        path = new_dir() + "/model.ckpt"
        with tf.Graph().as_default():
            values = tf.constant(np.arange(21, dtype=np.float32).reshape(7, 3))
            tf.get_variable("embeddings", [7, 3], partitioner=partitioner, initializer=_slices_of(tf, values))
            tf.get_variable("plain", initializer=[0.0, 0.0, 0.0])
            tf.train.Saver().save(initialised_session(tf), path)

        def action(path=path):
            module_path = new_dir() + "/module"
            KINDS["partitioned_rows"].spec(hub).export(module_path, checkpoint_path=path)
            with tf.Graph().as_default():
                return [evaluate(hub.Module(module_path)([0, 6])), checkpoint_of(tf, module_path)]

        found[name] = outcome(action)
    return found


def _slices_of(tf, values):
    def initializer(shape, dtype=None, partition_info=None):
        offset = partition_info.var_offset if partition_info is not None else [0] * len(shape)
        return tf.slice(values, offset, shape)

    return initializer


@scenario
def export_of_a_loaded_spec_with_a_checkpoint(hub, tf):
    """A spec from disk, with assets, exported with other values."""
    path = exported(hub, KINDS["text"].spec(hub))
    checkpoint = _written_checkpoint(tf, {"embeddings": np.ones([5, 3], np.float32)})
    again = new_dir() + "/module"
    hub.load_module_spec(path).export(again, checkpoint_path=checkpoint)
    return [files_in(again), evaluate(hub.Module(again)(["the cat", "nonsense"])), checkpoint_of(tf, again)]
