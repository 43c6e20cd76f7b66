"""Verifying graphs: names that lead nowhere are found, each in its variant."""

import pytest

import tf1hub as hub
from tests.checks.damage import node, only_fault, place, variant, whole_module
from tests.graphs import edited_saved_model
from tf1hub.format import protos

GRAPH = "saved_model.pb"


@pytest.fixture
def module(tmp_path):
    return whole_module(tmp_path)


def fault_after(module, edit, *tags):
    """What is said of the module when `edit` has changed the graph of a variant; it must be said of that variant."""
    with edited_saved_model(str(module)) as saved_model:
        edit(variant(saved_model, *tags))
    fault = only_fault(module)
    assert (*place(fault), fault.tags) == (GRAPH, None, None, tags)
    return fault.message


def test_a_signature_that_names_no_node(module):
    def edit(graph):
        graph.signature_def["default"].outputs["default"].name = "nowhere:0"

    expected = "the output 'default' of the signature 'default' names 'nowhere:0', and there is no node 'nowhere'"
    assert fault_after(module, edit) == expected


def test_a_signature_that_names_an_output_which_its_node_lacks(module):
    def edit(graph):
        graph.signature_def["default"].outputs["second"].name = "halves:2"

    assert fault_after(module, edit, "train").endswith("and the node 'halves' (Split) has 2 outputs")


@pytest.mark.parametrize("name", ["halves:x", "halves:-1", "halves:" + "9" * 50])
def test_a_signature_that_names_no_tensor(module, name):
    def edit(graph):
        graph.signature_def["default"].outputs["second"].name = name

    assert "is no name of a tensor" in fault_after(module, edit)


def test_a_signature_without_a_tensor(module):
    def edit(graph):
        graph.signature_def["words"].inputs["default"].ClearField("name")

    assert "names '', and that is no name of a tensor" in fault_after(module, edit)


@pytest.mark.parametrize("part", ["values", "indices", "dense_shape"])
def test_a_sparse_input_with_a_part_that_is_not_there(module, part):
    def edit(graph):
        setattr(graph.signature_def["bag"].inputs["default"].coo_sparse, f"{part}_tensor_name", "gone:0")

    assert fault_after(module, edit).startswith("the input 'default' of the signature 'bag' names 'gone:0'")


def test_a_ragged_input_with_a_part_that_is_not_there(module):
    def edit(graph):
        graph.signature_def["sums"].inputs["default"].composite_tensor.components[1].name = "gone:0"

    assert fault_after(module, edit).startswith("the input 'default' of the signature 'sums' names 'gone:0'")


@pytest.mark.parametrize("name", ["gone", "^gone", "gone:1"])
def test_a_node_that_takes_what_is_not_there(module, name):
    def edit(graph):
        node(graph, "Greater").input[0] = name

    expected = f"the node 'Greater' (Greater) takes '{name}', and there is no node 'gone'"
    assert fault_after(module, edit) == expected


def test_a_node_that_takes_an_output_which_is_not_there(module):
    def edit(graph):
        node(graph, "cond").input[1] = "halves:7"

    assert fault_after(module, edit).endswith("takes 'halves:7', and the node 'halves' (Split) has 2 outputs")


def test_two_nodes_of_one_name(module):
    def edit(graph):
        graph.graph_def.node.add(name="halves", op="NoOp")

    with edited_saved_model(str(module)) as saved_model:
        edit(variant(saved_model))
    found = [finding.message for finding in hub.verify(module).findings]
    assert "2 nodes are called 'halves'" in found


def test_a_function_that_is_not_in_the_library(module):
    def edit(graph):
        node(graph, "cond").attr["then_branch"].func.name = "gone"

    expected = "the node 'cond' (StatelessIf) calls a function 'gone', which is not in the library"
    assert fault_after(module, edit) == expected


def test_an_op_that_nobody_knows(module):
    def edit(graph):
        node(graph, "L2Loss").op = "Gone"

    expected = "the op 'Gone' of 'L2Loss' is neither in the list of ops nor a function of the library"
    assert fault_after(module, edit) == expected


def test_a_node_in_a_function_that_takes_what_is_not_there(module):
    def edit(graph):
        graph.graph_def.library.function[0].node_def.add(name="new", op="NoOp", input=["gone:output:0"])

    assert "the node 'new' takes 'gone:output:0', and there is no such node" in fault_after(module, edit)


def test_a_function_that_returns_what_is_not_there(module):
    def edit(graph):
        function = graph.graph_def.library.function[0]
        function.ret[function.signature.output_arg[0].name] = "gone:output:0"

    assert "'gone:output:0', and there is no such node" in fault_after(module, edit)


def test_a_function_that_returns_nothing(module):
    def edit(graph):
        graph.graph_def.library.function[0].ret.clear()

    assert "nothing is returned for its output" in fault_after(module, edit)


def test_nodes_that_need_each_other(module):
    def edit(graph):
        node(graph, "Greater").input.append("^cond")

    assert fault_after(module, edit) == "the nodes 'cond', 'Greater' need each other, in no loop"


@pytest.mark.parametrize(
    ("key", "tags"),
    [
        ("update_ops", ("train",)),
        ("regularization_losses", ()),
        ("table_initializer", ()),
        ("asset_filepaths", ()),
    ],
)
def test_collections_of_nodes_that_are_not_there(module, key, tags):
    def edit(graph):
        graph.collection_def[key].node_list.value.append("gone")

    expected = f"the collection '{key}' lists 'gone', and there is no node 'gone'"
    assert fault_after(module, edit, *tags) == expected


def changed_variable(graph, key, **changes):
    values = graph.collection_def[key].bytes_list.value
    definition = protos.VariableDef.FromString(values[0])
    for name, value in changes.items():
        setattr(definition, name, value)
    values[0] = definition.SerializeToString()


@pytest.mark.parametrize("field", ["initializer_name", "snapshot_name", "initial_value_name"])
@pytest.mark.parametrize("key", ["variables", "trainable_variables"])
def test_a_variable_whose_nodes_are_not_there(module, key, field):
    message = fault_after(module, lambda graph: changed_variable(graph, key, **{field: "gone:0"}), "train")
    assert message == f"the variable 'a:0' in '{key}' has 'gone:0' as {field}, and there is no node 'gone'"


def test_a_variable_that_is_no_node_does_not_count_as_missing(module):
    message = fault_after(module, lambda graph: changed_variable(graph, "variables", variable_name="gone:0"))
    assert "has 'gone:0' as variable_name" in message


@pytest.mark.parametrize("key", ["variables", "while_context", "cond_context", "hub_module_attachments"])
def test_a_message_in_a_collection_that_cannot_be_parsed(module, key):
    def edit(graph):
        graph.collection_def[key].bytes_list.value.append(b"\xff")

    assert f"in the collection '{key}' cannot be parsed" in fault_after(module, edit)


def test_an_asset_that_no_constant_stands_for(module):
    def edit(graph):
        asset = protos.AssetFileDef.FromString(graph.collection_def["saved_model_assets"].any_list.value[0].value)
        asset.tensor_info.name = "x:0"
        graph.collection_def["saved_model_assets"].any_list.value[0].value = asset.SerializeToString()

    assert fault_after(module, edit) == "the asset 'words.txt' stands for 'x:0', and that is no constant"


def test_two_variants_with_the_same_tags(module):
    def edit(graph):
        graph.meta_info_def.tags[:] = []

    with edited_saved_model(str(module)) as saved_model:
        edit(variant(saved_model, "train"))
    fault = only_fault(module)
    assert (fault.message, fault.tags) == ("another variant has the same tags", ())


def test_a_module_without_a_graph(module):
    (module / GRAPH).write_bytes(b"\x08\x01")
    assert only_fault(module).message == "it holds no graph"


def test_long_names_do_not_make_long_messages(module):
    def edit(graph):
        node(graph, "Greater").input.extend(["y" * 1_000_000 + str(number) for number in range(3)])

    with edited_saved_model(str(module)) as saved_model:
        edit(variant(saved_model))
    assert max(len(finding.message) for finding in hub.verify(module).findings) < 1000


def test_of_very_many_faults_the_first_are_listed(module):
    with edited_saved_model(str(module)) as saved_model:
        node(variant(saved_model), "Greater").input.extend([f"gone{number}" for number in range(10_500)])
    findings = hub.verify(module).findings
    assert len(findings) == 10_001
    assert findings[-1].message == "500 more findings, which are not listed"
    assert findings[-1].severity == "fault"
