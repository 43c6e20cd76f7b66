"""All that an input_fn may take and return."""

import functools
import os

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

SEEN = []


def model_fn(features, labels, mode):
    SEEN.append([mode, sorted(features) if isinstance(features, dict) else "tensor", labels is None])
    x = features["x"] if isinstance(features, dict) else features
    w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
    outputs = tf.cast(x, tf.float32) * w
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, {"y": outputs})
    labels = labels["y"] if isinstance(labels, dict) else labels
    goal = 3.0 if labels is None else tf.cast(labels, tf.float32)
    loss = tf.reduce_mean(tf.square(outputs - goal))
    train_op = tf.train.GradientDescentOptimizer(0.01).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


X, Y = np.array([1.0, 2.0, 3.0, 4.0], np.float32), np.array([2.0, 4.0, 6.0, 8.0], np.float32)


def tensors():
    return tf.constant(X), tf.constant(Y)


def features_only():
    return tf.constant(X)


def dictionaries():
    return {"x": tf.constant(X), "id": tf.range(4)}, {"y": tf.constant(Y)}


def dataset():
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(3)


def dataset_of_features():
    return tf.data.Dataset.from_tensor_slices({"x": X}).batch(2)


def dataset_of_dictionaries(mode, params, config):
    SEEN.append([mode, params["scale"], type(config).__name__])
    return tf.data.Dataset.from_tensor_slices(({"x": X * params["scale"]}, {"y": Y})).batch(4)


def iterator_with_initializer():
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(2)
    iterator = tf.data.make_initializable_iterator(data)
    tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    return iterator.get_next()


def queue():
    x, y = tf.train.slice_input_producer([tf.constant(X), tf.constant(Y)], num_epochs=2, shuffle=False)
    return tf.train.batch([x, y], 2)


def shuffled():
    return tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(4, seed=1).repeat(3).batch(2)


class Callable:
    def __call__(self, params):
        return tf.constant(X * params["scale"]), tf.constant(Y)


def scaled(scale, params):
    return tf.constant(X * scale * params["scale"]), tf.constant(Y)


def main(folder):
    estimator = tf.estimator.Estimator(
        lambda features, labels, mode, params: model_fn(features, labels, mode),
        os.path.join(folder, "model"),
        params={"scale": 0.5},
    )
    results = []
    functions = [tensors, features_only, dictionaries, dataset, dataset_of_features, dataset_of_dictionaries]
    functions += [iterator_with_initializer, queue, shuffled, Callable(), functools.partial(scaled, 2.0)]
    for function in functions:
        estimator.train(function, steps=2)
        results.append(estimator.evaluate(function, steps=1))
    limited = [tensors, features_only, dictionaries]
    for function in functions:
        if function not in limited and "scaled" not in repr(function) and not isinstance(function, Callable):
            results.append([outputs["y"] for outputs in estimator.predict(function)])
        else:
            predictions = estimator.predict(function)
            results.append([next(predictions)["y"] for _ in range(6)])
    return {"results": results, "seen": SEEN}
