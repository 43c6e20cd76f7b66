"""Modules of images: feature vectors, classifications, near misses, and what takes or gives images otherwise."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, one_variant, rows
from tests.checks.linting.cases.registry import breaks, keeps
from tests.kerases import KERAS_TWO

FEATURES, CLASSIFICATION = "image_feature_vector", "image_classification"
L2 = 0.01


def images(shape: Any = (None, 8, 8, 3), dtype: Any = tf.float32) -> Any:
    return tf.placeholder(dtype, shape, name="images")


def conv(pixels: Any, filters: int = 4, name: str = "conv") -> Any:
    """A layer of raw ops, with a loss for its filters."""
    kernel = tf.get_variable(f"{name}/kernel", [3, 3, pixels.shape[3], filters])
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, L2 * tf.nn.l2_loss(kernel))
    return tf.nn.relu(tf.nn.conv2d(pixels, kernel, strides=[1, 1, 1, 1], padding="SAME"))


def pooled(pixels: Any) -> Any:
    return tf.reduce_mean(conv(pixels), [1, 2])


def logits(pixels: Any) -> Any:
    return dense(pooled(pixels), 5)


def spec_of(
    outputs: Callable[[Any], Any] = pooled,
    pixels: Callable[[], Any] = images,
    names: tuple[str | None, ...] = (None, FEATURES),
    key: str = "images",
    size: int | None = None,
) -> hub.ModuleSpec:
    """A module with one input of images, its signature under several names."""

    def module_fn():
        taken = pixels()
        made = outputs(taken)
        for name in names:
            hub.add_signature(name, inputs={key: taken}, outputs=made)
        if size is not None:
            info = hub.ImageModuleInfo()
            info.default_image_size.height = info.default_image_size.width = size
            hub.attach_image_module_info(info)

    return one_variant(module_fn)


@breaks("image-signature")
def _bytes_for_pixels(folder: Path) -> Any:
    return spec_of(lambda pixels: pooled(tf.cast(pixels, tf.float32)), lambda: images(dtype=tf.uint8))


@breaks("image-signature")
def _another_name_for_the_input(folder: Path) -> Any:
    return spec_of(key="x")


@breaks("image-signature")
def _no_named_signature(folder: Path) -> Any:
    return spec_of(names=(None,))


@breaks("image-signature")
def _no_size(folder: Path) -> Any:
    return spec_of(pixels=lambda: images([None, None, None, 3]))


@breaks("image-signature")
def _not_squeezed(folder: Path) -> Any:
    return spec_of(lambda pixels: tf.reduce_mean(conv(pixels), [1, 2], keepdims=True))


@breaks("image-signature")
def _gray(folder: Path) -> Any:
    return spec_of(pixels=lambda: images([None, 8, 8, 1]))


@breaks("image-signature")
def _half_precision(folder: Path) -> Any:
    return spec_of(lambda pixels: tf.cast(pooled(pixels), tf.float16))


@breaks("image-signature")
def _width_lost(folder: Path) -> Any:
    def flattened(pixels):
        features = conv(pixels)
        return tf.reshape(features, tf.stack([tf.shape(features)[0], -1]))

    return spec_of(flattened)


@breaks("image-signature")
def _another_input_beside_the_images(folder: Path) -> Any:
    def module_fn():
        taken = {"images": images(), "scale": tf.placeholder_with_default(1.0, [], name="scale")}
        made = pooled(taken["images"] * taken["scale"])
        for name in (None, FEATURES):
            hub.add_signature(name, inputs=taken, outputs=made)

    return one_variant(module_fn)


@breaks("image-signature")
def _layers_without_a_named_signature(folder: Path) -> Any:
    def features(pixels):
        kernel = tf.layers.conv2d(pixels, 4, 3, kernel_regularizer=KERAS_TWO.regularizers.l2(L2))
        return tf.layers.dense(tf.layers.flatten(kernel), 5, kernel_regularizer=KERAS_TWO.regularizers.l2(L2))

    return spec_of(features, names=(None,))


@breaks("image-signature", needs="tf_slim")
def _slim_without_a_size(folder: Path) -> Any:
    def features(pixels):
        import tf_slim

        with tf_slim.arg_scope([tf_slim.conv2d], weights_regularizer=tf_slim.l2_regularizer(L2)):
            net = tf_slim.conv2d(pixels, 4, [3, 3])
            return tf.reduce_mean(net, [1, 2])

    return spec_of(features, lambda: images([None, None, None, 3]))


@breaks("fixed-batch-size")
def _eight_images(folder: Path) -> Any:
    """The rule about images leaves it to that one."""
    return spec_of(pixels=lambda: images([8, 8, 8, 3]))


@keeps("image-signature")
def _feature_vector(folder: Path) -> Any:
    return spec_of()


@keeps("image-signature")
def _classification_of_any_size(folder: Path) -> Any:
    return spec_of(logits, lambda: images([None, None, None, 3]), (None, CLASSIFICATION), size=8)


@keeps("image-signature")
def _both(folder: Path) -> Any:
    def module_fn():
        pixels = images()
        features = pooled(pixels)
        classes = dense(features, 5)
        hub.add_signature(inputs={"images": pixels}, outputs=features)
        hub.add_signature(FEATURES, inputs={"images": pixels}, outputs={"default": features, "classes": classes})
        hub.add_signature(CLASSIFICATION, inputs={"images": pixels}, outputs=classes)

    return one_variant(module_fn)


@keeps("image-signature")
def _features_in_a_function(folder: Path) -> Any:
    def features(pixels):
        kernel = tf.get_variable("kernel", [3, 3, 3, 4])
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, L2 * tf.nn.l2_loss(kernel))

        @tf.function
        def net(x, filters):
            return tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(x, filters, 1, "SAME")), [1, 2])

        return net(pixels, tf.convert_to_tensor(kernel))

    return spec_of(features)


@keeps("image-signature")
def _images_from_images(folder: Path) -> Any:
    return spec_of(lambda pixels: conv(pixels, 3), names=(None,))


@keeps("image-signature")
def _boxes(folder: Path) -> Any:
    return spec_of(lambda pixels: tf.reshape(dense(pooled(pixels), 40), [-1, 10, 4]), names=(None,))


@keeps("image-signature")
def _spectrograms(folder: Path) -> Any:
    return spec_of(pixels=lambda: images([None, 16, 8, 1]), names=(None,), key="spectrograms")


@keeps("image-signature")
def _images_from_vectors(folder: Path) -> Any:
    def module_fn():
        noise = rows()
        hub.add_signature(inputs={"noise": noise}, outputs=tf.reshape(dense(noise, 48), [-1, 4, 4, 3]))

    return one_variant(module_fn)


def _classes(made: Callable[[Any], Any], names: tuple[str | None, ...] = (None, CLASSIFICATION)) -> hub.ModuleSpec:
    return spec_of(lambda pixels: made(logits(pixels)), names=names)


@breaks("classification-softmax")
def _softmax_of_raw_ops(folder: Path) -> Any:
    return _classes(tf.nn.softmax)


@breaks("classification-softmax")
def _softmax_written_out(folder: Path) -> Any:
    def probabilities(x):
        powers = tf.exp(x)
        return powers / tf.reduce_sum(powers, 1, keepdims=True)

    return _classes(probabilities)


@breaks("classification-softmax")
def _softmax_in_a_function(folder: Path) -> Any:
    return _classes(tf.function(lambda x: tf.nn.softmax(x)))


@breaks("classification-softmax")
def _softmax_of_a_keras_layer(folder: Path) -> Any:
    def probabilities(pixels):
        regularizer = KERAS_TWO.regularizers.l2(L2)
        layer = KERAS_TWO.layers.Dense(5, "softmax", kernel_regularizer=regularizer)
        made = layer(tf.reshape(pixels, [-1, 192]))
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, layer.losses[0])
        return made

    return spec_of(probabilities, names=(None, CLASSIFICATION))


@breaks("classification-softmax", needs="tf_slim")
def _softmax_of_slim(folder: Path) -> Any:
    def probabilities(pixels):
        import tf_slim

        return tf_slim.softmax(logits(pixels))

    return spec_of(probabilities, names=(None, CLASSIFICATION))


@breaks("classification-softmax")
def _softmax_of_a_classifier_of_rows(folder: Path) -> Any:
    def module_fn():
        inputs = rows()
        hidden = dense(inputs, 5)
        hub.add_signature(inputs=inputs, outputs=hidden)
        hub.add_signature("iris_classifier", inputs=inputs, outputs=tf.nn.softmax(hidden))

    return one_variant(module_fn)


@breaks("classification-softmax")
def _softmax_of_pictures_in_grey(folder: Path) -> Any:
    def module_fn():
        pixels = tf.placeholder(tf.float32, [None, 8, 8, 1], name="x")
        hub.add_signature(inputs=pixels, outputs=tf.nn.softmax(dense(tf.reshape(pixels, [-1, 64]), 5)))

    return one_variant(module_fn)


@breaks("classification-softmax")
def _softmax_of_texts(folder: Path) -> Any:
    def module_fn():
        texts = tf.placeholder(tf.string, [None], name="texts")
        words = tf.one_hot(tf.strings.to_hash_bucket_fast(texts, 10), 10)
        hub.add_signature(inputs=texts, outputs=tf.nn.softmax(dense(words, 5)))

    return one_variant(module_fn)


@keeps("classification-softmax")
def _logits_beside_probabilities(folder: Path) -> Any:
    return _classes(lambda x: {"default": x, "probabilities": tf.nn.softmax(x)})


@keeps("classification-softmax")
def _logarithms_of_probabilities(folder: Path) -> Any:
    return _classes(tf.nn.log_softmax)


@keeps("classification-softmax")
def _attention_inside(folder: Path) -> Any:
    def attended(pixels):
        regions = tf.reshape(conv(pixels), [-1, 64, 4])
        weights = tf.nn.softmax(tf.reduce_sum(regions, 2))
        return dense(tf.reduce_sum(regions * tf.expand_dims(weights, 2), 1), 5)

    return spec_of(attended, names=(None, CLASSIFICATION))


@keeps("classification-softmax")
def _shares_of_a_whole(folder: Path) -> Any:
    """Not a classification: what it gives adds up to one, and is meant to."""

    def module_fn():
        inputs = rows()
        hub.add_signature(inputs=inputs, outputs=tf.nn.softmax(dense(inputs, 5)))

    return one_variant(module_fn)
