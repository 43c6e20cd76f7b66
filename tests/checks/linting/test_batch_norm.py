"""Batch normalization is found with its averages, updates and momentum, however it is spelled, and the findings say so."""

from typing import Any

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases import normalizing
from tests.checks.linting.cases.building import rows
from tests.checks.linting.cases.normalizing import averages, image_module_with, module_with, scaled
from tests.kerases import KERAS_TWO
from tests.module_fns.registry import control_flow_v1, control_flow_v2
from tf1hub.checks.linting.linted_module import LintedModule, Variant
from tf1hub.checks.linting.recognising.batch_norm import BatchNorm, find_batch_norms, find_moving_updates

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:UserWarning")


def variants(spec: hub.ModuleSpec) -> tuple[Variant, Variant]:
    """Those for inference and for training."""
    inference, training = sorted(LintedModule(spec).variants, key=lambda variant: variant.is_for_training)
    return inference, training


def variant_with(normalize: Any, shape: Any = (None, 4)) -> Variant:
    def module_fn():
        x = tf.placeholder(tf.float32, shape)
        hub.add_signature(inputs=x, outputs=normalize(x))

    return LintedModule(hub.create_module_spec(module_fn)).variants[0]


def only(variant: Variant) -> BatchNorm:
    (norm,) = find_batch_norms(variant)
    return norm


@pytest.mark.parametrize("make", [module_with, image_module_with])
@pytest.mark.parametrize("spelling", [normalizing.layers, normalizing.keras, normalizing.raw])
def test_each_spelling_is_found(spelling, make):
    inference, training = variants(make(spelling, momentum=0.95))
    applied, trained = only(inference), only(training)
    assert (applied.uses_averages, applied.uses_batch, applied.momentum) == (True, False, None)
    assert (trained.uses_averages, trained.uses_batch, trained.momentum) == (False, True, 0.95)
    assert applied.averages == trained.averages
    assert [name.rpartition("/")[2] for name in trained.averages] == ["moving_mean", "moving_variance"]


@pytest.mark.parametrize("op", [tf.raw_ops.FusedBatchNorm, tf.raw_ops.FusedBatchNormV2, tf.raw_ops.FusedBatchNormV3])
def test_every_version_of_the_fused_op_is_found(op):
    def fused(x, training, momentum):
        mean, variance = averages(x.shape[-1])
        used = {"mean": [], "variance": []} if training else {"mean": mean, "variance": variance}
        result = op(x=x, scale=tf.ones([2]), offset=tf.zeros([2]), is_training=training, **used)
        for average, value in ((mean, result.batch_mean), (variance, result.batch_variance)) if training else ():
            update = tf.assign_sub(average, (average - value) * (1.0 - momentum))
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update.op)
        return result.y

    inference, training = variants(image_module_with(fused, momentum=0.95))
    assert only(inference).uses_averages
    assert (only(training).uses_batch, only(training).momentum) == (True, 0.95)
    assert only(training).averages == only(inference).averages


@pytest.mark.parametrize("spelling", [normalizing.layers, normalizing.keras, normalizing.raw])
def test_the_placeholder_of_the_momentum_is_found(spelling):
    assert only(variants(module_with(spelling))[1]).momentum_inputs == ("momentum",)


@pytest.mark.parametrize("control_flow", [control_flow_v1, control_flow_v2])
def test_what_is_switched_off_neither_takes_statistics_of_the_batch_nor_moves_averages(control_flow):
    with control_flow():
        variant = variant_with(
            lambda x: tf.layers.batch_normalization(x, training=tf.placeholder_with_default(False, [])),
            (None, 4, 4, 2),
        )
    norms = find_batch_norms(variant)
    assert not any(norm.uses_batch for norm in norms)
    assert any(norm.uses_averages for norm in norms)
    assert {norm.momentum for norm in norms} == {0.99}
    assert find_moving_updates(variant) == []


@pytest.mark.parametrize(("scale", "offset"), [(True, False), (False, True), (False, False)])
def test_scale_and_offset_can_be_left_out(scale, offset):
    variant = variant_with(lambda x: tf.layers.batch_normalization(x, training=True, scale=scale, center=offset))
    assert (only(variant).momentum, len(only(variant).averages)) == (0.99, 2)


@pytest.mark.parametrize("spelling", [normalizing.layers, normalizing.raw])
def test_reference_variables_are_as_good_as_resources(spelling):
    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        with tf.variable_scope("old", use_resource=False):
            return spelling(x, training, momentum)

    inference, training = variants(image_module_with(normalize))
    assert {inference.flow.nodes[name].op for name in only(inference).averages} == {"VariableV2"}
    assert only(inference).averages == only(training).averages
    assert (only(training).momentum, len(find_moving_updates(training))) == (0.9, 2)


def test_moments_of_the_first_versions_of_tensorflow_are_found():
    def normalize(x: Any) -> Any:
        counts, mean_sum, variance_sum, shift = tf.nn.sufficient_statistics(x, [0], shift=averages(4)[0])
        mean, variance = tf.nn.normalize_moments(counts, mean_sum, variance_sum, shift)
        return scaled(x, mean, variance)

    assert only(variant_with(normalize)).uses_batch


def test_renormalization_moves_all_its_averages():
    variant = variant_with(lambda x: tf.layers.batch_normalization(x, training=True, renorm=True))
    names = [update.variable.rpartition("/")[2] for update in find_moving_updates(variant)]
    assert sorted(names) == ["moving_mean", "moving_stddev", "moving_variance", "renorm_mean", "renorm_stddev"]


def test_the_momentum_of_exponential_moving_averages_is_the_one_that_they_reach():
    def normalize(x: Any) -> Any:
        step = tf.get_variable("step", [], trainable=False, initializer=tf.zeros_initializer())
        mean, variance = tf.nn.moments(x, [0])
        average = tf.train.ExponentialMovingAverage(0.9, num_updates=step)
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, average.apply([mean, variance]))
        return scaled(x, mean, variance)

    assert only(variant_with(normalize)).momentum == 0.9


def test_an_update_in_a_function_runs_with_its_call():
    def normalize(x: Any) -> Any:
        mean, variance = averages(4)

        @tf.function(autograph=False)
        def moments(values: Any) -> Any:
            batch_mean, batch_variance = tf.nn.moments(values, [0])
            for average, value in ((mean, batch_mean), (variance, batch_variance)):
                average.assign(0.8 * average + 0.2 * value)
            return batch_mean, batch_variance

        return scaled(x, *moments(x))

    variant = variant_with(normalize)
    assert only(variant).momentum == 0.8
    assert {update.variable for update in find_moving_updates(variant)} == {"moving_mean", "moving_variance"}


@pytest.mark.parametrize(
    "normalize",
    [
        lambda x: KERAS_TWO.layers.LayerNormalization()(x),
        lambda x: scaled(x, *tf.nn.moments(x, [-1], keepdims=True)),
        lambda x: tf.nn.l2_normalize(x, 0) * tf.get_variable("scale", [4]),
        lambda x: (x - averages(4)[0]) / tf.sqrt(tf.get_variable("deviation", [4])),
        lambda x: tf.nn.fused_batch_norm(x[:, None, None, :], [1.0] * 4, [0.0] * 4)[0],
    ],
    ids=["layer, fused", "layer", "length", "whitening", "fused without variables"],
)
def test_other_normalizations_are_none(normalize):
    assert find_batch_norms(variant_with(normalize)) == []


def test_a_module_without_variables_has_none():
    assert find_batch_norms(variant_with(lambda x: x * 2.0)) == []


def findings_of(spec: hub.ModuleSpec, rule: str) -> list[Any]:
    return hub.lint(spec, select=[rule]).findings


def test_a_large_momentum_is_told_with_the_steps_that_it_takes():
    (finding,) = findings_of(image_module_with(normalizing.layers, 0.999), "batch-norm-momentum")
    assert finding.reason == (
        "1 batch normalization ('batch_normalization/FusedBatchNormV3') keeps 0.999 of the moving averages in each step, so"
        " that about 3,000 steps go by until they have followed new data by 95%, more than fine-tuning on a small data set"
        " has."
    )
    assert (finding.severity, finding.tags) == ("warning", ("train",))
    assert finding.variable == "batch_normalization/moving_mean"


def test_several_alike_are_one_finding():
    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        return normalizing.layers(normalizing.layers(x, training, 0.999), training, 0.995)

    (finding,) = findings_of(module_with(normalize), "batch-norm-momentum")
    assert finding.reason.startswith("2 batch normalizations (")
    assert " keep up to 0.999 of " in finding.reason


def test_averages_that_stay_are_named():
    def normalize(x: Any, training: bool, momentum: Any) -> Any:
        mean, variance = averages(4)
        if not training:
            return scaled(x, mean, variance)
        batch_mean, batch_variance = tf.nn.moments(x, [0])
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, mean.assign_sub((mean - batch_mean) * 0.1).op)
        return scaled(x, batch_mean, batch_variance)

    (finding,) = findings_of(module_with(normalize), "batch-norm-averages-not-updated")
    assert finding.reason.startswith("1 moving average of batch normalization ('moving_variance') will not follow")
    assert "no op updates it" in finding.reason


def test_updates_outside_of_the_collection_are_told_as_such():
    spec = module_with(lambda x, training, _: KERAS_TWO.layers.BatchNormalization()(x, training=training))
    (finding,) = findings_of(spec, "batch-norm-averages-not-updated")
    assert "2 moving averages" in finding.reason
    assert "the ops that update them are not in the collection UPDATE_OPS" in finding.reason


def test_batch_statistics_at_inference_are_an_error():
    def module_fn():
        x = rows()
        averages(4)
        hub.add_signature(inputs=x, outputs=scaled(x, *tf.nn.moments(x, [0])))

    (finding,) = findings_of(hub.create_module_spec(module_fn), "batch-norm-batch-statistics")
    assert (finding.severity, finding.tags, finding.node) == ("error", (), "Sqrt")
    assert "what comes out for an example depends on the others in its batch" in finding.reason


def test_updates_at_inference_are_counted():
    spec = module_with(lambda x, training, momentum: normalizing.raw(x, True, momentum))
    (finding,) = findings_of(spec, "batch-norm-updates-in-inference")
    assert finding.reason.startswith("2 update ops (")
    assert finding.tags == ()


def test_trainable_averages_are_named_by_their_variables():
    spec = module_with(lambda *arguments: normalizing.raw(*arguments, trainable=True))
    (finding,) = findings_of(spec, "batch-norm-averages-trainable")
    assert (finding.severity, finding.tags) == ("error", ("train",))
    assert "('moving_mean' and 'moving_variance') are trainable variables" in finding.reason
