"""How examples of classifiers and regressors are parsed."""

import pytest
import tensorflow as tf

from tf1hub.estimator import classifier_parse_example_spec, regressor_parse_example_spec

AGE = [tf.feature_column.numeric_column("age"), tf.feature_column.categorical_column_with_hash_bucket("word", 5)]
FEATURES = {"age": tf.io.FixedLenFeature((1,), tf.float32), "word": tf.io.VarLenFeature(tf.string)}


def test_a_classifier_has_a_class_id():
    label = tf.io.FixedLenFeature((1,), tf.int64, default_value=2)
    assert classifier_parse_example_spec(AGE, "y", label_default=2) == {**FEATURES, "y": label}


def test_a_regressor_has_numbers_and_an_example_a_weight():
    added = {"y": tf.io.FixedLenFeature((3,), tf.float32), "w": tf.io.FixedLenFeature((1,), tf.float32)}
    assert regressor_parse_example_spec(AGE, "y", label_dimension=3, weight_column="w") == {**FEATURES, **added}


@pytest.mark.parametrize(("key", "weight", "error"), [("age", None, ValueError), ("y", 3, TypeError)])
def test_what_cannot_be_is_refused(key, weight, error):
    with pytest.raises(error, match=r"age|weight_column"):
        classifier_parse_example_spec(AGE, key, weight_column=weight)
