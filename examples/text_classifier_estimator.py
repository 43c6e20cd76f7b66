"""Fine-tunes a text module with an Estimator, and exports the module while training: the latest and the best.

    .venv/bin/python examples/text_classifier_estimator.py [--output DIR] [--quick]

The module has word vectors that were learned from Python's reference (see word_vectors.py). The task is another one:
which package of the standard library does a sentence of a docstring come from? What is exported can be used by any
program, such as search_docstrings.py.
"""

import random
from pathlib import Path

from terminal import loading_tensorflow, read_options, say

with loading_tensorflow():
    import tensorflow.compat.v1 as tf
    from docstrings import PACKAGES, Examples, make_dataset, make_task
    from word_vectors import learn_and_publish

    import tf1hub as hub
    from tf1hub import estimator


def model_fn(features, labels, mode, params):
    module = hub.Module(params["module"], trainable=params["fine_tune"])
    hub.register_module_for_export(module, "sentences")  # the exporters below export what is registered
    logits = tf.layers.dense(module(features["text"]), len(PACKAGES))
    package = tf.argmax(logits, 1)
    if mode == estimator.ModeKeys.PREDICT:
        return estimator.EstimatorSpec(mode, predictions={"package": package})
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    train = tf.train.AdamOptimizer(0.01).minimize(loss, tf.train.get_global_step())
    accuracy = tf.metrics.accuracy(labels, package)
    return estimator.EstimatorSpec(mode, loss=loss, train_op=train, eval_metric_ops={"accuracy": accuracy})


def training_input_fn(examples: Examples) -> tf.data.Dataset:
    return make_dataset(examples).shuffle(len(examples), seed=2).repeat().batch(64)


def testing_input_fn(examples: Examples) -> tf.data.Dataset:
    return make_dataset(examples).batch(64)


def serving_input_fn():
    text = tf.placeholder(tf.string, [None])
    return estimator.export.ServingInputReceiver({"text": text}, {"text": text})


def train_without_tuning(module: Path, folder: Path, steps: int, training: Examples, testing: Examples) -> float:
    """The accuracy of a classifier on top of the module as it is."""
    config = estimator.RunConfig(tf_random_seed=1)
    model = estimator.Estimator(model_fn, str(folder), config, {"module": str(module), "fine_tune": False})
    model.train(lambda: training_input_fn(training), steps=steps)
    return model.evaluate(lambda: testing_input_fn(testing))["accuracy"]


def fine_tune(module: Path, folder: Path, steps: int, training: Examples, testing: Examples) -> float:
    """Trains classifier and module together. Each checkpoint is evaluated, and then the module is exported."""
    model = estimator.Estimator(
        model_fn,
        str(folder),
        estimator.RunConfig(save_checkpoints_steps=steps // 4, tf_random_seed=1),
        {"module": str(module), "fine_tune": True},
    )
    exporters = [
        hub.LatestModuleExporter("latest", serving_input_fn, exports_to_keep=2),
        hub.BestModuleExporter("best", serving_input_fn, "accuracy", larger_is_better=True, exports_to_keep=1),
    ]
    metrics, _ = estimator.train_and_evaluate(
        model,
        estimator.TrainSpec(lambda: training_input_fn(training), max_steps=steps),
        estimator.EvalSpec(
            lambda: testing_input_fn(testing), steps=None, exporters=exporters, start_delay_secs=0, throttle_secs=0
        ),
    )
    return metrics["accuracy"]


def main() -> None:
    random.seed(1)  # tf.layers takes the seeds of its initializers from here
    output, quick = read_options(__doc__, ["word_vectors", "before", "training"])
    tf.logging.set_verbosity(tf.logging.ERROR)
    module = output / "word_vectors"
    learn_and_publish(module, *((400, 16) if quick else (4000, 64)))
    training, testing = make_task(200 if quick else 400)
    steps = 200 if quick else 400
    say(f"task: which of {len(PACKAGES)} packages does a sentence come from? ({', '.join(PACKAGES)})")
    say(f"training a classifier on the module as it is, with {len(training)} sentences ...")
    before = train_without_tuning(module, output / "before", steps, training, testing)
    say("fine-tuning the module with the classifier ...")
    after = fine_tune(module, output / "training", steps, training, testing)
    say(f"accuracy on {len(testing)} unseen sentences: {before:.1%} before fine-tuning, {after:.1%} after")
    for kind in ("latest", "best"):
        for export in sorted((output / "training" / "export" / kind).glob("*/sentences")):
            say(f"exported the {kind} module: {export}")
    say(f"done. Everything is in {output}")


if __name__ == "__main__":
    main()
