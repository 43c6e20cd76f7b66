"""Modules that are trained by optimizers which regularize on their own. The module keeps all advice in each case."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf
from tensorflow.python.framework import function  # TF1's Defun, which old programs use, has no public name.

import tf1hub as hub
from tests.checks.linting.cases.building import dense, one_variant, rows
from tests.checks.linting.cases.registry import breaks, keeps
from tests.graphs import started_session
from tests.kerases import KERAS_TWO

RULE = "optimizer-regularization"
BOTH = {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02}


def layer() -> None:
    x = rows()
    hub.add_signature(inputs=x, outputs=dense(x, 3))


def table(name: str, width: int) -> Any:
    """A variable that rows are looked up in, and a loss for it."""
    values = tf.get_variable(name, [10, width])
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(values))
    return values


def wide_and_deep() -> None:
    """The logits of ids: a linear model, and a layer on their embeddings."""
    ids = tf.placeholder(tf.int64, [None, 3], name="ids")
    wide = tf.reduce_sum(tf.nn.embedding_lookup(table("linear", 1), ids), 1)
    deep = dense(tf.reduce_mean(tf.gather(table("embeddings", 4), ids), 1), 1)
    hub.add_signature(inputs=ids, outputs=wide + deep)


def trained(
    optimizer: Any, module_fn: Callable[[], None] = layer, inputs: Any = ((1.0, 2.0, 3.0, 4.0),), old: bool = False
) -> list[Any]:
    """What lint finds in a module and in the graph in which an optimizer trains it."""
    spec = one_variant(module_fn)
    with tf.Graph().as_default() as graph, tf.variable_scope("", use_resource=not old):
        module = hub.Module(spec, trainable=True)
        logits = module(inputs)
        loss = tf.losses.sigmoid_cross_entropy(tf.ones_like(logits), logits)
        optimizer().minimize(loss, tf.train.get_or_create_global_step())
    return hub.lint(spec).findings + hub.lint_training_graph(graph, module)


def trained_on_ids(optimizer: Any) -> list[Any]:
    return trained(optimizer, wide_and_deep, [[1, 2, 3]])


def of_raw_ops(update: Callable[[Any, Any], Any], old: bool = False) -> list[Any]:
    """A training without a module, whose variables have the names of one."""
    with tf.Graph().as_default() as graph:
        kernel = tf.get_variable("module/kernel", [4, 2], use_resource=not old)
        update(kernel, tf.nn.l2_loss(kernel - 1))
    return hub.lint_training_graph(graph, "module")


@breaks(RULE)
def ftrl(folder: Path) -> Any:
    return trained(lambda: tf.train.FtrlOptimizer(0.1, **BOTH))


@breaks(RULE)
def ftrl_with_shrinkage(folder: Path) -> Any:
    return trained(lambda: tf.train.FtrlOptimizer(0.1, l2_shrinkage_regularization_strength=0.1))


@breaks(RULE)
def proximal_gradient_descent(folder: Path) -> Any:
    return trained(lambda: tf.train.ProximalGradientDescentOptimizer(0.1, l2_regularization_strength=0.1))


@breaks(RULE)
def proximal_adagrad_on_references(folder: Path) -> Any:
    optimizer = tf.train.ProximalAdagradOptimizer(0.1, **BOTH)
    return of_raw_ops(lambda _, loss: optimizer.minimize(loss), old=True)


@breaks(RULE)
def dual_averaging(folder: Path) -> Any:
    return trained(lambda: tf.train.AdagradDAOptimizer(0.1, tf.train.get_or_create_global_step(), 0.1, 0.01))


@breaks(RULE)
def ftrl_of_keras(folder: Path) -> Any:
    """Its strengths are variables."""
    optimizer = KERAS_TWO.optimizers.legacy.Ftrl(0.1, **BOTH)
    return of_raw_ops(lambda kernel, loss: optimizer.get_updates(loss, [kernel]))


@breaks(RULE)
def strength_that_can_be_fed(folder: Path) -> Any:
    def optimizer() -> Any:
        strength = tf.placeholder_with_default(0.1, [])
        return tf.train.ProximalGradientDescentOptimizer(0.1, l2_regularization_strength=strength)

    return trained(optimizer)


@breaks(RULE)
def l2_of_a_wide_part(folder: Path) -> Any:
    return trained_on_ids(lambda: tf.train.FtrlOptimizer(0.1, l2_regularization_strength=0.1))


@breaks(RULE)
def l1_of_embeddings(folder: Path) -> Any:
    return trained_on_ids(lambda: tf.train.ProximalAdagradOptimizer(0.1, l1_regularization_strength=0.1))


@breaks(RULE)
def updates_in_a_branch(folder: Path) -> Any:
    """As where gradients are added up over some steps."""

    def update(_: Any, loss: Any) -> None:
        optimizer = tf.train.FtrlOptimizer(0.1, **BOTH)
        gradients = optimizer.compute_gradients(loss)
        is_time = tf.placeholder(tf.bool, [])
        tf.cond(is_time, lambda: tf.group(optimizer.apply_gradients(gradients)), tf.no_op)

    return of_raw_ops(update)


@breaks(RULE)
def updates_in_a_function(folder: Path) -> Any:
    def update(kernel: Any, loss: Any) -> None:
        optimizer = tf.train.ProximalGradientDescentOptimizer(0.1, l2_regularization_strength=0.1)

        def step(gradient: Any) -> Any:
            with tf.control_dependencies([optimizer.apply_gradients([(gradient, kernel)])]):
                return tf.identity(gradient)

        tf.function(step)(*tf.gradients(loss, kernel))

    return of_raw_ops(update)


@breaks(RULE)
def a_step_in_a_function_of_tf1(folder: Path) -> Any:
    """Its op has the function's name."""

    def step(kernel: Any, loss: Any) -> None:
        slots = [tf.get_variable(name, kernel.shape, use_resource=True).handle for name in ("accumulators", "linear")]

        @function.Defun(*[tf.resource] * 3)
        def update(*handles: Any) -> Any:
            zeros = tf.zeros(kernel.shape)
            done = tf.raw_ops.ResourceApplyFtrl(
                var=handles[0], accum=handles[1], linear=handles[2], grad=zeros, lr=0.1, l1=0.1, l2=0.0, lr_power=-0.5
            )
            with tf.control_dependencies([done]):
                return tf.constant(1.0)

        update(kernel.handle, *slots)

    return of_raw_ops(step)


@breaks(RULE)
def l1_of_a_bias_of_a_layer(folder: Path) -> Any:
    """It is added to what is no sum of looked-up rows, although such a sum is added later."""

    def module_fn() -> None:
        ids, x = tf.placeholder(tf.int64, [None, 3], name="ids"), rows()
        wide = tf.reduce_sum(tf.nn.embedding_lookup(table("linear", 1), ids), 1)
        hub.add_signature(inputs={"ids": ids, "rows": x}, outputs=wide + dense(x, 1))

    def optimizer() -> Any:
        ftrl = tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.1)
        names = ("linear", "bias")
        minimize = ftrl.minimize
        ftrl.minimize = lambda loss, step: minimize(
            loss, step, [each for each in tf.trainable_variables() if each.op.name.endswith(names)]
        )
        return ftrl

    return trained(optimizer, module_fn, {"ids": [[1, 2, 3]], "rows": [[1.0, 2.0, 3.0, 4.0]]})


@breaks(RULE)
def partitioned_in_a_file(folder: Path) -> Any:
    """The graph that a saver writes beside its checkpoint."""
    with tf.Graph().as_default():
        with tf.variable_scope("module", partitioner=tf.fixed_size_partitioner(2)):
            kernel = tf.get_variable("kernel", [4, 2])
        tf.train.FtrlOptimizer(0.1, **BOTH).minimize(tf.nn.l2_loss(kernel))
        with started_session() as session:
            tf.train.Saver().save(session, str(folder / "model.ckpt"))
    return hub.lint_training_graph(folder / "model.ckpt.meta", "module")


@keeps(RULE)
def other_optimizers(folder: Path) -> Any:
    return trained(lambda: tf.train.AdamOptimizer(0.1))


@keeps(RULE)
def strengths_of_zero(folder: Path) -> Any:
    return trained(lambda: tf.train.ProximalAdagradOptimizer(0.1))


@keeps(RULE)
def ftrl_with_beta(folder: Path) -> Any:
    """Beta comes in as a part of the op's input l2, and is no regularization."""
    return trained(lambda: tf.train.FtrlOptimizer(0.1, beta=1.0))


@keeps(RULE)
def ftrl_of_keras_with_beta(folder: Path) -> Any:
    optimizer = KERAS_TWO.optimizers.legacy.Ftrl(0.1, beta=1.0)
    return of_raw_ops(lambda kernel, loss: optimizer.get_updates(loss, [kernel]))


@keeps(RULE)
def l1_of_a_wide_part(folder: Path) -> Any:
    """Each part has its own optimizer, as in TensorFlow's wide and deep models."""
    spec = one_variant(wide_and_deep)
    with tf.Graph().as_default() as graph:
        module = hub.Module(spec, trainable=True)
        logits = module([[1, 2, 3]])
        loss = tf.losses.sigmoid_cross_entropy(tf.ones_like(logits), logits)
        wide = [variable for variable in module.variables if "linear" in variable.name]
        tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.1).minimize(loss, var_list=wide)
        deep = [variable for variable in module.variables if "linear" not in variable.name]
        tf.train.AdagradOptimizer(0.1).minimize(loss, var_list=deep)
    return hub.lint(spec).findings + hub.lint_training_graph(graph, spec)


@keeps(RULE)
def l1_of_a_linear_model_with_a_bias(folder: Path) -> Any:
    """FTRL trains the bias, too, with the only strength that it has."""

    def module_fn() -> None:
        ids = tf.placeholder(tf.int64, [None, 3], name="ids")
        bias = tf.get_variable("bias", [1], initializer=tf.zeros_initializer())
        logits = tf.reduce_sum(tf.nn.embedding_lookup(table("linear", 1), ids), 1)
        hub.add_signature(inputs=ids, outputs=tf.nn.bias_add(logits, bias))

    return trained(lambda: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.1), module_fn, [[1, 2, 3]])


@keeps(RULE)
def l1_of_a_linear_classifier(folder: Path) -> Any:
    estimator = hub.estimator.LinearClassifier(columns(), str(folder), optimizer=sparse())
    return trained_by(estimator, folder)


@keeps(RULE)
def l1_of_the_linear_part_of_a_classifier(folder: Path) -> Any:
    [words] = columns()
    estimator = hub.estimator.DNNLinearCombinedClassifier(
        str(folder), [words], sparse(), [tf.feature_column.embedding_column(words, 3)], dnn_hidden_units=[4]
    )
    return trained_by(estimator, folder)


def columns() -> list[Any]:
    return [tf.feature_column.categorical_column_with_hash_bucket("words", 50)]


def sparse() -> Any:
    return tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.1)


def trained_by(estimator: Any, folder: Path) -> list[Any]:
    """What lint finds in the graph in which an estimator trains."""
    estimator.train(lambda: tf.data.Dataset.from_tensors(({"words": [["a", "b"], ["c", "d"]]}, [[0], [1]])), steps=1)
    return hub.lint_training_graph(folder / "model.ckpt-1.meta")


@keeps(RULE)
def strengths_for_the_head(folder: Path) -> Any:
    """What is trained around a module is not exported with it."""
    spec = one_variant(layer)
    with tf.Graph().as_default() as graph:
        module = hub.Module(spec, trainable=True)
        head = tf.get_variable("head", [3, 1])
        loss = tf.nn.l2_loss(module([[1.0, 2.0, 3.0, 4.0]]) @ head - 1)
        tf.train.FtrlOptimizer(0.1, **BOTH).minimize(loss, var_list=[head])
        tf.train.AdamOptimizer(0.1).minimize(loss, var_list=module.variables)
    return hub.lint(spec).findings + hub.lint_training_graph(graph, "module")
