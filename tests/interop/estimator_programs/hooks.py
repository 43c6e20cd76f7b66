"""Hooks and listeners at every place that takes them; what they are told, and when."""

import os

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_resource_variables()

CALLS = []


class Recorder(tf.estimator.SessionRunHook):
    def __init__(self, name):
        self._name = name

    def _say(self, what, *details):
        CALLS.append([self._name, what, *details])

    def begin(self):
        self._say("begin", tf.get_default_graph().finalized)

    def after_create_session(self, session, coord):
        self._say("created", int(session.run(tf.train.get_global_step())))

    def before_run(self, run_context):
        self._say("before", run_context.stop_requested)
        return tf.estimator.SessionRunArgs(tf.train.get_global_step())

    def after_run(self, run_context, run_values):
        self._say("after", int(run_values.results))

    def end(self, session):
        self._say("end", int(session.run(tf.train.get_global_step())))


class Listener(tf.estimator.CheckpointSaverListener):
    def begin(self):
        CALLS.append(["listener", "begin"])

    def before_save(self, session, global_step_value):
        CALLS.append(["listener", "before", int(global_step_value)])

    def after_save(self, session, global_step_value):
        CALLS.append(["listener", "after", int(global_step_value)])
        return global_step_value >= 8

    def end(self, session, global_step_value):
        CALLS.append(["listener", "end", int(global_step_value)])


def model_fn(features, labels, mode):
    w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
    loss = tf.square(w - tf.reduce_mean(features), name="my_loss")
    tf.summary.scalar("w", w)
    tf.summary.histogram("features", features)
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(
        mode,
        predictions={"w": w + features},
        loss=loss,
        train_op=train_op,
        training_hooks=[Recorder("spec")],
        training_chief_hooks=[Recorder("chief")],
        evaluation_hooks=[Recorder("spec_eval")],
        prediction_hooks=[Recorder("spec_predict")],
    )


def input_fn():
    return tf.data.Dataset.range(1, 30).map(lambda x: tf.cast(x, tf.float32)).batch(2)


def main(folder):
    lines = []
    config = tf.estimator.RunConfig(save_checkpoints_steps=4, save_summary_steps=3, log_step_count_steps=2)
    estimator = tf.estimator.Estimator(model_fn, os.path.join(folder, "model"), config)
    logged = tf.estimator.LoggingTensorHook(
        {"loss": "my_loss"}, every_n_iter=3, formatter=lambda values: lines.append(float(values["loss"])) or "logged"
    )
    own = tf.estimator.SummarySaverHook(5, output_dir=os.path.join(folder, "own"), scaffold=tf.train.Scaffold())
    profiler = tf.estimator.ProfilerHook(save_steps=100, output_dir=os.path.join(folder, "profile"))
    estimator.train(input_fn, hooks=[Recorder("mine"), logged, profiler, own], steps=10, saving_listeners=[Listener()])
    estimator.train(input_fn, hooks=(tf.estimator.StopAtStepHook(num_steps=2),))
    metrics = estimator.evaluate(input_fn, steps=2, hooks=[Recorder("mine_eval")])
    predictions = estimator.predict(input_fn, hooks=[Recorder("mine_predict")])
    first = [next(predictions), next(predictions), next(predictions)]
    predictions.close()
    return {"calls": CALLS, "lines": lines, "metrics": metrics, "predictions": first}
