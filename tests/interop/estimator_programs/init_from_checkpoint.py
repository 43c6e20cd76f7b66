"""Takes variables from a checkpoint within the model_fn, and others by a scaffold's init_fn, as BERT's programs did."""

import os

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def pretrain(path):
    with tf.Graph().as_default(), tf.Session() as session:
        with tf.variable_scope("bert"):
            tf.get_variable("w", [3], initializer=tf.constant_initializer([0.5, 1.5, 2.5]))
            tf.get_variable("b", [], initializer=tf.constant_initializer(0.25))
        session.run(tf.global_variables_initializer())
        return tf.train.Saver().save(session, path, global_step=17, write_meta_graph=False)


def model_fn_builder(init_checkpoint):
    def model_fn(features, labels, mode, params):
        with tf.variable_scope("encoder"):
            w = tf.get_variable("w", [3])
            b = tf.get_variable("b", [])
        head = tf.get_variable("head", [], initializer=tf.zeros_initializer())
        outputs = tf.reduce_sum(features * w, 1) + b + head
        loss = tf.losses.mean_squared_error(labels, outputs)
        tf.train.init_from_checkpoint(init_checkpoint, {"bert/": "encoder/"})

        def init_fn(scaffold, session):
            session.run(head.initializer)
            head.load(params["head"], session)

        scaffold = tf.train.Scaffold(
            init_fn=init_fn, saver=tf.train.Saver(sharded=True, max_to_keep=2, save_relative_paths=True)
        )
        step = tf.train.get_global_step()
        train_op = tf.train.GradientDescentOptimizer(0.05).minimize(loss, step)
        return tf.estimator.EstimatorSpec(mode, outputs, loss, train_op, scaffold=scaffold)

    return model_fn


def input_fn(params):
    x = tf.data.Dataset.from_tensors(([[1.0, 2.0, 3.0]] * params["batch_size"], [4.0] * params["batch_size"]))
    return x.repeat(10)


def main(folder):
    checkpoint = pretrain(os.path.join(folder, "bert.ckpt"))
    estimator = tf.estimator.Estimator(
        model_fn_builder(checkpoint),
        os.path.join(folder, "model"),
        tf.estimator.RunConfig(save_checkpoints_steps=3),
        {"head": 0.125, "batch_size": 2},
    )
    estimator.train(input_fn)
    return {
        "metrics": estimator.evaluate(input_fn, steps=1),
        "values": {name: estimator.get_variable_value(name) for name in estimator.get_variable_names()},
    }
