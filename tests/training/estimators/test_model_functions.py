import functools

import pytest
import tensorflow.compat.v1 as tf

from tests.training.estimators.linear_model import input_fn
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub.estimator import EstimatorSpec
from tf1hub.training.estimators.model_functions import call_model_fn, declared_arguments


class Callable:
    def __call__(self, features, labels):
        return features, labels

    def method(self, features, mode):
        return features, mode


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (lambda features, labels, mode: 0, ("features", "labels", "mode")),
        (lambda features, *more, params=None, **others: 0, ("features",)),
        (functools.partial(lambda z, features, labels: 0, 3), ("features", "labels")),
        (functools.partial(lambda features, labels, z: 0, z=3), ("features", "labels")),
        (functools.partial(functools.partial(lambda y, z, features: 0, 1), 2), ("features",)),
        (Callable(), ("features", "labels")),
        (Callable().method, ("features", "mode")),
        (functools.partial(Callable().method, mode=1), ("features",)),
    ],
)
def test_the_arguments_that_are_left_to_give(function, names):
    assert declared_arguments(function) == names


def test_a_wrapped_function_has_the_arguments_of_what_it_wraps():
    def inner(features, labels):
        return 0

    @functools.wraps(inner)
    def outer(*args, **kwargs):
        return inner(*args, **kwargs)

    assert declared_arguments(outer) == ("features", "labels")


@pytest.mark.parametrize("kind", IMPLEMENTATIONS)
@pytest.mark.parametrize(
    ("model_fn", "params"),
    [
        (lambda labels: 0, None),
        (lambda features, labels, rate: 0, None),
        (lambda features, labels: 0, {"rate": 1}),
        (functools.partial(lambda features, rate, more: 0, rate=1), None),
        (None, None),
    ],
)
def test_a_function_that_does_not_fit_is_refused(kind, model_fn, params, tmp_path):
    with pytest.raises(ValueError, match="model_fn"):
        IMPLEMENTATIONS[kind].Estimator(model_fn, str(tmp_path), params=params)


def test_the_error_names_the_arguments_that_are_not_known():
    with pytest.raises(ValueError, match=r"\['rate', 'size'\]"):
        IMPLEMENTATIONS["ours"].Estimator(lambda features, rate, size: 0)


@pytest.mark.parametrize("kind", IMPLEMENTATIONS)
@pytest.mark.parametrize("model_fn", [lambda features: 0, lambda features, labels: "no spec"])
def test_a_function_that_takes_no_labels_or_gives_no_spec(kind, model_fn, tmp_path):
    model = IMPLEMENTATIONS[kind].Estimator(model_fn, str(tmp_path))
    with pytest.raises(ValueError, match="model_fn"):
        model.train(input_fn, steps=1)


def test_a_function_gets_what_it_declares_and_nothing_else():
    seen = {}

    def model_fn(features, params, mode):
        seen.update(features=features, params=params, mode=mode)
        return EstimatorSpec(mode, predictions=tf.constant([1.0]))

    with tf.Graph().as_default():
        call_model_fn(model_fn, 1, None, "infer", {"a": 2}, "config")
    assert seen == {"features": 1, "params": {"a": 2}, "mode": "infer"}
