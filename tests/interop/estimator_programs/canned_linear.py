"""Canned linear models on TensorFlow's feature columns: weights, optimizers, partitions, parsing."""

import os

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

COLUMN = tf.feature_column
AGE = COLUMN.numeric_column("age")
AGES = COLUMN.bucketized_column(AGE, [20, 40, 60])
JOB = COLUMN.categorical_column_with_vocabulary_list("job", ["cook", "pilot", "clerk"])
TOWN = COLUMN.categorical_column_with_hash_bucket("town", 7)
BOTH = COLUMN.crossed_column([AGES, "job"], 11)
WIDE = [AGES, JOB, TOWN, BOTH]


def input_fn(label="binary", epochs=1):
    features = {
        "age": np.float32([18, 25, 33, 47, 59, 61, 70, 38]),
        "job": np.array(["cook", "pilot", "clerk", "cook", "none", "pilot", "clerk", "cook"]),
        "town": np.array(["a", "b", "c", "d", "a", "b", "c", "d"]),
        "weight": np.float32([1, 2, 1, 1, 0.5, 1, 1, 3]),
    }
    labels = {
        "binary": [0, 1, 1, 0, 1, 0, 0, 1],
        "three": [0, 1, 2, 0, 1, 2, 0, 1],
        "value": np.arange(8.0, dtype="f4"),
    }
    data = tf.data.Dataset.from_tensor_slices((features, labels[label]))
    return data.repeat(epochs).batch(4)


def run(estimator, label="binary", steps=6):
    estimator.train(lambda: input_fn(label, None), steps=steps)
    predictions = [{key: each[key] for key in sorted(each)} for each in estimator.predict(lambda: input_fn(label))]
    return {"metrics": estimator.evaluate(lambda: input_fn(label)), "predictions": predictions}


def main(folder):
    config = tf.estimator.RunConfig(tf_random_seed=6)

    def at(name):
        return {"model_dir": os.path.join(folder, name), "config": config}

    def optimizer():
        return tf.train.ProximalAdagradOptimizer(tf.train.exponential_decay(0.1, tf.train.get_global_step(), 2, 0.9))

    linear = tf.estimator.LinearClassifier(WIDE, **at("linear"), weight_column="weight")
    three = tf.estimator.LinearClassifier(WIDE, **at("three"), n_classes=3, optimizer="Ftrl", sparse_combiner="mean")
    regressor = tf.estimator.LinearRegressor([AGE, JOB], **at("regressor"), optimizer=optimizer, label_dimension=1)
    results = {"linear": run(linear), "three": run(three, "three"), "regressor": run(regressor, "value")}
    parsing = tf.estimator.classifier_parse_example_spec(WIDE, "label", tf.int64)
    receiver = tf.estimator.export.build_parsing_serving_input_receiver_fn(COLUMN.make_parse_example_spec(WIDE))
    linear.export_saved_model(os.path.join(folder, "served"), receiver)
    regressor.export_saved_model(
        os.path.join(folder, "served_value"),
        tf.estimator.export.build_parsing_serving_input_receiver_fn(COLUMN.make_parse_example_spec([AGE, JOB])),
    )
    return {"results": results, "parsing": {key: str(value) for key, value in sorted(parsing.items())}}
