"""What programs do wrong, and which exception each gets."""

import os

import tensorflow.compat.v1 as tf
import tensorflow_hub as hub

tf.disable_v2_behavior()


def good(features, labels, mode):
    w = tf.get_variable("w", [], initializer=tf.ones_initializer())
    loss = w * tf.reduce_mean(features)
    train_op = tf.train.GradientDescentOptimizer(1.0).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, {"w": w[None]}, loss, train_op)


def with_spec(**fields):
    def model_fn(features, labels, mode):
        return tf.estimator.EstimatorSpec(**{"mode": mode, **{name: make() for name, make in fields.items()}})

    return model_fn


def nan_at(step):
    def model_fn(features, labels, mode):
        w = tf.get_variable("w", [], initializer=tf.ones_initializer())
        loss = tf.where(features < step, w, w * float("nan"))
        train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_global_step())
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    return model_fn


def input_fn():
    return tf.data.Dataset.from_tensors(tf.constant([1.0, 2.0])).repeat(5)


def serving_input_fn():
    x = tf.placeholder(tf.float32, [None])
    return tf.estimator.export.TensorServingInputReceiver(x, x)


def counted():
    return tf.data.Dataset.range(9).map(lambda i: tf.cast(i, tf.float32))


def train(folder, model_fn, nan):
    tf.estimator.Estimator(model_fn, folder).train(counted if nan else input_fn, max_steps=6)


def estimator_mistakes(folder):
    make, estimator = tf.estimator.Estimator, tf.estimator.Estimator(good, folder)
    trained = tf.estimator.Estimator(good, folder + "_trained")
    trained.train(input_fn)
    return {
        "no_model_fn": lambda: make(None),
        "params_unasked": lambda: make(good, params={"a": 1}),
        "params_no_dict": lambda: make(lambda features, labels, mode, params: None, params=[1]),
        "strange_argument": lambda: make(lambda features, labels, mode, other: None),
        "no_features": lambda: make(lambda labels, mode: None),
        "config_no_config": lambda: make(good, config="config"),
        "two_folders": lambda: make(good, "a", tf.estimator.RunConfig(model_dir="b")),
        "both_steps": lambda: estimator.train(input_fn, steps=1, max_steps=1),
        "no_steps": lambda: estimator.train(input_fn, steps=0),
        "negative_max_steps": lambda: estimator.train(input_fn, max_steps=-1),
        "no_evaluation_steps": lambda: trained.evaluate(input_fn, steps=0),
        "evaluate_untrained": lambda: estimator.evaluate(input_fn, checkpoint_path=folder + "/model.ckpt-9"),
        "evaluate_untrained_as_is": lambda: estimator.evaluate(input_fn),
        "predict_missing": lambda: next(estimator.predict(input_fn, checkpoint_path=folder + "/missing")),
        "predict_key": lambda: next(trained.predict(input_fn, predict_keys=["none"])),
        "variable_untrained": lambda: estimator.get_variable_names(),
        "variable_missing": lambda: trained.get_variable_value("missing"),
        "export_untrained": lambda: estimator.export_saved_model(folder + "/export", serving_input_fn),
        "export_nothing": lambda: trained.export_saved_model(folder + "/export", None),
        "hook_no_hook": lambda: estimator.train(input_fn, hooks=["hook"]),
        "listener_no_listener": lambda: estimator.train(input_fn, saving_listeners=["listener"]),
        "labels_unwanted": lambda: make(lambda features, mode: None).train(
            lambda: (tf.constant(1.0), tf.constant(1.0))
        ),
        "warm_start_from_nothing": lambda: make(good, folder, warm_start_from=folder + "/no").train(input_fn),
        "warm_start_strange": lambda: make(good, folder, warm_start_from=3),
        "input_no_function": lambda: estimator.train(tf.constant(1.0)),
        "input_too_long": lambda: estimator.train(lambda: (tf.constant(1.0),) * 3),
    }


def spec_mistakes(folder):
    def one():
        return tf.constant(1.0)

    def op():
        return tf.assign_add(tf.train.get_global_step(), 1)

    specs = {
        "no_spec": lambda features, labels, mode: tf.constant(1.0),
        "no_loss": with_spec(train_op=op),
        "no_train_op": with_spec(loss=one),
        "loss_no_scalar": with_spec(loss=lambda: tf.constant([1.0, 2.0]), train_op=op),
        "loss_of_one": with_spec(loss=lambda: tf.constant([1.0]), train_op=op),
        "loss_no_tensor": with_spec(loss=lambda: "loss", train_op=op),
        "train_op_no_op": with_spec(loss=one, train_op=lambda: "train"),
        "metrics_no_dictionary": with_spec(loss=one, train_op=op, eval_metric_ops=lambda: [1]),
        "metric_no_pair": with_spec(loss=one, train_op=op, eval_metric_ops=lambda: {"a": tf.constant(1.0)}),
        "hook_no_hook": with_spec(loss=one, train_op=op, training_hooks=lambda: ["hook"]),
        "scaffold_no_scaffold": with_spec(loss=one, train_op=op, scaffold=lambda: "scaffold"),
        "mode_unknown": with_spec(mode=lambda: "other"),
        "exports_no_outputs": with_spec(
            mode=lambda: "infer", predictions=one, export_outputs=lambda: {"a": tf.constant(1.0)}
        ),
        "exports_without_default": with_spec(
            mode=lambda: "infer",
            predictions=one,
            export_outputs=lambda: {key: tf.estimator.export.PredictOutput(tf.constant(1.0)) for key in "ab"},
        ),
        "nan": nan_at(3.0),
        "nan_first": nan_at(0.0),
    }
    return {name: lambda name=name: train(f"{folder}_{name}", specs[name], "nan" in name) for name in specs}


def config_mistakes():
    config, train, evaluation = tf.estimator.RunConfig, tf.estimator.TrainSpec, tf.estimator.EvalSpec
    estimator = tf.estimator.Estimator(good)
    return {
        "both_saves": lambda: config(save_checkpoints_steps=1, save_checkpoints_secs=1),
        "negative_saves": lambda: config(save_checkpoints_steps=-1),
        "negative_keeps": lambda: config(keep_checkpoint_max=-1),
        "negative_summaries": lambda: config(save_summary_steps=-1),
        "seed_no_number": lambda: config(tf_random_seed="one"),
        "session_no_config": lambda: config(session_config={}),
        "folder_empty": lambda: config(model_dir=""),
        "replaced_unknown": lambda: config().replace(unknown=1),
        "replaced_fixed": lambda: config().replace(tf_random_seed=1),
        "steps_0": lambda: train(input_fn, max_steps=0),
        "input_no_function": lambda: train(3),
        "hooks_no_hooks": lambda: train(input_fn, hooks=[1]),
        "evaluation_steps_0": lambda: evaluation(input_fn, steps=0),
        "name_no_text": lambda: evaluation(input_fn, name=3),
        "exporters_no_exporters": lambda: evaluation(input_fn, exporters=[1]),
        "exporters_of_one_name": lambda: evaluation(
            input_fn, exporters=[tf.estimator.LatestExporter("a", serving_input_fn)] * 2
        ),
        "delay_negative": lambda: evaluation(input_fn, start_delay_secs=-1),
        "throttle_negative": lambda: evaluation(input_fn, throttle_secs=-1),
        "no_estimator": lambda: tf.estimator.train_and_evaluate(3, train(input_fn), evaluation(input_fn)),
        "no_train_spec": lambda: tf.estimator.train_and_evaluate(estimator, 3, evaluation(input_fn)),
        "no_eval_spec": lambda: tf.estimator.train_and_evaluate(estimator, train(input_fn), 3),
        "keep_no_export": lambda: tf.estimator.LatestExporter("a", serving_input_fn, exports_to_keep=0),
        "best_of_nothing": lambda: tf.estimator.BestExporter(),
        "hub_keeps_none": lambda: hub.LatestModuleExporter("a", serving_input_fn, exports_to_keep=0),
        "raw_no_tensors": lambda: tf.estimator.export.build_raw_serving_input_receiver_fn({"a": 1})(),
        "receiver_no_tensor": lambda: tf.estimator.export.ServingInputReceiver({"a": 1}, {"a": 1}),
        "prediction_no_tensor": lambda: tf.estimator.export.PredictOutput({"a": 1}),
        "regression_of_text": lambda: tf.estimator.export.RegressionOutput(tf.constant("a")),
        "classification_of_nothing": lambda: tf.estimator.export.ClassificationOutput(),
        "warm_start_empty": lambda: tf.estimator.WarmStartSettings(""),
    }


def outcome(action):
    """What a program would catch: the exception's first class of these."""
    try:
        action()
    except Exception as error:
        kinds = (
            KeyError,
            ValueError,
            TypeError,
            tf.errors.NotFoundError,
            tf.train.NanLossDuringTrainingError,
            Exception,
        )
        return next(kind.__name__ for kind in kinds if isinstance(error, kind))
    return "no error"


def main(folder):
    model_dir = os.path.join(folder, "model")
    mistakes = {
        "estimator": estimator_mistakes(model_dir),
        "spec": spec_mistakes(model_dir),
        "config": config_mistakes(),
    }
    return {kind: {name: outcome(action) for name, action in actions.items()} for kind, actions in mistakes.items()}
