"""Restoring the graph that an Estimator's model_fn builds for predictions."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.graphs import spec_of
from tests.training.exports.trained import estimator_of, input_fn, serving_input_fn
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub.errors import CheckpointError, MissingCheckpointError
from tf1hub.training.exports.serving_graph import restored_serving_graph


@pytest.fixture(params=IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def library(request):
    return request.param


def trained(library, tmp_path, **more):
    estimator = estimator_of(library, tmp_path, **more)
    estimator.train(input_fn, steps=2)
    return estimator


def test_the_latest_checkpoint_is_restored(library, tmp_path):
    estimator = trained(library, tmp_path, variable="bias")
    with restored_serving_graph(estimator, serving_input_fn(library)) as served:
        variables = {variable.op.name: variable for variable in tf.global_variables()}
        values = served.session.run(variables)
        assert served.session.graph is tf.get_default_graph()
        assert served.checkpoint == estimator.latest_checkpoint()
        assert served.spec.mode == library.ModeKeys.PREDICT
        assert list(served.receiver.features) == ["rows"]
    assert values["global_step"] == 2
    np.testing.assert_array_equal(values["module/w"], estimator.get_variable_value("module/w"))
    parts = [values["head/bias/part_0"], values["head/bias/part_1"]]
    np.testing.assert_array_equal(np.concatenate(parts), estimator.get_variable_value("head/bias"))


def test_an_earlier_checkpoint_can_be_restored(library, tmp_path):
    estimator = trained(library, tmp_path)
    earlier = estimator.latest_checkpoint()
    estimator.train(input_fn, steps=3)
    with restored_serving_graph(estimator, serving_input_fn(library), earlier) as served:
        assert served.session.run(tf.train.get_global_step()) == 2


def test_the_scaffolds_saver_is_used(library, tmp_path):
    def scaffold(module):
        return tf.train.Scaffold(saver=tf.train.Saver({"scale": module.variables[0], "global_step": step()}))

    def step():
        return tf.train.get_global_step()

    estimator = trained(library, tmp_path, scaffold=scaffold)
    assert sorted(estimator.get_variable_names()) == ["global_step", "scale"]
    with restored_serving_graph(estimator, serving_input_fn(library)) as served:
        values = served.session.run(served.session.graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)[1])
    np.testing.assert_array_equal(values, estimator.get_variable_value("scale"))


def test_the_session_has_the_configuration_of_the_estimator(library, tmp_path):
    session_config = tf.ConfigProto(device_count={"CPU": 3})
    config = library.RunConfig(session_config=session_config, tf_random_seed=7)
    estimator = trained(library, tmp_path, config=config)
    with restored_serving_graph(estimator, serving_input_fn(library)) as served:
        assert served.session._config.device_count["CPU"] == 3
        assert served.session.graph.seed == 7


def test_an_estimator_that_was_not_trained_has_nothing_to_restore(library, tmp_path):
    estimator = estimator_of(library, tmp_path)
    with (
        pytest.raises(MissingCheckpointError, match=r"has no checkpoint in .* Train it first") as raised,
        restored_serving_graph(estimator, serving_input_fn(library)),
    ):
        pass
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, tf.errors.NotFoundError)


def test_a_path_without_a_checkpoint_names_those_near_it(library, tmp_path):
    estimator = trained(library, tmp_path)
    with (
        pytest.raises(MissingCheckpointError, match=r"no checkpoint .*model\.ckpt-3.*there are \[.*'model\.ckpt-2'"),
        restored_serving_graph(estimator, serving_input_fn(library), str(tmp_path / "model.ckpt-3")),
    ):
        pass


def test_all_variables_that_a_checkpoint_lacks_are_named_with_close_ones(library, tmp_path):
    trained(library, tmp_path, variable="bias")
    renamed = estimator_of(library, tmp_path, variable="bias_2", spec=spec_of("partitioned_rows"))
    with (
        pytest.raises(CheckpointError) as raised,
        restored_serving_graph(renamed, serving_ids(library)),
    ):
        pass
    assert "it lacks the variable 'head/bias_2'; close names: ['head/bias'" in str(raised.value)
    assert "it lacks the variable 'module/embeddings'" in str(raised.value)


def serving_ids(library):
    def receive():
        ids = tf.placeholder(tf.int64, [None])
        return library.export.ServingInputReceiver({"rows": ids}, {"rows": ids})

    return receive


def test_another_shape_is_said_so(library, tmp_path):
    trained(library, tmp_path)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("module/w", [4])
        tf.train.create_global_step()
        session.run(tf.global_variables_initializer())
        other = tf.train.Saver().save(session, str(tmp_path / "other"))
    with (
        pytest.raises(CheckpointError, match=r"'module/w' has the shape \[4\], the graph's has \[3\]"),
        restored_serving_graph(estimator_of(library, tmp_path), serving_input_fn(library), other),
    ):
        pass


def test_a_serving_input_function_must_return_a_receiver(library, tmp_path):
    estimator = trained(library, tmp_path)
    with (
        pytest.raises(TypeError, match="returned dict; it must return a ServingInputReceiver"),
        restored_serving_graph(estimator, dict),
    ):
        pass
