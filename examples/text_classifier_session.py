"""Fine-tunes a text module in a session of one's own, and exports the module: the latest while training, the best after.

    .venv/bin/python examples/text_classifier_session.py [--output DIR] [--quick]

This does without Estimators what text_classifier_estimator.py does: a hook exports the module while it is trained, and
the best of the checkpoints becomes a module without a session.
"""

import random
from pathlib import Path

from terminal import loading_tensorflow, read_options, say

with loading_tensorflow():
    import tensorflow.compat.v1 as tf
    from docstrings import PACKAGES, Examples, make_dataset, make_task
    from word_vectors import learn_and_publish

    import tf1hub as hub


def build_model(module: hub.Module, batches: tf.data.Dataset) -> tuple[tf.Tensor, tf.Tensor]:
    """The logits for each batch, and the right packages."""
    features, packages = tf.data.make_one_shot_iterator(batches).get_next()
    return tf.layers.dense(module(features["text"]), len(PACKAGES)), packages


def train(path: Path, fine_tune: bool, folder: Path, steps: int, examples: Examples) -> list[str]:
    """Trains a classifier on top of the module, and with `fine_tune` the module too. Returns the checkpoints."""
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        module = hub.Module(path, trainable=fine_tune)
        batches = make_dataset(examples).shuffle(len(examples), seed=2).repeat().batch(64)
        logits, packages = build_model(module, batches)
        loss = tf.losses.sparse_softmax_cross_entropy(packages, logits)
        step = tf.train.AdamOptimizer(0.01).minimize(loss, tf.train.get_or_create_global_step())
        hooks = [tf.train.StopAtStepHook(last_step=steps)]
        if fine_tune:
            hooks.append(hub.ModuleExportHook(module, folder / "latest", every_steps=steps // 4, exports_to_keep=2))
        with tf.train.MonitoredTrainingSession(
            checkpoint_dir=str(folder), hooks=hooks, save_checkpoint_steps=steps // 4
        ) as session:
            while not session.should_stop():
                session.run(step)
    return list(tf.train.get_checkpoint_state(str(folder)).all_model_checkpoint_paths)


def evaluate(path: Path, checkpoint: str, examples: Examples) -> float:
    """The accuracy of the classifier in a checkpoint."""
    with tf.Graph().as_default(), tf.Session() as session:
        logits, packages = build_model(hub.Module(path), make_dataset(examples).batch(len(examples)))
        tf.train.Saver().restore(session, checkpoint)
        session.run(tf.tables_initializer())
        answers, right = session.run([tf.argmax(logits, 1), packages])
        return float((answers == right).mean())


def main() -> None:
    random.seed(1)  # tf.layers takes the seeds of its initializers from here
    output, quick = read_options(__doc__, ["word_vectors", "before", "training", "best"])
    tf.logging.set_verbosity(tf.logging.ERROR)
    path = output / "word_vectors"
    learn_and_publish(path, *((400, 16) if quick else (4000, 64)))
    training, testing = make_task(200 if quick else 400)
    steps = 200 if quick else 400
    say(f"task: which of {len(PACKAGES)} packages does a sentence come from? ({', '.join(PACKAGES)})")
    say(f"training a classifier on the module as it is, with {len(training)} sentences ...")
    *_, last = train(path, False, output / "before", steps, training)
    before = evaluate(path, last, testing)
    say("fine-tuning the module with the classifier ...")
    checkpoints = train(path, True, output / "training", steps, training)
    accuracies = [evaluate(path, checkpoint, testing) for checkpoint in checkpoints]
    for checkpoint, accuracy in zip(checkpoints, accuracies, strict=True):
        say(f"  {Path(checkpoint).name}: {accuracy:.1%}")
    best = max(zip(accuracies, checkpoints, strict=True))[1]
    exported = hub.export_from_checkpoint(path, best, output / "best", scope="module")
    say(f"accuracy on {len(testing)} unseen sentences: {before:.1%} before fine-tuning, {accuracies[-1]:.1%} after")
    for export in sorted((output / "training" / "latest").iterdir()):
        say(f"exported the latest module: {export}")
    say(f"exported the best module: {exported}")
    say(f"done. Everything is in {output}")


if __name__ == "__main__":
    main()
