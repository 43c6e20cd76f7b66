"""What is said of signatures, inputs and outputs: places, names and numbers, and one finding for each thing to mend."""

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases import CASES
from tests.checks.linting.cases.building import dense, one_variant, rows, two_variants
from tests.graphs import spec_of
from tf1hub.format import protos
from tf1hub.spec import ModuleSpec


def findings_of(spec, rule):
    return hub.lint(spec, select=[rule]).findings


def the_finding(spec, rule):
    (finding,) = findings_of(spec, rule)
    return finding


def edited(spec, edit):
    """The spec with its first graph changed by `edit`."""
    saved_model = protos.SavedModel()
    saved_model.meta_graphs.add().CopyFrom(spec.variant(()).meta_graph)
    edit(saved_model.meta_graphs[0])
    return ModuleSpec(saved_model)


def test_the_signatures_that_are_there_are_named():
    finding = the_finding(spec_of("signature_with_a_slash"), "no-default-signature")
    assert "(there is 'resnet_v2_50/block1')" in finding.reason
    assert (finding.tags, finding.signature) == ((), None)


def test_the_outputs_that_are_there_are_named():
    finding = the_finding(spec_of("inputs_of_all_types"), "no-default-output")
    assert "it has 'b', 'd', 'h', 'l', 'n' and 2 more" in finding.reason
    assert (finding.tags, finding.signature) == ((), "default")


def test_signatures_that_lack_a_default_output_are_one_finding():
    def module_fn():
        x = rows()
        y = dense(x, 3)
        hub.add_signature(inputs=x, outputs=y)
        for name in ("one", "two"):
            hub.add_signature(name, inputs=x, outputs={name: y})

    finding = the_finding(one_variant(module_fn), "no-default-output")
    assert finding.signature == "one"
    assert finding.reason.endswith("Nor has 'two' one.")


def test_an_input_that_is_computed_is_told_with_its_op():
    finding = the_finding(spec_of("constant_inputs"), "input-not-placeholder")
    assert (finding.signature, finding.node) == ("default", "inputs")
    assert finding.reason.startswith(
        "The signature 'default' takes for 'default' what a node computes (Const), no placeholder"
    )


def test_inputs_of_a_fixed_size_are_told_with_their_shapes():
    finding = the_finding(spec_of("several_signatures"), "fixed-batch-size")
    assert finding.reason.startswith("The signature 'add' fixes the first dimension of its input 'a' [3], 'b' [3], so")
    assert (finding.signature, finding.node) == ("add", "Placeholder")


def test_a_fault_of_a_tensor_that_two_signatures_share_is_told_once():
    def module_fn():
        x = tf.placeholder(tf.float32, [8, 4], name="x")
        y = dense(x, 3)
        for name in (None, "features"):
            hub.add_signature(name, inputs=x, outputs=y)

    finding = the_finding(one_variant(module_fn), "fixed-batch-size")
    assert finding.reason.startswith("The signature 'default' (also in 'features') fixes")


@pytest.mark.parametrize(("case", "kind"), [("eight_texts", "texts"), ("eight_images", "images")])
def test_a_fixed_batch_of_a_common_signature_is_told_as_such(case, kind, tmp_path):
    finding = the_finding(CASES[f"fixed-batch-size-breaks-{case}"].make(tmp_path), "fixed-batch-size")
    assert finding.reason.endswith(f"size of their batches, which the common signature for {kind} leaves open.")


def test_one_of_several_inputs_that_fixes_the_batch_is_told():
    def module_fn():
        inputs = {"x": rows(), "mask": tf.placeholder(tf.float32, [8, 4]), "limits": tf.placeholder(tf.float32, [None])}
        hub.add_signature(inputs=inputs, outputs=dense(inputs["x"] * inputs["mask"], 3) * inputs["limits"][0])

    finding = the_finding(one_variant(module_fn), "fixed-batch-size")
    assert "its input 'mask' [8, 4], so" in finding.reason


def test_each_variant_is_told():
    def module_fn(is_training):
        x = tf.placeholder(tf.float32, [8, 4])
        hub.add_signature(inputs=x, outputs=dense(x, 3))

    findings = findings_of(two_variants(module_fn), "fixed-batch-size")
    assert [finding.tags for finding in findings] == [(), ("train",)]


def test_a_width_that_a_variable_tells_is_said(tmp_path):
    finding = the_finding(CASES["unknown-shape-breaks-input_of_unknown_width"].make(tmp_path), "unknown-shape")
    assert (
        "its input 'default' [None, None] open, though the variable 'weights' that it is multiplied by takes 4"
        in finding.reason
    )
    assert finding.remedy == "Say it in the placeholder's shape: [None, 4]."


def test_an_unknown_rank_of_a_sparse_input_is_told():
    finding = the_finding(spec_of("sparse_in_and_out"), "unknown-shape")
    assert "how many dimensions its input 'ids' should have" in finding.reason


def test_an_output_of_unknown_rank_is_told():
    finding = the_finding(spec_of("ragged_in"), "unknown-shape")
    assert "does not tell the number of dimensions of its output 'default'" in finding.reason


def test_what_no_input_leads_to_is_one_finding():
    finding = the_finding(spec_of("random_with_seeds"), "output-without-input")
    assert "leads to 'normal' and 'stateless' among its outputs (it takes 'default')" in finding.reason
    assert (finding.signature, finding.node) == ("default", "random_normal")


def test_what_waits_for_an_input_depends_on_it():
    assert findings_of(spec_of("control_dependencies"), "output-without-input") == []


def test_what_no_variable_leads_to_is_told():
    finding = the_finding(spec_of("passed_through"), "output-without-variable")
    assert "No variable (1 variable in all) leads to 'default' among the outputs" in finding.reason


def test_names_of_one_tensor_are_told(tmp_path):
    finding = the_finding(CASES["tensor-repeated-breaks-two_names_for_one_output"].make(tmp_path), "tensor-repeated")
    assert finding.reason.startswith(
        "The outputs 'default' and 'logits' of the signature 'default' are one tensor, so users"
    )


def test_outputs_with_two_names_each_are_one_finding():
    def module_fn():
        x = rows()
        layers = [dense(x, 3, f"layer_{number}") for number in range(3)]
        names = {f"{kind}_{number}": layer for number, layer in enumerate(layers) for kind in ("layer", "output")}
        hub.add_signature(inputs=x, outputs={"default": layers[-1] * 2, **names})

    finding = the_finding(one_variant(module_fn), "tensor-repeated")
    assert finding.reason.startswith(
        "The outputs 'layer_0' and 'output_0' (and those of 2 other tensors) of the signature"
    )


def test_two_inputs_of_one_tensor_are_told():
    def same_input_twice(meta_graph):
        inputs = meta_graph.signature_def["default"].inputs
        inputs["again"].CopyFrom(inputs["default"])

    finding = the_finding(edited(spec_of("dense"), same_input_twice), "tensor-repeated")
    assert finding.reason.startswith(
        "The inputs 'again' and 'default' of the signature 'default' are one tensor, so a call"
    )


def _without_signatures(meta_graph):
    meta_graph.signature_def.clear()


def _without_outputs(meta_graph):
    meta_graph.signature_def["default"].outputs.clear()


def _without_names(meta_graph):
    signature = meta_graph.signature_def["default"]
    for info in [*signature.inputs.values(), *signature.outputs.values()]:
        info.name = ""


def _with_nodes_that_are_not_there(meta_graph):
    signature = meta_graph.signature_def["default"]
    for info in [*signature.inputs.values(), *signature.outputs.values()]:
        info.name = "nowhere:7"


def _with_other_dtypes(meta_graph):
    signature = meta_graph.signature_def["default"]
    for info in [*signature.inputs.values(), *signature.outputs.values()]:
        info.dtype = 77


@pytest.mark.parametrize("kind", ["image", "text", "sparse_in", "ragged_in", "passed_through"])
@pytest.mark.parametrize(
    "edit",
    [_without_signatures, _without_outputs, _without_names, _with_nodes_that_are_not_there, _with_other_dtypes],
)
def test_odd_signatures_raise_nothing(kind, edit):
    assert hub.lint(edited(spec_of(kind), edit), select=[
        "text-signature", "image-signature", "classification-softmax", "fixed-batch-size", "unknown-shape",
        "no-default-signature", "no-default-output", "input-not-placeholder", "output-without-input",
        "output-without-variable", "tensor-repeated",
    ])  # fmt: skip
