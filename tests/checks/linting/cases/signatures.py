"""Signatures, inputs and outputs: what they are called, how large they are, and what they are computed from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, one_variant, rows
from tests.checks.linting.cases.registry import breaks, keeps
from tests.kerases import KERAS_TWO


def spec_of(outputs: Callable[[Any], Any], inputs: Callable[[], Any] = rows, name: str | None = None) -> hub.ModuleSpec:
    """A module with one signature."""

    def module_fn():
        taken = inputs()
        hub.add_signature(name, inputs=taken, outputs=outputs(taken))

    return one_variant(module_fn)


def batch(*shape: int | None) -> Callable[[], Any]:
    """Makes a placeholder of that shape."""
    return lambda: tf.placeholder(tf.float32, shape, name="x")


def keras_dense(x: Any, units: int = 3) -> Any:
    layer = KERAS_TWO.layers.Dense(units, kernel_regularizer=KERAS_TWO.regularizers.l2(0.01))
    made = layer(x)
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, layer.losses[0])
    return made


def sparse_product(x: Any) -> Any:
    weights = tf.get_variable("weights", [4, 3])
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(weights))
    return tf.sparse_tensor_dense_matmul(x, weights)


def layers_dense(x: Any) -> Any:
    return tf.layers.dense(x, 3, kernel_regularizer=KERAS_TWO.regularizers.l2(0.01))


@breaks("no-default-signature")
def _only_a_named_signature(folder: Path) -> Any:
    return spec_of(lambda x: dense(x, 3), name="features")


@breaks("no-default-signature")
def _two_named_signatures(folder: Path) -> Any:
    def module_fn():
        x = rows()
        hub.add_signature("first", inputs=x, outputs=layers_dense(x))
        hub.add_signature("second", inputs=x, outputs=dense(x, 2, "other"))

    return one_variant(module_fn)


@keeps("no-default-signature")
def _named_signature_beside_the_default_one(folder: Path) -> Any:
    def module_fn():
        x = rows()
        y = dense(x, 3)
        hub.add_signature(inputs=x, outputs=y)
        hub.add_signature("features", inputs=x, outputs=y)

    return one_variant(module_fn)


@breaks("no-default-output")
def _two_outputs_none_of_them_default(folder: Path) -> Any:
    return spec_of(lambda x: {"first": dense(x, 3, "a"), "second": dense(x, 3, "b")})


@breaks("no-default-output")
def _named_signature_without_default(folder: Path) -> Any:
    def module_fn():
        x = rows()
        y = layers_dense(x)
        hub.add_signature(inputs=x, outputs=y)
        hub.add_signature("features", inputs=x, outputs={"features": y})

    return one_variant(module_fn)


@keeps("no-default-output")
def _default_beside_others(folder: Path) -> Any:
    return spec_of(lambda x: {"default": dense(x, 3, "a"), "second": dense(x, 3, "b")})


@keeps("no-default-output")
def _facts_without_inputs(folder: Path) -> Any:
    def module_fn():
        x = rows()
        hub.add_signature(inputs=x, outputs=dense(x, 3))
        facts = {"lower_case": tf.constant(True), "labels": tf.constant(["a", "b"])}
        hub.add_signature("tokenization_info", outputs=facts)

    return one_variant(module_fn)


@breaks("input-not-placeholder")
def _cast_placeholder(folder: Path) -> Any:
    return spec_of(lambda x: dense(x, 3), lambda: tf.cast(tf.placeholder(tf.float64, [None, 4]), tf.float32))


@breaks("input-not-placeholder")
def _result_of_an_iterator_like_op(folder: Path) -> Any:
    return spec_of(keras_dense, lambda: tf.ensure_shape(tf.random_normal([tf.placeholder(tf.int32, []), 4]), [None, 4]))


@keeps("input-not-placeholder")
def _placeholder_with_a_default(folder: Path) -> Any:
    return spec_of(lambda x: dense(x, 3), lambda: tf.placeholder_with_default(tf.zeros([1, 4]), [None, 4]))


@keeps("input-not-placeholder")
def _sparse_placeholder(folder: Path) -> Any:
    return spec_of(sparse_product, lambda: tf.sparse_placeholder(tf.float32, [None, 4]))


@keeps("input-not-placeholder")
def _sparse_input_whose_shape_the_publisher_knows(folder: Path) -> Any:
    def module_fn():
        indices, values = tf.placeholder(tf.int64, [None, 2]), tf.placeholder(tf.float32, [None])
        counts = tf.SparseTensor(indices, values, tf.constant([500, 4], tf.int64))
        x = rows()
        hub.add_signature(
            inputs={"x": x, "counts": counts}, outputs=dense(x, 3) + tf.reduce_mean(sparse_product(counts), 0)
        )

    return one_variant(module_fn)


@breaks("unknown-shape")
def _input_of_unknown_rank(folder: Path) -> Any:
    return spec_of(
        lambda x: dense(tf.reshape(x, [-1, 4]), 3), lambda: tf.placeholder(tf.float32, tf.TensorShape(None), name="x")
    )


@breaks("unknown-shape")
def _input_of_unknown_width(folder: Path) -> Any:
    def product(x):
        weights = tf.get_variable("weights", [4, 3])
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(weights))
        return tf.matmul(x, weights)

    return spec_of(product, batch(None, None))


@breaks("unknown-shape")
def _output_of_unknown_rank(folder: Path) -> Any:
    return spec_of(lambda x: tf.reshape(dense(x, 3), tf.placeholder_with_default([-1, 3], None)))


@breaks("unknown-shape")
def _output_of_unknown_width(folder: Path) -> Any:
    return spec_of(lambda x: tf.reshape(keras_dense(x), tf.stack([tf.shape(x)[0], -1])))


@keeps("unknown-shape")
def _ids_and_attention_as_long_as_the_text(folder: Path) -> Any:
    def module_fn():
        ids = tf.placeholder(tf.int32, [None, None], name="ids")
        embeddings = tf.get_variable("embeddings", [20, 3])
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(embeddings))
        vectors = tf.gather(embeddings, ids)
        attention = tf.nn.softmax(tf.matmul(vectors, vectors, transpose_b=True))
        outputs = {"default": tf.reduce_mean(attention @ vectors, 1), "attention": attention}
        hub.add_signature(inputs={"ids": ids}, outputs=outputs)

    return one_variant(module_fn)


@keeps("unknown-shape")
def _sound_as_long_as_it_was(folder: Path) -> Any:
    def louder(x):
        return x * tf.get_variable("volume", [], initializer=tf.ones_initializer())

    return spec_of(louder, batch(None, None))


@keeps("unknown-shape")
def _a_number_for_each_row(folder: Path) -> Any:
    return spec_of(lambda x: tf.squeeze(dense(x, 1), 1))


@breaks("output-without-input")
def _labels_beside_scores(folder: Path) -> Any:
    return spec_of(lambda x: {"default": dense(x, 2), "labels": tf.constant(["cat", "dog"])})


@breaks("output-without-input")
def _wrong_tensor(folder: Path) -> Any:
    def made(x):
        y = layers_dense(x)
        bias = tf.get_variable("scale", [3], initializer=tf.ones_initializer())
        return {"default": y * bias, "scale": tf.identity(bias)}

    return spec_of(made)


@breaks("output-without-input")
def _loop_that_ignores_the_input(folder: Path) -> Any:
    def made(x):
        w = tf.get_variable("w", [], initializer=tf.ones_initializer())
        _, total = tf.while_loop(lambda i, _: i < 3, lambda i, total: (i + 1, total + w), [0, 0.0])
        return {"default": dense(x, 3) * w, "total": total}

    return spec_of(made)


@keeps("output-without-input")
def _number_of_rows(folder: Path) -> Any:
    return spec_of(lambda x: {"default": dense(x, 3), "rows": tf.shape(x)[0]})


@keeps("output-without-input")
def _through_a_function_and_a_branch(folder: Path) -> Any:
    def made(x):
        y = dense(x, 3)
        turned = tf.function(lambda value: -value)(y)
        return {"default": tf.cond(tf.reduce_sum(x) > 0, lambda: y, lambda: turned), "turned": turned}

    return spec_of(made)


@keeps("output-without-input")
def _facts_in_a_signature_of_their_own(folder: Path) -> Any:
    def module_fn():
        x = rows()
        hub.add_signature(inputs=x, outputs=dense(x, 2, "other"))
        hub.add_signature("labels", outputs=tf.constant(["cat", "dog"]))

    return one_variant(module_fn)


@breaks("output-without-variable")
def _scaled_input_beside_features(folder: Path) -> Any:
    return spec_of(lambda x: {"default": dense(x, 3), "scaled": x / 255.0})


@breaks("output-without-variable")
def _main_output_that_forgot_the_layer(folder: Path) -> Any:
    return spec_of(lambda x: {"default": tf.function(lambda y: y * 2.0)(x), "features": keras_dense(x)})


@keeps("output-without-variable")
def _lengths_beside_features(folder: Path) -> Any:
    return spec_of(lambda x: {"default": layers_dense(x), "rows": tf.shape(x)[0]})


@keeps("output-without-variable")
def _preparation_in_a_signature_of_its_own(folder: Path) -> Any:
    def module_fn():
        x = rows()
        hub.add_signature(inputs=x, outputs=dense(x, 3))
        hub.add_signature("scaled", inputs=x, outputs=x / 255.0)

    return one_variant(module_fn)


@keeps("output-without-variable")
def _no_variables_at_all(folder: Path) -> Any:
    return spec_of(lambda x: x / 255.0)


@keeps("output-without-variable")
def _variable_in_a_branch(folder: Path) -> Any:
    def made(x):
        w = tf.get_variable("w", [4], initializer=tf.ones_initializer())
        return tf.cond(tf.reduce_sum(x) > 0, lambda: x, lambda: x * w)

    return spec_of(made)


@breaks("tensor-repeated")
def _two_names_for_one_output(folder: Path) -> Any:
    def made(x):
        y = dense(x, 3)
        return {"default": y, "logits": y}

    return spec_of(made)


@breaks("tensor-repeated")
def _two_names_for_an_inner_output(folder: Path) -> Any:
    def made(x):
        hidden = layers_dense(x)
        return {"default": dense(hidden, 2, "last"), "hidden": hidden, "layer_1": hidden}

    return spec_of(made)


@keeps("tensor-repeated")
def _one_output_in_two_signatures(folder: Path) -> Any:
    def module_fn():
        x = rows()
        y = keras_dense(x)
        hub.add_signature(inputs=x, outputs=y)
        hub.add_signature("features", inputs=x, outputs=y)

    return one_variant(module_fn)


@keeps("tensor-repeated")
def _two_outputs_of_one_op(folder: Path) -> Any:
    def made(x):
        first, second = tf.split(dense(x, 6), 2, axis=1)
        return {"default": first, "second": second}

    return spec_of(made)
