"""The dataflow through functions, branches and loops, compared with what a session computes."""

from contextlib import nullcontext

import pytest
import tensorflow.compat.v1 as tf

from tests.checks.linting.odd_graphs import odd
from tests.graph.graphs import node
from tests.module_fns.registry import control_flow_v1, control_flow_v2
from tf1hub.checks.linting.dataflow.expansion import parse_ref
from tf1hub.checks.linting.linted_module import Variant
from tf1hub.format import protos
from tf1hub.graph.index import GraphIndex

both_control_flows = pytest.mark.parametrize("control_flow", [control_flow_v1, control_flow_v2])


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def variant():
    """The current graph as a variant."""
    exported = tf.train.export_meta_graph(clear_devices=False).SerializeToString()
    return Variant([], GraphIndex(protos.MetaGraphDef.FromString(exported)))


def variable(name, value=1.5):
    return tf.get_variable(name, [], initializer=tf.constant_initializer(value), use_resource=True)


def switch(default):
    """A predicate that a consumer need not feed."""
    return tf.placeholder_with_default(default, [], name="switch")


def live_variables(output):
    """The variables that the output depends on when nothing is fed."""
    found, ref = variant(), parse_ref(output.name)
    live = found.liveness.ancestors([ref])
    return {name for name in live if found.flow.nodes[name].op == "VarHandleOp"}


def variables_that_matter(output):
    """The variables that change what a session computes."""
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = session.run(output)
        found = set()
        for each in tf.global_variables():
            old = session.run(each)
            each.load(old + 0.25, session)
            if (session.run(output) != before).any():
                found.add(each.op.name)
            each.load(old, session)
    return found


def check_live_variables(output, expected):
    assert variables_that_matter(output) == expected
    assert live_variables(output) == expected


def constant_of(tensor):
    return variant().liveness.constant(parse_ref(tensor.name))


@both_control_flows
@pytest.mark.parametrize("default", [True, False])
def test_a_branch_that_is_not_taken_is_dead(control_flow, default):
    one, other = variable("one"), variable("other")
    with control_flow():
        output = tf.cond(switch(default), lambda: one * 2.0, lambda: other * 3.0)
    check_live_variables(output, {"one" if default else "other"})


@both_control_flows
def test_both_branches_are_alive_when_the_predicate_must_be_fed(control_flow):
    predicate, one, other = tf.placeholder(tf.bool, []), variable("one"), variable("other")
    with control_flow():
        output = tf.cond(predicate, lambda: one * 2.0, lambda: other * 3.0)
    assert live_variables(output) == {"one", "other"}


@both_control_flows
def test_branches_within_branches(control_flow):
    yes, no = switch(True), switch(False)
    a, b, c = variable("a"), variable("b"), variable("c")
    with control_flow():
        output = tf.cond(no, lambda: a, lambda: tf.cond(yes, lambda: b * 2.0, lambda: c * 3.0) + 1.0)
    check_live_variables(output, {"b"})


@both_control_flows
def test_a_branch_that_depends_on_the_result_of_another(control_flow):
    no, one, other = switch(False), variable("one"), variable("other")
    with control_flow():
        second = tf.cond(no, lambda: tf.constant(False), lambda: tf.constant(True))
        output = tf.cond(second, lambda: one * 2.0, lambda: other * 3.0)
    check_live_variables(output, {"one"})


@both_control_flows
def test_a_loop_in_a_dead_branch_is_dead(control_flow):
    one, other = variable("one"), variable("other")
    with control_flow():
        loop = lambda: tf.while_loop(lambda i: i < 9.0, lambda i: i + one, [tf.constant(0.0)])  # noqa: E731
        output = tf.cond(switch(False), loop, lambda: other * 2.0)
    check_live_variables(output, {"other"})


def test_a_loop_that_goes_on_by_itself_is_dead_in_a_dead_branch():
    with control_flow_v1():
        loop = lambda: tf.while_loop(lambda i: i < 9.0, lambda i: i + 1.0, [tf.constant(0.0)])  # noqa: E731
        output = tf.cond(switch(False), loop, lambda: tf.constant(2.0))
    found = variant()
    live = found.liveness.ancestors([parse_ref(output.name)])
    assert not [name for name in live if found.flow.nodes[name].op in {"Exit", "NextIteration"}]


@both_control_flows
def test_a_loop_needs_its_first_values_its_body_and_its_condition(control_flow):
    first, step, end, unused = (variable(name) for name in ("first", "step", "end", "unused"))
    with control_flow():
        output, _ = tf.while_loop(
            lambda x, _: x < 5.0 + end, lambda x, other: (x + step * 2.0, other + unused), [first, tf.constant(0.0)]
        )
    assert variables_that_matter(output) <= {"first", "step", "end"}
    assert live_variables(output) == {"first", "step", "end"}


@both_control_flows
def test_what_a_loop_only_hands_on_is_known_in_it(control_flow):
    training, one, other = switch(False), variable("one"), variable("other")
    with control_flow():
        body = lambda x: x + tf.cond(training, lambda: one * 1.0, lambda: other * 2.0)  # noqa: E731
        output = tf.while_loop(lambda x: x < 9.0, body, [tf.constant(0.0)])
    check_live_variables(output, {"other"})


@both_control_flows
def test_a_variable_is_recognised_in_loops_within_loops(control_flow):
    w = variable("w")
    with control_flow():
        inner = lambda x: tf.while_loop(lambda y: y < 9.0, lambda y: tf.exp(w, name="mark") + y, [x])  # noqa: E731
        tf.while_loop(lambda x: x < 99.0, inner, [tf.constant(0.0)])
    flow = variant().flow
    [mark] = [each for each in flow.by_op["Exp"] if each.name.endswith("mark")]
    assert flow.variable_of(mark.inputs[0]) == "w"


def test_a_case_takes_its_branch_and_the_last_one_beyond():
    numbers = [variable(name, float(place + 1)) for place, name in enumerate("abc")]
    branches = [lambda v=v: v * 2.0 for v in numbers]
    with control_flow_v2():
        for index, name in [(0, "a"), (2, "c"), (7, "c")]:
            output = tf.switch_case(tf.placeholder_with_default(index, []), branches)
            check_live_variables(output, {name})


def test_functions_in_functions():
    a, b, unused = variable("a"), variable("b"), variable("unused")

    @tf.function(autograph=False)
    def inner(x):
        return x * a, x * unused

    @tf.function(autograph=False)
    def outer(x):
        return inner(x)[0] + b

    output = outer(tf.constant(2.0))
    assert output.op.type in {"PartitionedCall", "StatefulPartitionedCall"}
    check_live_variables(output, {"a", "b"})


def test_the_second_output_of_a_call_and_the_third_of_a_split():
    a, b = variable("a"), variable("b")

    @tf.function(autograph=False)
    def pair(x, y):
        both = tf.stack([x, x, y])
        return tf.split(both, [1, 1, 1])[2] * 0.0 + a, tf.split(both, 3)[2] * b

    first, second = pair(tf.constant(1.0), tf.constant(2.0))
    check_live_variables(first, {"a"})
    check_live_variables(second, {"b"})


def test_two_calls_of_a_function_are_kept_apart():
    a, b = variable("a"), variable("b")
    double = tf.function(lambda x: x * 2.0, autograph=False)
    check_live_variables(double(a.read_value()), {"a"})
    check_live_variables(double(b.read_value()), {"b"})


def test_branches_with_the_same_function():
    a, b = variable("a"), variable("b")
    with control_flow_v2():
        output = tf.cond(switch(True), lambda: a * 2.0, lambda: b * 2.0)
    exported = tf.train.export_meta_graph()
    call = next(each for each in exported.graph_def.node if each.op in {"If", "StatelessIf"})
    call.attr["else_branch"].func.name = call.attr["then_branch"].func.name
    index = GraphIndex(protos.MetaGraphDef.FromString(exported.SerializeToString()))
    flow = Variant([], index).flow
    assert flow.variables_behind([parse_ref(output.name)]) == {"a"}
    assert len(flow.by_op["Mul"]) == 2


def assignments(found, refs, live=True):
    ancestors = (found.liveness if live else found.flow).ancestors(refs, controls=True)
    return sorted(name for name in ancestors if found.flow.nodes[name].op == "AssignAddVariableOp")


def test_what_a_function_runs_besides_is_waited_for():
    counter = variable("counter")

    @tf.function(autograph=False)
    def counted(x):
        counter.assign_add(1.0)
        return x * 2.0

    output = tf.identity(counted(tf.constant(1.0)))
    alone = tf.group(output.op.inputs[0].op)
    found = variant()
    assert len(assignments(found, [parse_ref(output.name)])) == 1
    assert len(assignments(found, [parse_ref(output.op.inputs[0].name)])) == 1
    assert len(assignments(found, [(alone.name, 0)])) == 1
    assert not [name for name in found.flow.ancestors([parse_ref(output.name)]) if "AssignAdd" in name]


@pytest.mark.parametrize("default", [True, False])
def test_only_the_branch_that_is_taken_runs_its_assignments(default):
    counter = variable("counter")
    with control_flow_v2():
        output = tf.cond(switch(default), lambda: counter.assign_add(1.0).op, lambda: tf.no_op())
    found, ref = variant(), (output.op.name if hasattr(output, "op") else output.name, 0)
    assert len(assignments(found, [ref])) == int(default)
    assert len(assignments(found, [ref], live=False)) == 1


@both_control_flows
@pytest.mark.parametrize("default", [True, False])
def test_randomness_of_a_dead_branch_is_dead_also_in_a_function_without_arguments(control_flow, default):
    noise = tf.function(lambda: tf.random.uniform([]), autograph=False)
    with control_flow():
        output = tf.cond(switch(default), noise, lambda: tf.constant(0.5))
    found = variant()
    live = found.liveness.ancestors([parse_ref(output.name)])
    assert any(found.flow.nodes[name].op == "RandomUniform" for name in live) == default


def scalars():
    """Scalars of all kinds, made of constants and placeholders with defaults."""
    rate, on = tf.placeholder_with_default(0.25, []), switch(True)
    count = tf.placeholder_with_default(7, [])
    keep = 1.0 - rate
    yield from [rate, on, keep, 1.0 / keep, keep**2, tf.square(keep), -keep, tf.math.reciprocal(keep)]
    yield from [tf.cast(keep, tf.int32), tf.cast(count, tf.bool), tf.cast(tf.cast(count, tf.bool), tf.float32)]
    yield from [count > 3, keep <= 0.5, tf.equal(count, 7), tf.logical_not(on), tf.logical_and(on, count < 3)]
    yield from [tf.where(on, keep, 3.0), tf.maximum(keep, 0.9), tf.minimum(count, 2), tf.reshape(keep, [1])[0]]
    yield from [
        tf.constant(1.5, tf.float16),
        tf.constant(0.5, tf.bfloat16),
        tf.constant(3, tf.int64),
        tf.constant(1e-7),
    ]
    yield from [tf.squeeze(tf.expand_dims(keep, 0)), tf.stop_gradient(tf.identity_n([rate, keep])[1])]
    for control_flow in (control_flow_v1, control_flow_v2):
        with control_flow():
            yield tf.cond(on, lambda: keep * 2.0, lambda: tf.constant(1.0))
            yield tf.cond(tf.cast(count, tf.bool), lambda: tf.constant(0.1), lambda: tf.constant(0.2))
            yield tf.cond(tf.placeholder_with_default(False, []), lambda: tf.constant(1), lambda: count + 1)
    yield tf.function(lambda x: x * keep, autograph=False)(tf.constant(2.0))


def test_constants_are_what_a_session_computes():
    tensors = list(scalars())
    found = variant()
    with tf.Session() as session:
        values = session.run(tensors)
    known = [found.liveness.constant(parse_ref(tensor.name)) for tensor in tensors]
    assert [value for value in known if value is None] == [None]  # a strided slice is not folded
    assert [one == pytest.approx(float(other)) for one, other in zip(known, values, strict=True)].count(False) == 1


def test_what_must_be_fed_or_is_read_or_drawn_is_no_constant():
    for tensor in (tf.placeholder(tf.float32, []), variable("w").read_value(), tf.random.uniform([])):
        assert constant_of(tensor) is None
        assert constant_of(tensor * 0.5 + 1.0) is None
    assert constant_of(tf.constant([0.5, 0.5])) is None
    assert constant_of(tf.constant("text")) is None


@both_control_flows
def test_what_a_loop_changes_is_no_constant(control_flow):
    with control_flow():
        changed, kept = tf.while_loop(
            lambda i, _: i < 5.0, lambda i, x: (i + 1.0, x), [tf.constant(0.0), tf.constant(0.5)]
        )
    assert constant_of(changed) is None
    assert constant_of(kept) in {0.5, None}


def test_a_branch_whose_results_are_all_the_same_is_a_constant():
    predicate = tf.placeholder(tf.bool, [])
    for control_flow in (control_flow_v1, control_flow_v2):
        with control_flow():
            assert constant_of(tf.cond(predicate, lambda: tf.constant(0.5), lambda: tf.constant(0.5))) == 0.5
            assert constant_of(tf.cond(predicate, lambda: tf.constant(0.5), lambda: tf.constant(0.6))) is None


def test_what_is_behind_an_input_does_not_count():
    a, b = variable("a"), variable("b")
    inputs = tf.identity(a, name="inputs")
    output = inputs * b
    flow, ref = variant().flow, parse_ref(output.name)
    assert flow.variables_behind([ref]) == {"a", "b"}
    assert flow.variables_behind([ref], stops={("inputs", 0)}) == {"b"}
    assert flow.ancestors([("inputs", 0)], stops={("inputs", 0)}) == set()


def test_descendants_lead_into_functions_and_out_of_them():
    start = tf.constant(1.0, name="start")
    double = tf.function(lambda x: tf.exp(x, name="inside"), autograph=False)
    tf.negative(double(start), name="end")
    found = variant().flow.descendants(["start"])
    assert any(name.endswith("inside") for name in found)
    assert "end" in found


def calling(name, *called):
    """A function that calls others."""
    result = protos.FunctionDef()
    result.signature.name = name
    result.signature.output_arg.add(name="y")
    for place, other in enumerate(called):
        result.node_def.append(protos.NodeDef(name=f"call_{place}", op=other))
    result.ret["y"] = "call_0:y:0"
    return result


def test_whoever_takes_a_value_of_a_call_waits_for_what_it_runs():
    function = calling("f")
    function.node_def.extend([node("value", "Const"), node("update", "AssignAddVariableOp")])
    function.ret["y"] = "value:output:0"
    function.control_ret["update"] = "update"
    found = odd(node("call", "f"), node("taker", "Identity", "call"), functions=[function])
    assert found.flow.ancestors([("taker", 0)]) == {"taker", "call/value"}
    assert assignments(found, [("taker", 0)]) == assignments(found, [("call", 0)]) == ["call/update"]


def test_functions_that_call_themselves_are_not_followed_for_ever():
    found = odd(node("call", "f"), functions=[calling("f", "g"), calling("g", "f")])
    assert len(found.flow.nodes) == 3
    assert found.flow.ancestors([("call", 0)]) == {"call/call_0/call_0"}


def test_functions_that_double_and_double_end():
    functions = [calling(f"f{level}", *[f"f{level + 1}"] * 2) for level in range(25)]
    assert len(odd(node("call", "f0"), functions=functions).flow.nodes) < 100_000


def test_functions_as_deep_as_no_stack_are_cut_off():
    functions = [calling(f"f{level}", f"f{level + 1}") for level in range(3000)]
    assert len(odd(node("call", "f0"), functions=functions).flow.nodes) < 3000


def test_nodes_that_miss_inputs_or_name_none_that_is_there():
    found = odd(
        node("no_inputs", "Switch"), node("far", "IdentityN", "no_inputs:7"), node("gone", "Mul", "nothing:1", "^gone"),
        node("number", "Identity", "far:²"), node("long", "Identity", "far:" + "9" * 5000), node("self", "Identity", "self"),
        node("while", "While", "self"), node("case", "Case"), node("if", "If"), node("merge", "Merge"),
    )  # fmt: skip
    refs = [(name, place) for name in found.flow.nodes for place in (0, 3)]
    for ref in refs:
        assert found.liveness.constant(ref) is None
        found.flow.origin(ref)
        found.flow.variable_of(ref)
    assert found.liveness.ancestors(refs, controls=True) == set(found.flow.nodes)
    assert found.flow.descendants(["nothing", "no_inputs"]) == {"no_inputs", "far", "number", "long"}


def test_reading_a_graph_does_not_change_it():
    with nullcontext(tf.function(lambda x: tf.split(x, 2)[1], autograph=False)) as halved:
        halved(tf.constant([1.0, 2.0]))
    found = variant()
    before = found.index.meta_graph.SerializeToString(deterministic=True)
    found.liveness.ancestors([(name, 0) for name in found.flow.nodes], controls=True)
    assert found.index.meta_graph.SerializeToString(deterministic=True) == before
