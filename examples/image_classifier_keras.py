"""Fine-tunes an image module with Keras, and exports the module while training: the latest and the best.

    .venv/bin/python examples/image_classifier_keras.py [--output DIR] [--quick]

This does with model.fit what image_classifier_estimator.py does with an Estimator. A layer that is trainable takes the
module's variant for training, with its update ops and its regularization losses. It runs with Keras 3, and with Keras 2
when the environment variable TF_USE_LEGACY_KERAS is 1. What is exported is a TF1 Hub module as before: here another model
uses it, and programs of TensorFlow 1 can, too.
"""

from pathlib import Path
from typing import Any

from terminal import loading_tensorflow, read_options, say

with loading_tensorflow():
    import image_module
    import tensorflow as tf
    from digits import SECOND, make_dataset, make_task
    from keras_training import compare

    import tf1hub as hub

keras = tf.keras


def build_model(path: Path, fine_tune: bool) -> tuple[Any, Any]:
    """A classifier on top of the module, and the layer that holds the module."""
    layer = hub.KerasLayer(path, trainable=fine_tune)
    images = keras.Input([8, 8, 1], name="images")
    model = keras.Model({"images": images}, keras.layers.Dense(len(SECOND))(layer(images)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model, layer


def main() -> None:
    output, quick = read_options(__doc__, ["digits", "training"])
    tf.get_logger().setLevel("ERROR")
    keras.utils.set_random_seed(1)
    first = output / "digits"
    steps = 100 if quick else 400
    image_module.publish(first, steps)
    training, testing = make_task(SECOND, train=100)
    say(f"task: which of the digits {SECOND} does a picture show?")
    examples = make_dataset(training).shuffle(len(training.labels), seed=2).repeat()
    before, after = compare(build_model, first, output, steps, (examples, make_dataset(testing)))
    say(f"accuracy on {len(testing.labels)} unseen pictures: {before:.1%} before fine-tuning, {after:.1%} after")
    say(f"done. Everything is in {output}")


if __name__ == "__main__":
    main()
