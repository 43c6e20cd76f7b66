"""Constants and branches of graphs that no program of TensorFlow gives."""

import pytest

from tests.checks.linting.odd_graphs import odd
from tests.graph.graphs import node
from tf1hub.format import protos


def number(name, value):
    tensor = protos.TensorProto(dtype=9, int64_val=[value], tensor_shape=protos.TensorShapeProto())
    return node(name, "Const", value=protos.AttrValue(tensor=tensor))


@pytest.mark.parametrize("op", ["Square", "Pow", "Mul"])
def test_numbers_do_not_grow_without_end(op):
    nodes = [number("n0", 2**62)]
    nodes += [node(f"n{at + 1}", op, *[f"n{at}"] * (1 if op == "Square" else 2)) for at in range(40)]
    assert odd(*nodes).liveness.constant(("n40", 0)) is None


def test_what_is_constant_does_not_hang_on_what_was_asked_before():
    nodes = [number("n0", 3), *(node(f"n{at + 1}", "Neg", f"n{at}") for at in range(60))]
    fresh, asked = odd(*nodes).liveness, odd(*nodes).liveness
    assert asked.constant(("n59", 0)) is None  # too far away
    assert asked.constant(("n20", 0)) == fresh.constant(("n20", 0)) == 3


def branch(name, value):
    """A function with one result, a constant."""
    result = protos.FunctionDef(node_def=[number("value", value)], ret={"y": "value:output:0"})
    result.signature.name = name
    result.signature.output_arg.add(name="y")
    return result


@pytest.mark.parametrize(("predicate", "taken"), [(0, 30), (1, 20), (5, 20), (-1, 20)])
def test_an_if_takes_numbers_too(predicate, taken):
    call = node("if", "If", "predicate")
    call.attr["then_branch"].func.name, call.attr["else_branch"].func.name = "then", "otherwise"
    found = odd(number("predicate", predicate), call, functions=[branch("then", 20), branch("otherwise", 30)])
    assert found.liveness.constant(("if", 0)) == taken
