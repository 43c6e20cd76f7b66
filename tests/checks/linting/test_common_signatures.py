"""What is said of near misses of the common signatures: each detail that is off, and none that is not."""

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.checks.linting.cases import CASES
from tests.checks.linting.cases.image_signature import images, pooled, spec_of
from tests.checks.linting.cases.text_signature import texts, whole_text


def details_of(spec, rule):
    """What is off, from the findings' reasons: what stands between "but" and the last "so"."""
    findings = hub.lint(spec, select=[rule]).findings
    return [finding.reason.split(", but ", 1)[1].rsplit(", so ", 1)[0] for finding in findings]


def test_a_near_miss_says_what_it_comes_close_to_and_where(tmp_path):
    spec = CASES["text-signature-breaks-tokens_instead_of_texts"].make(tmp_path)
    (finding,) = hub.lint(spec, select=["text-signature"]).findings
    assert finding.reason == (
        "The signature 'default' comes close to that of a text embedding (strings [batch] to float32 [batch, N]), but its"
        " input 'texts' has the shape [None, None], not [batch], so programs that are written for such modules, and text"
        " columns, cannot take it as it is."
    )
    assert (finding.signature, finding.node) == ("default", "texts")


def test_each_detail_of_a_text_signature_is_a_finding():
    def module_fn():
        inputs = {"texts": texts([None, 3]), "scale": tf.placeholder_with_default(tf.constant(1.0, tf.float64), [])}
        outputs = tf.cast(tf.reduce_mean(whole_text(inputs["texts"]), 1), tf.float64) * inputs["scale"]
        hub.add_signature(inputs=inputs, outputs=outputs)

    assert details_of(hub.create_module_spec(module_fn), "text-signature") == [
        "it takes 'scale' besides 'texts'",
        "its input 'texts' has the shape [None, 3], not [batch]",
        "its output 'default' is of type float64, not float32",
    ]


def test_each_detail_of_an_image_signature_is_a_finding():
    spec = spec_of(
        lambda x: tf.cast(tf.expand_dims(tf.expand_dims(pooled(tf.cast(x, tf.float32)), 1), 1), tf.half),
        lambda: images([None, None, None, 3], tf.uint8),
        (None,),
        key="x",
    )
    assert details_of(spec, "image-signature") == [
        "its input is called 'x', not 'images'",
        "its input 'x' is of type uint8, not float32",
        "its input 'x' leaves height and width open and no size of image is attached",
        "its output 'default' is of type float16, not float32",
        "its output 'default' is not [batch, N]: it has the shape [None, 1, 1, 4]",
        "no signature beside it is called 'image_feature_vector' or 'image_classification', to say what it gives",
    ]


def test_a_detail_that_two_signatures_share_is_told_once():
    (finding,) = hub.lint(spec_of(pixels=lambda: images([None, 8, 8, 1])), select=["image-signature"]).findings
    assert finding.reason.startswith("The signature 'default' (also 'image_feature_vector') comes close")
    assert "its input 'images' has 1 channel, not 3: [None, 8, 8, 1]" in finding.reason


@pytest.mark.parametrize("shape", [[None, 192], [8, 8, 3]])
def test_images_in_another_layout_are_told(shape):
    spec = spec_of(lambda x: pooled(tf.reshape(x, [-1, 8, 8, 3])), lambda: images(shape))
    assert details_of(spec, "image-signature") == [
        f"its input 'images' has the shape {shape}, not [batch, height, width, 3]"
    ]


def test_encoded_images_under_the_name_of_an_image_signature_are_told():
    def decoded(encoded):
        pixels = tf.map_fn(lambda one: tf.io.decode_jpeg(one, 3), encoded, tf.uint8)
        return pooled(tf.image.resize_images(pixels, [8, 8]))

    spec = spec_of(decoded, lambda: tf.placeholder(tf.string, [None]), ("image_feature_vector",))
    assert "its input 'images' is of type string, not float32" in details_of(spec, "image-signature")


def test_texts_of_a_fixed_number_are_told_by_the_rule_about_that(tmp_path):
    spec = CASES["fixed-batch-size-breaks-eight_texts"].make(tmp_path)
    assert details_of(spec, "text-signature") == []


def test_the_node_of_a_softmax_is_told(tmp_path):
    spec = CASES["classification-softmax-breaks-softmax_of_raw_ops"].make(tmp_path)
    (finding,) = hub.lint(spec, select=["classification-softmax"]).findings
    assert (finding.signature, finding.node) == ("default", "Softmax")
    assert (
        "'default' (also in 'image_classification') gives the probabilities of the softmax 'Softmax'" in finding.reason
    )


def test_a_softmax_inside_of_a_function_is_found(tmp_path):
    spec = CASES["classification-softmax-breaks-softmax_in_a_function"].make(tmp_path)
    (finding,) = hub.lint(spec, select=["classification-softmax"]).findings
    assert finding.node.endswith("/Softmax")
