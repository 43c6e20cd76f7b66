"""Modules for the rules about regularization losses."""

from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, one_variant, rows, two_variants
from tests.checks.linting.cases.registry import breaks, keeps
from tests.kerases import KERAS_TWO
from tests.module_fns.registry import control_flow_v1, control_flow_v2

LOSSES = tf.GraphKeys.REGULARIZATION_LOSSES


def _l2(weights: Any) -> Any:
    return 0.01 * tf.nn.l2_loss(weights)


def _list(*losses: Any) -> None:
    for loss in losses:
        tf.add_to_collection(LOSSES, loss)


def _one_layer(make: Any) -> hub.ModuleSpec:
    """A module whose output `make(rows)` computes."""

    def module_fn():
        x = rows()
        hub.add_signature(inputs=x, outputs=make(x))

    return one_variant(module_fn)


def _with_losses(add: Any, trainable: bool = True) -> hub.ModuleSpec:
    """A module whose one matrix gets the losses that `add(weights, inputs, outputs)` lists."""

    def make(x):
        weights = tf.get_variable("weights", [4, 3], trainable=trainable)
        y = tf.tanh(x @ weights)
        add(weights, x, y)
        return y

    return _one_layer(make)


@breaks("regularization-missing")
def _raw_matmul(_):
    return _one_layer(lambda x: dense(x, 3, regularized=False))


@breaks("regularization-missing")
def _layers_conv(_):
    def module_fn():
        maps = tf.placeholder(tf.float32, [None, None, None, 5])
        features = tf.layers.separable_conv2d(maps, 4, 3)
        hub.add_signature(inputs=maps, outputs=tf.reduce_mean(features, [1, 2]))

    return one_variant(module_fn)


@breaks("regularization-missing")
def _keras_keeps_its_losses_to_itself(_):
    return _one_layer(KERAS_TWO.layers.Dense(3, kernel_regularizer=KERAS_TWO.regularizers.l2(0.01)))


@breaks("regularization-missing", needs="tf_slim")
def _slim_without_a_regularizer(_):
    import tf_slim

    return _one_layer(lambda x: tf_slim.fully_connected(x, 3))


def _looped(x: Any) -> Any:
    weights = tf.get_variable("weights", [4, 4])
    return tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.tanh(y @ weights)), [0, x])[1]


@breaks("regularization-missing")
def _in_a_loop(_):
    with control_flow_v1():
        return _one_layer(_looped)


@breaks("regularization-missing")
def _in_a_loop_of_functions(_):
    with control_flow_v2():
        return _one_layer(_looped)


@breaks("regularization-missing")
def _only_in_training(_):
    def module_fn(is_training):
        x = rows()
        hub.add_signature(inputs=x, outputs=dense(x, 3, regularized=not is_training))

    return two_variants(module_fn)


@keeps("regularization-missing")
def _only_for_inference(_):
    def module_fn(is_training):
        x = rows()
        hub.add_signature(inputs=x, outputs=dense(x, 3, regularized=is_training))

    return two_variants(module_fn)


@keeps("regularization-missing")
def _a_table_that_rows_are_looked_up_in(_):
    def module_fn():
        tokens = tf.placeholder(tf.int64, [None, None])
        hub.add_signature(inputs=tokens, outputs=tf.gather(tf.get_variable("table", [9, 4]), tokens))

    return one_variant(module_fn)


@keeps("regularization-missing")
def _matrices_that_are_not_trained(_):
    return _one_layer(lambda x: x @ tf.get_variable("projection", [4, 3], trainable=False))


@keeps("regularization-missing")
def _parameters_of_rank_two_that_nothing_is_multiplied_with(_):
    return _one_layer(lambda x: x * tf.get_variable("scale", [1, 4]))


@keeps("regularization-missing")
def _keras_losses_that_are_listed(_):
    def make(x):
        layer = KERAS_TWO.layers.Dense(3, kernel_regularizer=KERAS_TWO.regularizers.l2(0.01))
        y = layer(x)
        _list(*layer.losses)
        return y

    return _one_layer(make)


@breaks("regularization-needs-input")
def _loss_of_activations(_):
    return _with_losses(lambda weights, x, y: _list(_l2(weights), tf.reduce_mean(tf.square(y))))


@breaks("regularization-needs-input")
def _layers_activity_regularizer(_):
    return _one_layer(
        lambda x: tf.layers.dense(
            x, 3, kernel_regularizer=_l2, activity_regularizer=lambda y: 0.1 * tf.reduce_sum(tf.abs(y))
        )
    )


@breaks("regularization-needs-input")
def _per_example(_):
    return _with_losses(lambda weights, x, _: _list(_l2(weights) / tf.cast(tf.shape(x)[0], tf.float32)))


@breaks("regularization-needs-input")
def _waits_for_the_input(_):
    def add(weights, x, _):
        with tf.control_dependencies([x]):
            _list(_l2(weights))

    return _with_losses(add)


@breaks("regularization-ignores-input")
def _strength_that_a_signature_promises(_):
    def module_fn():
        x, strength = rows(), tf.placeholder_with_default(0.01, [], "strength")
        weights = tf.get_variable("weights", [4, 3])
        _list(strength * tf.nn.l2_loss(weights))
        y = x @ weights
        hub.add_signature(inputs=x, outputs=y)
        hub.add_signature("hyperparameters", inputs={"rows": x, "strength": strength}, outputs=y)

    return one_variant(module_fn)


@keeps("regularization-ignores-input")
def _strength_with_a_default_that_nobody_feeds(_):
    return _with_losses(
        lambda weights, *_: _list(tf.placeholder_with_default(0.01, [], "strength") * tf.nn.l2_loss(weights))
    )


@keeps("regularization-needs-input")
def _loss_of_weights_that_the_input_is_multiplied_with(_):
    return _one_layer(lambda x: dense(dense(x, 5, "first"), 3, "second"))


@breaks("regularization-constant")
def _nothing_but_a_number(_):
    return _with_losses(lambda *_: _list(tf.constant(0.0), tf.constant(0.5) * 2.0))


@breaks("regularization-constant")
def _layers_with_strength_zero(_):
    return _one_layer(lambda x: tf.layers.dense(x, 3, kernel_regularizer=KERAS_TWO.regularizers.l2(0.0)))


@breaks("regularization-constant")
def _no_gradient(_):
    return _with_losses(lambda weights, *_: _list(_l2(tf.stop_gradient(weights))))


@breaks("regularization-constant")
def _switched_off(_):
    def add(weights, *_):
        with control_flow_v1():
            switch = tf.placeholder_with_default(False, [])
            _list(tf.cond(switch, lambda: _l2(weights), lambda: tf.constant(0.0)))

    return _with_losses(add)


@breaks("regularization-constant")
def _frozen_weights(_):
    return _with_losses(lambda weights, *_: _list(_l2(weights)), trainable=False)


@keeps("regularization-constant")
def _switched_on(_):
    def add(weights, *_):
        with control_flow_v2():
            switch = tf.placeholder_with_default(True, [])
            _list(tf.cond(switch, lambda: _l2(weights), lambda: tf.constant(0.0)))

    return _with_losses(add)


@keeps("regularization-constant")
def _distance_to_frozen_weights(_):
    def add(weights, *_):
        start = tf.get_variable("start", [4, 3], trainable=False)
        _list(_l2(weights - start))

    return _with_losses(add)


@keeps("regularization-constant")
def _mean_of_the_absolute_weights(_):
    return _with_losses(
        lambda weights, *_: _list(tf.reduce_sum(tf.abs(weights)) / tf.size(weights, out_type=tf.float32))
    )


@breaks("regularization-counted-twice")
def _the_same_tensor(_):
    def add(weights, *_):
        loss = _l2(weights)
        _list(loss, tf.identity(loss))

    return _with_losses(add)


@breaks("regularization-counted-twice")
def _computed_again(_):
    return _with_losses(lambda weights, *_: _list(_l2(weights), tf.nn.l2_loss(weights) * 0.01))


@breaks("regularization-counted-twice")
def _computed_again_in_a_function(_):
    def add(weights, *_):
        _list(_l2(weights), tf.function(lambda: _l2(weights))())

    return _with_losses(add)


@breaks("regularization-counted-twice")
def _layers_and_their_total(_):
    def make(x):
        y = tf.layers.dense(tf.layers.dense(x, 5, kernel_regularizer=_l2), 3, kernel_regularizer=_l2)
        _list(tf.losses.get_regularization_loss())
        return y

    return _one_layer(make)


@breaks("regularization-counted-twice", needs="tf_slim")
def _slim_and_a_scaled_total(_):
    def make(x):
        import tf_slim

        y = tf_slim.fully_connected(x, 3, weights_regularizer=tf_slim.l2_regularizer(0.01))
        _list(0.5 * tf.reduce_sum(tf.stack(tf.get_collection(LOSSES))))
        return y

    return _one_layer(make)


@keeps("regularization-counted-twice")
def _two_kinds_of_loss_for_one_variable(_):
    return _with_losses(lambda weights, *_: _list(_l2(weights), 0.01 * tf.reduce_sum(tf.abs(weights))))


@keeps("regularization-counted-twice")
def _two_layers_alike(_):
    return _one_layer(
        lambda x: tf.layers.dense(tf.layers.dense(x, 4, kernel_regularizer=_l2), 4, kernel_regularizer=_l2)
    )


@keeps("regularization-counted-twice")
def _a_layer_that_is_used_twice(_):
    def make(x):
        layer = lambda x, reuse: tf.layers.dense(x, 4, kernel_regularizer=_l2, name="shared", reuse=reuse)  # noqa: E731
        return layer(layer(x, None), True)

    return _one_layer(make)


@keeps("regularization-counted-twice")
def _nothing_but_the_total(_):
    def make(x):
        y = dense(dense(x, 5, "first"), 3, "second")
        total = tf.add_n(tf.get_collection_ref(LOSSES))
        tf.get_collection_ref(LOSSES)[:] = [total]
        return y

    return _one_layer(make)
