"""Trains an Estimator whose disk is full during an export or a checkpoint, makes room, and trains on. Prints what came of it.

    python -m tests.hostile.full_training_disk FOLDER (filled | limited) (export | checkpoint) (stop | go_on)

With `filled` the folder's file system is filled up; with `limited` no file may be as large as a checkpoint's.
"""

import json
import os
import resource
import sys
import warnings

import tensorflow as tf

import tf1hub as hub
from tests.training.exports.full_disk import fill_up
from tf1hub import estimator

v1 = tf.compat.v1
SIZE = 100_000
FULL_AT, LAST = 4, 6


class Disk:
    """A disk that can be filled and emptied."""

    def __init__(self, folder, how):
        self.folder, self.how = folder, how

    def fill(self):
        if self.how == "filled":
            fill_up(self.folder)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE, resource.RLIM_INFINITY))

    def make_room(self):
        if self.how == "limited":
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        elif os.path.exists(filler := os.path.join(self.folder, "filler")):
            os.remove(filler)


class Filling(v1.train.CheckpointSaverListener):
    """Fills the disk just before, or after, the checkpoint of one step; there is room again for the next one."""

    def __init__(self, disk, during):
        self.disk, self.during = disk, during

    def before_save(self, session, global_step_value):
        self.disk.make_room()
        if self.during == "checkpoint" and global_step_value == FULL_AT:
            self.disk.fill()

    def after_save(self, session, global_step_value):
        if self.during == "export" and global_step_value == FULL_AT:
            self.disk.fill()


def module_fn():
    x = v1.placeholder(tf.float32, [None])
    w = v1.get_variable("w", [SIZE], initializer=v1.zeros_initializer())
    hub.add_signature(inputs=x, outputs=x * w[0])


def model_fn(features, labels, mode):
    """A model whose weights are the number of steps."""
    module = hub.Module(hub.create_module_spec(module_fn), trainable=True, name="module")
    hub.register_module_for_export(module, "module")
    outputs = module(features)
    if mode == estimator.ModeKeys.PREDICT:
        return estimator.EstimatorSpec(mode, outputs)
    counted = v1.assign_add(module.variable_map["w"], tf.ones([SIZE]))
    train_op = tf.group(counted, v1.assign_add(v1.train.get_global_step(), 1))
    return estimator.EstimatorSpec(mode, loss=tf.reduce_sum(outputs), train_op=train_op)


def input_fn():
    return tf.data.Dataset.from_tensors([1.0]).repeat()


def serving_input_fn():
    x = v1.placeholder(tf.float32, [None])
    return estimator.export.TensorServingInputReceiver(x, x)


def train(folder, stop_on_error, listeners):
    """Trains to the last step, with a checkpoint, an evaluation and an export every two steps."""
    config = estimator.RunConfig(f"{folder}/model", save_checkpoints_steps=2, save_summary_steps=None)
    model = estimator.Estimator(model_fn, config=config)
    exporter = hub.LatestModuleExporter("modules", serving_input_fn, stop_on_error=stop_on_error)
    estimator.train_and_evaluate(
        model,
        estimator.TrainSpec(input_fn, LAST, saving_listeners=listeners),
        estimator.EvalSpec(input_fn, 1, exporters=exporter, start_delay_secs=0, throttle_secs=0),
    )
    return model


def on_disk(folder):
    """The steps of the checkpoints that are kept, and of the exports, each as its variables say."""
    kept = v1.train.get_checkpoint_state(f"{folder}/model").all_model_checkpoint_paths
    exports = f"{folder}/model/export/modules"
    modules = [f"{exports}/{name}/module" for name in sorted(os.listdir(exports))]
    return {
        "checkpoints": [step_of(path, "module/w") for path in kept],
        "exports": [step_of(f"{path}/variables/variables", "w") for path in modules],
        "sound": all(hub.verify(path).is_sound for path in modules),
    }


def step_of(checkpoint, name):
    (step,) = set(v1.train.load_checkpoint(checkpoint).get_tensor(name).tolist())
    return int(step)


def main(folder: str, how: str, during: str, choice: str) -> None:
    disk, error = Disk(folder, how), None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            train(folder, choice == "stop", [Filling(disk, during)])
        except (OSError, tf.errors.OpError) as raised:
            error = f"{type(raised).__name__}: {raised}"
    disk.make_room()
    first = on_disk(folder)
    last = int(train(folder, True, []).get_variable_value("module/w")[0])
    warned = sum("could not be written" in str(each.message) for each in caught)
    print(json.dumps({"error": error, "warned": warned, "first": first, "then": on_disk(folder), "last": last}))


if __name__ == "__main__":
    main(*sys.argv[1:])
