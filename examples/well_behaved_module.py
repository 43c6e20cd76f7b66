"""Publishes a module that follows all the advice for publishers, and fine-tunes it with hyperparameters of one's own.

    .venv/bin/python examples/well_behaved_module.py [--output DIR] [--quick]

`hub.lint` has nothing to say of it. It has the common signatures of image features, a variant for inference and one to train,
regularization losses for its weights, and defaults for dropout and batch normalization that suit small data sets. Another
signature takes both as inputs, for those who know better.
"""

import random
from pathlib import Path
from typing import NamedTuple

from terminal import loading_tensorflow, read_options, say

with loading_tensorflow():
    import numpy as np
    import tensorflow.compat.v1 as tf
    from digits import FIRST, SECOND, Examples, make_task

    import tf1hub as hub

WITH_HYPERPARAMETERS = "image_feature_vector_with_hyperparameters"
FEATURES = 16


class Hyperparameters(NamedTuple):
    """What the signature takes besides images; the defaults are the module's."""

    dropout_rate: float = 0.1
    batch_norm_momentum: float = 0.9


def module_fn(training: bool) -> None:
    """Images float32 [batch, 8, 8, 3] from 0 to 1 become features float32 [batch, 16]."""
    images = tf.placeholder(tf.float32, [None, 8, 8, 3], name="images")
    # Each has the default that those get who do not ask for another.
    rate = tf.placeholder_with_default(Hyperparameters().dropout_rate, [], name="dropout_rate")
    momentum = tf.placeholder_with_default(Hyperparameters().batch_norm_momentum, [], name="batch_norm_momentum")
    layer = images
    for filters in (8, FEATURES):
        layer = tf.layers.conv2d(
            layer, filters, 3, strides=2, padding="same", use_bias=False, kernel_regularizer=decay_weights
        )
        layer = tf.nn.relu(tf.layers.batch_normalization(layer, training=training, momentum=momentum))
    features = tf.layers.dropout(tf.reduce_mean(layer, [1, 2]), rate, training=training)
    for name in (None, "image_feature_vector"):
        hub.add_signature(name, {"images": images}, features)
    inputs = {"images": images, "dropout_rate": rate, "batch_norm_momentum": momentum}
    hub.add_signature(WITH_HYPERPARAMETERS, inputs, features)


def decay_weights(kernel: tf.Tensor) -> tf.Tensor:
    return 1e-4 * tf.nn.l2_loss(kernel)


def in_color(examples: Examples) -> Examples:
    """The examples with the three channels that image modules are given."""
    return examples._replace(images=np.repeat(examples.images, 3, axis=-1))


def train(
    module_or_spec: str | hub.ModuleSpec,
    chosen: Hyperparameters,
    examples: Examples,
    classes: int,
    steps: int,
    folder: Path,
) -> tuple[str, float]:
    """Trains a classifier, and the module below it. Returns a checkpoint, and how many of the features were dropped."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        module = hub.Module(module_or_spec, trainable=True, tags={"train"}, name="module")
        image = tf.placeholder(tf.float32, [None, 8, 8, 3])
        label = tf.placeholder(tf.int64, [None])
        features = module({"images": image, **chosen._asdict()}, signature=WITH_HYPERPARAMETERS)
        logits = tf.layers.dense(features, classes)
        loss = tf.losses.sparse_softmax_cross_entropy(label, logits) + tf.losses.get_regularization_loss()
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            step = tf.train.AdamOptimizer(0.01).minimize(loss)
        dropped = tf.reduce_mean(tf.to_float(tf.equal(features, 0.0)))
        session.run(tf.global_variables_initializer())
        folder.mkdir(parents=True)
        batches, shares = np.random.RandomState(2), []
        for _ in range(steps):
            batch = batches.randint(len(examples.labels), size=32)
            _, share = session.run([step, dropped], {image: examples.images[batch], label: examples.labels[batch]})
            shares.append(share)
        return tf.train.Saver().save(session, str(folder / "model.ckpt")), float(np.mean(shares))


def publish(path: Path, folder: Path, steps: int) -> None:
    """Trains the module to tell the digits 0 to 4 apart, and exports it."""
    spec = hub.create_module_spec(module_fn, [(set(), {"training": False}), ({"train"}, {"training": True})])
    examples = in_color(make_task(FIRST, train=800)[0])
    checkpoint, _ = train(spec, Hyperparameters(), examples, len(FIRST), steps, folder)
    hub.export_from_checkpoint(spec, checkpoint, path, scope="module")
    say(f"published a module that has learned the digits {FIRST}: {path}")


def evaluate(path: Path, checkpoint: str, examples: Examples) -> float:
    """The accuracy of the classifier in a checkpoint. Inference has neither dropout nor statistics of the batch."""
    with tf.Graph().as_default(), tf.Session() as session:
        logits = tf.layers.dense(hub.Module(path, name="module")(examples.images), len(SECOND))
        tf.train.Saver().restore(session, checkpoint)
        return float((session.run(tf.argmax(logits, 1)) == examples.labels).mean())


def moved_by(path: Path, checkpoint: str) -> float:
    """How far the averages of batch normalization are from the published ones, on average."""
    published = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    tuned = tf.train.load_checkpoint(checkpoint)
    names = [name for name in published.get_variable_to_shape_map() if "/moving_" in name]
    distances = [np.abs(tuned.get_tensor(f"module/{name}") - published.get_tensor(name)).mean() for name in names]
    return float(np.mean(distances))


def report_findings(path: Path) -> None:
    findings = hub.lint(path).findings
    say(f"lint: {len(findings)} findings in {path.name}")
    for finding in findings:
        say(f"  {finding.rule}: {finding.reason}")


def main() -> None:
    random.seed(1)  # tf.layers takes the seeds of its initializers from here
    output, quick = read_options(__doc__, ["digits", "before", "training", "tuned"])
    tf.logging.set_verbosity(tf.logging.ERROR)
    path, steps = output / "digits", 100 if quick else 400
    publish(path, output / "before", steps)
    report_findings(path)
    training, testing = map(in_color, make_task(SECOND, train=100))
    say(f"fine-tuning it for the digits {SECOND}, with {len(training.labels)} pictures ...")
    accuracies = {}
    for number, chosen in enumerate((Hyperparameters(), Hyperparameters(0.0, 0.5), Hyperparameters(0.5, 0.999))):
        folder = output / "training" / str(number)
        checkpoint, dropped = train(str(path), chosen, training, len(SECOND), steps, folder)
        accuracies[checkpoint] = evaluate(path, checkpoint, testing)
        say(
            f"  dropout {chosen.dropout_rate}, momentum {chosen.batch_norm_momentum}: {dropped:.0%} of the features were 0,"
            f" the averages moved by {moved_by(path, checkpoint):.3f}, accuracy {accuracies[checkpoint]:.1%}"
        )
    best = max(accuracies, key=accuracies.__getitem__)
    hub.export_from_checkpoint(path, best, output / "tuned", scope="module")
    report_findings(output / "tuned")
    say(f"done. Everything is in {output}")


if __name__ == "__main__":
    main()
