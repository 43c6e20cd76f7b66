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
    from digits import SECOND, Examples, make_dataset, make_task

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


def train(model: Any, steps: int, training: Examples, testing: Examples, *callbacks: Any) -> float:
    """Trains in four epochs. Returns the accuracy on the pictures for testing."""
    batches = make_dataset(training).shuffle(len(training.labels), seed=2).repeat().batch(64)
    unseen = make_dataset(testing).batch(64)
    model.fit(
        batches,
        epochs=4,
        steps_per_epoch=steps // 4,
        validation_data=unseen,
        callbacks=list(callbacks),
        shuffle=False,  # the batches are
        verbose=0,
    )
    return float(model.evaluate(unseen, return_dict=True, verbose=0)["accuracy"])


def main() -> None:
    output, quick = read_options(__doc__, ["digits", "training"])
    tf.get_logger().setLevel("ERROR")
    keras.utils.set_random_seed(1)
    first = output / "digits"
    steps = 100 if quick else 400
    image_module.publish(first, steps)
    training, testing = make_task(SECOND, train=100)
    say(f"task: which of the digits {SECOND} does a picture show?")
    say(f"training a classifier on the module as it is, with {len(training.labels)} pictures ...")
    model, _ = build_model(first, fine_tune=False)
    before = train(model, steps, training, testing)
    say("fine-tuning the module with the classifier ...")
    model, layer = build_model(first, fine_tune=True)
    latest, best = output / "training" / "latest", output / "training" / "best"
    callbacks = [
        hub.ModuleExportCallback(layer, latest, exports_to_keep=2),
        hub.ModuleExportCallback(layer, best, save_best_only=True, monitor="val_accuracy", exports_to_keep=1),
    ]
    after = train(model, steps, training, testing, *callbacks)
    say(f"accuracy on {len(testing.labels)} unseen pictures: {before:.1%} before fine-tuning, {after:.1%} after")
    for export in sorted(latest.iterdir()):
        say(f"exported the latest module: {export}")
    (exported,) = best.glob("[0-9]*")
    say(f"exported the best module: {exported}")
    model, _ = build_model(exported, fine_tune=False)
    again = train(model, steps, training, testing)
    say(f"a new classifier on the best module as it is: {again:.1%}")
    say(f"done. Everything is in {output}")


if __name__ == "__main__":
    main()
