"""Fine-tunes an image module with batch norm and dropout: two variants, update ops, regularization losses."""

import os

import numpy as np
import tensorflow.compat.v1 as tf
import tensorflow_hub as hub

tf.disable_v2_behavior()
tf.enable_resource_variables()


def module_fn(training):
    images = tf.placeholder(tf.float32, [None, 8, 8, 1])
    net = tf.layers.conv2d(
        images,
        3,
        3,
        kernel_initializer=tf.glorot_uniform_initializer(1),
        kernel_regularizer=tf.keras.regularizers.l2(0.01),
    )
    net = tf.nn.relu(tf.layers.batch_normalization(net, training=training, momentum=0.9))
    if training:
        net = tf.nn.dropout(net, rate=0.1, seed=5)
    hub.add_signature(inputs={"images": images}, outputs={"default": tf.reduce_mean(net, [1, 2])})


def image_module():
    variants = [({"train"}, {"training": True}), (set(), {"training": False})]
    return hub.create_module_spec(module_fn, tags_and_args=variants)


def model_fn(features, labels, mode):
    training = mode == tf.estimator.ModeKeys.TRAIN
    module = hub.Module(image_module(), trainable=True, tags={"train"} if training else None)
    hub.register_module_for_export(module, "image")
    vectors = module({"images": features["images"]})
    logits = tf.layers.dense(vectors, 1, kernel_initializer=tf.ones_initializer())[:, 0]
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=tf.sigmoid(logits))
    loss = tf.losses.sigmoid_cross_entropy(labels, logits) + tf.losses.get_regularization_loss()
    if mode == tf.estimator.ModeKeys.EVAL:
        metrics = {"accuracy": tf.metrics.accuracy(labels, logits > 0), "mean": tf.metrics.mean(logits)}
        return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics)
    optimizer = tf.train.MomentumOptimizer(0.1, 0.9)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train_op = optimizer.minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn():
    images = np.sin(np.arange(16 * 64)).reshape(16, 8, 8, 1).astype(np.float32)
    images[8:] *= 0.5
    data = tf.data.Dataset.from_tensor_slices(({"images": images}, np.float32(np.arange(16) < 8)))
    return data.batch(8)


def serving_input_fn():
    images = tf.placeholder(tf.float32, [None, 8, 8, 1])
    return tf.estimator.export.ServingInputReceiver({"images": images}, {"images": images})


def main(folder):
    estimator = tf.estimator.Estimator(model_fn, os.path.join(folder, "model"))
    estimator.train(lambda: input_fn().repeat(), steps=12)
    metrics = estimator.evaluate(input_fn)
    exporter = hub.LatestModuleExporter("tf_hub", serving_input_fn)
    path = exporter.export(estimator, os.path.join(folder, "exports"), estimator.latest_checkpoint())
    predictions = list(estimator.predict(input_fn))
    with tf.Graph().as_default():
        again = hub.Module(os.path.join(os.fsdecode(path), "image"))
        outputs = again({"images": np.ones([1, 8, 8, 1], np.float32)})
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            served = session.run(outputs)
    return {"metrics": metrics, "predictions": predictions, "served": served}
