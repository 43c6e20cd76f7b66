"""Exports models for serving: raw tensors and parsed examples, several heads, extra assets, text."""

import os

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def model_fn(features, labels, mode, params):
    whole, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
    lines = tf.lookup.TextFileInitializer(params["words"], tf.string, whole, tf.int64, number)
    table = tf.lookup.StaticHashTable(lines, 0)
    w = tf.get_variable("w", [3], initializer=tf.constant_initializer([0.1, 0.2, 0.3]))
    counter = tf.get_local_variable("counter", [], initializer=tf.zeros_initializer())
    scores = tf.gather(w, table.lookup(features["word"])) * features["weight"][:, 0] + counter
    if mode == tf.estimator.ModeKeys.PREDICT:
        export = tf.estimator.export
        outputs = {
            "serving_default": export.PredictOutput({"scores": scores, "twice": 2.0 * scores}),
            "one": export.PredictOutput(scores),
            "classes": export.ClassificationOutput(scores[:, None], tf.as_string(scores[:, None])),
            "scores": export.ClassificationOutput(scores=scores[:, None]),
            "value": export.RegressionOutput(scores),
        }
        return tf.estimator.EstimatorSpec(mode, {"scores": scores}, export_outputs=outputs)
    loss = tf.losses.mean_squared_error(labels, scores)
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn():
    features = {"word": ["one", "two"], "weight": [[1.0], [2.0]]}
    return tf.data.Dataset.from_tensors((features, [1.0, 0.5])).repeat(3)


def parsing_fn():
    parsed = {"word": tf.FixedLenFeature([], tf.string), "weight": tf.FixedLenFeature([1], tf.float32)}
    return tf.estimator.export.build_parsing_serving_input_receiver_fn(parsed)


def raw_fn(batch_size=None):
    tensors = {"word": tf.placeholder(tf.string, [None]), "weight": tf.placeholder(tf.float32, [None, 1])}
    return tf.estimator.export.build_raw_serving_input_receiver_fn(tensors, batch_size)


def own_fn():
    words = tf.placeholder(tf.string, [None], name="words")
    weights = tf.placeholder_with_default(tf.ones([1, 1]), [None, 1])
    features = {"word": tf.strings.lower(words), "weight": weights}
    alternatives = {"alone": {"words": words}}
    return tf.estimator.export.ServingInputReceiver(features, {"words": words, "weights": weights}, alternatives)


def call(path, feed):
    with tf.Graph().as_default(), tf.Session() as session:
        signature = tf.saved_model.load(session, ["serve"], path).signature_def["serving_default"]
        tensors = {signature.inputs[key].name: value for key, value in feed.items()}
        return session.run({key: info.name for key, info in signature.outputs.items()}, tensors)


def main(folder):
    words, notes = os.path.join(folder, "words.txt"), os.path.join(folder, "notes.txt")
    for path, text in ((words, "zero\none\ntwo\n"), (notes, "notes")):
        with open(path, "w") as file:
            file.write(text)
    config = tf.estimator.RunConfig(save_checkpoints_steps=1)
    estimator = tf.estimator.Estimator(model_fn, os.path.join(folder, "model"), config, {"words": words})
    estimator.train(input_fn)
    parsed = estimator.export_saved_model(
        os.path.join(folder, "parsed"), parsing_fn(), assets_extra={"deep/notes.txt": notes}
    )
    raw = estimator.export_saved_model(os.path.join(folder, "raw"), raw_fn(), as_text=True)
    older = os.path.join(estimator.model_dir, "model.ckpt-1")
    own = estimator.export_saved_model(os.path.join(folder, "own"), own_fn, checkpoint_path=older)
    example = tf.train.Example()
    example.features.feature["word"].bytes_list.value.append(b"two")
    example.features.feature["weight"].float_list.value.append(3.0)
    return {
        "types": [type(path).__name__ for path in (parsed, raw, own)],
        "parsed": call(parsed, {"examples": [example.SerializeToString()]}),
        "raw": call(raw, {"word": ["one"], "weight": [[2.0]]}),
        "own": call(own, {"words": ["TWO"]}),
    }
