"""What the rules about variants say, and that consumers meet what they say."""

from pathlib import Path
from typing import Any

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases.building import two_variants, written
from tests.graphs import spec_of, spec_with
from tf1hub.checks.linting.findings import Finding

TRAIN = ("train",)


def _findings(module: Any, rule: str) -> list[Finding]:
    return hub.lint(module, select=[rule]).findings


def _scaled(is_training: bool, **trainable: bool) -> Any:
    x = tf.placeholder(tf.float32, [None, 3], "x")
    y = x * tf.get_variable("w", [3])
    for name, can_train in trainable.items():
        y += tf.get_variable(name, [3], trainable=can_train)
    return x, y


def _added(name: str, in_training: bool) -> hub.ModuleSpec:
    """Variants of which one has a variable more."""

    def module_fn(is_training):
        x, y = _scaled(is_training, **({name: True} if is_training == in_training else {}))
        hub.add_signature(inputs=x, outputs=y)

    return two_variants(module_fn)


def _normalized(x: Any) -> Any:
    mean, variance = (tf.get_variable(name, [3], trainable=False) for name in ("mean", "variance"))
    return tf.nn.batch_normalization(
        x, mean, variance, tf.get_variable("beta", [3]), tf.get_variable("gamma", [3]), 1e-3
    )


def test_a_missing_training_variant_is_told_with_what_needs_it():
    (finding,) = _findings(spec_with(_normalized), "no-training-variant")
    assert finding.reason.startswith(
        "The module has 1 batch normalization ('batchnorm/Rsqrt'), which is not the same in"
    )
    assert finding.node == "batchnorm/Rsqrt"


def test_a_batch_normalization_that_is_applied_twice_counts_once():
    def normalized_twice(x):
        with tf.variable_scope("norm", reuse=tf.AUTO_REUSE):
            _normalized(x)  # as Keras does when it makes a model, which is called later
            return tf.identity(_normalized(x))

    (finding,) = _findings(spec_with(normalized_twice), "no-training-variant")
    assert finding.reason.startswith("The module has 1 batch normalization (")
    assert finding.node == "norm/batchnorm_1/Rsqrt"


@pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:UserWarning")
def test_what_is_always_trained_is_told_by_other_rules():
    def make(x):
        return tf.layers.batch_normalization(tf.nn.dropout(x, rate=0.5), training=True)

    found = {finding.rule for finding in hub.lint(spec_with(make)).findings}
    assert found >= {"dropout-in-inference", "batch-norm-batch-statistics"}
    assert "no-training-variant" not in found


@pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:UserWarning")
def test_dropout_that_no_output_needs_is_not_told_beside_active_dropout():
    def of_the_last_step(x):
        return [tf.nn.dropout(x * tf.get_variable(f"w{step}", [3]), rate=0.5) for step in range(3)][-1]

    found = {finding.rule for finding in hub.lint(spec_with(of_the_last_step)).findings}
    assert "dropout-in-inference" in found
    assert "no-training-variant" not in found


def test_one_training_variant_is_enough():
    variants = [(set(), {}), ({"gpu"}, {}), ({"train"}, {})]

    def module_fn():
        x = tf.placeholder(tf.float32, [None, 3])
        hub.add_signature(inputs=x, outputs=_normalized(x))

    spec = hub.create_module_spec(module_fn, tags_and_args=variants)
    assert _findings(spec, "no-training-variant") == []


def test_variables_that_an_export_leaves_out_are_named():
    (finding,) = _findings(_added("extra", in_training=True), "training-variables-missing")
    assert finding.reason == (
        "What is exported of the variant without tags lacks 1 variable ('extra') of this variant, so a consumer who"
        " instantiates this one gets an error."
    )
    assert (finding.severity, finding.tags, finding.variable) == ("error", TRAIN, "extra")


def test_variables_that_the_checkpoint_lacks_fail_when_they_are_instantiated(tmp_path):
    path = written(_added("extra", in_training=True), tmp_path)
    (finding,) = _findings(path, "training-variables-missing")
    assert finding.reason.startswith("The checkpoint lacks 1 variable ('extra') of this variant,")
    with tf.Graph().as_default(), pytest.raises(ValueError, match="extra"):
        hub.Module(path, tags={"train"})


def test_a_variable_that_training_alone_lacks_is_exported():
    assert _findings(_added("extra", in_training=False), "training-variables-missing") == []


def test_of_variants_the_untagged_or_else_the_first_is_exported():
    def module_fn(names):
        x, y = _scaled(False, **dict.fromkeys(names, True))
        hub.add_signature(inputs=x, outputs=y)

    variants = [({"b"}, {"names": ["extra"]}), ({"a"}, {"names": []})]
    assert _findings(hub.create_module_spec(module_fn, variants), "training-variables-missing") == []
    (finding,) = _findings(hub.create_module_spec(module_fn, variants[::-1]), "training-variables-missing")
    assert finding.reason.startswith("What is exported of the variant tagged 'a' lacks 1 variable")
    untagged = hub.create_module_spec(module_fn, [*variants[::-1], (set(), {"names": ["extra"]})])
    assert _findings(untagged, "training-variables-missing") == []


def test_a_checkpoint_that_cannot_be_read_is_an_error_of_ours(tmp_path):
    path = written(_added("extra", in_training=False), tmp_path)
    Path(path, "variables", "variables.index").write_bytes(b"damaged")
    with pytest.raises(hub.errors.CorruptModuleError):
        _findings(path, "training-variables-missing")


def test_a_module_without_variables_needs_no_checkpoint(tmp_path):
    path = written(spec_with(lambda x: x + 1.0), tmp_path)
    assert not Path(path, "variables").exists()
    assert _findings(path, "training-variables-missing") == []


def _differing(training: Any) -> list[str]:
    """The reasons when the training variant makes its signatures with a function, beginning with what is particular."""

    def module_fn(is_training):
        x = tf.placeholder(tf.float32, [None, 3], "x")
        if is_training:
            training(x)
        else:
            hub.add_signature(inputs=x, outputs=tf.identity(x))

    findings = _findings(two_variants(module_fn), "variant-signatures-differ")
    assert all(finding.tags == TRAIN for finding in findings)
    start, end = ": this variant ", ", so a consumer cannot use one variant in place of the other."
    return [f"{finding.signature} {finding.reason.partition(start)[2].removesuffix(end)}" for finding in findings]


def test_each_difference_of_a_signature_is_told():
    def training(x):
        ids = tf.placeholder(tf.int64, [None, 3])
        hub.add_signature(inputs={"ids": ids}, outputs={"default": tf.reduce_sum(x, 1), "more": x})

    assert _differing(training) == [
        "default has no input 'default'; has the input 'ids' besides; has the output 'more' besides; has the output 'default'"
        " as float32 [None] and not as float32 [None, 3]"
    ]


def test_another_dtype_is_a_difference():
    differences = _differing(lambda x: hub.add_signature(inputs=x, outputs=tf.cast(x, tf.float16)))
    assert differences == ["default has the output 'default' as float16 [None, 3] and not as float32 [None, 3]"]


def test_another_kind_of_tensor_is_a_difference():
    def training(x):
        sparse = tf.sparse_placeholder(tf.float32, [None, 3])
        hub.add_signature(inputs=sparse, outputs=tf.sparse.to_dense(sparse))

    assert _differing(training) == [
        "default has the input 'default' as sparse float32 [None, 3] and not as float32 [None, 3]"
    ]


def test_other_signatures_are_a_difference():
    def training(x):
        hub.add_signature("other", inputs=x, outputs=tf.identity(x))

    assert _differing(training) == ["default lacks it", "other alone has it"]


def test_an_unknown_size_is_no_difference():
    assert _differing(lambda x: hub.add_signature(inputs=x, outputs=tf.placeholder_with_default(x, None))) == []


def test_a_variant_that_is_not_for_training_may_have_more_signatures():
    assert _findings(spec_of("shared_variables"), "variant-signatures-differ") == []


def test_variables_that_are_trainable_in_one_variant_alone_are_named():
    def module_fn(is_training):
        x, y = _scaled(is_training, a=is_training, b=not is_training, c=False)
        hub.add_signature(inputs=x, outputs=y)

    (finding,) = _findings(two_variants(module_fn), "variant-trainables-differ")
    assert finding.reason == (
        "1 variable ('b') is trainable in the variant without tags and not in this one; 1 variable ('a') is trainable in this"
        " variant and not in the variant without tags: what a consumer fine-tunes depends on the variant."
    )
    assert (finding.tags, finding.variable) == (TRAIN, "b")


def test_a_variable_that_training_lacks_cannot_be_trained_there():
    (finding,) = _findings(_added("extra", in_training=False), "variant-trainables-differ")
    assert "1 variable ('extra') is trainable in the variant without tags and not in this one" in finding.reason


def test_a_variable_of_training_alone_is_no_difference():
    assert _findings(_added("extra", in_training=True), "variant-trainables-differ") == []
