"""Measures on the digits what the advice to publishers is worth: a table for the guide, and a plot.

    .venv/bin/python -m scripts.measure_advice

It writes the table into docs/advice-for-publishers.md, between its marks, and docs/images/advice.png. A module learns the
digits 0 to 4 from 700 pictures. It is published in several ways, always with the same weights, fine-tuned to tell 5 to 9 apart
with 200 pictures, and asked about the others. The ways differ in what their row says and in nothing else; each number is the
mean of five seeds. Fixed seeds and one thread give the same numbers with every run on one machine.
"""

import os
import random
import re
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))  # for the digits

import numpy as np
import tensorflow.compat.v1 as tf
from digits import FIRST, SECOND, Examples, make_task

import tf1hub as hub

ROOT = Path(__file__).parents[1]
GUIDE, PLOT = ROOT / "docs/advice-for-publishers.md", ROOT / "docs/images/advice.png"
SEEDS = range(5)
FEATURES = 32
PICTURES, STEPS, BATCH, EVERY = 200, 400, 20, 50
ONE_THREAD = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
TRAIN = frozenset({"train"})


@dataclass(frozen=True)
class Way:
    """How a module is published; whether its user runs the update ops, and how many of the user's labels are wrong."""

    momentum: float = 0.9
    dropout: float = 0.3
    dropout_in_inference: bool = False
    regularization: float = 0.01
    has_training_variant: bool = True
    runs_update_ops: bool = True
    is_normalized: bool = True
    wrong_labels: float = 0.0


PLAIN = Way(dropout=0.0, regularization=0.03, is_normalized=False)
NOISY = replace(PLAIN, wrong_labels=0.2)
WAYS = {
    "momentum 0.9, dropout rate 0.3": Way(),
    "momentum 0.99": Way(momentum=0.99),
    "momentum 0.999": Way(momentum=0.999),
    "update ops not run": Way(runs_update_ops=False),
    "no variant to train": Way(has_training_variant=False),
    "dropout active at inference": Way(dropout_in_inference=True),
    "dropout rate 0.8": Way(dropout=0.8),
    "a fifth of the labels wrong: regularization losses": NOISY,
    "the same without regularization losses": replace(NOISY, regularization=0.0),
    "the same, dropout rate 0.3 in their place": replace(NOISY, regularization=0.0, dropout=0.3),
}
LEFT = ("momentum 0.9, dropout rate 0.3", "momentum 0.99", "momentum 0.999", "update ops not run")


class Measured(dict[str, np.ndarray]):
    """For each way the means over the seeds: [checkpoints, (accuracy, loss, agreement with itself)]."""


def make_spec(way: Way, seed: int) -> hub.ModuleSpec:
    """A module from images [batch, 8, 8, 1] to features."""

    def module_fn(training: bool) -> None:
        tf.set_random_seed(seed)  # of the initializers and of dropout: they keep it wherever the module is used
        images = tf.placeholder(tf.float32, [None, 8, 8, 1])
        layer = tf.reshape(images, [-1, 64])
        for name, units in (("wide", 128), ("features", FEATURES)):
            with tf.variable_scope(name):
                kernel = tf.get_variable("kernel", [layer.shape[1], units])
                layer = layer @ kernel
                if way.is_normalized:
                    layer = tf.layers.batch_normalization(layer, training=training, momentum=way.momentum)
            layer = tf.nn.relu(layer)
            if way.regularization:
                tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, way.regularization * tf.nn.l2_loss(kernel))
            if way.dropout and (training or way.dropout_in_inference):
                layer = tf.nn.dropout(layer, rate=way.dropout)
        hub.add_signature(inputs={"images": images}, outputs=layer)

    variants = [(set(), {"training": False}), (set(TRAIN), {"training": True})]
    return hub.create_module_spec(module_fn, variants[: 1 + way.has_training_variant])


def classify(features: Any) -> Any:
    """The logits of five digits."""
    with tf.variable_scope("head"):
        return features @ tf.get_variable("kernel", [FEATURES, 5]) + tf.get_variable("bias", [5])


def train(module_or_spec: Any, way: Way, seed: int, examples: Examples, steps: int, folder: Path) -> list[str]:
    """Trains a module with a classifier on it; the checkpoints, one before the first step."""
    random.seed(seed)  # the seeds of tf.layers' initializers come from here
    batches = np.random.RandomState(seed)
    with tf.Graph().as_default(), tf.Session(config=ONE_THREAD) as session:
        tf.set_random_seed(seed)
        images, digits = tf.placeholder(tf.float32, [None, 8, 8, 1]), tf.placeholder(tf.int64, [None])
        module = hub.Module(module_or_spec, trainable=True, tags=TRAIN if way.has_training_variant else None)
        loss = tf.losses.sparse_softmax_cross_entropy(digits, classify(module(images)))
        update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS) if way.runs_update_ops else []
        with tf.control_dependencies(update_ops):
            step = tf.train.AdamOptimizer(0.003).minimize(loss + tf.losses.get_regularization_loss())
        saver, checkpoints = tf.train.Saver(max_to_keep=None), []
        session.run(tf.global_variables_initializer())
        for number in range(steps + 1):
            if number % EVERY == 0:
                checkpoints.append(saver.save(session, str(folder / "model"), number, write_meta_graph=False))
            batch = batches.randint(len(examples.labels), size=BATCH)
            session.run(step, {images: examples.images[batch], digits: examples.labels[batch]})
    return checkpoints


def with_wrong_labels(examples: Examples, share: float, seed: int) -> Examples:
    """The examples, of which some say that they are another digit."""
    chance = np.random.RandomState(seed)
    count = len(examples.labels)
    wrong = chance.permutation(count)[: int(share * count)]
    labels = examples.labels.copy()
    labels[wrong] = (labels[wrong] + chance.randint(1, 5, len(wrong))) % 5
    return examples._replace(labels=labels)


def evaluate(path: Path, checkpoints: Sequence[str], unseen: Examples) -> list[tuple[float, ...]]:
    """What the variant for inference achieves with each checkpoint."""
    with tf.Graph().as_default(), tf.Session(config=ONE_THREAD) as session:
        tf.set_random_seed(1)
        images, digits = tf.placeholder(tf.float32, [None, 8, 8, 1]), tf.placeholder(tf.int64, [None])
        logits = classify(hub.Module(path)(images))
        loss = tf.losses.sparse_softmax_cross_entropy(digits, logits)
        answer, saver, found = tf.argmax(logits, 1), tf.train.Saver(), []
        feeds = {images: unseen.images, digits: unseen.labels}
        for checkpoint in checkpoints:
            saver.restore(session, checkpoint)
            answers, value = session.run([answer, loss], feeds)
            again = session.run(answer, feeds)
            found.append((np.mean(answers == unseen.labels), value, np.mean(answers == again)))
        return found


def measure(ways: Mapping[str, Way], seeds: Sequence[int]) -> Measured:
    """Publishes and fine-tunes in each way with each seed."""
    found: dict[str, list[Any]] = {name: [] for name in ways}
    first, _ = make_task(FIRST, train=700)
    seen, unseen = make_task(SECOND, train=PICTURES)
    for seed in seeds:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            learned = {
                way: train(make_spec(way, seed), way, seed, first, 1000, folder / f"learning{number}")[-1]
                for number, way in enumerate((Way(), PLAIN))
            }
            for number, (name, way) in enumerate(ways.items()):
                path = folder / f"module{number}"
                checkpoint = learned[Way() if way.is_normalized else PLAIN]
                make_spec(way, seed).export(
                    path, checkpoint_path=checkpoint, name_transform_fn=lambda each: f"module/{each}"
                )
                tuning = folder / f"tuning{number}"
                checkpoints = train(path, way, seed, with_wrong_labels(seen, way.wrong_labels, seed), STEPS, tuning)
                found[name].append(evaluate(path, checkpoints, unseen))
    return Measured({name: np.mean(each, axis=0) for name, each in found.items()})


def table_of(measured: Measured) -> str:
    """The table in Markdown."""
    shown = (50, 100, 200, 400)
    heads = ["", *(f"right after {steps} steps" for steps in shown), "loss then", "same answer when asked again"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, values in measured.items():
        cells = [f"{values[steps // EVERY][0]:.1%}" for steps in shown]
        lines.append(f"| {' | '.join([name, *cells, f'{values[-1][1]:.2f}', f'{values[-1][2]:.1%}'])} |")
    return "\n".join(lines)


def draw(measured: Measured, path: Path) -> None:
    """The accuracy while the module is fine-tuned, by momentum, and for what else costs most."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    right = [name for name, way in WAYS.items() if way.wrong_labels]
    figure, panels = pyplot.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
    titles = ("Batch normalization", "A fifth of the labels wrong")
    for panel, names, title in zip(panels, (LEFT, right), titles, strict=True):
        for name in names:
            values = measured[name]
            panel.plot(
                EVERY * np.arange(1, len(values)),
                100 * values[1:, 0],
                marker="o",
                markersize=3,
                label=name.split(": ")[-1],
            )
        panel.set(title=title, xlabel="steps of fine-tuning, 20 of 200 pictures each")
        panel.grid(alpha=0.3)
        panel.legend(loc="lower right", fontsize=8)
    panels[0].set(ylabel="right answers for unseen pictures, %", ylim=(60, 100))
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main() -> None:
    warnings.filterwarnings("ignore", message="`tf.layers")
    tf.logging.set_verbosity(tf.logging.ERROR)
    measured = measure(WAYS, SEEDS)
    table = table_of(measured)
    print(table)
    text = GUIDE.read_text(encoding="utf-8")
    marks = r"(<!-- measured -->\n).*?(<!-- end -->)"
    GUIDE.write_text(re.sub(marks, rf"\1{table}\n\2", text, flags=re.DOTALL), encoding="utf-8")
    draw(measured, PLOT)


if __name__ == "__main__":
    main()
