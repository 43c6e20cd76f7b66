"""What the Keras examples share: a classifier on a module as it is, one that fine-tunes it, and the exports of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from terminal import say

import tf1hub as hub

BATCH = 64


def train(model: Any, steps: int, training: Any, testing: Any, *callbacks: Any) -> float:
    """Trains in four epochs. Returns the accuracy on the examples for testing.

    Args:
      steps: how many batches to train on.
      training, testing: a `tf.data.Dataset` of single examples each; the one for training is to be repeated.
    """
    unseen = testing.batch(BATCH)
    model.fit(
        training.batch(BATCH),
        epochs=4,
        steps_per_epoch=steps // 4,
        validation_data=unseen,
        callbacks=list(callbacks),
        shuffle=False,  # the examples are
        verbose=0,
    )
    return float(model.evaluate(unseen, return_dict=True, verbose=0)["accuracy"])


def compare(
    build_model: Callable[[Path, bool], tuple[Any, Any]], first: Path, output: Path, steps: int, task: tuple[Any, Any]
) -> tuple[float, float]:
    """The accuracies of a classifier on the module at `first`, as it is and fine-tuned; the modules exported on the way are
    tried out, too.

    Args:
      build_model: makes a model, and the layer in it, of a module's path and whether to fine-tune it.
      task: the examples for training and for testing, as `train` takes them.
    """
    say("training a classifier on the module as it is ...")
    model, _ = build_model(first, False)
    before = train(model, steps, *task)
    say("fine-tuning the module with the classifier ...")
    model, layer = build_model(first, True)
    latest, best = output / "training" / "latest", output / "training" / "best"
    callbacks = [
        hub.ModuleExportCallback(layer, latest, exports_to_keep=2),
        hub.ModuleExportCallback(layer, best, save_best_only=True, monitor="val_accuracy", exports_to_keep=1),
    ]
    after = train(model, steps, *task, *callbacks)
    for export in sorted(latest.iterdir()):
        say(f"exported the latest module: {export}")
    (exported,) = best.glob("[0-9]*")
    say(f"exported the best module: {exported}")
    model, _ = build_model(exported, False)
    say(f"a new classifier on the best module as it is: {train(model, steps, *task):.1%}")
    return before, after
