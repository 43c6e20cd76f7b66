"""What a publisher does wrong is refused by an error that names the thing and the way out."""

import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import eagerly, outputs_of, spec_with


def placeholder():
    return tf.placeholder(tf.float32, [None, 3], name="rows")


def refused(module_fn, message, kind=ValueError, **arguments):
    with pytest.raises(kind, match=message):
        hub.create_module_spec(module_fn, **arguments)


def test_a_module_without_a_signature():
    refused(placeholder, r"no signature\. Call `hub.add_signature\(inputs=..., outputs=...\)`")


def test_a_variant_without_a_signature_is_named():
    def module_fn(training=False):
        if not training:
            hub.add_signature(outputs=tf.constant(1))

    variants = [(set(), {}), ({"train", "big"}, {"training": True})]
    refused(module_fn, r"no signature in the variant \['big', 'train'\]", tags_and_args=variants)


def test_of_a_signature_declared_twice_the_last_one_counts():
    def module_fn():
        x = placeholder()
        hub.add_signature("twice", inputs={"old": x}, outputs={"old": x, "default": x})
        hub.add_signature("twice", inputs={"new": x}, outputs=x * 10.0)

    with pytest.warns(UserWarning, match=r"'twice' is declared twice; the last declaration counts") as caught:
        spec = hub.create_module_spec(module_fn)
    assert caught[0].filename == __file__
    assert (list(spec.get_input_info_dict("twice")), list(spec.get_output_info_dict("twice"))) == (["new"], ["default"])


@pytest.mark.parametrize("value", ["text", 3, None, [1.0], object()])
def test_an_output_that_is_no_tensor(value):
    message = rf"'mine': the output 'bad' is no tensor of a graph but {type(value).__name__}.*Pass a tensor"
    refused(lambda: hub.add_signature("mine", outputs={"good": tf.constant(1), "bad": value}), message, TypeError)


@pytest.mark.parametrize("value", ["text", 3, [1.0], object()])
def test_an_input_that_is_no_tensor(value):
    message = rf"'default': the input 'bad' is no tensor of a graph but {type(value).__name__}.*tf.placeholder"
    refused(lambda: hub.add_signature(inputs={"bad": value}, outputs=tf.constant(1)), message, TypeError)


def test_an_input_that_is_a_variable():
    message = "the input 'default' is no tensor of a graph but"
    refused(lambda: hub.add_signature(inputs=tf.get_variable("v", []), outputs=tf.constant(1)), message, TypeError)


def test_an_output_that_is_a_variable_gives_its_value():
    variable = lambda x: tf.get_variable("v", [2], initializer=tf.constant_initializer(7.0))  # noqa: E731
    assert outputs_of(spec_with(variable), [[1.0, 2.0, 3.0]]).tolist() == [7.0, 7.0]


def test_a_name_of_an_input_that_is_no_string():
    message = "the name of an input is a string; this is 3"
    refused(lambda: hub.add_signature(inputs={3: placeholder()}, outputs=tf.constant(1)), message, TypeError)


def test_a_tensor_of_another_graph_is_named():
    outside = tf.constant(1.0, name="outside")
    refused(lambda: hub.add_signature(outputs={"y": outside}), r"'y' \(outside:0\) belongs to another graph.*inside")


def test_an_input_under_a_colocation_constraint():
    def module_fn():
        with tf.colocate_with(tf.constant(1.0, name="anchor")):
            x = placeholder()
        hub.add_signature(inputs={"x": x}, outputs=x)

    refused(module_fn, r"the input 'x' \(rows:0\) is colocated with \['loc:@anchor'\].*outside of `colocate_with`")


def test_a_component_of_a_sparse_input_under_a_colocation_constraint():
    def module_fn():
        with tf.colocate_with(tf.constant(1.0, name="anchor")):
            x = tf.sparse_placeholder(tf.float32, name="sparse")
        hub.add_signature(inputs=x, outputs=x)

    refused(module_fn, r"the input 'default' \(sparse/\w+:0\) is colocated with \['loc:@anchor'\]")


def test_an_input_may_be_colocated_with():
    def doubled(x):
        with tf.colocate_with(x):
            return x * 2.0

    assert outputs_of(spec_with(doubled), [[1.0, 2.0, 3.0]]).tolist() == [[2.0, 4.0, 6.0]]


@pytest.mark.parametrize("use_resource", [True, False])
def test_state_that_is_colocated_with_what_holds_none(use_resource):
    def module_fn():
        x = placeholder()
        with tf.colocate_with(tf.identity(x, name="computed")):
            v = tf.get_variable("v", [3], use_resource=use_resource)
        hub.add_signature(inputs=x, outputs=x * v)

    refused(
        module_fn, r"state op 'v' is colocated with \['computed'\], which hold no state.*outside of `colocate_with`"
    )


def test_the_same_tags_twice():
    variants = [({"a", "b"}, {}), (["b", "a"], {})]
    message = r"\['a', 'b'\] stand twice in `tags_and_args`"
    refused(lambda: hub.add_signature(outputs=tf.constant(1)), message, tags_and_args=variants)


def test_tags_that_are_one_string():
    message = r"Tags are a set of strings; write \{'train'\}"
    refused(lambda: hub.add_signature(outputs=tf.constant(1)), message, tags_and_args=[("train", {})])


def test_collections_that_a_module_cannot_carry():
    def module_fn():
        x = placeholder()
        tf.add_to_collection("mine", x)
        tf.summary.scalar("mean", tf.reduce_mean(x))
        hub.add_signature(inputs=x, outputs=x)

    refused(module_fn, r"cannot carry: \['mine', 'summaries'\].*`drop_collections=\['mine', 'summaries'\]`")
    assert hub.create_module_spec(module_fn, drop_collections=["mine", "summaries"]).get_signature_names() == [
        "default"
    ]


def test_a_local_variable_is_refused_or_dropped():
    def module_fn():
        tf.get_variable("local", [], collections=[tf.GraphKeys.LOCAL_VARIABLES])
        hub.add_signature(outputs=tf.constant(1))

    refused(module_fn, r"cannot carry: \['local_variables'\]")


def test_an_asset_that_is_no_constant():
    def module_fn():
        tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, tf.placeholder(tf.string, [], name="path"))
        hub.add_signature(outputs=tf.constant(1))

    with pytest.raises(ValueError, match=r"'path:0', which is a Placeholder node.*`tf.constant\(path\)`"):
        hub.Module(hub.create_module_spec(module_fn))


@pytest.mark.parametrize("key", ["", "1st", "a-b", "a b", "_a", "ä"])
def test_a_key_of_a_message_that_is_no_name(key):
    with pytest.raises(ValueError, match=rf"letters, digits and underscores and starts with a letter; this is '{key}'"):
        hub.attach_message(key, tf.train.Int64List())


def test_a_key_of_a_message_that_is_no_string():
    with pytest.raises(TypeError, match="is a string; this is int: 3"):
        hub.attach_message(3, tf.train.Int64List())


def test_an_error_in_module_fn_is_raised_as_it_is():
    def module_fn():
        raise LookupError("mine")

    refused(module_fn, "^mine$", LookupError)


def test_declaring_outside_of_a_module_fn_does_no_harm():
    x = placeholder()
    hub.add_signature(inputs=x, outputs=x)
    hub.attach_message("key", tf.train.Int64List(value=[1]))
    assert tf.train.export_meta_graph().collection_def == {}
    assert spec_with(lambda x: x).get_signature_names() == ["default"]


def test_an_eager_tensor_is_no_output():
    value = eagerly(lambda: tf.constant(1.0))
    message = r"the output 'default' is no tensor of a graph but EagerTensor.*Pass a tensor"
    refused(lambda: hub.add_signature(outputs=value), message, TypeError)
