"""What `tensorflow_private` has for TensorFlow 2: tapes, handles, effects, XLA, names of arguments, fingerprints."""

import tensorflow as tf

from tf1hub.tensorflow_private import (
    describe_keywords,
    is_compiled_by_xla,
    note_effects,
    op_definition,
    record_on_tapes,
    set_trainable,
    tape_may_record,
    watched_handle,
    write_fingerprint,
)


def watched(variable):
    with tf.GradientTape() as tape:
        variable.read_value()
    return [each.ref() for each in tape.watched_variables()] == [variable.ref()]


def test_a_frozen_variable_is_not_watched():
    variable = tf.Variable(1.0)
    set_trainable(variable, False)
    assert not watched(variable)
    set_trainable(variable, True)
    assert watched(variable)


def test_a_function_of_a_handle_depends_on_its_variable():
    variable = tf.Variable(3.0)
    function = tf.compat.v1.wrap_function(
        lambda: tf.raw_ops.ReadVariableOp(resource=watched_handle(variable), dtype=tf.float32) * 2.0, []
    )
    with tf.GradientTape() as tape:
        y = function()
    assert tape.gradient(y, variable).numpy() == 2.0


def test_ops_that_were_imported_are_differentiated_once_they_are_recorded():
    with tf.Graph().as_default() as imported:
        tf.multiply(tf.compat.v1.placeholder(tf.float32, [], "x"), 4.0, name="y")

    @tf.function
    def gradient(x, recorded):
        with tf.GradientTape() as tape:
            tape.watch(x)
            before = len(x.graph.get_operations())
            [y] = tf.graph_util.import_graph_def(imported.as_graph_def(), {"x": x}, ["y:0"], name="")
            if recorded:
                record_on_tapes(x.graph.get_operations()[before:])
        found = tape.gradient(y, x)
        return tf.constant(-1.0) if found is None else found

    assert [gradient(tf.constant(1.0), recorded).numpy() for recorded in (True, False)] == [4.0, -1.0]


def test_a_function_knows_whether_xla_compiles_it():
    found = []

    def body(x):
        found.append(is_compiled_by_xla(tf.compat.v1.get_default_graph()))
        return x

    tf.function(body, jit_compile=True)(tf.constant(1.0))
    tf.function(body)(tf.constant(1.0))
    tf.function(lambda x: tf.function(body)(x), jit_compile=True)(tf.constant(1.0))
    assert found == [True, False, True]


def test_effects_of_a_wrapped_function_are_noted():
    variable = tf.Variable(0.0)

    def add():
        tf.raw_ops.AssignAddVariableOp(resource=watched_handle(variable), value=1.0)
        note_effects(tf.compat.v1.get_default_graph())
        return tf.constant(0.0)

    function = tf.compat.v1.wrap_function(add, [])

    @tf.function
    def call():
        function()  # nobody takes what it returns
        return variable.read_value()

    assert call().numpy() == 1.0


def test_a_tape_may_record_or_not():
    assert not tape_may_record()
    with tf.GradientTape() as tape:
        assert tape_may_record()
        with tape.stop_recording():
            assert not tape_may_record()


def test_the_definition_of_an_op_is_found():
    assert b"MatMul" in op_definition("MatMul")
    assert op_definition("MyVeryOwnOp") is None


def test_keywords_of_a_function_are_described():
    spec = tf.TensorSpec([], tf.float32)
    function = tf.function(lambda a, b: a - b).get_concrete_function(spec, spec)
    describe_keywords(function, {"a": spec, "b": spec})
    assert function.structured_input_signature == ((), {"a": spec, "b": spec})


def test_a_fingerprint_is_that_of_the_files(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path))
    (tmp_path / "fingerprint.pb").unlink()
    write_fingerprint(str(tmp_path))
    assert tf.saved_model.experimental.read_fingerprint(str(tmp_path)).saved_model_checksum
