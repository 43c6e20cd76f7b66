"""What a caller of a module does wrong is refused by an error that names the thing and the way out."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import tf1hub as hub
from tests.graphs import ROWS, eagerly, evaluate, export, op_types, scaling_spec, spec_of, spec_with, started_session


def test_unknown_tags_list_the_known_ones():
    with pytest.raises(ValueError, match=r"no graph variant with the tags \['tain'\].*: \[\], \['train'\]\.") as caught:
        hub.Module(spec_of("batch_norm"), tags={"tain"})
    assert isinstance(caught.value, KeyError)
    assert op_types() == []


def test_an_unknown_signature_lists_the_known_ones():
    module = hub.Module(spec_of("several_signatures"))
    with pytest.raises(ValueError, match=r"no signature 'sum'.*It has: 'add', 'default', 'full-projection'\."):
        module(ROWS, signature="sum")


@pytest.mark.parametrize("ask", ["get_input_info_dict", "get_output_info_dict"])
def test_asking_for_an_unknown_signature_lists_the_known_ones(ask):
    module = hub.Module(spec_of("several_signatures"))
    for asked in (module, spec_of("several_signatures")):
        with pytest.raises(ValueError, match=r"no signature 'sum'.*It has: 'add', 'default', 'full-projection'\."):
            getattr(asked, ask)("sum")


@pytest.mark.parametrize("inputs", [{}, None])
def test_missing_inputs_are_named_with_dtype_and_shape(inputs):
    message = (
        r"'add': missing \['a', 'b'\], not known \[\]. It takes:"
        r" 'a': a float32 tensor of shape \(3,\), 'b': a float32 tensor of shape \(3,\)"
    )
    with pytest.raises(TypeError, match=message):
        hub.Module(spec_of("several_signatures"))(inputs, signature="add")


def test_extra_inputs_are_named():
    inputs = {"a": ROWS[0], "b": ROWS[0], "c": 1, "d": 2}
    with pytest.raises(TypeError, match=r"missing \[\], not known \['c', 'd'\]. It takes: 'a'"):
        hub.Module(spec_of("several_signatures"))(inputs, signature="add")


def test_one_value_for_two_inputs():
    with pytest.raises(TypeError, match=r"'add' takes 2 inputs; pass a dict with them: 'a': .*'b': "):
        hub.Module(spec_of("several_signatures"))(ROWS, signature="add")


def test_a_value_for_no_inputs():
    with pytest.raises(TypeError, match="'default' takes no inputs; call it without"):
        hub.Module(spec_of("no_inputs"))(ROWS)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (np.zeros([2, 4], np.float32), r"a \w*Tensor of float32 and shape \(2, 4\)"),
        ([1.0, 2.0], r"a \w*Tensor of float32 and shape \(2,\)"),
        (["a"], r"list \['a'\]"),
        (None, r"NoneType None"),
        (object, "type"),
    ],
)
def test_an_ill_shaped_input_is_named_with_what_is_expected(value, found):
    message = (
        r"The input 'default' of the signature 'default' should be a float32 tensor of shape \((None|\?), 3\), but got "
    )
    with pytest.raises(TypeError, match=message + found):
        hub.Module(scaling_spec())({"default": value})


def test_a_tensor_of_another_dtype_is_refused():
    with pytest.raises(TypeError, match=r"float32 tensor of shape .* but got a .*Tensor of float64 and shape \(2, 3\)"):
        hub.Module(scaling_spec())(tf.constant(ROWS, tf.float64))


@pytest.mark.parametrize(
    ("kind", "expected"), [("dense", "a float32"), ("sparse_in", "a sparse float32"), ("ragged_in", "a ragged float32")]
)
def test_a_value_of_another_kind_is_refused(kind, expected):
    sparse, ragged = tf.sparse.from_dense(ROWS), tf.ragged.constant([[1.0]], dtype=tf.float32)
    wrong = {"dense": [sparse, ragged], "sparse_in": [ROWS, ragged], "ragged_in": [ROWS[0, 0], sparse]}
    module = hub.Module(spec_of(kind))
    for value in wrong[kind]:
        with pytest.raises(TypeError, match=f"The input 'default' .* should be {expected} tensor of shape"):
            module(value)


def test_a_refused_call_adds_nothing_but_the_callers_own_values():
    module = hub.Module(scaling_spec())
    with pytest.raises(TypeError):
        module(tf.constant([1.0, 2.0]))
    assert not [op.name for op in tf.get_default_graph().get_operations() if "apply" in op.name]
    assert module(ROWS).name.startswith("module_apply_default/")


def test_no_default_output_lists_the_outputs():
    module = hub.Module(spec_with(lambda x: {"first": x, "second": x}))
    with pytest.raises(TypeError, match=r"no output called 'default'. Pass `as_dict=True`.*: \['first', 'second'\]"):
        module(ROWS)
    assert sorted(module(ROWS, as_dict=True)) == ["first", "second"]


def test_an_unknown_output_lists_the_known_ones():
    with pytest.raises(TypeError, match=r"no output \['hiden'\]. It has: \['default', .*'hidden'"):
        hub.Module(spec_of("several_outputs"))(ROWS, outputs=["default", "hiden"])


def test_a_second_argument_by_position_is_warned_of():
    module = hub.Module(scaling_spec())
    with pytest.warns(UserWarning, match="'default' has no effect; pass `signature` by name"):
        module(ROWS, "default")


def test_applying_in_another_graph():
    module = hub.Module(scaling_spec(), name="mine")
    with tf.Graph().as_default(), pytest.raises(RuntimeError, match=r"'mine' can only be applied.*as_default\(\)"):
        module(ROWS)
    assert evaluate(module(ROWS)).shape == (2, 3)


def test_exporting_in_another_graph(tmp_path):
    module = hub.Module(scaling_spec(), name="mine")
    refused = pytest.raises(RuntimeError, match=r"'mine' can only be exported.*as_default\(\)")
    with started_session() as session, tf.Graph().as_default(), refused:
        module.export(tmp_path / "module", session)
    assert list(tmp_path.iterdir()) == []


def test_exporting_with_a_session_of_another_graph(tmp_path):
    module = hub.Module(scaling_spec())
    session = tf.Session(graph=tf.Graph())
    with pytest.raises(RuntimeError, match="Pass a session of the module's graph"):
        module.export(tmp_path / "module", session)
    session.close()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_nodes_have_taken():
    tf.constant(1, name="mine")
    with pytest.raises(
        RuntimeError, match=r"'mine' is free for a module's variables but taken for nodes.*name="
    ) as caught:
        hub.Module(scaling_spec(), name="mine")
    assert "another name" in str(caught.value)


@pytest.mark.parametrize("make", [tf.get_variable, lambda name, shape: tf.zeros(shape, name=name)])
def test_a_name_under_which_a_node_of_the_caller_lies(make):
    make("mine/w", [3])
    with pytest.raises(RuntimeError, match=r"has a node 'mine/w.*' already.*Give the module another name"):
        hub.Module(scaling_spec(), name="mine")
    assert hub.Module(scaling_spec(), name="free").variables[0].name == "free/w:0"


def test_a_name_that_a_variable_scope_has_taken_gets_a_number():
    with tf.variable_scope("mine"):
        tf.get_variable("v", [])
    assert list(hub.Module(scaling_spec(), name="mine").variable_map["w"].name.split("/")) == ["mine_1", "w:0"]


@pytest.mark.parametrize("name", ["", "/a", "_a", "a b", "a:0", None, 3])
def test_a_name_that_is_none(name):
    with pytest.raises(ValueError, match="no name for a module: it is made of letters, digits"):
        hub.Module(scaling_spec(), name=name)


def test_eager_mode(tmp_path):
    path = export(scaling_spec(), tmp_path / "module")
    with pytest.raises(RuntimeError, match=r"eager execution is on.*`with tf.Graph\(\).as_default\(\):`"):
        eagerly(lambda: hub.Module(path))


@pytest.mark.parametrize("handle", ["https://tfhub.dev/google/nnlm/1", "http://host/m"])
@pytest.mark.parametrize("function", [hub.Module, hub.load_module_spec, hub.resolve])
def test_a_url(function, handle):
    with pytest.raises(OSError, match=rf"'{handle}' is a web address.*not supported yet. Download the module"):
        function(handle)


def test_what_is_no_spec():
    with pytest.raises(ValueError, match=r"hub.ModuleSpec or as a path; this is int"):
        hub.Module(3)
