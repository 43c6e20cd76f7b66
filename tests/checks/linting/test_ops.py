"""What the rules about ops, devices and colocations say, and the tables of ops that they go by."""

import runpy
from pathlib import Path

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.editing import edited, nodes, with_op
from tests.graphs import scaling_spec, spec_of, spec_with
from tf1hub.checks.linting.linted_module import LintedModule
from tf1hub.checks.linting.reuse.op_nodes import nodes_by_op
from tf1hub.checks.linting.reuse.op_tables import op_tables

REMEDY = "Compute the same with TensorFlow's own ops, or tell the module's users which library to load first."
PROJECT = Path(__file__).parents[3]
SCRIPT = PROJECT / "scripts/write_op_tables.py"
TABLES = PROJECT / "tf1hub/checks/linting/reuse"


def told(module, rule):
    """The node, reason and remedy of each finding of a rule."""
    return [(each.node, each.reason, each.remedy) for each in hub.lint(module, select=[rule]).findings]


def test_unknown_ops_are_told_by_the_library_that_they_likely_come_from():
    spec = with_op(spec_with(lambda x: tf.tanh(tf.sin(tf.cos(x)))), "Tanh", "Addons>Tanh")
    spec = with_op(with_op(spec, "Sin", "Acme>Sin"), "Cos", "AcmeCos")
    assert told(spec, "op-unknown") == [
        (
            "Cos",
            "Neither TensorFlow 2.15 nor 2.21 has the ops 'Acme>Sin' and 'AcmeCos' (2 nodes), from a library whose name they"
            " do not tell; a program that has not loaded the library cannot use the module.",
            REMEDY,
        ),
        (
            "Tanh",
            "Neither TensorFlow 2.15 nor 2.21 has the op 'Addons>Tanh' (1 node), likely from `import tensorflow_addons` (pip"
            " install tensorflow-addons); a program that has not loaded the library cannot use the module.",
            REMEDY,
        ),
    ]


def test_one_unknown_op_is_told_in_the_singular():
    ((_, reason, _),) = told(with_op(spec_with(tf.tanh), "Tanh", "AcmeTanh"), "op-unknown")
    assert "has the op 'AcmeTanh' (1 node), from a library whose name it does not tell; a program" in reason


def test_an_unsupported_op_is_told_with_the_version_that_lacks_it():
    spec = with_op(spec_with(tf.tanh), "Tanh", "TRTEngineOp")
    assert told(spec, "op-unsupported") == [
        (
            "Tanh",
            "TensorFlow 2.21 does not have the op 'TRTEngineOp' (1 node), so the module cannot be used with it.",
            "Compute the same with ops that every TensorFlow from 2.15 to 2.21 has.",
        )
    ]


def test_python_ops_are_told_with_their_number():
    spec = spec_with(lambda x: tf.py_func(abs, [x], tf.float32) + tf.numpy_function(abs, [x], tf.float32))
    ((node, reason, _),) = told(spec, "python-op")
    assert node == "PyFunc"
    assert reason == (
        "Python functions of the process that made the module are called by the op 'PyFunc' (2 nodes): other processes have"
        " no such functions, so the module fails there."
    )


def test_a_colocation_that_leads_nowhere_is_told_with_how_many_there_are():
    def lose(meta_graph):
        for node in nodes(meta_graph):
            if node.op in ("Tanh", "Sin"):
                node.attr["_class"].list.s.append(b"loc:@gone")

    spec = edited(spec_with(lambda x: tf.tanh(tf.sin(x))), lose)
    ((node, reason, _),) = told(spec, "device-left")
    assert node == "Sin"
    assert reason == (
        "The node 'Sin' is colocated with 'gone' (1 other node alike), which the graph does not have: TensorFlow does not"
        " import such a graph."
    )


def test_tensorflow_does_not_import_a_colocation_that_leads_nowhere():
    graph_def = tf.GraphDef()
    graph_def.node.add(name="x", op="NoOp").attr["_class"].list.s.append(b"loc:@gone")
    with tf.Graph().as_default(), pytest.raises(ValueError, match="gone"):
        tf.import_graph_def(graph_def)


@pytest.mark.parametrize("kind", ["gradient_of_a_loop", "nested_control_flow_v1", "cond_v1", "text", "colocated"])
def test_what_tensorflow_colocates_by_itself_is_no_finding(kind):
    assert told(spec_of(kind), "device-left") == []


def test_nodes_of_functions_that_only_a_dataset_calls_count():
    def compute(x):
        dataset = tf.data.Dataset.from_tensors(x).map(tf.math.expm1)
        return tf.data.experimental.get_single_element(dataset)

    (variant,) = LintedModule(spec_with(compute)).variants
    (node,) = nodes_by_op(variant)["Expm1"]
    assert node.name.startswith(node.function + "/")


def test_a_function_of_the_library_is_no_op():
    (variant,) = LintedModule(spec_of("defun")).variants
    assert {"twice", "four_times"} & {node.op for node in variant.flow.nodes.values()}
    assert not {"twice", "four_times"} & set(nodes_by_op(variant))
    assert told(spec_of("defun"), "op-unknown") == []


def test_the_tables_are_of_the_oldest_and_the_newest_supported_tensorflow():
    assert [table.tensorflow for table in op_tables()] == ["2.15", "2.21"]
    assert all({"MatMul", "VarHandleOp"} <= table.ops for table in op_tables())


def test_the_table_of_this_tensorflow_is_what_the_script_writes(tmp_path):
    version = ".".join(tf.__version__.split(".")[:2])
    if version not in [table.tensorflow for table in op_tables()]:
        pytest.skip(f"there is no table of TensorFlow {version}")
    runpy.run_path(str(SCRIPT))["main"](str(tmp_path))
    name = f"op_names_{version}.txt"
    assert (tmp_path / name).read_bytes() == (TABLES / name).read_bytes()


def test_a_plain_module_runs_with_every_supported_tensorflow():
    assert hub.lint(scaling_spec(), select=["op-unsupported"]).facts.tensorflow == ("2.15", "2.21")
