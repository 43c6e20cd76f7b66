"""Canned deep models, and deep beside linear ones, on TensorFlow's feature columns; warm start."""

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
DEEP = [AGE, COLUMN.embedding_column(JOB, 3), COLUMN.indicator_column(AGES)]


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

    deep = {"activation_fn": tf.nn.tanh, "batch_norm": True}
    dnn = tf.estimator.DNNClassifier([6, 4], DEEP, **at("dnn"), dropout=0.2, **deep)
    weights = COLUMN.numeric_column("weight")
    regressor = tf.estimator.DNNRegressor([4], DEEP, **at("regressor"), weight_column=weights)
    combined = tf.estimator.DNNLinearCombinedClassifier(
        linear_feature_columns=WIDE,
        linear_optimizer="Ftrl",
        dnn_feature_columns=DEEP,
        dnn_optimizer="Adagrad",
        dnn_hidden_units=[5, 3],
        n_classes=3,
        **at("combined"),
    )
    value = tf.estimator.DNNLinearCombinedRegressor(
        linear_feature_columns=[JOB], dnn_feature_columns=DEEP, dnn_hidden_units=[4], **at("value")
    )
    results = {
        "dnn": run(dnn),
        "regressor": run(regressor, "value"),
        "combined": run(combined, "three"),
        "value": run(value, "value"),
    }
    warm = tf.estimator.DNNClassifier([6, 4], DEEP, **at("warm"), **deep, warm_start_from=dnn.model_dir)
    results["warm"] = run(warm, steps=1)
    spec = COLUMN.make_parse_example_spec([JOB, *DEEP])
    receiver = tf.estimator.export.build_parsing_serving_input_receiver_fn(spec)
    value.export_saved_model(os.path.join(folder, "served"), receiver)
    return results
