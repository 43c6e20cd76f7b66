"""Which functions a set of nodes can reach."""

import pytest

from tests.graph.graphs import function, node
from tf1hub.format import protos
from tf1hub.graph.library import used_library

CALL = protos.AttrValue(func=protos.NameAttrList(name="F"))
LIST = protos.AttrValue(list=protos.AttrValue.ListValue(func=[protos.NameAttrList(name="F")]))
NESTED = protos.AttrValue(func=protos.NameAttrList(name="other", attr={"f": CALL}))
FUNCTIONS = [function("F", node("n", "G")), function("G"), function("H"), function("grad")]


def used(*nodes, gradients=()):
    library = protos.FunctionDefLibrary(function=FUNCTIONS, gradient=gradients)
    return used_library(nodes, library)


def reached(*nodes, **options):
    return [each.signature.name for each in used(*nodes, **options).function]


@pytest.mark.parametrize(
    "caller",
    [
        node("x", "F"),
        node("x", "Call", f=CALL),
        node("x", "Case", branches=LIST),
        node("x", "Call", f=NESTED),
        node("x", "Any", _gradient_op_type=b"F"),
    ],
)
def test_a_function_is_reached_however_it_is_named_and_through_others(caller):
    assert reached(caller) == ["F", "G"]


def test_functions_that_nobody_calls_stay_behind():
    assert reached(node("x", "Add")) == []


def test_a_gradient_comes_with_its_function():
    gradients = [
        protos.GradientDef(function_name="G", gradient_func="grad"),
        protos.GradientDef(function_name="H", gradient_func="grad"),
    ]
    library = used(node("x", "F"), gradients=gradients)
    assert [each.signature.name for each in library.function] == ["F", "G", "grad"]
    assert [each.function_name for each in library.gradient] == ["G"]


def test_functions_that_call_themselves_end():
    library = protos.FunctionDefLibrary(function=[function("F", node("n", "F"))])
    assert len(used_library([node("x", "F")], library).function) == 1
