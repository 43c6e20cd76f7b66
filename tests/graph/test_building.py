"""Graphs that are built without TensorFlow."""

import pytest
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import op_def_registry

from tf1hub.format import dtypes
from tf1hub.graph.building import GraphBuilder, op_definitions


@pytest.mark.parametrize("op", sorted(op_definitions()))
def test_an_ops_definition_is_tensorflows(op):
    ours = type(op_def_registry.get(op)).FromString(op_definitions()[op].SerializeToString())
    assert ours == op_def_registry.get(op)


def built() -> GraphBuilder:
    builder = GraphBuilder()
    builder.placeholder("x", dtypes.FLOAT32, [-1, 2])
    builder.variable("v", dtypes.FLOAT32, [3, 2], trainable=True)
    builder.constant("numbers", dtypes.INT64, [-1, 2], [2])
    builder.constant("text", dtypes.STRING, [b"\xff"])
    return builder


def imported() -> tf.Graph:
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(tf.GraphDef.FromString(built().meta_graph().graph_def.SerializeToString()), name="")
    return graph


def test_tensorflow_reads_what_is_built():
    graph = imported()
    assert graph.get_tensor_by_name("x:0").shape.as_list() == [None, 2]
    with tf.Session(graph=graph) as session:
        session.run("v/Assign")
        assert session.run("v/Read/ReadVariableOp:0").tolist() == [[0, 0]] * 3
        assert session.run("numbers:0").tolist() == [-1, 2]
        assert session.run("text:0") == b"\xff"


def test_the_variable_is_one_of_tensorflows():
    meta_graph = tf.MetaGraphDef.FromString(built().meta_graph().SerializeToString())
    with tf.Graph().as_default():
        tf.train.import_meta_graph(meta_graph)
        [variable] = tf.trainable_variables()
        assert (variable.name, variable.shape.as_list(), variable.dtype) == ("v:0", [3, 2], tf.float32)
        assert tf.global_variables() == [variable]


def test_what_goes_without_saying_is_left_out():
    meta_graph = built().meta_graph()
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    assert meta_graph.meta_info_def.stripped_default_attrs
    assert "container" not in nodes["v"].attr
    assert sorted(nodes["x"].attr) == ["dtype", "shape"]
    assert [op.name for op in meta_graph.meta_info_def.stripped_op_list.op] == sorted(
        {node.op for node in nodes.values()}
    )


def test_an_attribute_that_the_op_lacks_is_refused():
    with pytest.raises(KeyError, match="colour"):
        GraphBuilder().add("StringLower", "lower", colour=b"blue")
