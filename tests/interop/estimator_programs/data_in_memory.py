"""Arrays and data frames as input, queues behind them; metrics added to a canned estimator."""

import os

import numpy as np
import pandas as pd
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

inputs = tf.estimator.inputs


def my_metrics(labels, predictions, features):
    return {
        "rmse": tf.metrics.root_mean_squared_error(tf.cast(labels, tf.float32), predictions["logistic"][:, 0]),
        "mean_x": tf.metrics.mean(features["x"]),
    }


def main(folder):
    x = np.linspace(-1, 1, 11).astype(np.float32)
    frame = pd.DataFrame({"x": x, "z": x * x})
    labels = pd.Series((x > 0).astype(int))
    columns = [tf.feature_column.numeric_column("x"), tf.feature_column.numeric_column("z")]
    estimator = tf.estimator.LinearClassifier(
        columns, os.path.join(folder, "model"), config=tf.estimator.RunConfig(tf_random_seed=1)
    )
    estimator = tf.estimator.add_metrics(estimator, my_metrics)
    shuffled = inputs.numpy_input_fn({"x": x, "z": x * x}, labels.to_numpy(), batch_size=4, num_epochs=5, shuffle=False)
    estimator.train(shuffled)
    estimator.train(inputs.pandas_input_fn(frame, labels, batch_size=3, num_epochs=2, shuffle=False))
    estimator.train(inputs.pandas_input_fn(frame, labels, batch_size=11, num_epochs=1, shuffle=True))
    whole = inputs.numpy_input_fn({"x": x, "z": x * x}, labels.to_numpy(), shuffle=False)
    parts = inputs.pandas_input_fn(frame, labels, shuffle=False, batch_size=5, target_column="answer")
    unlabelled = inputs.pandas_input_fn(frame, None, shuffle=False, batch_size=5)
    predictions = [float(each["logistic"][0]) for each in estimator.predict(unlabelled)]
    return {"metrics": [estimator.evaluate(whole), estimator.evaluate(parts)], "predictions": predictions}
