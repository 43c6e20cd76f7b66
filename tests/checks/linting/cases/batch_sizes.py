"""Inputs of signatures that take one number of examples, or any."""

from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, one_variant, rows
from tests.checks.linting.cases.registry import breaks, keeps
from tests.checks.linting.cases.signatures import batch, keras_dense, layers_dense, spec_of


@breaks("fixed-batch-size")
def _eight_rows(folder: Path) -> Any:
    return spec_of(lambda x: dense(x, 3), batch(8, 4))


@breaks("fixed-batch-size")
def _eight_rows_of_layers(folder: Path) -> Any:
    return spec_of(layers_dense, batch(8, 4))


@breaks("fixed-batch-size")
def _eight_rows_of_keras(folder: Path) -> Any:
    return spec_of(keras_dense, batch(8, 4))


@breaks("fixed-batch-size")
def _eight_texts(folder: Path) -> Any:
    """The rule about texts leaves it to this one."""

    def embed(texts):
        embeddings = tf.get_variable("embeddings", [20, 3])
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(embeddings))
        return tf.gather(embeddings, tf.string_to_hash_bucket_fast(texts, 20))

    return spec_of(embed, lambda: tf.placeholder(tf.string, [8]))


@breaks("fixed-batch-size")
def _one_row_to_a_vector(folder: Path) -> Any:
    """The output does not show it."""
    return spec_of(lambda x: tf.squeeze(dense(x, 3), 0), batch(1, 4))


@keeps("fixed-batch-size")
def _open_batch(folder: Path) -> Any:
    return spec_of(lambda x: dense(x, 3), batch(None, 4))


@keeps("fixed-batch-size")
def _settings_beside_the_batch(folder: Path) -> Any:
    def module_fn():
        inputs = {
            "x": rows(),
            "scales": tf.placeholder(tf.float32, [3], name="scales"),
            "rate": tf.placeholder_with_default(0.5, [], name="rate"),
            "style": tf.placeholder(tf.float32, [1, 3], name="style"),
        }
        outputs = dense(inputs["x"], 3) * inputs["scales"] * inputs["rate"] + inputs["style"]
        hub.add_signature(inputs=inputs, outputs={"default": outputs, "signs": tf.sign(inputs["scales"]) > 0})

    return one_variant(module_fn)


def _of_batches(*variants: tuple[set[str], int | None]) -> hub.ModuleSpec:
    def module_fn(size):
        x = tf.placeholder(tf.float32, [size, 4], name="x")
        hub.add_signature(inputs=x, outputs=dense(x, 3))

    return hub.create_module_spec(module_fn, tags_and_args=[(tags, {"size": size}) for tags, size in variants])


@keeps("fixed-batch-size")
def _variant_for_a_device_that_needs_to_know(folder: Path) -> Any:
    return _of_batches((set(), None), ({"bs8"}, 8))


@breaks("fixed-batch-size")
def _variant_to_train_that_takes_eight_rows(folder: Path) -> Any:
    return _of_batches((set(), None), ({"train"}, 8))


@keeps("fixed-batch-size")
def _twenty_steps_of_any_number_of_examples(folder: Path) -> Any:
    """The time comes first, and no output has it."""
    return spec_of(lambda x: dense(tf.reduce_mean(x, 0), 3), batch(20, None, 8))


@breaks("fixed-batch-size")
def _one_picture_of_any_size(folder: Path) -> Any:
    """An output is of one row, too."""
    return spec_of(lambda x: dense(tf.reduce_mean(x, [1, 2]), 3), batch(1, None, None, 2))


@keeps("fixed-batch-size")
def _one_scalar(folder: Path) -> Any:
    return spec_of(lambda x: dense(tf.reshape(x, [1, 1]), 3), batch())
