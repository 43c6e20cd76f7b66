"""Gradients of loaded modules: right by differences, the same as in graph mode, sparse where they were."""

import numpy as np
import pytest
import tensorflow as tf

import tf1hub as hub
from tests.consuming.loaded.differentiation import (
    check_by_differences,
    check_same,
    exported,
    graph_gradients,
    loss_of,
    tape_gradients,
)
from tests.consuming.loaded.loaded_kinds import loaded
from tests.graphs import published
from tests.module_fns import KINDS, as_tensors
from tests.module_fns.registry import TRAIN, control_flow_v1, numbers, text_file

v1 = tf.compat.v1
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:UserWarning"),
    pytest.mark.filterwarnings("ignore:The module has no variant with the tag 'train':UserWarning"),
]

DENSE = ["dense", "several_outputs", "placeholders_with_defaults", "variables_of_odd_shapes", "scopes", "nested"]
NORMALISED = ["batch_norm", "layers_conv_batch_norm", "slim_batch_norm", "keras_layers", "update_under_a_cond"]
STATE = ["partitioned_rows", "partitioned_columns", "partitioned_by_size", "partitioned_lookup", "text"]
REFERENCES = ["reference_variables", "partitioned_references", "while_v1_of_references"]
CONTROL_FLOW = ["while_v1", "cond_v1", "nested_control_flow_v1", "while_v2", "cond_v2", "nested_control_flow_v2", "rnn"]
COMPOSITE = ["sparse_in", "ragged_in", "nested_with_assets"]
FUNCTIONS = ["tf_function", "defun"]
KINDS_COMPARED = [*DENSE, *NORMALISED, *STATE, *REFERENCES, *CONTROL_FLOW, *COMPOSITE, *FUNCTIONS, "rnn_v2"]


def skip_unless_available(kind):
    if not KINDS[kind].available():
        pytest.skip(f"{KINDS[kind].needs} is not installed")


@pytest.mark.parametrize("kind", KINDS_COMPARED)
def test_gradients_are_those_of_graph_mode(kind):
    skip_unless_available(kind)
    path = published(kind)
    module, inputs = hub.load(path), as_tensors(KINDS[kind].inputs["default"])
    expected = graph_gradients(path, kind)
    check_same(tape_gradients(module, inputs), expected)
    check_same(tf.function(lambda: tape_gradients(module, inputs))(), expected)


@pytest.mark.parametrize("kind", [kind for kind in KINDS_COMPARED if TRAIN in KINDS[kind].tags])
def test_gradients_of_the_training_variant_are_those_of_graph_mode(kind):
    skip_unless_available(kind)
    path = published(kind)
    found = tape_gradients(hub.load(path), as_tensors(KINDS[kind].inputs["default"]), training=True)
    check_same(found, graph_gradients(path, kind, TRAIN))


def of_doubles(build, *shape):
    """A module_fn with one input of float64, and its variables of float64 too."""

    def module_fn(training=False):
        x = v1.placeholder(tf.float64, shape)
        with v1.variable_scope("", dtype=tf.float64), control_flow_v1():
            hub.add_signature(inputs=x, outputs=build(x, training))

    return module_fn


def dense(x, training):
    hidden = tf.tanh(x @ v1.get_variable("a", [3, 4]) + v1.get_variable("b", [4]))
    return hidden @ v1.get_variable("c", [4, 2], use_resource=False)


def convolution(x, training):
    y = tf.nn.conv2d(tf.reshape(x, [-1, 3, 3, 1]), v1.get_variable("kernel", [2, 2, 1, 2]), 1, "SAME")
    moving = v1.get_variable("moving", [2], trainable=False)
    mean, variance = tf.nn.moments(y, [0, 1, 2])
    if training:
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, moving.assign_sub(0.1 * (moving - mean)))
    y = tf.nn.batch_normalization(y, mean if training else moving, variance, None, v1.get_variable("scale", [2]), 1e-3)
    return tf.nn.softplus(y)


def parts(x, training):
    partitioner = v1.fixed_size_partitioner(2)
    table = v1.get_variable("table", [5, 3], partitioner=partitioner, use_resource=False)
    return v1.nn.embedding_lookup(table, [4, 0, 4], partition_strategy="div") * x


def loop(x, training):
    w = v1.get_variable("w", [3], use_resource=False)
    steps = tf.cast(tf.shape(x)[0], tf.int32) + 1
    return tf.while_loop(lambda i, _: i < steps, lambda i, y: (i + 1, tf.sin(y * w) + x), [0, x])[1]


def branch_in_a_loop(x, training):
    w, b = v1.get_variable("w", [3]), v1.get_variable("b", [3], use_resource=False)

    def body(i, y):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: tf.tanh(y * w), lambda: y * b + x)

    return tf.while_loop(lambda i, _: i < 3, body, [0, x])[1]


def arrays(x, training):
    w = v1.get_variable("w", [3])
    rows = tf.TensorArray(tf.float64, 2).unstack(x)

    def body(i, state, out):
        state = tf.tanh(state * w + rows.read(i))
        return i + 1, state, out.write(i, state)

    return tf.while_loop(lambda i, *_: i < 2, body, [0, tf.zeros([3], tf.float64), tf.TensorArray(tf.float64, 2)])[
        2
    ].stack()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("build", [dense, convolution, parts, loop, branch_in_a_loop, arrays])
def test_gradients_are_those_that_differences_show(build, training, tmp_path):
    shape = (2, 9) if build is convolution else (3, 3) if build is parts else (2, 3)
    variants = [(set(), {"training": False}), ({"train"}, {"training": True})]
    spec = hub.create_module_spec(of_doubles(build, *shape), variants)
    module = hub.load(exported(spec, tmp_path))
    check_by_differences(module, tf.constant(numbers(*shape, dtype=np.float64)), training=training)


def embeddings(use_resource=True, partitioner=None):
    """The spec of a vocabulary, a table and embeddings of float64, which the words' weights are multiplied with."""

    def module_fn():
        words, weights = v1.placeholder(tf.string, [None]), v1.placeholder(tf.float64, [None])
        path = text_file("tokens.txt", ["a", "b", "c", "d"])
        whole, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        table = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(path, tf.string, whole, tf.int64, number), 0)
        matrix = v1.get_variable("e", [4, 2], tf.float64, partitioner=partitioner, use_resource=use_resource)
        vectors = v1.nn.embedding_lookup(matrix, table.lookup(words), partition_strategy="div")
        hub.add_signature(inputs={"words": words, "weights": weights}, outputs=vectors * weights[:, None])

    return hub.create_module_spec(module_fn)


KINDS_OF_EMBEDDINGS = pytest.mark.parametrize(
    "options",
    [{}, {"use_resource": False}, {"partitioner": v1.fixed_size_partitioner(2), "use_resource": False}],
    ids=["resource", "reference", "parts"],
)
WORDS = {"words": tf.constant(["b", "d", "b"]), "weights": tf.constant([1.0, 2.0, 3.0], tf.float64)}


@KINDS_OF_EMBEDDINGS
def test_gradients_behind_a_table_are_those_that_differences_show(options, tmp_path):
    check_by_differences(hub.load(exported(embeddings(**options), tmp_path)), WORDS)


@KINDS_OF_EMBEDDINGS
def test_gradients_of_embeddings_stay_sparse(options, tmp_path):
    module = hub.load(exported(embeddings(**options), tmp_path))

    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(module(WORDS))
        return tape.gradient(loss, module.trainable_variables)

    for found in (gradients(), tf.function(gradients)()):
        assert {type(gradient) for gradient in found} == {tf.IndexedSlices}


def test_no_more_rows_are_touched_than_were_looked_up(tmp_path):
    module = hub.load(exported(embeddings(), tmp_path))
    before = module.variables[0].numpy()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(WORDS))
    (gradient,) = tape.gradient(loss, module.variables)
    tf.raw_ops.ResourceScatterSub(
        resource=module.variables[0].handle, indices=gradient.indices, updates=gradient.values
    )
    assert (module.variables[0].numpy() != before).any(axis=1).tolist() == [False, True, False, True]


def dropped(loops):
    """The spec of a module that multiplies by a variable and drops half, some times over."""

    def module_fn():
        x = v1.placeholder(tf.float32, [None, 20])
        w = v1.get_variable("w", [], initializer=v1.constant_initializer(1.5))
        step = lambda y: v1.nn.dropout(y * w, rate=0.5)  # noqa: E731
        with control_flow_v1():
            y = v1.while_loop(lambda i, _: i < loops, lambda i, y: (i + 1, step(y)), [0, x])[1] if loops else step(x)
        hub.add_signature(inputs=x, outputs=y)

    return hub.create_module_spec(module_fn)


@pytest.mark.parametrize("loops", [0, 1, 3])
@pytest.mark.parametrize("wrap", [lambda each: each, tf.function], ids=["eager", "function"])
def test_what_was_dropped_is_what_gets_no_gradient(loops, wrap, tmp_path):
    module = hub.load(exported(dropped(loops), tmp_path))
    x = tf.constant(numbers(50, 20))

    @wrap
    def answer_and_gradients():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = module(x)
            loss = tf.reduce_sum(y)
        return y, *tape.gradient(loss, [x, module.variables[0]])

    y, by_x, by_w = answer_and_gradients()
    assert 0 < np.count_nonzero(y) < y.shape.num_elements()
    np.testing.assert_allclose(by_x * x, y, rtol=1e-4)
    np.testing.assert_allclose(by_w * module.variables[0], max(loops, 1) * tf.reduce_sum(y), rtol=1e-4)


def test_second_derivatives(tmp_path):
    module = hub.load(exported(hub.create_module_spec(of_doubles(dense, None, 3)), tmp_path))
    x = tf.Variable(numbers(2, 3, dtype=np.float64))

    def slope():
        with tf.GradientTape() as tape:
            loss = loss_of(module(x))
        return tf.reduce_sum(tape.gradient(loss, x))

    with tf.GradientTape() as tape:
        total = slope()
    found, step = tape.gradient(total, x), 1e-5
    x.assign_add(tf.fill([2, 3], tf.constant(step, tf.float64)))
    above = slope()
    x.assign_sub(tf.fill([2, 3], tf.constant(2 * step, tf.float64)))
    np.testing.assert_allclose(tf.reduce_sum(found), (above - slope()) / (2 * step), rtol=1e-5)


def test_a_frozen_variable_gets_no_gradient_and_the_inputs_do():
    module = loaded("dense")
    module.trainable = False
    x = tf.constant(KINDS["dense"].inputs["default"]["default"])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = module(x)
    assert tape.watched_variables() == ()
    assert np.any(tape.gradient(y, x))
