"""A program that trains and exports until the disk is full. It prints what came of it, as JSON.

python -m tests.training.exports.full_disk FOLDER (filled | limited) (stop | go_on)

With `filled` the folder's file system is filled up; with `limited` no file may be as large as an export's.
"""

import json
import os
import resource
import sys
import warnings

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import spec_with

_FLOATS = 100_000


def fill_up(folder):
    with open(os.path.join(folder, "filler"), "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(10_000))
        except OSError:
            return


class FillUp(tf.train.SessionRunHook):
    """Leaves no room on the disk after the second step."""

    def __init__(self, folder, how):
        self.folder, self.how, self.steps = folder, how, 0

    def after_run(self, run_context, run_values):
        self.steps += 1
        if self.steps == 2 and self.how == "filled":
            fill_up(self.folder)
        elif self.steps == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (_FLOATS, _FLOATS))


def train(folder, how, stop_on_error):
    """Trains four steps and exports after each. Returns how many there were."""
    spec = spec_with(lambda x: x + tf.get_variable("w", [_FLOATS // 3, 3])[0])
    module = hub.Module(spec, trainable=True)
    train_op = tf.assign_add(tf.train.create_global_step(), 1)
    exporting = hub.ModuleExportHook(module, f"{folder}/exports", every_steps=1, stop_on_error=stop_on_error)
    filling = FillUp(folder, how)
    with tf.train.MonitoredTrainingSession(hooks=[exporting, filling]) as session:
        for _ in range(4):
            session.run(train_op)
    return filling.steps


def main(folder, how, choice):
    error, steps = "", 0
    with warnings.catch_warnings(record=True) as caught, tf.Graph().as_default():
        warnings.simplefilter("always", UserWarning)
        try:
            steps = train(folder, how, choice == "stop")
        except OSError as raised:
            error = str(raised)
    exports = os.listdir(f"{folder}/exports")
    sound = [hub.verify(f"{folder}/exports/{name}").is_sound for name in exports]
    warned = sum("could not be written" in str(each.message) for each in caught)
    print(json.dumps({"error": error, "steps": steps, "exports": exports, "sound": sound, "warnings": warned}))


if __name__ == "__main__":
    main(*sys.argv[1:])
