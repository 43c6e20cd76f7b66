"""A small model with a state and a vocabulary, for the tests of what is exported of it to be served."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
TEXTS = ["a", "c", "b"]


def input_fn() -> Any:
    return tf.data.Dataset.from_tensors(({"text": TEXTS}, [1.0, 2.0, 3.0])).repeat()


def estimator_of(library: Any, folder: Path, export_outputs: Any = None, **more: Any) -> Any:
    """An Estimator of `library` that looks texts up. `export_outputs(library, scores)` and `scaffold()` are for its spec."""
    vocabulary = folder / "vocabulary.txt"
    vocabulary.write_text("a\nb\nc\n")

    def model_fn(features, labels, mode):
        lines = tf.lookup.TextFileInitializer(
            str(vocabulary),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        ids = tf.lookup.StaticVocabularyTable(lines, 1).lookup(features["text"])
        scores = tf.gather(v1.get_variable("scores", [4]), ids, name="scores_of_texts")
        calls = v1.get_variable("calls", [], initializer=v1.ones_initializer(), collections=["local_variables"])
        predictions = {"score": scores, "scaled": scores * calls}
        if mode == library.ModeKeys.PREDICT:
            outputs = export_outputs and export_outputs(library, scores)
            scaffold = more["scaffold"]() if "scaffold" in more else None
            return library.EstimatorSpec(mode, predictions, export_outputs=outputs, scaffold=scaffold)
        loss = tf.reduce_mean(tf.square(scores - labels))
        train_op = v1.train.GradientDescentOptimizer(0.1).minimize(loss, v1.train.get_global_step())
        return library.EstimatorSpec(mode, predictions, loss, train_op)

    return library.Estimator(model_fn, str(folder / "model"), more.get("config"))


def trained_estimator(library: Any, folder: Path, export_outputs: Any = None, **more: Any) -> Any:
    return estimator_of(library, folder, export_outputs, **more).train(input_fn, steps=2)


def receive_texts(library: Any) -> Any:
    """A serving input function with the texts themselves."""
    with tf.Graph().as_default():
        return library.export.build_raw_serving_input_receiver_fn({"text": tf.constant(TEXTS, name="texts")})


def predicted(estimator: Any) -> Any:
    """What the Estimator itself predicts for the texts."""
    rows = estimator.predict(lambda: tf.data.Dataset.from_tensors({"text": TEXTS}))
    return np.array([row["scaled"] for row in rows])
