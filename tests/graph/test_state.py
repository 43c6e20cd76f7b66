"""What a module brings into a graph once."""

import pytest

from tests.graph.graphs import definition, meta_graph, names, node, text, variable
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.state import state_of


@pytest.fixture
def graph():
    table = [node("table", "HashTableV2"), text("path", "/a"), node("fill", "InitTable", "table", "path")]
    loss = node("loss", "L2Loss", "v/Read")
    collections = {
        "variables": [definition("v"), definition("w")],
        "trainable_variables": [definition("v")],
        "model_variables": [definition("w")],
        "table_initializer": ["fill"],
        "regularization_losses": ["loss:0"],
        "asset_filepaths": ["path:0", "unused:0"],
    }
    rest = [text("unused", "/b"), node("in", "Placeholder"), node("out", "Add", "in", "v/Read")]
    return meta_graph(*variable("v"), *variable("w"), *table, loss, *rest, **collections)


def test_state_is_variables_tables_and_what_they_need(graph):
    state = state_of(GraphIndex(graph), trainable=False)
    assert not {"loss", "in", "out", "unused"} & set(names(state.subgraph.graph_def))
    assert {"v/Assign", "v/init", "w/Read", "table", "fill", "path"} <= set(names(state.subgraph.graph_def))
    assert state.nodes == {"v", "w", "table"}


def test_only_a_trainable_instance_has_trainable_variables_and_losses(graph):
    state = state_of(GraphIndex(graph), trainable=True)
    assert state.regularization_losses == ("loss:0",)
    assert state.subgraph.keeps("loss")
    assert [each.variable_name for each in state.variables["trainable_variables"]] == ["v:0"]
    frozen = state_of(GraphIndex(graph), trainable=False)
    assert frozen.regularization_losses == ()
    assert "trainable_variables" not in frozen.variables


def test_collections_keep_their_variables_and_initializers(graph):
    state = state_of(GraphIndex(graph), trainable=False)
    found = {key: [each.variable_name for each in all_] for key, all_ in state.variables.items()}
    assert found == {"variables": ["v:0", "w:0"], "model_variables": ["w:0"]}
    assert state.table_initializers == ("fill",)


def test_assets_that_are_not_needed_are_not_listed(graph):
    assert state_of(GraphIndex(graph), trainable=False).asset_filepaths == ("path:0",)
    assert state_of(GraphIndex(graph), trainable=False, everything=True).asset_filepaths == ("path:0", "unused:0")


def test_everything_brings_the_whole_graph(graph):
    assert names(state_of(GraphIndex(graph), False, everything=True).subgraph.graph_def) == names(graph.graph_def)


def test_the_variables_of_a_module_on_disk_come_from_its_checkpoint():
    graph = meta_graph(*variable("a"), variables=[definition("a")], trainable_variables=[definition("a")])
    state = state_of(GraphIndex(graph), trainable=True, checkpoint="/m/variables")
    assert "RestoreV2" in {each.op for each in state.subgraph.graph_def.node}
    for key in ("variables", "trainable_variables"):
        assert [each.initial_value_name for each in state.variables[key]] == ["checkpoint_initializer:0"]
