"""What the rules about dropout and hyperparameters say."""

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases import normalizing
from tests.checks.linting.cases.building import two_variants
from tests.checks.linting.cases.dropping import hiding, layers_dropout, two_layers, with_inference, with_training
from tests.checks.linting.cases.hyperparameters import normalized
from tests.graphs import spec_with

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:UserWarning")


def the_finding(module, rule):
    (finding,) = hub.lint(module, select=[rule]).findings
    return finding


def test_active_dropout_is_told_with_its_rate_and_place():
    finding = the_finding(with_inference(lambda x: tf.nn.dropout(x, rate=0.3)), "dropout-in-inference")
    assert finding.reason == (
        "Dropout of the rate 0.3 is active in outputs of the signature 'default' and 'hyperparameters', in a variant that"
        " is not for training: each call answers something else, and values are missing from every answer."
    ).replace("signature ", "signatures ", 1)
    assert (finding.tags, finding.signature, finding.node) == ((), "default", "dropout/SelectV2")
    assert "just the variant with the tag 'train'" in finding.remedy


def test_a_module_of_one_variant_is_told_to_make_two():
    spec = spec_with(lambda x: tf.nn.dropout(tf.nn.dropout(x, rate=0.1), rate=0.5))
    finding = the_finding(spec, "dropout-in-inference")
    assert finding.reason.startswith("2 dropouts of rates from 0.1 to 0.5 are active")
    assert finding.remedy.startswith("Publish two variants with `tags_and_args=")


def test_a_rate_or_switch_that_has_to_be_fed_is_the_callers_business():
    def module_fn():
        x, rate = tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.float32, [])
        hub.add_signature(inputs={"default": x, "rate": rate}, outputs=tf.nn.dropout(x, rate=rate))

    assert hub.lint(hub.create_module_spec(module_fn), select=["dropout-in-inference"]).findings == []


def test_scopes_without_dropout_are_named():
    def drop(x):
        return layers_dropout(layers_dropout(x, rate=0.3, training=False), rate=0.3, training=False)

    finding = the_finding(with_training(drop), "dropout-missing-in-training")
    assert "drops nothing in 2 scopes named after dropout, 'dropout' and 'dropout_1'" in finding.reason
    assert finding.tags == ("train",)
    assert finding.node.startswith("dropout/")


def test_an_input_that_switches_dropout_on_keeps_the_promise():
    def module_fn(is_training):
        x, switch = tf.placeholder(tf.float32, [None, 3]), tf.placeholder_with_default(False, [])
        y = two_layers(x, lambda y: layers_dropout(y, rate=0.3, training=switch))
        hub.add_signature(inputs={"default": x, "is_training": switch}, outputs=y)

    assert hub.lint(two_variants(module_fn), select=["dropout-missing-in-training"]).findings == []


@pytest.mark.parametrize(("rate", "said"), [(0.9, "more than 0.7"), (0.01, "less than 0.05")])
def test_an_unusual_rate_is_told_with_what_is_usual(rate, said):
    finding = the_finding(with_training(lambda x: tf.nn.dropout(x, rate=rate)), "dropout-rate")
    assert finding.reason.startswith(f"Dropout of the rate {rate} is built into the graph, and {said}")
    assert "choose a rate between 0.1 and 0.5, and state it" in finding.remedy


def test_a_hidden_rate_comes_with_a_snippet():
    finding = the_finding(hiding(lambda x: tf.nn.dropout(x, rate=0.3)), "dropout-rate-hidden")
    assert finding.reason.startswith("Dropout of the rate 0.3 is not set by an input of any signature")
    assert "rate = tf.placeholder_with_default(0.1, [])" in finding.remedy
    assert 'hub.add_signature("hyperparameters", ' in finding.remedy


def test_a_hidden_momentum_comes_with_a_snippet():
    finding = the_finding(normalized(normalizing.raw, 0.95), "hyperparameters-hidden")
    assert "the momentum 0.95 of 1 batch normalization is built into the graph" in finding.reason
    assert "momentum = tf.placeholder_with_default(0.9, [])" in finding.remedy
    assert finding.tags == ("train",)
