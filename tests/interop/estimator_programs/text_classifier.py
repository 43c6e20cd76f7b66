"""Fine-tunes a text module with a vocabulary, and exports it whenever the model is evaluated."""

import os

import numpy as np
import tensorflow.compat.v1 as tf
import tensorflow_hub as hub

tf.disable_v2_behavior()

TEXTS = ["good film", "bad film", "a good one", "bad bad one", "good good", "so bad", "a film", "one good film"]
LABELS = [1, 0, 1, 0, 1, 0, 0, 1]


def lines_of(path):
    whole, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
    return tf.lookup.TextFileInitializer(path, tf.string, whole, tf.int64, number)


def text_module(vocabulary):
    def module_fn():
        sentences = tf.placeholder(tf.string, [None])
        words = tf.strings.split(sentences)
        table = tf.lookup.StaticVocabularyTable(lines_of(vocabulary), num_oov_buckets=1)
        start = np.linspace(-0.4, 0.4, 20).reshape(5, 4)
        embeddings = tf.get_variable("embeddings", [5, 4], initializer=tf.constant_initializer(start))
        ids = tf.SparseTensor(words.indices, table.lookup(words.values), words.dense_shape)
        hub.add_signature(
            inputs=sentences, outputs=tf.nn.embedding_lookup_sparse(embeddings, ids, None, combiner="mean")
        )

    return hub.create_module_spec(module_fn)


def model_fn(features, labels, mode, params):
    training = mode == tf.estimator.ModeKeys.TRAIN
    embed = hub.Module(params["module"], trainable=True, name="text")
    hub.register_module_for_export(embed, "text")
    hidden = tf.layers.dense(
        embed(features["text"]), 8, tf.nn.relu, kernel_initializer=tf.glorot_uniform_initializer(3)
    )
    logits = tf.layers.dense(hidden, 2, kernel_initializer=tf.glorot_uniform_initializer(4))
    predictions = {"class": tf.argmax(logits, 1), "probabilities": tf.nn.softmax(logits)}
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    train_op = None
    if training:
        train_op = tf.train.AdamOptimizer(0.05).minimize(loss, tf.train.get_or_create_global_step())
    metrics = {
        "accuracy": tf.metrics.accuracy(labels, predictions["class"]),
        "auc": tf.metrics.auc(labels, predictions["probabilities"][:, 1]),
    }
    return tf.estimator.EstimatorSpec(
        mode, predictions=predictions, loss=loss, train_op=train_op, eval_metric_ops=metrics
    )


def input_fn(repeat):
    data = tf.data.Dataset.from_tensor_slices(({"text": TEXTS}, LABELS))
    return data.repeat(repeat).batch(4)


def serving_input_fn():
    text = tf.placeholder(tf.string, [None])
    return tf.estimator.export.ServingInputReceiver({"text": text}, text)


def main(folder):
    vocabulary = os.path.join(folder, "vocabulary.txt")
    with open(vocabulary, "w") as file:
        file.write("good\nbad\nfilm\none\n")
    estimator = tf.estimator.Estimator(
        model_fn,
        os.path.join(folder, "model"),
        tf.estimator.RunConfig(save_checkpoints_steps=10, save_summary_steps=10, keep_checkpoint_max=2),
        params={"module": text_module(vocabulary)},
    )
    exporter = hub.LatestModuleExporter("tf_hub", serving_input_fn, exports_to_keep=2)
    metrics, exports = tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(lambda: input_fn(None), max_steps=30),
        tf.estimator.EvalSpec(lambda: input_fn(1), steps=None, exporters=exporter, start_delay_secs=0, throttle_secs=0),
    )
    predictions = list(estimator.predict(lambda: input_fn(1)))
    return {
        "metrics": metrics,
        "exports": [os.path.exists(path) for path in exports],
        "predictions": predictions,
        "names": estimator.get_variable_names(),
    }
