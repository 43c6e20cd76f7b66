"""What the rules about regularization losses say."""

from typing import Any

import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import dense, one_variant, rows, two_variants
from tests.graphs import spec_with
from tf1hub.checks.linting.findings import Finding

LOSSES = tf.GraphKeys.REGULARIZATION_LOSSES


def _findings(spec: hub.ModuleSpec, rule: str) -> list[Finding]:
    return hub.lint(spec, select=[rule]).findings


def _with_losses(make: Any) -> hub.ModuleSpec:
    """A module whose losses the function makes of the input and a variable, by name."""

    def outputs(x):
        w = tf.get_variable("w", [3])
        for name, loss in make(x, w).items():
            tf.add_to_collection(LOSSES, tf.identity(loss, name))
        return x * w

    return spec_with(outputs)


def test_missing_regularization_names_the_matrices():
    def module_fn():
        x = rows()
        hub.add_signature(inputs=x, outputs=dense(dense(x, 5, "first", False), 3, "second", False))

    (finding,) = _findings(one_variant(module_fn), "regularization-missing")
    assert finding.reason == (
        "There are 2 trainable weight matrices ('first/weights' and 'second/weights') but no regularization loss: who"
        " fine-tunes the module on few examples finds nothing to add to the training loss against overfitting."
    )
    assert (finding.severity, finding.tags, finding.variable) == ("warning", (), "first/weights")


def test_missing_regularization_is_told_of_the_training_variant_alone():
    def module_fn(is_training):
        x = rows()
        hub.add_signature(inputs=x, outputs=dense(x, 3, regularized=False))

    (finding,) = _findings(two_variants(module_fn), "regularization-missing")
    assert finding.tags == ("train",)


def test_a_partitioned_matrix_goes_by_its_name_in_the_checkpoint():
    def make(x):
        return x @ tf.get_variable("w", [3, 4], partitioner=tf.fixed_size_partitioner(2)).as_tensor()

    (finding,) = _findings(spec_with(make), "regularization-missing")
    assert "1 trainable weight matrix ('w')" in finding.reason
    assert finding.variable == "w"


def test_needed_inputs_are_named_as_the_signature_does():
    (finding,) = _findings(
        _with_losses(lambda x, w: {"one": tf.norm(x * w), "other": tf.norm(w) / tf.norm(x), "good": tf.norm(w)}),
        "regularization-needs-input",
    )
    assert finding.reason == (
        "2 regularization losses ('one' and 'other') depend on the input 'default' of the signature 'default', but a consumer"
        " gets the losses with the module, before any call feeds an input, so a session that computes them fails."
    )
    assert (finding.severity, finding.signature, finding.node) == ("error", "default", "one")


def test_an_input_with_a_default_is_told_from_one_without():
    def module_fn():
        x, strength = tf.placeholder(tf.float32, [None]), tf.placeholder_with_default(0.5, [], "strength")
        loss = strength * tf.norm(tf.get_variable("w", [3]))
        tf.add_to_collection(LOSSES, tf.identity(loss, "loss"))
        hub.add_signature(inputs={"x": x, "strength": strength}, outputs=x)

    (finding,) = _findings(hub.create_module_spec(module_fn), "regularization-ignores-input")
    assert finding.reason.endswith(
        "before any call feeds an input, so the default is all that counts, whatever a call passes."
    )
    assert "('loss') depends on the input 'strength' of the signature 'default'" in finding.reason


def test_constants_and_frozen_losses_are_told_apart():
    def make(x, w):
        frozen = tf.get_variable("frozen", [3], trainable=False)
        return {"constant": tf.constant(1.0), "stopped": tf.stop_gradient(tf.norm(w)), "frozen_loss": tf.norm(frozen)}

    constant, frozen = _findings(_with_losses(make), "regularization-constant")
    assert constant.reason.startswith(
        "2 regularization losses ('constant' and 'stopped') have no gradient for any variable,"
    )
    assert frozen.reason.startswith(
        "1 regularization loss ('frozen_loss') reaches no trainable variable, only 'frozen',"
    )
    assert (constant.node, frozen.node, frozen.variable) == ("constant", "frozen_loss", "frozen")


def test_a_loss_that_needs_an_input_is_told_of_once():
    spec = _with_losses(lambda x, w: {"loss": tf.norm(x)})
    found = {finding.rule for finding in hub.lint(spec).findings}
    assert "regularization-needs-input" in found
    assert "regularization-constant" not in found


def test_each_way_to_count_twice_is_told():
    def make(x, w):
        loss = tf.identity(tf.norm(w), "loss")
        tf.add_to_collection(LOSSES, loss)
        return {"again": loss, "alike": tf.norm(w), "total": loss + 2.0}

    listed, alike, total = _findings(_with_losses(make), "regularization-counted-twice")
    assert listed.reason.startswith("1 regularization loss ('loss') is listed more than once: a consumer adds up")
    assert "('alike') is computed from the same variables in the same way as 'loss':" in alike.reason
    assert "('total') is a sum that contains 'loss', listed as well:" in total.reason
