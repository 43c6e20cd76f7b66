"""Exporting a spec with the values of a checkpoint: no graph is built, no session runs."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import (
    ROWS,
    export,
    exported_bytes,
    op_types,
    outputs_of,
    scaling_spec,
    spec_of,
    spec_with,
    started_session,
)

TABLE = np.arange(21, dtype=np.float32).reshape(7, 3)


class Rows:
    """Initializes each part of a variable with its rows of a value."""

    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None, partition_info=None):
        return tf.constant(self.value[partition_info.var_offset[0] :][: shape[0]])


def save(folder, step=None, partitioner=None, **values):
    """A checkpoint written by a Saver, with a file `checkpoint` beside it. Returns its prefix."""
    with tf.Graph().as_default(), tf.variable_scope("", use_resource=True):
        for name, value in values.items():
            value = np.array(value, np.float32)
            initializer = tf.constant_initializer(value) if partitioner is None else Rows(value)
            tf.get_variable(name, value.shape, initializer=initializer, partitioner=partitioner)
        with started_session() as session:
            return tf.train.Saver().save(session, str(folder / "model.ckpt"), global_step=step)


def test_a_spec_is_exported_with_a_checkpoint(tmp_path):
    prefix = save(tmp_path, w=[1, 2, 3], unrelated=[5])
    scaling_spec().export(tmp_path / "module", checkpoint_path=prefix)
    assert op_types() == []
    assert outputs_of(str(tmp_path / "module"), ROWS).tolist() == (ROWS * [1, 2, 3]).tolist()
    assert tf.train.list_variables(f"{tmp_path}/module/variables/variables") == [("w", [3])]


def test_the_latest_checkpoint_of_a_directory_is_taken(tmp_path):
    for step, value in [(1, [1, 1, 1]), (20, [2, 0, 2])]:
        save(tmp_path, step, w=value)
    scaling_spec().export(tmp_path / "module", checkpoint_path=tmp_path)
    assert outputs_of(str(tmp_path / "module"), ROWS).tolist() == (ROWS * [2, 0, 2]).tolist()


def test_names_in_the_checkpoint_may_be_others(tmp_path):
    prefix = save(tmp_path, **{"my/module/w": [4, 5, 6], "w": [0, 0, 0]})
    scaling_spec().export(
        tmp_path / "module", checkpoint_path=prefix, name_transform_fn=lambda name: f"my/module/{name}"
    )
    assert outputs_of(str(tmp_path / "module"), ROWS).tolist() == (ROWS * [4, 5, 6]).tolist()


def test_a_checkpoint_of_a_graph_with_the_module_fits(tmp_path):
    module = hub.Module(scaling_spec(), name="feature")
    with started_session() as session:
        module.variables[0].load([7.0, 8.0, 9.0], session)
        prefix = tf.train.Saver().save(session, str(tmp_path / "train"))
    scaling_spec().export(tmp_path / "module", checkpoint_path=prefix, name_transform_fn="feature/{}".format)
    assert outputs_of(str(tmp_path / "module"), ROWS).tolist() == (ROWS * [7, 8, 9]).tolist()


def gathered(partitioner):
    def outputs(ids):
        parts = tf.get_variable("table", [7, 3], partitioner=partitioner)
        return tf.gather(tf.convert_to_tensor(parts), ids)

    return spec_with(outputs, [None], tf.int64)


PARTITIONERS = [None, tf.fixed_size_partitioner(2), tf.fixed_size_partitioner(3), tf.fixed_size_partitioner(7)]


@pytest.mark.parametrize("stored", PARTITIONERS)
@pytest.mark.parametrize("declared", PARTITIONERS)
def test_partitions_of_module_and_checkpoint_may_differ(stored, declared, tmp_path):
    prefix = save(tmp_path, partitioner=stored, table=TABLE)
    gathered(declared).export(tmp_path / "module", checkpoint_path=prefix)
    found = outputs_of(str(tmp_path / "module"), np.arange(7))
    assert found.tolist() == TABLE.tolist()


def refused(spec, path, message, kind=ValueError, **arguments):
    with pytest.raises(kind, match="(?s)" + message):
        spec.export(path / "module", **arguments)
    assert not (path / "module").exists()


def test_a_checkpoint_that_lacks_a_variable(tmp_path):
    prefix = save(tmp_path, ww=[1, 2, 3])
    refused(scaling_spec(), tmp_path, r"model.ckpt.*'w' is missing.*ww", checkpoint_path=prefix)


def test_a_checkpoint_that_lacks_a_renamed_variable(tmp_path):
    prefix = save(tmp_path, w=[1, 2, 3])
    refused(
        scaling_spec(),
        tmp_path,
        r"model.ckpt.*'x/w' \(wanted for 'w'\) is missing",
        checkpoint_path=prefix,
        name_transform_fn="x/{}".format,
    )


def test_a_checkpoint_with_another_shape_names_both(tmp_path):
    prefix = save(tmp_path, w=[[1, 2], [3, 4]])
    refused(scaling_spec(), tmp_path, r"(?=.*'w')(?=.*\[2, 2\])(?=.*\[3\])", checkpoint_path=prefix)


def test_a_checkpoint_that_does_not_exist(tmp_path):
    save(tmp_path, w=[1, 2, 3])
    refused(scaling_spec(), tmp_path, r"no checkpoint '.*model.ckp'.*\['model.ckpt'\]", OSError,
            checkpoint_path=tmp_path / "model.ckp")  # fmt: skip


def test_no_checkpoint_path(tmp_path):
    refused(scaling_spec(), tmp_path, "`checkpoint_path` is missing")


def test_a_checkpoint_path_by_position(tmp_path):
    with pytest.raises(ValueError, match="by name"):
        scaling_spec().export(tmp_path / "module", save(tmp_path, w=[1, 2, 3]))


def test_over_a_module_is_refused(tmp_path):
    prefix = save(tmp_path, w=[1, 2, 3])
    path = export(scaling_spec(), tmp_path / "module")
    before = exported_bytes(path)
    with pytest.raises(tf.errors.AlreadyExistsError):
        scaling_spec().export(path, checkpoint_path=prefix)
    assert exported_bytes(path) == before


def test_assets_go_along(tmp_path):
    prefix = save(tmp_path, embeddings=np.ones([5, 3]))
    spec_of("text").export(tmp_path / "module", checkpoint_path=prefix)
    assert "assets/tokens.txt" in exported_bytes(tmp_path / "module")
    assert outputs_of(str(tmp_path / "module"), ["the cat"]).tolist() == [[1.0, 1.0, 1.0]]


def test_a_loaded_spec_is_exported_with_other_values(tmp_path):
    spec = hub.load_module_spec(export(scaling_spec(), tmp_path / "first"))
    spec.export(tmp_path / "second", checkpoint_path=save(tmp_path, w=[3, 3, 3]))
    assert outputs_of(str(tmp_path / "second"), ROWS).tolist() == (3 * ROWS).tolist()
    assert outputs_of(str(tmp_path / "first"), ROWS).tolist() == (2 * ROWS).tolist()


def test_variants_are_exported_with_the_variables_of_the_one_without_tags(tmp_path):
    prefix = save(tmp_path, w=[1, 2, 3])
    spec_of("variant_that_lacks_variables").export(tmp_path / "module", checkpoint_path=prefix)
    assert hub.load_module_spec(tmp_path / "module").get_tags() == [frozenset(), frozenset({"train"})]
    assert outputs_of(str(tmp_path / "module"), ROWS).tolist() == (ROWS * [1, 2, 3]).tolist()


def test_a_spec_without_variables(tmp_path):
    prefix = save(tmp_path, anything=[1])
    spec_with(lambda x: x * 2.0).export(tmp_path / "module", checkpoint_path=prefix)
    assert exported_bytes(tmp_path / "module").keys() == {"saved_model.pb", "tfhub_module.pb"}
