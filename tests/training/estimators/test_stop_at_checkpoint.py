"""The hook that ends a worker's training when the last checkpoint is there."""

import pytest
import tensorflow as tf

from tests.training.estimators.small_model import input_fn_of, make_estimator
from tests.training.implementations import for_both

v1 = tf.compat.v1


@for_both
def test_chief_stops_at_the_step(estimators, tmp_path):
    trained = make_estimator(estimators, tmp_path)
    hook = estimators.experimental.make_stop_at_checkpoint_step_hook(trained, 2)
    trained.train(input_fn_of(), hooks=[hook], max_steps=9)
    assert trained.get_variable_value("global_step") == 2


@pytest.fixture
def as_worker(monkeypatch):
    monkeypatch.setenv(
        "TF_CONFIG", '{"cluster": {"chief": ["c:1"], "worker": ["w:1"]}, "task": {"type": "worker", "index": 0}}'
    )


@for_both
def test_worker_stays_until_the_chief_has_saved(estimators, tmp_path, as_worker):
    worker = make_estimator(estimators, tmp_path)
    hook = estimators.experimental.make_stop_at_checkpoint_step_hook(worker, 2, wait_after_file_check_secs=0)
    steps = []
    with tf.Graph().as_default():
        count = v1.train.create_global_step().assign_add(1)
        saver = v1.train.Saver(v1.global_variables())
        with v1.train.MonitoredSession(hooks=[hook]) as session:
            while not session.should_stop():
                steps.append(int(session.run(count)))
                if len(steps) == 4:
                    session.run_step_fn(
                        lambda step_context: saver.save(step_context.session, str(tmp_path / "model.ckpt"), 4)
                    )
    assert steps == [1, 2, 3, 4, 5]


@for_both
def test_worker_trains_up_to_the_step_though_a_later_checkpoint_is_there(estimators, tmp_path, as_worker):
    worker = make_estimator(estimators, tmp_path)
    hook = estimators.experimental.make_stop_at_checkpoint_step_hook(worker, 5, wait_after_file_check_secs=0)
    with tf.Graph().as_default():
        step = v1.train.create_global_step()
        count = step.assign_add(1)
        saver = v1.train.Saver(v1.global_variables())
        with v1.Session() as session:
            session.run(step.assign(9))
            saver.save(session, str(tmp_path / "model.ckpt"), 9)
        steps = []
        with v1.train.MonitoredSession(hooks=[hook]) as session:
            while not session.should_stop():
                steps.append(int(session.run(count)))
    # The hook reads the step beside its update, so before it or after it.
    assert steps in ([1, 2, 3, 4], [1, 2, 3, 4, 5])
