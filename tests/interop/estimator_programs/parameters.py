"""The ways in which model functions take their arguments."""

import functools
import os

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

SEEN = []


class HParams:
    """What tf.contrib.training.HParams was."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def values(self):
        return dict(self.__dict__)


def spec(features, mode, rate):
    w = tf.get_variable("w", [], initializer=tf.ones_initializer())
    loss = tf.reduce_mean(features) * w * w
    train_op = tf.train.GradientDescentOptimizer(rate).minimize(loss, tf.train.get_or_create_global_step())
    return tf.estimator.EstimatorSpec(mode=mode, loss=loss, train_op=train_op, predictions={"w": w[tf.newaxis]})


def plain(features, labels, mode):
    return spec(features, mode, 0.1)


def without_labels(features, mode):
    return spec(features, mode, 0.2)


def with_params(features, labels, mode, params):
    SEEN.append(sorted(params))
    return spec(features, mode, params["rate"])


def with_hparams(features, labels, mode, params):
    SEEN.append(sorted(params.values()))
    return spec(features, mode, params.rate)


def with_config(features, labels, mode, params, config):
    SEEN.append([config.model_dir is not None, config.tf_random_seed, config.is_chief, config.task_type])
    return spec(features, mode, params["rate"])


def with_everything(features, labels=None, mode=None, params=None, config=None):
    return spec(features, mode, params["rate"] / 2.0)


def curried(rate, features, labels, mode):
    return spec(features, mode, rate)


class Model:
    def __init__(self, rate):
        self._rate = rate

    def __call__(self, features, labels, mode, params):
        return spec(features, mode, self._rate * params["rate"])

    def model_fn(self, features, labels, mode):
        return spec(features, mode, self._rate)


class MyEstimator(tf.estimator.Estimator):
    """Published wrappers inherited from Estimator."""

    def __init__(self, rate, model_dir=None, config=None):
        def _model_fn(features, labels, mode, params):
            return spec(features, mode, params["rate"] + rate)

        super().__init__(model_fn=_model_fn, model_dir=model_dir, config=config, params={"rate": 0.01})


def input_fn():
    return tf.data.Dataset.from_tensors([1.0, 3.0]).repeat(4)


def main(folder):
    params = {"rate": 0.3}
    made = {
        "plain": (plain, None),
        "without_labels": (without_labels, None),
        "with_params": (with_params, params),
        "with_hparams": (with_hparams, HParams(rate=0.3, name="a name")),
        "with_config": (with_config, params),
        "with_everything": (with_everything, params),
        "partial": (functools.partial(curried, 0.05), None),
        "callable": (Model(0.5), params),
        "method": (Model(0.25).model_fn, None),
    }
    results = {}
    for name, (model_fn, given) in made.items():
        estimator = tf.estimator.Estimator(model_fn, os.path.join(folder, name), params=given)
        estimator.train(input_fn)
        if name != "without_labels":
            results[name] = estimator.evaluate(input_fn)
        if not isinstance(given, HParams):
            estimator.params["changed"] = True
            results[name + " params"] = estimator.params
    mine = MyEstimator(0.02, os.path.join(folder, "mine"), tf.estimator.RunConfig(save_checkpoints_steps=2))
    mine.train(input_fn, max_steps=3)
    features = tf.constant([1.0])
    with tf.Graph().as_default():
        called = mine.model_fn(tf.constant([2.0]), None, "eval", mine.config)
    return {
        "results": results,
        "params": params,
        "seen": SEEN,
        "called": [called.mode, called.loss.name],
        "f": features.name,
    }
