"""The ways to ask for predictions."""

import os

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def model_fn(features, labels, mode):
    w = tf.get_variable("w", [3, 2])
    products = tf.matmul(features, w)
    predictions = {"products": products, "best": tf.argmax(products, 1), "words": tf.as_string(tf.argmax(products, 1))}
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions)
    loss = tf.reduce_sum(tf.square(products))
    train_op = tf.train.RMSPropOptimizer(0.1).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def single(features, labels, mode):
    return model_fn(features, labels, mode)._replace(predictions=features[:, 0])


def input_fn():
    return tf.data.Dataset.from_tensor_slices(np.float32(np.arange(15).reshape(5, 3))).batch(2)


def plain(prediction):
    return prediction if not isinstance(prediction, dict) else {key: prediction[key] for key in sorted(prediction)}


def main(folder):
    model_dir = os.path.join(folder, "model")
    config = tf.estimator.RunConfig(tf_random_seed=4, save_checkpoints_steps=1)
    estimator = tf.estimator.Estimator(model_fn, model_dir, config)
    estimator.train(input_fn)
    new = tf.estimator.Estimator(model_fn, os.path.join(folder, "new"), config)
    results = {
        "each": list(estimator.predict(input_fn)),
        "some": list(estimator.predict(input_fn, predict_keys=["best", "words"])),
        "one": list(estimator.predict(input_fn, predict_keys="best")),
        "batches": list(estimator.predict(input_fn, yield_single_examples=False)),
        "older": list(estimator.predict(input_fn, checkpoint_path=os.path.join(model_dir, "model.ckpt-1"))),
        "array": list(tf.estimator.Estimator(single, model_dir).predict(input_fn)),
        "arrays": list(tf.estimator.Estimator(single, model_dir).predict(input_fn, yield_single_examples=False)),
        "untrained": list(new.predict(input_fn)),
    }
    return {name: [plain(prediction) for prediction in found] for name, found in results.items()}
