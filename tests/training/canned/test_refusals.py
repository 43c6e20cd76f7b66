"""What canned Estimators refuse, and with which exception: that of `tf.estimator`."""

import pytest
import tensorflow as tf

from tf1hub import estimator

AGE = [tf.feature_column.numeric_column("age")]


def classifier(**options):
    return estimator.DNNClassifier([2], AGE, **options)


def regressor(**options):
    return estimator.DNNRegressor([2], AGE, **options)


def build(model, labels, mode="train", features=None):
    """Calls the model_fn in a graph, and runs the loss."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.train.create_global_step()
        features = features or {"age": tf.constant([[1.0], [2.0], [3.0]])}
        labels = None if labels is None else tf.constant(labels)
        spec = model.model_fn(features, labels, mode, model.config)
        session.run([tf.compat.v1.global_variables_initializer(), tf.compat.v1.tables_initializer()])
        return session.run(spec.loss)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: classifier(n_classes=1), ValueError, "n_classes is 1"),
        (lambda: classifier(loss_reduction="none"), ValueError, "loss_reduction is 'none'"),
        (lambda: classifier(weight_column=3), TypeError, "weight_column"),
        (lambda: classifier(label_vocabulary="ab"), TypeError, "list or tuple"),
        (lambda: classifier(n_classes=3, label_vocabulary=["a"]), ValueError, "1 strings for 3 classes"),
        (lambda: regressor(label_dimension=0), ValueError, "label_dimension is 0"),
        (lambda: estimator.DNNClassifier([2], AGE[0]), ValueError, "come in a list"),
        (lambda: estimator.LinearClassifier(["age"]), ValueError, "'age' is none"),
        (lambda: estimator.DNNLinearCombinedClassifier(), ValueError, "no feature columns"),
        (lambda: estimator.DNNLinearCombinedRegressor(dnn_feature_columns=AGE), ValueError, "no dnn_hidden_units"),
    ],
)
def test_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "labels", "error", "message"),
    [
        (classifier, None, ValueError, "There are no labels"),
        (classifier, [[0, 1], [1, 0], [1, 0]], ValueError, "not one-hot"),
        (classifier, [0, 1, 2], tf.errors.InvalidArgumentError, "at most n_classes - 1"),
        (classifier, [0, -1, 1], tf.errors.InvalidArgumentError, "0 or more"),
        (lambda: classifier(n_classes=3), [0.0, 1.0, 2.0], ValueError, "Give integers from 0 to 2"),
        (
            lambda: classifier(n_classes=3, label_vocabulary=list("abc")),
            [0, 1, 2],
            ValueError,
            "Give labels of strings",
        ),
        (
            lambda: classifier(label_vocabulary=["a", "b"]),
            ["a", "b", "c"],
            tf.errors.InvalidArgumentError,
            "vocabulary",
        ),
        (regressor, [[0.0, 1.0]] * 3, ValueError, "label_dimension says"),
        (lambda: classifier(weight_column="zz"), [0, 1, 1], ValueError, "zz"),
        (lambda: classifier(optimizer="adam"), [0, 1, 1], ValueError, "Adagrad, Adam, Ftrl"),
        (lambda: classifier(optimizer=lambda: 3), [0, 1, 1], ValueError, "AdamOptimizer"),
        (lambda: classifier(optimizer=tf.keras.optimizers.Adam()), [0, 1, 1], ValueError, "Keras's optimizers"),
        (lambda: estimator.DNNClassifier([2], []), [0, 1, 1], ValueError, "feature_columns"),
        (lambda: estimator.LinearClassifier([]), [0, 1, 1], ValueError, "no feature columns"),
    ],
)
def test_labels_and_what_the_graph_is_made_of(make, labels, error, message):
    with pytest.raises(error, match=message):
        build(make(), labels)


def test_features_without_names():
    with pytest.raises(ValueError, match="dict of tensors by name"):
        build(classifier(), [0, 1, 1], features=[1.0])


@pytest.mark.parametrize("make", [classifier, estimator.LinearClassifier])
def test_what_can_be_is_not_refused(make):
    model = make() if make is classifier else make(AGE)
    assert build(model, [0, 1, 1]) > 0
