"""The canned text classifiers of the tutorials, on columns of text modules."""

import os

import numpy as np
import tensorflow.compat.v1 as tf
import tensorflow_hub as hub

tf.disable_v2_behavior()

TEXTS = ["good film", "bad film", "good", "bad", "a good film", "a bad film"]
START = np.sin(np.arange(40)).reshape(10, 4)


def module_fn():
    sentences = tf.placeholder(tf.string, [None])
    words = tf.strings.split(sentences)
    hashed = tf.SparseTensor(words.indices, tf.strings.to_hash_bucket_fast(words.values, 10), words.dense_shape)
    embeddings = tf.get_variable("embeddings", [10, 4], initializer=tf.constant_initializer(START))
    hub.add_signature(
        inputs=sentences, outputs=tf.nn.embedding_lookup_sparse(embeddings, hashed, None, combiner="sqrtn")
    )


def text_module(folder):
    path = os.path.join(folder, "text_module")
    with tf.Graph().as_default(), tf.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(tf.global_variables_initializer())
        module.export(path, session)
    return path


def input_fn(labels, shuffle=False):
    return tf.estimator.inputs.numpy_input_fn(
        {"text": np.array(TEXTS)}, np.array(labels), batch_size=4, num_epochs=4 if shuffle else 1, shuffle=False
    )


def trained(estimator, labels):
    estimator.train(input_fn(labels, True))
    predictions = [{key: each[key] for key in sorted(each)} for each in estimator.predict(input_fn(labels))]
    names = estimator.get_variable_names()
    return {"metrics": estimator.evaluate(input_fn(labels)), "predictions": predictions, "names": names}


def main(folder):
    module, binary, ternary = text_module(folder), [1, 0, 1, 0, 1, 0], [1, 0, 2, 0, 1, 2]
    column = hub.text_embedding_column("text", module, trainable=True)
    frozen = hub.text_embedding_column("text", module)
    config = tf.estimator.RunConfig(tf_random_seed=3)
    directory = {name: os.path.join(folder, name) for name in ("dnn", "words", "linear", "regressor")}
    dnn = tf.estimator.DNNClassifier([8, 4], [column], directory["dnn"], config=config)
    words = tf.estimator.DNNClassifier(
        [6],
        [frozen],
        directory["words"],
        n_classes=3,
        label_vocabulary=["bad", "good", "neither"],
        optimizer=tf.train.AdagradOptimizer(0.1),
        config=config,
    )
    linear = tf.estimator.LinearClassifier([frozen], directory["linear"], n_classes=3, config=config)
    regressor = tf.estimator.DNNRegressor([5], [column], directory["regressor"], optimizer="Adam", config=config)
    labels = [["bad", "good", "neither"][label] for label in ternary]
    results = {
        "dnn": trained(dnn, binary),
        "words": trained(words, labels),
        "linear": trained(linear, ternary),
        "regressor": trained(regressor, [float(label) for label in ternary]),
    }
    spec = tf.feature_column.make_parse_example_spec([column])
    receiver = tf.estimator.export.build_parsing_serving_input_receiver_fn(spec)
    dnn.export_saved_model(os.path.join(folder, "served"), receiver)
    return results
