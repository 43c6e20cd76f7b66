"""Exporting a module from a training's checkpoint, without TensorFlow."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import export, outputs_of, scaling_spec, spec_of, started_session
from tests.programs import run_program
from tf1hub.errors import CheckpointError, MissingCheckpointError, ModuleExistsError, SpecTypeError

ROWS = np.ones([1, 3], np.float32)


def save(folder, spec, scopes=("",), step=1, values=None):
    """A checkpoint of a graph with a module in each of the scopes, which multiply by the values."""
    with tf.Graph().as_default():
        modules = []
        for scope in scopes:
            with tf.variable_scope(scope):
                modules.append(hub.Module(spec))
        tf.train.create_global_step()
        with started_session() as session:
            for module, value in zip(modules, values or (), strict=False):
                module.variables[0].load([value] * 3, session)
            return tf.train.Saver().save(session, str(folder / "model.ckpt"), step)


def scale_of(path):
    return float(outputs_of(str(path), ROWS)[0, 0])


def test_the_variables_below_the_scope_are_taken(tmp_path):
    prefix = save(tmp_path, scaling_spec(), values=[5.0])
    path = hub.export_from_checkpoint(scaling_spec(), prefix, str(tmp_path / "module"))
    assert path == str(tmp_path / "module")
    assert scale_of(path) == 5
    assert hub.verify(path).is_sound


@pytest.mark.parametrize(("scope", "value"), [("left/module", 5), ("right/module", 6), ("right/module/", 6)])
def test_modules_are_told_apart_by_their_scopes(tmp_path, scope, value):
    prefix = save(tmp_path, scaling_spec(), ("left", "right"), values=[5.0, 6.0])
    assert scale_of(hub.export_from_checkpoint(scaling_spec(), prefix, tmp_path / "module", scope)) == value


@pytest.mark.parametrize("scope", [None, ""])
def test_variables_may_have_the_names_that_they_have_in_the_module(tmp_path, scope):
    prefix = hub.load_module_spec(export(scaling_spec(), tmp_path / "old")).checkpoint
    assert scale_of(hub.export_from_checkpoint(scaling_spec(), prefix, tmp_path / "module", scope)) == 2


def test_the_latest_checkpoint_of_a_training_is_taken(tmp_path):
    save(tmp_path, scaling_spec(), step=1, values=[5.0])
    save(tmp_path, scaling_spec(), step=2, values=[6.0])
    assert scale_of(hub.export_from_checkpoint(scaling_spec(), tmp_path, tmp_path / "module")) == 6


def test_the_module_that_was_trained_stands_for_its_spec(tmp_path):
    module = export(scaling_spec(), tmp_path / "old")
    prefix = save(tmp_path, module, values=[5.0])
    assert scale_of(hub.export_from_checkpoint(Path(module), prefix, tmp_path / "new")) == 5
    assert scale_of(module) == 2


@pytest.mark.parametrize("kind", ["partitioned_rows", "partitioned_columns", "partitioned_references"])
def test_partitioned_variables_are_put_together(tmp_path, kind):
    spec = spec_of(kind)
    with tf.Graph().as_default():
        module = hub.Module(spec)
        outputs = module([0, 6, 3])
        with started_session() as session:
            expected = session.run(outputs)
            prefix = tf.train.Saver().save(session, str(tmp_path / "model.ckpt"))
    path = hub.export_from_checkpoint(spec, prefix, tmp_path / "module")
    np.testing.assert_array_equal(outputs_of(path, [0, 6, 3]), expected)


def test_a_wrong_scope_is_answered_with_the_scopes_that_would_do(tmp_path):
    prefix = save(tmp_path, spec_of("partitioned_rows"), ("left", "right", ""))
    with pytest.raises(
        CheckpointError,
        match=r"in the scope 'modul'\. Scopes in which it has all of them: 'left/module', 'module', 'right/module'\.",
    ):
        hub.export_from_checkpoint(spec_of("partitioned_rows"), prefix, tmp_path / "module", "modul")
    assert not (tmp_path / "module").exists()


def test_a_checkpoint_of_another_module_says_that_no_scope_would_do(tmp_path):
    prefix = save(tmp_path, scaling_spec())
    with pytest.raises(CheckpointError, match=r"all of them: none\. Pass the spec of(.|\n)*embeddings"):
        hub.export_from_checkpoint(spec_of("partitioned_rows"), prefix, tmp_path / "module")


def test_a_checkpoint_that_names_objects_is_told_from_others(tmp_path):
    with tf.Graph().as_default():
        tracked = tf.train.Checkpoint(w=tf.get_variable("module/w", [3]))
        with started_session() as session:
            prefix = tracked.save(str(tmp_path / "objects"), session=session)
    with pytest.raises(CheckpointError, match=r"all of them: none\. It was written by tf\.train\.Checkpoint"):
        hub.export_from_checkpoint(scaling_spec(), prefix, tmp_path / "module")


def test_variables_of_another_shape_are_refused_as_such(tmp_path):
    with tf.Graph().as_default():
        tf.get_variable("module/w", [4])
        with started_session() as session:
            prefix = tf.train.Saver().save(session, str(tmp_path / "model.ckpt"))
    with pytest.raises(CheckpointError, match="shape") as raised:
        hub.export_from_checkpoint(scaling_spec(), prefix, tmp_path / "module")
    assert "scope" not in str(raised.value)


def test_a_missing_checkpoint_is_said_so(tmp_path):
    with pytest.raises(MissingCheckpointError, match="no file `checkpoint`") as raised:
        hub.export_from_checkpoint(scaling_spec(), tmp_path, tmp_path / "module")
    assert isinstance(raised.value, tf.errors.NotFoundError)


def test_a_module_is_not_exported_over(tmp_path):
    prefix, module = save(tmp_path, scaling_spec()), export(scaling_spec(), tmp_path / "module")
    with pytest.raises(ModuleExistsError, match="There is a module at"):
        hub.export_from_checkpoint(scaling_spec(), prefix, module)


def test_what_is_no_spec_is_refused(tmp_path):
    with pytest.raises(SpecTypeError, match="this is int"):
        hub.export_from_checkpoint(3, save(tmp_path, scaling_spec()), tmp_path / "module")


def test_tensorflow_is_not_loaded(tmp_path):
    module = export(scaling_spec(), tmp_path / "old")
    prefix = save(tmp_path, module, values=[5.0])
    program = """
        import sys, tf1hub as hub
        hub.export_from_checkpoint(*sys.argv[1:])
        print([name for name in ("tensorflow", "tf_keras", "keras") if name in sys.modules])
    """
    assert run_program(program, module, prefix, str(tmp_path / "new")) == "[]\n"
    assert scale_of(tmp_path / "new") == 5
