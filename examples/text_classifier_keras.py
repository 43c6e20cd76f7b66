"""Fine-tunes a text module with Keras, and exports the module while training: the latest and the best.

    .venv/bin/python examples/text_classifier_keras.py [--output DIR] [--quick]

This does with model.fit what text_classifier_estimator.py does with an Estimator. It runs with Keras 3, and with Keras 2
when the environment variable TF_USE_LEGACY_KERAS is 1. What is exported is a TF1 Hub module as before: here another model
uses it, and programs of TensorFlow 1 can, too.
"""

from pathlib import Path
from typing import Any

from terminal import loading_tensorflow, read_options, say

with loading_tensorflow():
    import tensorflow as tf
    from docstrings import PACKAGES, make_dataset, make_task
    from keras_training import compare
    from word_vectors import learn_and_publish

    import tf1hub as hub

keras = tf.keras


def build_model(path: Path, fine_tune: bool) -> tuple[Any, Any]:
    """A classifier on top of the module, and the layer that holds the module."""
    module = hub.load(path, training_tags=[])  # it has one variant, which is for training, too
    layer = hub.KerasLayer(module, trainable=fine_tune)
    text = keras.Input([], dtype=tf.string, name="text")
    model = keras.Model({"text": text}, keras.layers.Dense(len(PACKAGES))(layer(text)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model, layer


def main() -> None:
    output, quick = read_options(__doc__, ["word_vectors", "training"])
    keras.utils.set_random_seed(1)
    first = output / "word_vectors"
    learn_and_publish(first, *((400, 16) if quick else (4000, 64)))
    training, testing = make_task(200 if quick else 400)
    steps = 200 if quick else 400
    say(f"task: which of {len(PACKAGES)} packages does a sentence come from? ({', '.join(PACKAGES)})")
    examples = make_dataset(training).shuffle(len(training), seed=2).repeat()
    before, after = compare(build_model, first, output, steps, (examples, make_dataset(testing)))
    say(f"accuracy on {len(testing)} unseen sentences: {before:.1%} before fine-tuning, {after:.1%} after")
    say(f"done. Everything is in {output}")


if __name__ == "__main__":
    main()
