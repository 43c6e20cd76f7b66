"""What tf1hub does with TensorFlow's private API, and above all that `tf.layers` works and nothing else changes.

Each program is a process of its own: what `tf.layers` is gets decided once in a process.
"""

import textwrap

import keras
import pytest
import tensorflow.compat.v1 as tf

from tests.graphs import op_types
from tests.module_fns.registry import control_flow_v1
from tests.programs import WITHOUT_TF_KERAS, run_program
from tf1hub.tensorflow_private import (
    brought_into,
    defined_functions,
    enclosing_graphs,
    is_function_graph,
    is_registered,
    named_variable,
    place_with,
)

KERAS_2 = keras.__version__.startswith("2.")
only_keras_3 = pytest.mark.skipif(KERAS_2, reason="with Keras 2 tf.layers works by itself")
only_keras_2 = pytest.mark.skipif(not KERAS_2, reason="with Keras 3 tf.layers needs help")

# Prints whether tf.layers works: the name of the first kernel, or the error's type.
TRY_LAYERS = """
def try_layers(layers, cells=None):
    with tf.Graph().as_default():
        try:
            layers.dense(tf.ones([1, 2]), 3)
            cells = cells or tf.nn.rnn_cell
            tf.nn.dynamic_rnn(cells.GRUCell(2), tf.ones([1, 2, 3]), dtype=tf.float32)
            return [v.name for v in tf.global_variables()][::2]
        except AttributeError as error:
            return "AttributeError"
"""
WORKS = "['dense/kernel:0', 'rnn/gru_cell/gates/kernel:0', 'rnn/gru_cell/candidate/kernel:0']"

FIRST_CALLS = {
    "create_module_spec": """
        def module_fn():
            x = tf.placeholder(tf.float32, [None, 3])
            hub.add_signature(inputs=x, outputs=tf.layers.dense(x, 2))
        hub.create_module_spec(module_fn)
    """,
    "add_signature": """
        with tf.Graph().as_default():
            x = tf.placeholder(tf.float32, [])
            hub.add_signature(inputs=x, outputs=x)
    """,
    "Module": """
        with tf.Graph().as_default():
            hub.Module(hub.load_module_spec(sys.argv[1]))
    """,
    "a_module_that_is_refused": """
        try:
            hub.Module("/nothing")
        except RuntimeError:
            pass
    """,
    "eval_function_for_module": """
        with hub.eval_function_for_module(sys.argv[1]) as f:
            f([1.0, 2.0, 3.0])
    """,
    "text_embedding_column_v2": "hub.text_embedding_column_v2('key', sys.argv[1])",
    "create_module_spec_from_saved_model": """
        try:
            hub.create_module_spec_from_saved_model(sys.argv[1])
        except OSError:
            pass
    """,
}  # fmt: skip


@pytest.fixture(scope="module")
def module_dir(tmp_path_factory):
    from tests.graphs import export, spec_with

    return export(spec_with(lambda x: x * 2.0, [3]), tmp_path_factory.mktemp("first") / "module")


def program(body):
    lines = "import sys\nimport tensorflow.compat.v1 as tf\nimport tf1hub as hub\n" + TRY_LAYERS
    return lines + textwrap.dedent(body)


@only_keras_3
@pytest.mark.parametrize("call", FIRST_CALLS)
def test_the_first_call_that_needs_tensorflow_makes_tf_layers_work(module_dir, call):
    body = "from tensorflow.compat.v1 import layers\nheld = layers, tf.nn.rnn_cell\n"
    body += textwrap.dedent(FIRST_CALLS[call]) + "\nprint(try_layers(tf.layers), try_layers(*held))"
    assert run_program(program(body), module_dir).split("\n")[0] == f"{WORKS} {WORKS}"


@only_keras_3
def test_importing_tf1hub_after_tensorflow_is_enough():
    body = """
    import tensorflow.compat.v1 as tf
    import tf1hub
    with tf.Graph().as_default():
        print(tf.layers.dense(tf.ones([1, 2]), 3).shape)
    """
    assert run_program(body) == "(1, 3)\n"


@only_keras_3
def test_with_tensorflow_imported_after_tf1hub_a_name_of_tf1hub_is_enough():
    body = """
    import tf1hub
    import tensorflow.compat.v1 as tf
    tf1hub.Module
    with tf.Graph().as_default():
        print(tf.layers.dense(tf.ones([1, 2]), 3).shape)
    """
    assert run_program(body) == "(1, 3)\n"


def test_importing_tf1hub_does_not_import_tensorflow():
    body = """
    import sys, tf1hub
    tf1hub.load_module_spec, tf1hub.ModuleSpec, tf1hub.resolve, tf1hub.ImageModuleInfo, dir(tf1hub)
    print([name for name in ("tensorflow", "keras", "tf_keras") if name in sys.modules])
    """
    assert run_program(body) == "[]\n"


STATE_OF_KERAS = """
import tensorflow as tf2, keras
def state():
    others = [getattr(tf2, "estimator", None), tf2.compat.v1.keras, tf2.keras]
    return [id(one) for one in others], tf2.keras.layers.Dense, tf.keras.layers.Dense, keras.layers.Dense, keras.__version__

state()
before = state()
with tf.Graph().as_default():
    hub.Module(hub.load_module_spec(sys.argv[1]))
    tf.layers.dense(tf.ones([1, 2]), 3)
assert state() == before
print(tf2.keras.layers.Dense.__module__.split(".")[0], keras.__version__)
"""


def test_tf_keras_stays_what_it_is(module_dir):
    assert run_program(program(STATE_OF_KERAS), module_dir) == f"keras {keras.__version__}\n"


@only_keras_3
def test_the_layers_are_used_with_keras_3_models_beside_them(module_dir):
    body = """
    import tensorflow as tf2
    with tf.Graph().as_default():
        hub.Module(hub.load_module_spec(sys.argv[1]))
    model = tf2.keras.Sequential([tf2.keras.layers.Dense(2, kernel_initializer="ones")])
    print(try_layers(tf.layers), type(model).__module__.split(".")[0], model(tf2.ones([1, 3])).numpy().tolist())
    """
    assert run_program(program(body), module_dir) == f"{WORKS} keras [[3.0, 3.0]]\n"


UNCHANGED = """
with tf.Graph().as_default():
    before = type(tf.layers).__name__, id(tf.layers), type(tf.nn.rnn_cell).__name__, tf.layers.dense
    hub.Module(hub.load_module_spec(sys.argv[1]))
    assert (type(tf.layers).__name__, id(tf.layers), type(tf.nn.rnn_cell).__name__, tf.layers.dense) == before
print(type(tf.layers).__name__, try_layers(tf.layers))
"""


@only_keras_3
def test_with_the_legacy_keras_setting_nothing_is_changed(module_dir):
    printed = run_program(program(UNCHANGED), module_dir, TF_USE_LEGACY_KERAS="1")
    assert printed == f"KerasLazyLoader {WORKS}\n"


@only_keras_2
def test_with_keras_2_nothing_is_changed(module_dir):
    assert WORKS in run_program(program(UNCHANGED), module_dir)


@only_keras_2
def test_with_keras_2_the_layers_work_without_tf_keras(module_dir):
    assert WORKS in run_program(WITHOUT_TF_KERAS + program(UNCHANGED), module_dir)


NO_TF_KERAS = """
def module_fn():
    x = tf.placeholder(tf.float32, [None, 3])
    hub.add_signature(inputs=x, outputs={made})
try:
    hub.create_module_spec(module_fn)
except ImportError as error:
    print(error)
"""


@only_keras_3
@pytest.mark.parametrize(
    ("made", "name"),
    [("tf.layers.dense(x, 2)", "tf.layers"), ("tf.nn.rnn_cell.GRUCell(2)(x, x)[0]", "tf.nn.rnn_cell")],
)
def test_without_tf_keras_the_error_says_what_to_install(made, name):
    printed = run_program(WITHOUT_TF_KERAS + program(NO_TF_KERAS.format(made=made)))
    version = ".".join(tf.__version__.split(".")[:2])
    assert printed.startswith(f"{name} is part of Keras 2")
    assert f"pip install 'tf-keras~={version}.0'" in printed


@only_keras_3
def test_without_tf_keras_all_else_works(module_dir):
    body = """
    with hub.eval_function_for_module(sys.argv[1]) as f:
        print(f([1.0, 2.0, 3.0]).tolist(), hasattr(tf.layers, "__wrapped__"), repr(tf.layers))
    """
    printed = run_program(WITHOUT_TF_KERAS + program(body), module_dir)
    assert printed.startswith("[2.0, 4.0, 6.0] False <tf_keras's layers")


@only_keras_3
def test_the_layers_can_be_looked_at(module_dir):
    body = (
        textwrap.dedent(FIRST_CALLS["Module"])
        + "print(tf.layers, 'dense' in dir(tf.layers), tf.layers.Dense.__name__, hasattr(tf.layers, 'nothing'))"
    )
    assert run_program(program(body), module_dir) == "<tf_keras's layers, by tf1hub> True Dense False\n"


def test_an_op_is_registered_or_not():
    assert is_registered("MatMul")
    assert not is_registered("MyVeryOwnOp")


def test_the_functions_of_a_graph_are_listed():
    with tf.Graph().as_default() as graph:
        assert defined_functions(graph) == set()
        tf.function(lambda x: x * 2.0, jit_compile=False)(tf.constant(1.0))
        expected = {function.signature.name for function in graph.as_graph_def().library.function}
        assert defined_functions(graph) == expected != set()


def test_graphs_of_functions_know_what_is_around_them():
    found = []

    def body(x):
        found.append([is_function_graph(graph) for graph in enclosing_graphs(tf.get_default_graph())])
        return x

    with tf.Graph().as_default():
        tf.function(lambda x: tf.function(body)(x))(tf.constant(1.0))
    assert found == [[True, True, False]]


def test_a_tensor_is_brought_into_a_v1_loop():
    with tf.Graph().as_default() as graph, control_flow_v1():
        outside = tf.constant(2.0)

        def body(x):
            inside = brought_into(graph, outside)
            assert (inside is outside, inside.op.type) == (False, "Enter")
            return x * inside

        y = tf.while_loop(lambda x: x < 10.0, body, [tf.constant(1.0)])
        with tf.Session() as session:
            assert session.run(y) == 16.0
        assert brought_into(graph, outside) is outside


def test_a_tensor_is_captured_by_a_function():
    with tf.Graph().as_default():
        outside = tf.constant(2.0)
        y = tf.function(lambda x: x * brought_into(tf.get_default_graph(), outside))(tf.constant(3.0))
        with tf.Session() as session:
            assert session.run(y) == 6.0


def test_an_op_is_placed_with_others():
    with tf.Graph().as_default():
        with tf.device("/device:CPU:1"):
            other = tf.constant(1.0, name="other")
        moved = tf.constant(2.0, name="moved")
        place_with(moved.op, [other.op])
        assert moved.op.colocation_groups() == [b"loc:@other"]
        assert moved.device == other.device == "/device:CPU:1"
        assert op_types() == ["Const", "Const"]


def test_a_variable_has_its_name():
    with tf.init_scope():
        variable = named_variable("dense/kernel", [1.0], trainable=False)
    assert (variable.name, variable.trainable) == ("dense/kernel:0", False)
