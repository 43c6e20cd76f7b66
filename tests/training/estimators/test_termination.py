import os
import signal
import threading

import pytest
import tensorflow.compat.v1 as tf

from tests.programs import run_program
from tests.training.estimators.linear_model import endless_input_fn, estimator_of
from tf1hub import estimator as ours
from tf1hub.training.estimators import termination


class Terminating(tf.train.SessionRunHook):
    """Sends this process SIGTERM during its third step."""

    def __init__(self):
        self._steps = 0

    def before_run(self, run_context):
        self._steps += 1
        if self._steps == 3:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def handled():
    """The signals that a handler of the program's own got."""
    calls = []
    former = signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    yield calls
    signal.signal(signal.SIGTERM, former)


def test_the_step_ends_a_checkpoint_is_saved_and_the_process_leaves(tmp_path):
    model = estimator_of(ours, tmp_path)
    with pytest.raises(SystemExit) as left:
        model.train(endless_input_fn, hooks=[Terminating()])
    assert left.value.code == 143
    assert model.get_variable_value("global_step") == 3
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_handler_of_the_program_is_called_after_saving(handled, tmp_path):
    model = estimator_of(ours, tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    assert model.train(endless_input_fn, hooks=[Terminating()]) is model
    assert handled == [signal.SIGTERM]
    assert model.get_variable_value("global_step") == 3
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_program_that_ignores_it_goes_on(tmp_path):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        model = estimator_of(ours, tmp_path).train(endless_input_fn, steps=5, hooks=[Terminating()])
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert model.get_variable_value("global_step") == 5


def test_everything_is_as_before_after_a_training(handled, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    estimator_of(ours, tmp_path).train(endless_input_fn, steps=1)
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.set_wakeup_fd(-1) == -1
    assert not termination.is_requested()
    assert "second SIGTERM" not in [thread.name for thread in threading.enumerate()]


def test_everything_is_as_before_after_an_error(handled, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(tf.errors.InvalidArgumentError):
        estimator_of(ours, tmp_path).train(
            lambda: endless_input_fn().map(lambda x, y: ({"x": tf.debugging.check_numerics(x["x"] / 0, "")}, y))
        )
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_wakeup_descriptor_of_the_program_stays(handled, tmp_path):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    try:
        estimator_of(ours, tmp_path).train(endless_input_fn, hooks=[Terminating()])
    finally:
        assert signal.set_wakeup_fd(-1) == writer
        os.close(reader)
        os.close(writer)
    assert handled == [signal.SIGTERM]


def test_nothing_is_caught_in_evaluations_and_predictions(handled, tmp_path):
    model = estimator_of(ours, tmp_path).train(endless_input_fn, steps=1)
    model.evaluate(endless_input_fn, steps=4, hooks=[Terminating()])
    assert handled == [signal.SIGTERM]
    assert len(list(model.predict(lambda: endless_input_fn().take(4), hooks=[Terminating()]))) == 8
    assert handled == [signal.SIGTERM] * 2


def test_listeners_can_ask_whether_the_end_is_near(handled, tmp_path):
    class Listener(tf.train.CheckpointSaverListener):
        asked = []

        def after_save(self, session, global_step_value):
            self.asked.append(termination.is_requested())

    estimator_of(ours, tmp_path).train(endless_input_fn, hooks=[Terminating()], saving_listeners=[Listener()])
    assert Listener.asked == [False, True]


PROGRAM = """
import os, signal, sys, time
import tensorflow as tf
from tests.training.estimators.linear_model import endless_input_fn, estimator_of
from tf1hub import estimator as ours
def slow(x, y):
    return tf.py_function(lambda rows: (time.sleep(float(sys.argv[2])), rows)[1], [y], tf.float32)
def input_fn():
    return endless_input_fn().map(lambda x, y: (x, tf.ensure_shape(slow(x, y), [2, 1])))
class Killer(tf.compat.v1.train.SessionRunHook):
    def before_run(self, run_context):
        if os.fork() == 0:
            for pause in sys.argv[3:]:
                time.sleep(float(pause))
                os.kill(os.getppid(), signal.SIGTERM)
            os._exit(0)
    def end(self, session):
        time.sleep(float(sys.argv[2]))
        print("ended", flush=True)
def main():
    estimator_of(ours, sys.argv[1]).train(input_fn, hooks=[Killer()])
child = os.fork()
if child == 0:
    main()
status = os.waitpid(child, 0)[1]
print("status", os.waitstatus_to_exitcode(status), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("second", "status"), [([], "143"), (["0.5"], "143")], ids=["once", "twice within a step"])
def test_a_process_that_is_told_to_end_during_a_long_step(second, status, tmp_path):
    printed = run_program(PROGRAM, str(tmp_path), "20" if second else "2", "1", *second)
    assert ("ended" in printed) == (not second)
    assert printed.split()[-2:] == ["status", status]


FORKING = """
import os, signal, sys, time
import tensorflow as tf
from tests.training.estimators.linear_model import endless_input_fn, estimator_of
from tf1hub import estimator as ours
class Forking(tf.compat.v1.train.SessionRunHook):
    def before_run(self, run_context):
        for _ in range(2):
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                os.write(writer, b"x")
                time.sleep(60)
                os._exit(0)
            os.read(reader, 1)  # Python itself loses a signal that comes while it forks
            os.kill(child, signal.SIGTERM)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(estimator_of(ours, sys.argv[1]).train(endless_input_fn, hooks=[Forking()], steps=1).latest_checkpoint()[-1])
"""


@pytest.mark.slow
def test_children_of_a_training_end_as_ever(tmp_path):
    assert run_program(FORKING, str(tmp_path)).split() == ["-15", "-15", "1"]
