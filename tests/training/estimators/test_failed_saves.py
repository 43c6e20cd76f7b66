import pytest
import tensorflow.compat.v1 as tf

from tests.programs import run_program
from tf1hub.training.estimators.failed_saves import told_clearly
from tf1hub.training.estimators.run_config import RunConfig

PROGRAM = """
import os, resource, sys
import tensorflow as tf2
import tensorflow.compat.v1 as tf
from tf1hub import estimator
def model_fn(features, labels, mode):
    large = tf.get_variable("large", [100_000], initializer=tf.zeros_initializer())
    loss = tf.reduce_sum(large[0] * features)
    train_op = tf.train.AdamOptimizer().minimize(loss, tf.train.get_global_step())
    return estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
def limit_files(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
class Limit(tf.train.SessionRunHook):
    def after_run(self, run_context, run_values):
        if run_context.session.run(tf.train.get_global_step()) == int(sys.argv[2]):
            limit_files(500_000)
config = estimator.RunConfig(sys.argv[1], save_checkpoints_steps=3)
model = estimator.Estimator(model_fn, config=config)
input_fn = lambda: tf2.data.Dataset.from_tensors(1.0).repeat()
try:
    model.train(input_fn, hooks=[Limit()], steps=7)
except tf.errors.ResourceExhaustedError as error:
    print(error)
print(sorted(name for name in os.listdir(sys.argv[1]) if "index" in name or "temp" in name))
limit_files(-1)
print(model.train(input_fn, steps=1).get_variable_value("global_step"))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("filled", "good"), [(4, 3), (7, 6)], ids=["while training", "at the end"])
def test_a_disk_that_runs_full_is_told_and_the_last_checkpoint_stays(filled, good, tmp_path):
    told, names, step = run_program(PROGRAM, str(tmp_path), str(filled)).strip().splitlines()
    assert "could not be written" in told
    assert "File too large" in told
    assert f"model.ckpt-{good} is whole" in told
    assert names == str([f"model.ckpt-{saved}.index" for saved in range(0, good + 1, 3)])
    assert step == str(good + 1)


def test_errors_of_something_else_pass(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match=r"^no such thing$"), told_clearly(RunConfig(str(tmp_path))):
        raise tf.errors.NotFoundError(None, None, "no such thing")


def test_too_little_memory_is_no_full_disk(tmp_path):
    (tmp_path / "model.ckpt-7_temp").mkdir()  # the chief of a cluster may be writing it
    # Of an operation within a branch or function an error does not tell.
    with pytest.raises(tf.errors.ResourceExhaustedError, match=r"^OOM"), told_clearly(RunConfig(str(tmp_path))):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
    assert (tmp_path / "model.ckpt-7_temp").exists()
