"""Trains with exports, and is killed; over and over, at random moments, aimed at checkpoints, exports and removals too.

    python -m tests.hostile.killed_training FOLDER ROUNDS SEED

TensorFlow is imported once; each round is a process forked from this one. After each kill everything on disk is checked. All
variables follow from the step, so that a value of another step, or of none, is seen. Prints what was found, as JSON.
"""

import json
import mmap
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import tensorflow as tf

import tf1hub as hub
from tests.hostile.killed_training_checks import Disk, check_after_kill, check_cleared
from tf1hub import estimator
from tf1hub.training.exports.export_folder import ExportFolder

v1 = tf.compat.v1
SIZE = 100_000
KEPT_CHECKPOINTS, KEPT_EXPORTS = 2, 2
TRAINING, CHECKPOINT, EXPORT, REMOVAL, STATE = "training", "checkpoint", "export", "removal", "checkpoint removal"
PHASES = [TRAINING, CHECKPOINT, EXPORT, REMOVAL]
AIMS = {CHECKPOINT: 0.004, EXPORT: 0.01, REMOVAL: 0.001, STATE: 0.0003}
"""How long after its beginning a phase is hit, at most, in seconds."""
LONGEST = 20.0
PATIENCE = 200
"""How long an aim is waited for, and how long a training may last, in seconds."""


class Phase:
    """What a child is doing, in memory that it shares with its parent."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def set(self, phase: str) -> None:
        self._memory[0] = PHASES.index(phase)

    def get(self) -> str:
        return PHASES[self._memory[0]]


class Listener(v1.train.CheckpointSaverListener):
    """Tells when a checkpoint is saved and older ones are removed."""

    def __init__(self, phase):
        self._phase = phase

    def before_save(self, session, global_step_value):
        self._phase.set(CHECKPOINT)

    def after_save(self, session, global_step_value):
        self._phase.set(TRAINING)


class ResumedCheck(v1.train.SessionRunHook):
    """Training must go on from the latest checkpoint, with all variables of its step."""

    def __init__(self, expected):
        self._expected = expected

    def after_create_session(self, session, coord):
        values = session.run(v1.global_variables())
        wrong = [np.asarray(value).ravel()[:3] for value in values if np.any(value != self._expected)]
        if wrong:
            raise AssertionError(
                f"Resumed with {wrong[:2]}, and the latest checkpoint is that of step {self._expected}."
            )


def module_fn():
    x = v1.placeholder(tf.float32, [None, 1])
    zeros = v1.zeros_initializer()
    parts = [v1.get_variable(name, [size], initializer=zeros) for name, size in (("small", 1), ("large", SIZE))]
    hub.add_signature(inputs=x, outputs=x * parts[0] + tf.reduce_mean(parts[1]))


def model(x):
    """A module whose variables, and one beside it, are the number of steps taken."""
    module = hub.Module(hub.create_module_spec(module_fn), trainable=True, name="module")
    outputs = module(x)
    beside = v1.get_variable("beside", [SIZE], initializer=v1.zeros_initializer())
    step = v1.train.get_or_create_global_step()
    counted = [v1.assign_add(each, tf.ones_like(each)) for each in (*module.variable_map.values(), beside)]
    with tf.control_dependencies(counted):
        return module, outputs, v1.assign_add(step, 1)


def show_exports(phase):
    """Tells when exports are written and removed."""
    write, remove = ExportFolder.new_export, ExportFolder.remove_older

    def new_export(folder):
        phase.set(EXPORT)
        return write(folder)

    def remove_older(folder):
        phase.set(REMOVAL)
        remove(folder)
        phase.set(TRAINING)

    ExportFolder.new_export, ExportFolder.remove_older = new_export, remove_older


def train_estimator(disk, phase, expected, max_steps):
    """`train_and_evaluate` with `LatestModuleExporter`."""

    def model_fn(features, labels, mode):
        module, outputs, train_op = model(features)
        hub.register_module_for_export(module, "module")
        if mode == estimator.ModeKeys.PREDICT:
            return estimator.EstimatorSpec(mode, outputs)
        return estimator.EstimatorSpec(mode, loss=tf.reduce_mean(outputs), train_op=train_op)

    def input_fn():
        return tf.data.Dataset.from_tensors(tf.ones([1, 1])).repeat()

    def serving_input_fn():
        x = v1.placeholder(tf.float32, [None, 1])
        return estimator.export.TensorServingInputReceiver(x, x)

    config = estimator.RunConfig(
        str(disk.model), save_checkpoints_steps=3, keep_checkpoint_max=KEPT_CHECKPOINTS, save_summary_steps=None
    )
    exporter = hub.LatestModuleExporter("modules", serving_input_fn, exports_to_keep=KEPT_EXPORTS)
    estimator.train_and_evaluate(
        estimator.Estimator(model_fn, config=config),
        estimator.TrainSpec(input_fn, max_steps, [ResumedCheck(expected)], saving_listeners=[Listener(phase)]),
        estimator.EvalSpec(input_fn, steps=1, exporters=exporter, start_delay_secs=0, throttle_secs=0),
    )


def train_session(disk, phase, expected, max_steps):
    """A session with `ModuleExportHook`."""
    with tf.Graph().as_default():
        module, _, train_op = model(v1.constant([[1.0]]))
        saver = v1.train.Saver(max_to_keep=KEPT_CHECKPOINTS, save_relative_paths=True)
        hooks = [
            ResumedCheck(expected),
            v1.train.StopAtStepHook(last_step=max_steps),
            v1.train.CheckpointSaverHook(
                str(disk.model),
                save_steps=1,
                scaffold=(scaffold := v1.train.Scaffold(saver=saver)),
                listeners=[Listener(phase)],
            ),
            hub.ModuleExportHook(module, disk.exports, every_steps=1, exports_to_keep=KEPT_EXPORTS),
        ]
        with v1.train.MonitoredTrainingSession(
            checkpoint_dir=str(disk.model),
            scaffold=scaffold,
            hooks=hooks,
            save_checkpoint_secs=None,
            save_checkpoint_steps=None,
            save_summaries_steps=None,
            save_summaries_secs=None,
            log_step_count_steps=None,
        ) as session:
            while not session.should_stop():
                session.run(train_op)


def start(train, disk, phase, max_steps):
    """Trains in a process of its own; returns its id."""
    phase.set(TRAINING)
    expected = disk.latest_step()
    child = os.fork()
    if child:
        return child
    status = 1
    signal.alarm(PATIENCE)
    try:
        show_exports(phase)
        train(disk, phase, expected, max_steps)
        status = 0
    except BaseException as error:
        disk.failure.write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
    finally:
        os._exit(status)


def kill_at_random(child, disk, phase, draw, aim):
    """Kills the child, and says in which phase that was."""
    deadline = time.monotonic() + LONGEST
    if aim is None:
        if draw.random() < 0.7:
            wait_for(CHECKPOINT, disk, phase, 1, deadline)
        time.sleep(draw.uniform(0.0, 1.0))
    else:
        wait_for(aim, disk, phase, draw.randint(1, 3), deadline)
        wait_until = time.perf_counter() + draw.uniform(0.0, AIMS[aim])
        while time.perf_counter() < wait_until:
            pass
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, f"Training ended by itself: {disk.read_failure()}"
    return phase.get()


def wait_for(aim, disk, phase, times, deadline):
    """Waits until the phase has begun so many times, or the checkpoints' list was written so many times."""
    seen = 0
    look = (lambda: phase.get() == aim) if aim != STATE else disk.state_changed
    while seen < times and time.monotonic() < deadline:
        if look():
            seen += 1
            while aim != STATE and seen < times and phase.get() == aim and time.monotonic() < deadline:
                pass


def run_rounds(folder, rounds, seed):
    """Kills so many times; returns the figures."""
    draw, found = random.Random(seed), Counter()
    started = time.monotonic()
    for kind, train, share in (("exporter", train_estimator, 0.3), ("hook", train_session, 0.7)):
        disk, phase = Disk(folder / kind, in_estimator=kind == "exporter"), Phase()
        disk.put_foreign_files()
        for _ in range(round(rounds * share)):
            before = disk.look()
            aim = draw.choice([None, *AIMS])
            child = start(train, disk, phase, None if kind == "exporter" else 10**9)
            at = kill_at_random(child, disk, phase, draw, aim)
            found["rounds"] += 1
            found[f"killed during {at}"] += 1
            found.update(check_after_kill(disk, before, KEPT_CHECKPOINTS, KEPT_EXPORTS))
        last = disk.latest_step() + 9
        child = start(train, disk, phase, last)
        _, status = os.waitpid(child, 0)
        assert not status, f"The last training failed with {status}: {disk.read_failure()}"
        found[f"{kind}: steps"] = check_cleared(disk, last, KEPT_EXPORTS)
    return {**found, "seconds": round(time.monotonic() - started)}


def main(folder: str, rounds: str, seed: str) -> None:
    v1.logging.set_verbosity(v1.logging.ERROR)
    print(json.dumps(run_rounds(Path(folder), int(rounds), int(seed))))


if __name__ == "__main__":
    main(*sys.argv[1:])
