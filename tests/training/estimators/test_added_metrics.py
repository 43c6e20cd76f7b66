"""add_metrics: evaluations of an Estimator with more metrics. Where TensorFlow has tf.estimator, it does the same."""

import pytest
import tensorflow as tf

from tests.training.estimators.served import TEXTS, trained_estimator
from tests.training.implementations import IMPLEMENTATIONS
from tf1hub import estimator as ours

v1 = tf.compat.v1


@pytest.fixture(params=IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS.keys())
def library(request):
    return request.param


def one_batch():
    return tf.data.Dataset.from_tensors(({"text": TEXTS}, [1.0, 2.0, 6.0]))


def test_metrics_are_added(library, tmp_path):
    estimator = trained_estimator(library, tmp_path)

    def metric_fn(labels, predictions):
        return {"mean": v1.metrics.mean(labels), "score": v1.metrics.mean(predictions["score"])}

    more = library.add_metrics(estimator, metric_fn)
    found = more.evaluate(one_batch)
    assert sorted(found) == ["global_step", "loss", "mean", "score"]
    assert found["mean"] == 3.0
    assert found["loss"] == estimator.evaluate(one_batch)["loss"]
    assert (type(more), more.model_dir) == (library.Estimator, estimator.model_dir)


def test_a_metric_of_the_same_name_takes_the_place(library, tmp_path):
    first = library.add_metrics(trained_estimator(library, tmp_path), lambda: {"mean": v1.metrics.mean(1.0)})
    assert library.add_metrics(first, lambda: {"mean": v1.metrics.mean(2.0)}).evaluate(one_batch)["mean"] == 2.0


def test_a_function_can_take_everything(library, tmp_path):
    seen = []

    def metric_fn(features, labels, predictions, config):
        seen.extend([list(features), labels.dtype, sorted(predictions), type(config)])
        return {}

    library.add_metrics(trained_estimator(library, tmp_path), metric_fn).evaluate(one_batch)
    assert seen == [["text"], tf.float32, ["scaled", "score"], library.RunConfig]


def test_an_unknown_argument_is_refused(library, tmp_path):
    with pytest.raises(ValueError, match="params"):
        library.add_metrics(trained_estimator(library, tmp_path), lambda params: {})


def test_training_starts_where_it_would_have(tmp_path):
    source = trained_estimator(ours, tmp_path)

    def model_fn(features, labels, mode):
        scores = v1.get_variable("scores", [4])
        train_op = v1.assign_add(v1.train.get_global_step(), 1)
        return ours.EstimatorSpec(mode, scores, tf.reduce_sum(scores), train_op)

    estimator = ours.Estimator(model_fn, tmp_path / "warm", warm_start_from=source.model_dir)
    ours.add_metrics(estimator, lambda labels: {}).train(one_batch, steps=1)
    assert list(estimator.get_variable_value("scores")) == list(source.get_variable_value("scores"))
