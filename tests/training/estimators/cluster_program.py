"""A training program for one process of a cluster; TF_CONFIG tells which. Run as `python -m` with these arguments:

the module to fine-tune, the directory of the model, max_steps, and seconds that each step of this process takes at least.

Training ends early when there is a file "stop" in the directory of the model. With "make" for a first argument the program
only writes that module to the second one.
"""

import os
import signal
import sys
import time

import tensorflow as tf

import tf1hub as hub
from tf1hub import estimator

v1 = tf.compat.v1
WIDTH, UNITS = 4, 6
LIFETIME_SECS = 600  # nothing stays when the tests are killed


def module_fn():
    x = v1.placeholder(tf.float32, [None, WIDTH])
    with v1.variable_scope("hidden", partitioner=v1.fixed_size_partitioner(2)):
        w = v1.get_variable("w", [WIDTH, UNITS], initializer=v1.ones_initializer())
    b = v1.get_variable("b", [UNITS], initializer=v1.zeros_initializer())
    hub.add_signature(inputs=x, outputs=tf.matmul(x, w) + b)


def make_module(path):
    with tf.Graph().as_default(), v1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(v1.global_variables_initializer())
        module.export(path, session)


def input_fn():
    x = tf.random.stateless_uniform([64, WIDTH], seed=[1, 2])
    return tf.data.Dataset.from_tensor_slices(({"x": x}, tf.reduce_sum(x, 1, keepdims=True))).repeat().batch(8)


def model_fn(features, labels, mode, params):
    with v1.variable_scope("tower", partitioner=v1.fixed_size_partitioner(3)):
        module = hub.Module(params["module"], trainable=True, name="tuned")
        hidden = module(features["x"])
        head = v1.get_variable("head", [UNITS, 1], initializer=v1.zeros_initializer())
    hub.register_module_for_export(module, "tuned")
    predicted = tf.matmul(hidden, head)
    if mode == estimator.ModeKeys.PREDICT:
        return estimator.EstimatorSpec(mode, predictions={"y": predicted})
    loss = tf.reduce_mean((predicted - labels) ** 2)
    optimizer = v1.train.AdamOptimizer(0.01)
    return estimator.EstimatorSpec(mode, loss=loss, train_op=optimizer.minimize(loss, v1.train.get_global_step()))


class Slow(v1.train.SessionRunHook):
    def __init__(self, seconds):
        self._seconds = seconds

    def after_run(self, run_context, run_values):
        time.sleep(self._seconds)


class Report(v1.train.SessionRunHook):
    """Prints where the state of the model lies, then each step."""

    def begin(self):
        self._step = v1.train.get_global_step()
        for variable in v1.global_variables():
            print("variable", variable.op.name, variable.device or "nowhere", flush=True)

    def before_run(self, run_context):
        return v1.train.SessionRunArgs(self._step)

    def after_run(self, run_context, run_values):
        print("step", run_values.results, flush=True)


def serving_input_fn():
    x = v1.placeholder(tf.float32, [None, WIDTH])
    return estimator.export.ServingInputReceiver({"x": x}, {"x": x})


def main(module, model_dir, max_steps, seconds):
    config = estimator.RunConfig(
        model_dir, save_checkpoints_steps=20, tf_random_seed=1, experimental_max_worker_delay_secs=1
    )
    trained = estimator.Estimator(model_fn, config=config, params={"module": module})
    early = estimator.experimental.make_early_stopping_hook(
        trained, lambda: os.path.exists(os.path.join(model_dir, "stop")), run_every_secs=None, run_every_steps=1
    )
    hooks = [Slow(float(seconds)), Report(), early]
    exporters = [
        hub.LatestModuleExporter("modules", serving_input_fn),
        estimator.LatestExporter("model", serving_input_fn),
    ]
    result = estimator.train_and_evaluate(
        trained,
        estimator.TrainSpec(input_fn, int(max_steps), hooks=hooks),
        estimator.EvalSpec(input_fn, steps=4, exporters=exporters, start_delay_secs=0, throttle_secs=1),
    )
    print("result", result, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make_module(sys.argv[2])
    else:
        signal.alarm(LIFETIME_SECS)
        main(*sys.argv[1:])
