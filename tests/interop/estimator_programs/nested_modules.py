"""A module within a module, two instances of it, one frozen; both registered for export under paths of their own."""

import os

import tensorflow.compat.v1 as tf
import tensorflow_hub as hub

tf.disable_v2_behavior()


def inner_fn():
    x = tf.placeholder(tf.float32, [None, 3])
    w = tf.get_variable("w", [3], initializer=tf.constant_initializer([1.0, 2.0, 3.0]))
    hub.add_signature(inputs=x, outputs=x * w)


def outer_fn():
    x = tf.placeholder(tf.float32, [None, 3])
    inner = hub.Module(hub.create_module_spec(inner_fn), trainable=True, name="inner")
    scale = tf.get_variable("scale", [], initializer=tf.ones_initializer())
    hub.add_signature(inputs=x, outputs=inner(x) * scale)
    hub.add_signature("plain", inputs=x, outputs=inner(x))


def model_fn(features, labels, mode):
    spec = hub.create_module_spec(outer_fn)
    trained, frozen = hub.Module(spec, trainable=True, name="trained"), hub.Module(spec, name="frozen")
    hub.register_module_for_export(trained, "trained")
    hub.register_module_for_export(frozen, "frozen")
    output = tf.reduce_sum(trained(features) + frozen(features, signature="plain"), 1)
    if mode == "infer":
        return tf.estimator.EstimatorSpec(mode, predictions=output)
    loss = tf.losses.mean_squared_error(labels, output)
    train_op = tf.train.GradientDescentOptimizer(0.01).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn():
    x = tf.constant([[1.0, 0.0, 1.0], [0.5, 1.0, 0.0]])
    return x, tf.constant([1.0, 2.0])


def serving_input_fn():
    x = tf.placeholder(tf.float32, [None, 3])
    return tf.estimator.export.TensorServingInputReceiver(x, x)


class KeepsNames(hub.LatestModuleExporter):
    """Subclassed, as programs did to log what is exported."""

    def export(self, *args, **kwargs):
        path = super().export(*args, **kwargs)
        self.exported = [*getattr(self, "exported", []), sorted(os.listdir(path))]
        return path


def main(folder):
    estimator = tf.estimator.Estimator(model_fn, os.path.join(folder, "model"))
    estimator.train(input_fn, max_steps=7)
    exporter = KeepsNames("modules", serving_input_fn, exports_to_keep=1)
    for _ in range(2):
        exporter.export(estimator, os.path.join(folder, "exports"), None, None, False)
        estimator.train(input_fn, steps=3)
    return {"exported": exporter.exported, "metrics": estimator.evaluate(input_fn, steps=2)}
