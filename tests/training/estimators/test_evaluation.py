import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.kerases import KERAS_TWO
from tests.training.estimators.linear_model import (
    ROWS,
    SUMS,
    Recorder,
    endless_input_fn,
    estimator_of,
    input_fn,
    model_fn_of,
)
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub.training.estimators.evaluation_summaries import write_evaluation

both = pytest.mark.parametrize("est", IMPLEMENTATIONS.values(), ids=list(IMPLEMENTATIONS))


@pytest.fixture(params=list(IMPLEMENTATIONS))
def trained(request, tmp_path):
    return estimator_of(IMPLEMENTATIONS[request.param], tmp_path, save_checkpoints_steps=2).train(
        endless_input_fn, steps=4
    )


def test_the_mean_over_the_whole_input(trained):
    wrong = ROWS @ trained.get_variable_value("weights") - SUMS
    results = trained.evaluate(input_fn)
    assert list(results) == ["error", "loss", "global_step"]
    assert results["loss"] == pytest.approx(np.mean(wrong**2), rel=1e-5)
    assert results["error"] == pytest.approx(np.mean(np.abs(wrong)), rel=1e-5)
    assert results["global_step"] == 4


def test_logs_are_in_the_words_that_tuning_services_look_for(trained, caplog):
    caplog.set_level("INFO", "tensorflow")
    results = trained.evaluate(input_fn)
    shown = f"global_step = 4, loss = {results['loss']!s}"
    assert f"Saving dict for global step 4: error = {results['error']!s}, {shown}" in caplog.messages
    trained.train(endless_input_fn, steps=1)
    assert [message for message in caplog.messages if message.startswith("Loss for final step: 0.")]


def test_so_many_batches(trained):
    wrong = ROWS[:2] @ trained.get_variable_value("weights") - SUMS[:2]
    assert trained.evaluate(endless_input_fn, steps=1)["loss"] == pytest.approx(np.mean(wrong**2), rel=1e-5)
    hook = Recorder()
    trained.evaluate(endless_input_fn, steps=3, hooks=[hook])
    assert hook.calls == ["begin", *["after_run"] * 3, "end"]


def test_an_older_checkpoint(trained):
    assert trained.evaluate(input_fn, checkpoint_path=f"{trained.model_dir}/model.ckpt-2")["global_step"] == 2
    with pytest.raises(ValueError, match=r"model\.ckpt-3"):
        trained.evaluate(input_fn, checkpoint_path=f"{trained.model_dir}/model.ckpt-3")


def test_an_empty_input(trained):
    results = trained.evaluate(lambda: input_fn().take(0))
    assert (results["loss"], results["error"], results["global_step"]) == (0, 0, 4)


def test_evaluating_changes_no_checkpoint(trained):
    before = sorted(trained.get_variable_names()), trained.latest_checkpoint()
    trained.evaluate(input_fn)
    assert (sorted(trained.get_variable_names()), trained.latest_checkpoint()) == before


def test_tensorboard_reads_the_results(trained):
    results = trained.evaluate(input_fn, name="test")
    trained.train(input_fn).evaluate(input_fn, name="test")
    events = EventAccumulator(trained.eval_dir("test")).Reload()
    assert events.Tags()["scalars"] == ["error", "loss"]
    assert [event.step for event in events.Scalars("loss")] == [4, 6]
    assert events.Scalars("error")[0].value == results["error"]
    checkpoints = [event.tensor_proto.string_val[0].decode() for event in events.Tensors("checkpoint_path")]
    assert checkpoints == [f"{trained.model_dir}/model.ckpt-{step}" for step in (4, 6)]


def test_tensorboard_shows_the_checkpoint_as_text(tmp_path):
    with tf.Graph().as_default():
        write_evaluation(str(tmp_path), {}, 3, "model/model.ckpt-3")
    events = EventAccumulator(str(tmp_path)).Reload()
    assert events.SummaryMetadata("checkpoint_path").plugin_data.plugin_name == "text"


@both
@pytest.mark.parametrize("name", ["loss", "global_step"])
def test_names_that_an_estimator_uses_itself(est, name, tmp_path):
    spec = {"eval_metric_ops": lambda: {name: tf.metrics.mean(1.0)}}
    with pytest.raises(ValueError, match=name):
        estimator_of(est, tmp_path, spec=spec).evaluate(input_fn)


@both
def test_metrics_of_several_kinds_are_shown(est, tmp_path):
    def metrics():
        picture = tf.summary.image("picture", tf.zeros([1, 2, 2, 1]), collections=[])
        return {
            "vector": (tf.constant([1.0, 2.0]), tf.no_op()),
            "count": (tf.constant(3, tf.int64), tf.no_op()),
            "double": (tf.constant(0.5, tf.float64), tf.no_op()),
            "picture": (picture, tf.no_op()),
            "text": (tf.constant("no summary"), tf.no_op()),
        }

    model = estimator_of(est, tmp_path, spec={"eval_metric_ops": metrics})
    assert model.evaluate(input_fn)["vector"].tolist() == [1, 2]
    events = EventAccumulator(model.eval_dir()).Reload()
    assert sorted(events.Tags()["scalars"]) == ["count", "double", "loss"]
    assert events.Tags()["images"] == ["picture/0"]
    assert events.Tags()["tensors"] == ["vector"]


@both
def test_metric_objects_of_keras(est, tmp_path):
    def metrics():
        mean = KERAS_TWO.metrics.Mean(name="mean")
        mean.update_state(tf.constant([1.0, 4.0]))
        return {"mean": mean}

    assert estimator_of(est, tmp_path, spec={"eval_metric_ops": metrics}).evaluate(input_fn)["mean"] == 2.5


@both
def test_hooks_of_the_call_and_of_the_spec_run(est, tmp_path):
    hooks = [Recorder(), Recorder()]
    estimator_of(est, tmp_path, spec={"evaluation_hooks": [hooks[0]]}).evaluate(input_fn, hooks=[hooks[1]])
    assert [hook.calls for hook in hooks] == [["begin", "after_run", "after_run", "end"]] * 2


@both
def test_a_scaffold_with_its_own_local_initialization(est, tmp_path):
    def model_fn(features, labels, mode):
        own = tf.get_local_variable("own", initializer=7.0)
        scaffold = tf.train.Scaffold(local_init_op=own.initializer)
        metrics = {"own": (own * 1.0, tf.no_op())}
        return model_fn_of(est, eval_metric_ops=metrics, scaffold=scaffold)(features, labels, mode)

    assert est.Estimator(model_fn, str(tmp_path)).evaluate(input_fn)["own"] == 7


def test_what_no_summary_can_hold_is_left_out(tmp_path, caplog):
    with tf.Graph().as_default():
        write_evaluation(str(tmp_path), {"odd": "text", "none": None, "good": True}, 1, None)
    assert EventAccumulator(str(tmp_path)).Reload().Tags()["scalars"] == ["good"]
    assert ["odd" in record.message for record in caplog.records] == [True]
