"""What one application of a signature brings."""

import pytest

from tests.graph.graphs import index, names, node, text, variable
from tf1hub.format import protos
from tf1hub.graph.application import application_of, tensors_of

NODES = [
    *variable("v"),
    node("in", "Placeholder"),
    node("other", "Placeholder"),
    node("out", "Add", "in", "v/Read"),
    node("mean", "Mean", "in"),
    node("update", "AssignSub", "v", "mean"),
    node("update_other", "AssignSub", "v", "other"),
    node("step", "AssignAdd", "v"),
    text("path", "/a"),
    node("words", "Read", "path"),
]


def applied(outputs=("out:0",), trainable=False, **collections):
    graph = index(*NODES, update_ops=["update", "update_other", "step"], asset_filepaths=["path:0"], **collections)
    return application_of(graph, ["in"], outputs, trainable)


def test_an_application_has_what_lies_between_inputs_and_outputs():
    application = applied()
    assert names(application.subgraph.graph_def) == ["v/Read", "out"]
    assert application.subgraph.crossing == ("v:0", "in:0")
    assert (application.update_ops, application.asset_filepaths) == ((), ())


def test_update_ops_come_while_training_but_not_those_of_other_inputs():
    application = applied(trainable=True)
    assert application.update_ops == ("update", "step")
    assert names(application.subgraph.graph_def) == ["v/Read", "out", "mean", "update", "step"]


def test_an_output_that_is_an_input_needs_nothing():
    assert names(applied(["in:0"]).subgraph.graph_def) == []


def test_assets_that_are_needed_are_listed():
    assert applied(["words:0"]).asset_filepaths == ("path:0",)


@pytest.mark.parametrize("everything", [True, False])
def test_everything_brings_the_whole_graph(everything):
    application = application_of(index(*NODES), ["in:0"], ["out:0"], False, everything)
    assert (len(application.subgraph.graph_def.node) == len(NODES)) == everything


def test_sparse_and_composite_tensors_are_several():
    sparse = protos.TensorInfo(
        coo_sparse=protos.TensorInfo.CooSparse(
            indices_tensor_name="i:0", values_tensor_name="v:0", dense_shape_tensor_name="s:0"
        )
    )
    parts = protos.TensorInfo.CompositeTensor(components=[protos.TensorInfo(name="r:0"), sparse])
    infos = [protos.TensorInfo(name="x:0"), protos.TensorInfo(composite_tensor=parts), protos.TensorInfo()]
    assert tensors_of(infos) == ["x:0", "r:0", "i:0", "v:0", "s:0"]
