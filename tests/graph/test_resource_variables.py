"""Resources in the place of references: the rewritten graph computes what the session computed on the old one."""

import inspect

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.graph.graphs import FLOAT, STRING, definition, index, node
from tests.graphs import spec_of
from tests.module_fns.registry import control_flow_v1, text_file
from tf1hub.errors import GraphError
from tf1hub.format import protos
from tf1hub.graph.index import GraphIndex
from tf1hub.graph.reference_ops import COUNTERPARTS, PASSING, TABLES, VARIABLES
from tf1hub.graph.resource_variables import check_references, with_resource_variables
from tf1hub.tensorflow_private import provide_tf_layers


def exported(build):
    """The graph of a function that returns a tensor, with TF1's variables and control flow, as TensorFlow's message."""
    with tf.Graph().as_default() as graph, control_flow_v1(), tf.variable_scope("", use_resource=False):
        fetched = build()
        tf.add_to_collection("fetched", tf.convert_to_tensor(fetched))
        tf.add_to_collection("initializers", tf.group(tf.global_variables_initializer(), tf.tables_initializer()))
        return tf.train.export_meta_graph(graph=graph)


def rewritten(meta_graph):
    ours = protos.MetaGraphDef.FromString(meta_graph.SerializeToString())
    result = with_resource_variables(GraphIndex(ours)).meta_graph
    assert not {each.op for each in result.graph_def.node} & {*VARIABLES, *TABLES, *PASSING, *COUNTERPARTS}
    return tf.MetaGraphDef.FromString(result.SerializeToString())


def values(meta_graph, runs=3):
    """What some runs give, each with the values of all variables after it; and then the gradients by them."""
    with tf.Graph().as_default() as graph, control_flow_v1():
        tf.train.import_meta_graph(meta_graph)
        fetched = graph.get_collection("fetched")[0]
        variables = sorted(tf.global_variables(), key=lambda variable: variable.name)
        gradients = tf.gradients(fetched, variables) if fetched.dtype.is_floating else []
        present = [tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None]
        with tf.Session() as session:
            session.run(graph.get_collection("initializers"))
            results = [(session.run(fetched), session.run(variables)) for _ in range(runs)]
            return tf.nest.flatten(results), session.run(present)


def check_same(build):
    old = exported(build)
    new = rewritten(old)
    for expected, found in zip(values(old), values(new), strict=True):
        assert len(expected) == len(found)
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_array_equal(one, other)


def weights(name="w", initial=(1.0, 2.0, 4.0), **options):
    return tf.get_variable(name, initializer=tf.constant(initial), use_resource=False, **options)


def after(op, make):
    with tf.control_dependencies([op]):
        return make()


def check_same_but_for_gradients(build):
    check_same(lambda: tf.stop_gradient(build()))


def test_a_graph_without_references_stays_as_it_is():
    one = index(node("a", "VarHandleOp", dtype=FLOAT), node("b", "ReadVariableOp", "a"))
    assert with_resource_variables(one) is one


def test_the_given_graph_is_not_changed():
    one = spec_of("reference_variables").variant()
    before = one.meta_graph.SerializeToString(deterministic=True)
    with_resource_variables(one)
    assert one.meta_graph.SerializeToString(deterministic=True) == before


def test_names_of_nodes_and_the_state_stay():
    old = spec_of("reference_variables").variant()
    new = with_resource_variables(old)
    assert list(new.nodes)[: len(old.nodes)] == list(old.nodes)
    assert new.state_nodes == old.state_nodes
    assert {new.nodes[name].attr["shared_name"].s for name in new.state_nodes} == {b"kernel", b"bias"}


def test_definitions_speak_of_resources():
    old = exported(lambda: weights() * 2.0)
    with tf.Graph().as_default():
        tf.train.import_meta_graph(rewritten(old))
        assert [(type(v).__name__, v.name) for v in tf.trainable_variables()] == [("ResourceVariable", "w:0")]


READS = {
    "the variable": lambda w: w * 2.0,
    "the reference": lambda w: w._ref() * 2.0,
    "an Identity after an assignment": lambda w: after(w.assign_add([1.0, 1.0, 1.0]), w.read_value) * 2.0,
    "a reference after an assignment": lambda w: after(w.assign_sub([1.0, 1.0, 1.0]), lambda: w._ref() * 2.0),
    "memory that an addition changes": lambda w: after(w.assign_add([1.0, 1.0, 1.0]), lambda: w * 2.0),
    "memory that an assignment changes": lambda w: after(w.assign(w * 3.0), lambda: w + 0.0),
    "memory that was meant to be a copy": lambda w: _copied(w),
    "an assignment's output": lambda w: tf.square(w.assign_add([1.0, 2.0, 3.0])),
    "an assignment beside the reference": lambda w: tf.add(w._ref(), w.assign_add([1.0, 2.0, 3.0])),
    "an assignment to an assignment's output": lambda w: tf.assign_add(tf.assign(w, w * 2.0), [1.0, 1.0, 1.0]) * 1.0,
    "another variable": lambda w: after(weights("v").assign(w * 2.0), lambda: w * 1.0),
    "a reference handed on": lambda w: tf.raw_ops.RefIdentity(input=w._ref()) * 3.0,
    "whether it has a value": lambda w: tf.cast(tf.raw_ops.IsVariableInitialized(ref=w._ref()), tf.float32) + w,
}


def _copied(w):
    copy = tf.identity(w)
    return after(after(copy, lambda: w.assign_add([1.0, 1.0, 1.0])), lambda: copy * 1.0)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_variable_is_read_where_its_reference_was(read):
    check_same(lambda: read(weights()))


WRITES = {
    "scatter_update": lambda w: tf.scatter_update(w, [1], [7.0]),
    "scatter_add": lambda w: tf.scatter_add(w, [1, 1], [7.0, 1.0]),
    "scatter_sub": lambda w: tf.scatter_sub(w, [1, 0], [7.0, 1.0]),
    "scatter_mul": lambda w: tf.scatter_mul(w, [1, 0], [7.0, 3.0]),
    "scatter_div": lambda w: tf.scatter_div(w, [1, 0], [2.0, 4.0]),
    "scatter_min": lambda w: tf.scatter_min(w, [1, 0], [1.0, 4.0]),
    "scatter_max": lambda w: tf.scatter_max(w, [1, 0], [1.0, 4.0]),
    "scatter_nd_update": lambda w: tf.scatter_nd_update(w, [[1]], [7.0]),
    "scatter_nd_add": lambda w: tf.scatter_nd_add(w, [[1], [2]], [7.0, 1.0]),
    "scatter_nd_sub": lambda w: tf.scatter_nd_sub(w, [[1], [2]], [7.0, 1.0]),
    "a slice": lambda w: w[:2].assign([7.0, 8.0]),
    "descent": lambda w: tf.raw_ops.ApplyGradientDescent(var=w._ref(), alpha=0.5, delta=[1.0, 2.0, 3.0]),
    "momentum": lambda w: tf.raw_ops.ApplyMomentum(
        var=w._ref(), accum=weights("m")._ref(), lr=0.5, grad=[1.0, 2.0, 3.0], momentum=0.9
    ),
    "sparse momentum": lambda w: tf.raw_ops.SparseApplyMomentum(
        var=w._ref(), accum=weights("m")._ref(), lr=0.5, grad=[2.0], indices=[1], momentum=0.9
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_does_the_same_and_its_output_is_read_after_it(write):
    check_same_but_for_gradients(lambda: write(weights()) * 2.0)


def test_counting_gives_the_value_before():
    check_same(lambda: tf.count_up_to(tf.get_variable("n", initializer=0, use_resource=False), 9))


def test_a_branch_writes_and_reads():
    def build():
        w = weights()
        small = tf.reduce_sum(w.read_value()) < 12.0
        return tf.cond(small, lambda: w.assign_add([1.0, 1.0, 1.0]) * 2.0, lambda: w._ref() * 5.0)

    check_same(build)


def test_branches_that_give_assignments():
    def build():
        w = weights()
        small = tf.reduce_sum(w.read_value()) < 12.0
        return tf.cond(small, lambda: w.assign_add([1.0, 1.0, 1.0]), lambda: w.assign_sub([5.0, 1.0, 1.0])) * 2.0

    check_same(build)


def test_a_branch_that_reads_memory_which_it_changed():
    def build():
        w = weights()
        small = tf.reduce_sum(w.read_value()) < 12.0
        return tf.cond(small, lambda: after(w.assign_add([1.0, 1.0, 1.0]), lambda: w * 2.0), lambda: w * 5.0)

    check_same(build)


def test_references_joined_after_branches_can_be_written_to():
    def build():
        w, v = weights(), weights("v")
        pred = tf.reduce_sum(w.read_value()) < 12.0
        w_in, v_in = (tf.raw_ops.RefSwitch(data=each._ref(), pred=pred) for each in (w, v))
        changed = tf.assign_add(w_in.output_true, [1.0, 1.0, 1.0])
        joined = tf.raw_ops.RefMerge(inputs=[v_in.output_false, changed]).output
        return tf.assign_add(joined, [1.0, 1.0, 1.0]) * 1.0

    check_same(build)


def test_a_loop_reads_and_writes():
    def build():
        w = weights()
        total = tf.get_variable("total", initializer=0.0, use_resource=False)

        def body(i, y):
            added = tf.assign_add(total, tf.reduce_sum(y))
            with tf.control_dependencies([added]):
                return i + 1, y * w + total.read_value()

        _, y = tf.while_loop(lambda i, _: i < 3, body, [0, tf.ones([3])], parallel_iterations=1)
        return y

    check_same_but_for_gradients(build)


@pytest.mark.filterwarnings("ignore:.*is deprecated")
def test_layers():
    provide_tf_layers()
    layers = tf.layers

    def build():
        x = tf.constant(np.linspace(-1, 1, 96).reshape([2, 4, 4, 3]), tf.float32)
        y = layers.conv2d(x, 2, 3, kernel_initializer=tf.ones_initializer())
        y = layers.batch_normalization(y, training=True)
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            return layers.dense(layers.flatten(y), 2, kernel_initializer=tf.ones_initializer())

    check_same(build)


def test_a_partitioned_variable_and_a_lookup_in_it():
    def build():
        parts = tf.get_variable(
            "e",
            [5, 2],
            initializer=tf.ones_initializer(),
            partitioner=tf.fixed_size_partitioner(2),
            use_resource=False,
        )
        return tf.nn.embedding_lookup(parts, [0, 4, 4], partition_strategy="div")

    check_same(build)


def test_two_imports_of_a_variable_without_a_name_to_share_stay_apart():
    new = with_resource_variables(index(node("a", "VariableV2", dtype=FLOAT), node("b", "VariableV2", dtype=FLOAT)))
    assert [new.nodes[name].attr["shared_name"].s for name in "ab"] == [b"a", b"b"]


def test_the_oldest_variable_may_have_any_shape_where_it_names_none():
    new = with_resource_variables(index(node("a", "Variable", dtype=FLOAT, shape=())))
    assert new.nodes["a"].attr["shape"].shape.unknown_rank


def test_a_definition_without_a_snapshot_gets_one():
    old = protos.VariableDef(variable_name="a:0", initializer_name="a/Assign")
    new = with_resource_variables(index(node("a", "VariableV2", dtype=FLOAT), variables=[old]))
    (found,) = new.variables("variables")
    assert found.is_resource
    assert new.nodes[found.snapshot_name.removesuffix(":0")].op == "ReadVariableOp"


def test_colocations_and_control_inputs_stay():
    nodes = [
        node("a", "VariableV2", dtype=FLOAT),
        node("a/read", "Identity", "a", "^b", near=["a"], T=FLOAT),
        node("b", "NoOp", "^a"),
    ]
    new = with_resource_variables(index(*nodes)).nodes
    assert list(new["a/read"].input) == ["a", "^b"]
    assert list(new["b"].input) == ["^a"]
    assert list(new["a/read"].attr["_class"].list.s) == [b"loc:@a"]


def test_outputs_and_collections_name_what_is_there():
    nodes = [
        node("a", "VariableV2", dtype=FLOAT),
        node("x", "Const"),
        node("up", "AssignAdd", "a", "x", T=FLOAT),
    ]
    old = index(*nodes, update_ops=["up:0"], variables=[definition("a")])
    outputs = old.meta_graph.signature_def["default"].outputs
    outputs["now"].name, outputs["later"].name = "a:0", "up:0"
    new = with_resource_variables(old)
    assert new.collection_nodes("update_ops") == ["up"]
    read = {key: new.nodes[info.name[:-2]] for key, info in new.meta_graph.signature_def["default"].outputs.items()}
    assert list(read["now"].input) == ["a"]
    assert list(new.nodes[read["later"].input[0]].input) == ["a", "^up"]


def test_an_op_without_a_counterpart_is_refused_where_it_is_needed():
    nodes = [node("a", "VariableV2", dtype=FLOAT), node("i", "Const"), node("which", "RefSelect", "i", "a", T=FLOAT)]
    new = with_resource_variables(index(*nodes))
    check_references(new, ["a", "i"])
    with pytest.raises(GraphError, match="'which' does RefSelect"):
        check_references(new, new.nodes)


def test_an_op_of_its_own_that_takes_a_reference_is_refused():
    op = protos.OpDef(name="Mine", input_arg=[protos.OpDef.ArgDef(name="ref", is_ref=True)])
    new = with_resource_variables(index(node("a", "VariableV2", dtype=FLOAT), node("m", "Mine", "a"), ops=[op]))
    with pytest.raises(GraphError, match="'m' does Mine"):
        check_references(new, ["m"])


def test_the_modules_of_the_other_tests_need_nothing_that_is_refused():
    for kind in ("reference_variables", "partitioned_references", "while_v1_of_references"):
        new = with_resource_variables(spec_of(kind).variant())
        check_references(new, new.nodes)


def test_old_tables_are_filled_and_asked():
    path = text_file("words.txt", ["a", "b", "c"])

    def build():
        words = tf.constant(["b", "c", "x"])
        fixed = tf.raw_ops.HashTable(key_dtype=tf.string, value_dtype=tf.int64)
        filled = tf.raw_ops.InitializeTable(table_handle=fixed, keys=["a", "b"], values=tf.constant([5, 6], tf.int64))
        read = tf.raw_ops.HashTable(key_dtype=tf.string, value_dtype=tf.int64, shared_name="words")
        lines = tf.raw_ops.InitializeTableFromTextFile(table_handle=read, filename=path, key_index=-2, value_index=-1)
        for each in (filled, lines):
            tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, each)
        found = [
            tf.raw_ops.LookupTableFind(table_handle=table, keys=words, default_value=tf.constant(-1, tf.int64))
            for table in (fixed, read)
        ]
        return tf.concat([*found, [tf.raw_ops.LookupTableSize(table_handle=read)]], 0)

    check_same(build)


def test_an_old_table_that_changes():
    def build():
        table = tf.raw_ops.MutableHashTable(key_dtype=tf.string, value_dtype=tf.int64)
        size = tf.raw_ops.LookupTableSize(table_handle=table)
        more = tf.strings.as_string(size)
        put = tf.raw_ops.LookupTableInsert(table_handle=table, keys=[more], values=[size])
        return after(put, lambda: tf.raw_ops.LookupTableSize(table_handle=table))

    check_same(build)


def test_an_old_table_in_a_branch():
    def build():
        table = tf.raw_ops.HashTable(key_dtype=tf.string, value_dtype=tf.int64)
        filled = tf.raw_ops.InitializeTable(table_handle=table, keys=["a"], values=tf.constant([5], tf.int64))
        tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, filled)
        switched = tf.raw_ops.RefSwitch(data=table, pred=True).output_true
        return tf.raw_ops.LookupTableFind(table_handle=switched, keys=["a"], default_value=tf.constant(-1, tf.int64))

    check_same(build)


def test_a_table_keeps_its_node_name_as_state():
    new = with_resource_variables(index(node("t", "HashTable", key_dtype=STRING, value_dtype=STRING)))
    assert new.nodes["t"].op == "HashTableV2"
    assert new.state_nodes == {"t"}


@pytest.mark.parametrize("op", [*COUNTERPARTS, *TABLES])
def test_a_counterpart_has_the_attributes_that_it_is_given(op):
    new = COUNTERPARTS[op].op if op in COUNTERPARTS else TABLES[op]
    known, old = (set(inspect.signature(getattr(tf.raw_ops, each)).parameters) for each in (new, op))
    if op in COUNTERPARTS and COUNTERPARTS[op].attrs is not None:
        old -= {"use_locking", "validate_shape"}
        old = {"resource" if name == "ref" else name for name in old}
    inputs = COUNTERPARTS[op].references if op in COUNTERPARTS else 0
    assert len(old - known) <= inputs
