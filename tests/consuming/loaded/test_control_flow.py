"""Loaded modules with TF1 loops and branches: variables, update ops, effects, saving."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.compat.v1 as tf1

import tf1hub as hub
from tests.consuming.loaded.control_flow_programs import counted
from tests.graphs import ROWS, export
from tests.module_fns import KINDS
from tests.module_fns.registry import as_tensors, control_flow_v1
from tests.plain_graphs import plain_answers

pytestmark = pytest.mark.filterwarnings("ignore:`tf.nn.rnn_cell:UserWarning")

_KINDS = [
    "while_v1",
    "while_v1_of_references",
    "cond_v1",
    "nested_control_flow_v1",
    "gradient_of_a_loop",
    "rnn",
    "rnn_v2",
]


def loaded(outputs, path, shape=(None, 3), tags=None):
    """A module of TF1 control flow, exported and loaded. `outputs` makes its outputs from its input."""

    def module_fn():
        with control_flow_v1():
            x = tf1.placeholder(tf.float32, shape)
            hub.add_signature(inputs=x, outputs=outputs(x))

    return hub.load(export(hub.create_module_spec(module_fn), path))


def assert_all_close(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(tf.convert_to_tensor(one), other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", _KINDS)
def test_values_and_gradients_by_variables_are_those_of_the_tf1_graph(kind, tmp_path):
    if not KINDS[kind].available():
        pytest.skip(f"{KINDS[kind].needs} is not installed")
    module = hub.load(export(KINDS[kind].spec(hub), tmp_path / "module", values=True))
    with tf.GradientTape() as tape:
        output = module(as_tensors(KINDS[kind].inputs["default"]))
    named = sorted(zip(module.variable_names, module.variables, strict=True), key=lambda one: f"{one[0]}:0")
    assert_all_close([output, *tape.gradient(output, [variable for _, variable in named])], plain_answers(kind))


def scaled_by_a_variable_in_one_branch(x):
    w = tf1.get_variable("w", [3], initializer=tf1.constant_initializer(2.0))
    b = tf1.get_variable("b", [3], initializer=tf1.constant_initializer(1.0))
    return tf1.cond(tf.reduce_sum(x) > 0.0, lambda: x * w, lambda: x + b)


@pytest.mark.parametrize(("sign", "expected"), [(1.0, [True, False]), (-1.0, [False, True])])
def test_the_gradient_goes_to_the_variable_of_the_branch_that_is_taken(sign, expected, tmp_path):
    module = loaded(scaled_by_a_variable_in_one_branch, tmp_path / "module")
    variables = dict(zip(module.variable_names, module.variables, strict=True))
    with tf.GradientTape() as tape:
        y = module(sign * tf.abs(tf.constant(ROWS)))
    gradients = tape.gradient(y, [variables["w"], variables["b"]])
    assert [bool(tf.reduce_any(one != 0.0)) for one in gradients] == expected


def looked_up_in_parts(x):
    parts = tf1.get_variable("parts", [4, 3], partitioner=tf1.fixed_size_partitioner(2))
    steps = lambda i, y: y + tf1.nn.embedding_lookup(parts, [i, i + 1])  # noqa: E731
    return counted(3, steps, x)[0]


def test_partitioned_variables_are_looked_up_in_a_loop(tmp_path):
    module = loaded(looked_up_in_parts, tmp_path / "module", shape=(2, 3))
    with tf.GradientTape() as tape:
        y = module(tf.zeros([2, 3]))
    table = tf.concat(module.variables, 0)
    assert_all_close([y], [tf.stack([table[0] + table[1] + table[2], table[1] + table[2] + table[3]])])
    rows = tf.concat([tf.convert_to_tensor(one) for one in tape.gradient(y, module.variables)], 0)
    assert_all_close([rows], [np.outer([1.0, 2.0, 2.0, 1.0], [1.0, 1.0, 1.0])])


def counting(x):
    taken = tf1.get_variable("taken", [], initializer=tf1.zeros_initializer(), trainable=False)
    within = tf1.get_variable("within", [], initializer=tf1.zeros_initializer(), trainable=False)

    def step(_, y):
        with tf.control_dependencies([within.assign_add(1.0)]):
            return tf.identity(y)

    def update():
        with tf.control_dependencies([taken.assign_add(1.0)]):
            return tf.constant(True)

    tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, tf1.cond(tf.reduce_sum(x) > 0.0, update, lambda: True).op)
    y = counted(3, step, x)[0]
    with tf.control_dependencies([y]):
        return {"default": tf.identity(y), "within": within.read_value()}


def test_an_update_op_in_a_branch_runs_only_when_the_branch_is_taken(tmp_path):
    module = loaded(counting, tmp_path / "module")
    taken = module.variables[module.variable_names.index("taken")]
    with pytest.warns(UserWarning, match="no variant"):
        module(tf.fill([2, 3], -1.0), training=True)
    for _ in range(2):
        module(tf.ones([2, 3]), training=True)
    module(tf.ones([2, 3]))
    assert taken.numpy() == 2.0


def test_what_comes_after_a_loop_sees_what_was_done_in_it(tmp_path):
    module = loaded(counting, tmp_path / "module")
    outputs = module(tf.ones([2, 3]), as_dict=True)
    assert outputs["within"].numpy() == 3.0


def normalized_by_a_switch(x):
    is_training = tf1.placeholder_with_default(False, [])
    mean = tf1.get_variable("mean", [3], initializer=tf1.zeros_initializer(), trainable=False)
    batch_mean = tf.reduce_mean(x, 0)

    def updated():
        with tf.control_dependencies([mean.assign(mean * 0.9 + batch_mean * 0.1)]):
            return tf.identity(batch_mean)

    chosen = tf1.cond(is_training, updated, lambda: tf.identity(mean))
    hub.add_signature("training", {"x": x, "is_training": is_training}, x - chosen)
    return x - chosen


def test_a_placeholder_with_a_default_switches_batch_normalization(tmp_path):
    module = loaded(normalized_by_a_switch, tmp_path / "module")
    x = tf.constant(ROWS)
    assert_all_close([module(x), module.variables[0]], [ROWS, np.zeros(3)])
    trained = module({"x": x, "is_training": True}, signature="training")
    assert_all_close([trained, module.variables[0]], [ROWS - ROWS.mean(0), 0.1 * ROWS.mean(0)])


def repeated(x):
    w = tf1.get_variable("w", [3], initializer=tf1.constant_initializer(2.0))
    row = lambda one: counted(2, lambda i, y: tf1.cond(i > 0, lambda: y * w, lambda: y + w), one)[0]  # noqa: E731
    return tf1.map_fn(row, x)


def looked_up_in_a_loop_in_a_loop(x):
    w = tf1.get_variable("w", [2, 3], initializer=tf1.constant_initializer(2.0))
    inner = lambda i, y: counted(2, lambda j, z: z * tf1.nn.embedding_lookup(w, j), y)[0]  # noqa: E731
    return counted(2, inner, x)[0]


@pytest.mark.parametrize(
    ("outputs", "expected", "gradient"),
    [
        (repeated, (ROWS + 2.0) * 2.0, (ROWS + 4.0).sum(0)),
        (looked_up_in_a_loop_in_a_loop, ROWS * 16.0, np.tile(16.0 * ROWS.sum(0), [2, 1])),
    ],
)
def test_it_is_saved_loaded_again_and_differentiated(outputs, expected, gradient, tmp_path):
    """TensorFlow's own gradient would be zero here: see graph/control_flow/variable_reads.py."""
    module = loaded(outputs, tmp_path / "module")
    holder = tf.Module()
    holder.module, holder.held = module, module.variables
    holder.apply = tf.function(lambda x: module(x), input_signature=[tf.TensorSpec([None, 3])])
    tf.saved_model.save(holder, str(tmp_path / "saved"))
    again = tf.saved_model.load(str(tmp_path / "saved"))
    with tf.GradientTape() as tape:
        y = again.apply(tf.constant(ROWS))
    assert_all_close([y, tape.gradient(y, again.held[0])], [expected, gradient])


def test_it_is_compiled_by_xla(tmp_path):
    module = loaded(repeated, tmp_path / "module")
    y = tf.function(module, jit_compile=True)(tf.constant(ROWS))
    assert_all_close([y], [(ROWS + 2.0) * 2.0])
